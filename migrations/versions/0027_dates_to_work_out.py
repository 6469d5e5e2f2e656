"""Which pumps wait for their dates, so that nobody looks through all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("pump", sa.Column("dated", sa.Boolean(), nullable=False, server_default=sa.false()))
    known = sa.table("supply", sa.column("patient_id"))
    pump = sa.table("pump", sa.column("patient_id"), sa.column("dated", sa.Boolean()))
    op.execute(sa.update(pump).where(pump.c.patient_id.in_(sa.select(known.c.patient_id))).values(dated=True))
    for name, table, condition in (
        ("ix_pump_to_date", "pump", "NOT dated"),
        ("ix_supply_stale", "supply", "stale"),
    ):
        where = sa.text(condition)
        op.create_index(name, table, ["patient_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_supply_stale", table_name="supply")
    op.drop_index("ix_pump_to_date", table_name="pump")
    op.drop_column("pump", "dated")
