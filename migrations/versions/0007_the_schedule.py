"""The schedule: a clinic's days and places, its closures, and why a visit lies on a day that was full or closed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "clinic_schedule",
        sa.Column("clinic_id", _ID, autoincrement=False, nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("slot_minutes", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_clinic_schedule_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_clinic_schedule")),
    )
    op.create_table(
        "closure",
        sa.Column("id", _ID, nullable=False),
        sa.Column("clinic_id", _ID, nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", _ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_closure_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_closure_created_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    op.create_index("ix_closure_clinic_id_last_on", "closure", ["clinic_id", "last_on"])
    op.add_column("appointment", sa.Column("room_reason", sa.LargeBinary(), nullable=True))
    # one index of both serves whoever asked for the clinic alone
    op.create_index("ix_appointment_clinic_id_starts_at", "appointment", ["clinic_id", "starts_at"])
    op.drop_index("ix_appointment_clinic_id", "appointment")


def downgrade() -> None:
    op.create_index("ix_appointment_clinic_id", "appointment", ["clinic_id"])
    op.drop_index("ix_appointment_clinic_id_starts_at", "appointment")
    op.drop_column("appointment", "room_reason")
    op.drop_index("ix_closure_clinic_id_last_on", "closure")
    op.drop_table("closure")
    op.drop_table("clinic_schedule")
