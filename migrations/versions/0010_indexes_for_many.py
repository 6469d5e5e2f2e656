"""An index for texts on their way, so that nobody reads through every text there ever was."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_ON_THE_WAY = "state IN ('handed_over', 'accepted', 'sent')"


def upgrade() -> None:
    op.create_index(
        "ix_outbound_message_on_the_way",
        "outbound_message",
        ["id"],
        sqlite_where=sa.text(_ON_THE_WAY),
        postgresql_where=sa.text(_ON_THE_WAY),
    )


def downgrade() -> None:
    op.drop_index("ix_outbound_message_on_the_way", "outbound_message")
