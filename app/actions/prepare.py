"""Make a migrated database ready: the installation's own row, and the clinic from the settings at first start."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.supply import care_policy
from app.db.engine import Database
from app.db.inserts import insert_once
from app.db.people import Clinic
from app.db.work import Installation

DEMO_SIGN_IN = ("nurse@northgate.example", "northgate demo nurse")


@dataclass(frozen=True)
class FirstClinic:
    """The clinic as the settings describe it; phones in E.164."""

    name: str
    phone: str
    after_hours_phone: str
    on_call_phone: str | None
    emergency_number: str
    time_zone: str
    sender: str | None


def prepare(db: Database, clinic: FirstClinic, now: datetime) -> int:
    """Write what is missing, keep what is there; return the first clinic's id.

    The clinic's sender follows the settings, which are where an operator changes it. Two processes that start at
    once make one installation and one clinic. Raises WrongDataKey where no data key opens this database.
    """
    with db.begin() as session:
        insert_once(
            session,
            Installation,
            ("id",),
            id=1,
            lookup_key=secrets.token_urlsafe(32),
            clock_ahead_seconds=0,
            created_at=now,
        )
        session.execute(select(Installation.lookup_key)).scalar_one()  # opens it: a wrong key is found here
        first = session.scalars(select(Clinic).order_by(Clinic.id).limit(1)).first()
        if first is None:
            first = _new_clinic(session, clinic, now)
            care_policy(session, first.id)
        elif clinic.sender and first.sender != clinic.sender:
            first.sender = clinic.sender
            audit(session, now, "system", "sender changed", f"clinic:{first.id}")
        return first.id


def _new_clinic(session: Session, clinic: FirstClinic, now: datetime) -> Clinic:
    row = Clinic(
        name=clinic.name,
        phone=clinic.phone,
        after_hours_phone=clinic.after_hours_phone,
        on_call_phone=clinic.on_call_phone,
        emergency_number=clinic.emergency_number,
        time_zone=clinic.time_zone,
        sender=clinic.sender,
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit(session, now, "system", "clinic made", f"clinic:{row.id}")
    return row


def the_clinic(session: Session) -> Clinic:
    """Return the first clinic. Raises Refused where there is none yet."""
    clinic = session.scalars(select(Clinic).order_by(Clinic.id).limit(1)).first()
    if clinic is None:
        raise Refused("there is no clinic yet: run `pumpline migrate`", "missing")
    return clinic
