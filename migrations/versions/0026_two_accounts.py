"""A second account at the provider: by which one a text left, and how each of them does."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Instant

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("outbound_message", sa.Column("via", sa.String(), nullable=True))
    op.create_table(
        "provider_account",
        sa.Column("via", sa.String(), primary_key=True),
        sa.Column("faults", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("fault_at", Instant(), nullable=True),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("try_at", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("answers", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("well_since", Instant(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("provider_account")
    op.drop_column("outbound_message", "via")
