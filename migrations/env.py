"""Run by Alembic: on the connection that was handed over, or offline not at all."""

from alembic import context

from app.db.tables import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run `pumpline migrate`: it knows the database and its keys")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
