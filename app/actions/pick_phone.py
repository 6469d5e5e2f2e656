"""Give a number typed into the simulator a row, so that pages can name it by an id."""

from datetime import datetime

from sqlalchemy import select

from app.actions.errors import Refused
from app.actions.line import Line
from app.db.directory import phone_named
from app.db.people import Clinic
from app.domain.phone import e164


def pick_phone(line: Line, number: str, now: datetime) -> int:
    """Return the id of this number at the first clinic. Raises Refused for what is no phone number."""
    with line.db.begin() as session:
        clinic = session.scalars(select(Clinic).order_by(Clinic.id).limit(1)).first()
        if clinic is None:
            raise Refused("there is no clinic yet: run `pumpline migrate`", "missing")
        try:
            found = e164(number, clinic.country)
        except ValueError as error:
            raise Refused(str(error)) from error
        return phone_named(line.db, session, clinic.id, found, now)
