"""The audit chain: each event is sealed once with its place and hashes, and is never changed or deleted. New roles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_FIXED = ("id", "at", "actor", "verb", "subject", "detail")
_WORDS = "the audit log is only ever added to"


def upgrade() -> None:
    op.add_column("audit_event", sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.add_column("audit_event", sa.Column("prev_hash", sa.String()))
    op.add_column("audit_event", sa.Column("hash", sa.String()))
    _index("uq_audit_event_position", ["position"], "position IS NOT NULL", unique=True)
    _index("ix_audit_event_unsealed", ["id"], "hash IS NULL")
    _index("ix_audit_event_listed", ["id"], "verb = 'saw a list'")
    op.create_index("ix_audit_event_actor", "audit_event", ["actor"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()
    # until now an administrator did all that a nurse does; a nurse locked out of the patients would be a danger
    op.execute("UPDATE staff SET role = 'lead_nurse' WHERE role = 'administrator'")


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, "audit_event", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _guard_sqlite() -> None:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
    op.execute(
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE ON audit_event "
        f"WHEN OLD.hash IS NOT NULL OR OLD.position IS NOT NULL OR NEW.hash IS NULL OR {changed} "
        f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
    )
    op.execute(
        f"CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
    )


def _guard_postgresql() -> None:
    columns = [column for column in _FIXED if column != "detail"]
    same = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in columns)
    op.execute(
        "CREATE FUNCTION audit_event_only_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN IF OLD.hash IS NULL AND OLD.position IS NULL AND NEW.hash IS NOT NULL "
        f"AND {same} AND NEW.detail::text IS NOT DISTINCT FROM OLD.detail::text THEN RETURN NEW; END IF; END IF; "
        f"RAISE EXCEPTION '{_WORDS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event "
        "FOR EACH ROW EXECUTE FUNCTION audit_event_only_added()"
    )
    op.execute(
        "CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_event_only_added()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_event_no_change ON audit_event")
        op.execute("DROP TRIGGER audit_event_no_truncate ON audit_event")
        op.execute("DROP FUNCTION audit_event_only_added()")
    else:
        op.execute("DROP TRIGGER audit_event_no_change")
        op.execute("DROP TRIGGER audit_event_no_delete")
    for name in ("actor", "listed", "unsealed"):
        op.drop_index(f"ix_audit_event_{name}", table_name="audit_event")
    op.drop_index("uq_audit_event_position", table_name="audit_event")
    for name in ("hash", "prev_hash", "position"):
        op.drop_column("audit_event", name)
    # the tables before know two roles; who only read must not come to write
    op.execute("UPDATE staff SET role = 'administrator' WHERE role = 'lead_nurse'")
    only_read = sa.text("UPDATE staff SET role = 'nurse', active = :no WHERE role IN ('auditor', 'read_only')")
    op.execute(only_read.bindparams(no=False))
