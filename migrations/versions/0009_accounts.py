"""Accounts: a second factor with recovery codes, passkeys, invitations; sessions that say which browser they are."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ROLES = ("nurse", "lead_nurse", "administrator", "auditor", "read_only")


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "authenticator",
        sa.Column("staff_id", _id(), nullable=False, autoincrement=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("confirmed_at", _instant(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        _refers("authenticator", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_authenticator")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("used_at", _instant(), nullable=True),
        _refers("recovery_code", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_staff_id", "recovery_code", ["staff_id"])
    op.create_table(
        "passkey",
        sa.Column("id", _id(), nullable=False),
        sa.Column("staff_id", _id(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("used_at", _instant(), nullable=True),
        _refers("passkey", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index("ix_passkey_staff_id", "passkey", ["staff_id"])
    op.create_table(
        "invitation",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.Enum(*ROLES, name="role", native_enum=False, length=24), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_by", _id(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.Column("used_at", _instant(), nullable=True),
        sa.Column("revoked_at", _instant(), nullable=True),
        _refers("invitation", "clinic_id", "clinic"),
        _refers("invitation", "created_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index("ix_invitation_clinic_id", "invitation", ["clinic_id", "id"])
    with op.batch_alter_table("staff") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    # whoever was signed in proves themselves once more: half an hour without an act ends a session anyway
    with op.batch_alter_table("staff_session") as table:
        table.add_column(sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("strong", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("proven_at", _instant(), nullable=True))
        table.add_column(sa.Column("browser", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE staff_session SET proven_at = created_at")
    with op.batch_alter_table("staff_session") as table:
        table.alter_column("pending", server_default=None)
        table.alter_column("strong", server_default=None)
        table.alter_column("proven_at", nullable=False)
        table.alter_column("browser", server_default=None)
    with op.batch_alter_table("sign_in_attempt") as table:
        table.add_column(sa.Column("device_hash", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("sign_in_attempt") as table:
        table.alter_column("device_hash", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sign_in_attempt") as table:
        table.drop_column("device_hash")
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("browser")
        table.drop_column("proven_at")
        table.drop_column("strong")
        table.drop_column("pending")
    with op.batch_alter_table("staff") as table:
        table.drop_column("version")
    for name in ("invitation", "passkey", "recovery_code", "authenticator"):
        op.drop_table(name)
