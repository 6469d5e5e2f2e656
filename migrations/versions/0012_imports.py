"""Imports from the console: the file that waits, what each import wrote, and what stood there before."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# Who refers to a row is looked up when it is removed: without these, by reading the whole table for each.
INDEXES = (
    ("supply", "pump_id", False),
    ("care_step", "pump_id", True),
    ("program", "refill_id", True),
    ("refill", "appointment_id", True),
    ("outbound_message", "reminder_id", True),
    ("task", "phone_id", False),
    ("feedback", "phone_id", False),
    ("thread_seen", "phone_id", False),
)
STATES = ("waiting", "writing", "stopped", "done", "undone", "dropped")


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "import_batch",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="importstate", native_enum=False, length=24), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("valid_only", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("began_at", _instant(), nullable=True),
        sa.Column("moved_at", _instant(), nullable=True),
        sa.Column("ended_at", _instant(), nullable=True),
        sa.Column("undo_until", _instant(), nullable=True),
        sa.Column("undone_at", _instant(), nullable=True),
        sa.Column("undone_by", _id(), nullable=True),
        _refers("import_batch", "clinic_id", "clinic"),
        _refers("import_batch", "staff_id", "staff"),
        _refers("import_batch", "undone_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("form_key", name=op.f("uq_import_batch_form_key")),
    )
    op.create_index("ix_import_batch_clinic_id", "import_batch", ["clinic_id", "id"])
    op.create_table(
        "import_change",
        sa.Column("id", _id(), nullable=False),
        sa.Column("batch_id", _id(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("row_id", _id(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("old", sa.LargeBinary(), nullable=True),
        sa.Column("new", sa.LargeBinary(), nullable=True),
        _refers("import_change", "batch_id", "import_batch"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
    )
    op.create_index("ix_import_change_batch_id", "import_change", ["batch_id", "kind", "created"])
    op.create_index("ix_import_change_row_id", "import_change", ["row_id", "kind"])
    for table, column, partial in INDEXES:
        where = sa.text(f"{column} IS NOT NULL") if partial else None
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table, column, _ in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.drop_table("import_change")
    op.drop_table("import_batch")
