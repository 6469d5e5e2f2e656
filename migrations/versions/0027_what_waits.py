"""Which pumps wait for their dates, a clinic's booked visits and answered alerts: so that nobody looks through all."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_INDEXES = (
    ("ix_pump_to_date", "pump", ["patient_id"], "NOT dated"),
    ("ix_supply_stale", "supply", ["patient_id"], "stale"),
    ("ix_appointment_booked", "appointment", ["clinic_id", "patient_id", "starts_at"], "state = 'booked'"),
    ("ix_task_answered_alert", "task", ["clinic_id", "opened_at"], "kind = 'alert' AND acknowledged_at IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("pump", sa.Column("dated", sa.Boolean(), nullable=False, server_default=sa.false()))
    known = sa.table("supply", sa.column("patient_id"))
    pump = sa.table("pump", sa.column("patient_id"), sa.column("dated", sa.Boolean()))
    op.execute(sa.update(pump).where(pump.c.patient_id.in_(sa.select(known.c.patient_id))).values(dated=True))
    for name, table, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_column("pump", "dated")
