"""Senders whom their provider asked to slow down."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Instant

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("sender_turn", sa.Column("slowed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sender_turn", sa.Column("slowed_at", Instant(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sender_turn") as table:
        table.drop_column("slowed_at")
        table.drop_column("slowed")
