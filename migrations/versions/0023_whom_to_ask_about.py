"""An index of the texts about which the provider is to be asked: many carriers never report an end, for a whole day."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_ON_THE_WAY = "state IN ('handed_over', 'accepted', 'sent')"


def upgrade() -> None:
    op.create_index(
        "ix_outbound_message_silent",
        "outbound_message",
        ["ask_at", "state_at"],
        sqlite_where=sa.text(_ON_THE_WAY),
        postgresql_where=sa.text(_ON_THE_WAY),
    )


def downgrade() -> None:
    op.drop_index("ix_outbound_message_silent", "outbound_message")
