"""When each sender may send again, and the next text of each clinic."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Instant

revision = "0022"
down_revision = "0017"

_QUEUED = "state = 'queued'"


def upgrade() -> None:
    op.create_table(
        "sender_turn",
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("free_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_sender_turn")),
    )
    op.create_index(
        "ix_outbound_message_queued_of_clinic",
        "outbound_message",
        ["clinic_id", "urgent", "due_at", "id"],
        sqlite_where=sa.text(_QUEUED),
        postgresql_where=sa.text(_QUEUED),
    )


def downgrade() -> None:
    op.drop_index("ix_outbound_message_queued_of_clinic", "outbound_message")
    op.drop_table("sender_turn")
