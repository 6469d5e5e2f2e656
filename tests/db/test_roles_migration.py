"""What the audit chain's migration does to the staff there are: nobody is locked out, nobody comes to write."""

from sqlalchemy import text

from app.db.engine import Database
from app.db.migrate import migrate
from tests.db.conftest import NOW


def roles(db: Database) -> dict[str, tuple[str, bool]]:
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT name, role, active FROM staff ORDER BY id"))
        return {row.name: (row.role, bool(row.active)) for row in found}


def adds(db: Database, name: str, role: str) -> None:
    values = {
        "name": name,
        "role": role,
        "email": f"{name}@clinic.example",
        "at": NOW.replace(tzinfo=None),
        "yes": True,
    }
    statement = (
        "INSERT INTO staff (clinic_id, email, name, role, password_hash, active, created_at) "
        "VALUES (1, :email, :name, :role, 'x', :yes, :at)"
    )
    with db.begin() as session:
        session.execute(text(statement), values)


def test_administrators_of_before_become_lead_nurses_and_who_only_reads_never_comes_to_write(db: Database) -> None:
    migrate(db, "0003")
    for name, role in (("ana", "nurse"), ("bea", "administrator")):
        adds(db, name, role)
    migrate(db)
    assert roles(db) == {"ana": ("nurse", True), "bea": ("lead_nurse", True)}
    for role in ("auditor", "read_only", "administrator"):
        adds(db, role, role)
    migrate(db, "0003")
    assert roles(db) == {
        "ana": ("nurse", True),
        "bea": ("administrator", True),
        "auditor": ("nurse", False),
        "read_only": ("nurse", False),
        "administrator": ("administrator", True),
    }
