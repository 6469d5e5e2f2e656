"""When the provider is asked next about a text of which it reports nothing."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Instant

revision = "0020"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("outbound_message", sa.Column("ask_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("outbound_message", "ask_at")
