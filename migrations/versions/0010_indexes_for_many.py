"""Indexes for texts on their way and for missed visits: nobody reads through all that ever was."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_MISSED = "state = 'missed'"
_ON_THE_WAY = "state IN ('handed_over', 'accepted', 'sent')"


def upgrade() -> None:
    op.create_index(
        "ix_outbound_message_on_the_way",
        "outbound_message",
        ["id"],
        sqlite_where=sa.text(_ON_THE_WAY),
        postgresql_where=sa.text(_ON_THE_WAY),
    )
    op.create_index(
        "ix_appointment_missed",
        "appointment",
        ["clinic_id", "patient_id"],
        sqlite_where=sa.text(_MISSED),
        postgresql_where=sa.text(_MISSED),
    )


def downgrade() -> None:
    op.drop_index("ix_appointment_missed", "appointment")
    op.drop_index("ix_outbound_message_on_the_way", "outbound_message")
