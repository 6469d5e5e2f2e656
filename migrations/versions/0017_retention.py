"""Holds that stop all erasing, how far what is old was erased, and patients whose record was."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0020"

OF_PATIENT = sa.text("lifted_at IS NULL AND patient_id IS NOT NULL")
OF_CLINIC = sa.text("lifted_at IS NULL AND patient_id IS NULL")


def _id() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _refers(column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_legal_hold_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", _id(), nullable=False),
        sa.Column("clinic_id", _id(), nullable=False),
        sa.Column("patient_id", _id(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("placed_at", _instant(), nullable=False),
        sa.Column("placed_by", _id(), nullable=True),
        sa.Column("lifted_at", _instant(), nullable=True),
        sa.Column("lifted_by", _id(), nullable=True),
        _refers("clinic_id", "clinic"),
        _refers("patient_id", "patient"),
        _refers("placed_by", "staff"),
        _refers("lifted_by", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index("ix_legal_hold_patient_id", "legal_hold", ["patient_id"])
    for name, column, where in (
        ("uq_legal_hold_patient", "patient_id", OF_PATIENT),
        ("uq_legal_hold_clinic", "clinic_id", OF_CLINIC),
    ):
        op.create_index(name, "legal_hold", [column], unique=True, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "forgotten",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("up_to_id", _id(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("erased", _id(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_forgotten")),
    )
    op.add_column("patient", sa.Column("erased_at", _instant(), nullable=True))
    op.add_column("phone", sa.Column("number_gone", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("phone", "number_gone")
    op.drop_column("patient", "erased_at")
    op.drop_table("forgotten")
    op.drop_table("legal_hold")
