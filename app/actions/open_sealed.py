"""Try whether the data keys open what a database holds: a copy that nobody can read is none."""

from sqlalchemy import select

from app.db.engine import Database
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Patient, Phone
from app.db.reading import exactly

EACH = 500


def open_some(db: Database) -> int:
    """Open the lookup key and the newest names, numbers and texts; return how many. Raises WrongDataKey."""
    _ = db.lookup_key
    opened = 0
    with exactly(), db.read() as session:
        for sealed in (Patient.given_name, Phone.number, InboundMessage.body, OutboundMessage.body):
            table_id = sealed.class_.id
            opened += len(session.execute(select(sealed).order_by(table_id.desc()).limit(EACH)).all())
    return opened
