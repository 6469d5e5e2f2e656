"""The database's history. Additive before destructive; runs on SQLite and PostgreSQL."""
