"""On PostgreSQL, the tables of Procrastinate, which decides which worker beats. SQLite has one machine and needs none.

The file is a copy of what Procrastinate 3.10 brings, so that this step makes the same tables in every later version.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0012"

TABLES = Path(__file__).parent.parent / "sql" / "procrastinate_3_10.sql"
AWAY = TABLES.with_name("procrastinate_away.sql")


def upgrade() -> None:
    _run(TABLES.read_text(encoding="utf-8"))


def downgrade() -> None:
    _run(AWAY.read_text(encoding="utf-8"))


def _run(statements: str) -> None:
    """Run many statements at once, as only the driver's own connection takes them."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.connection.driver_connection.execute(statements)
