"""Take the audit log out as rows: what was asked for, and an event that says how many rows left."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.db.audit_log import Line, Wanted, about_patient, audit_page
from app.db.engine import Database

MOST_ROWS = 50_000
AT_ONCE = 1_000


def export_audit(db: Database, wanted: Wanted, actor: str, clinic_id: int, now: datetime) -> list[Line]:
    """Return every event of the log that fits, newest first. Raises Refused where it is too much for one file."""
    found: list[Line] = []
    with db.read() as session:
        before = None
        while some := audit_page(session, wanted, before=before, limit=AT_ONCE):
            found += some
            before = some[-1].id
            if len(found) > MOST_ROWS:
                raise Refused(f"more than {MOST_ROWS:,} events: choose fewer days")
    with db.begin() as session:
        audit(session, now, actor, "exported the audit log", f"clinic:{clinic_id}", rows=len(found))
    return found


def export_access(db: Database, patient_id: int, actor: str, now: datetime) -> list[Line]:
    """Return who read or changed one patient's record, newest first, all of it."""
    found: list[Line] = []
    with db.read() as session:
        before = None
        while some := about_patient(session, patient_id, before=before, limit=AT_ONCE):
            found += some
            before = some[-1].id
    with db.begin() as session:
        audit(session, now, actor, "exported an access report", f"patient:{patient_id}", rows=len(found))
    return found
