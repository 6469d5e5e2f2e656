"""On PostgreSQL, the tables of Procrastinate, which decides which worker beats. SQLite has one machine and needs none.

The file is a copy of what Procrastinate 3.10 brings, so that this step makes the same tables in every later version.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0012"

TABLES = Path(__file__).parent.parent / "sql" / "procrastinate_3_10.sql"
_AWAY = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT tablename AS name FROM pg_tables
        WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP TABLE %I CASCADE', found.name);
    END LOOP;
    FOR found IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP FUNCTION ' || found.name || ' CASCADE';
    END LOOP;
    FOR found IN SELECT t.typname AS name FROM pg_type t
        WHERE t.typnamespace = current_schema()::regnamespace AND t.typname LIKE 'procrastinate\\_%'
        AND t.typtype IN ('e', 'c') LOOP
        EXECUTE format('DROP TYPE %I CASCADE', found.name);
    END LOOP;
END;
$$
"""


def upgrade() -> None:
    _run(TABLES.read_text(encoding="utf-8"))


def downgrade() -> None:
    _run(_AWAY)


def _run(statements: str) -> None:
    """Run many statements at once, as only the driver's own connection takes them."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.connection.driver_connection.execute(statements)
