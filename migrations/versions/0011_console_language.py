"""In which language, and with which hours, somebody reads the console."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("staff", sa.Column("language", sa.String(), nullable=False, server_default=""))
    op.add_column("staff", sa.Column("twelve_hours", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("staff", "twelve_hours")
    op.drop_column("staff", "language")
