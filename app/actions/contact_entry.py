"""What the verbs about contacts share: what is typed, when it will do, and the evidence of consent that stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.outbox import taking_back, withdraw
from app.db.messages import ASKED_FOR, OutboundMessage, Purpose
from app.db.people import ConsentEvent, ConsentKind, Contact, ContactKind
from app.domain.consent_scope import LONGEST_EVIDENCE, LONGEST_NAME, WAYS, Scope
from app.domain.phone import ordinary

Field = Literal["number", "name", "relation", "way", "words", ""]


class WrongField(Refused):
    """Refused because of one field."""

    def __init__(self, field: Field, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ContactEntry:
    """A contact as staff typed it. `way`: how the patient agreed, one of domain.consent_scope.WAYS, or empty."""

    kind: ContactKind
    number: str
    name: str = ""
    relation: str = ""
    gets_reminders: bool = True
    told_if_missed: bool = False
    way: str = ""
    words: str = ""

    @property
    def scope(self) -> Scope:
        return Scope(self.gets_reminders, self.told_if_missed and self.kind is ContactKind.CARER)

    @property
    def evidence(self) -> str | None:
        said = ": ".join(part for part in (WAYS.get(self.way, ""), self.words.strip()) if part)
        return said or None

    @property
    def own_name(self) -> str | None:
        return self.name.strip() or None if self.kind is ContactKind.CARER else None

    @property
    def own_relation(self) -> str | None:
        return self.relation.strip() or None if self.kind is ContactKind.CARER else None


def checked(entry: ContactEntry, country: str) -> str:
    """Return the number as E.164. Raises WrongField."""
    if entry.kind is ContactKind.CARER and not entry.name.strip():
        raise WrongField("name", "give the carer's name")
    for field, value in (("name", entry.name), ("relation", entry.relation)):
        if len(value.strip()) > LONGEST_NAME:
            raise WrongField("name" if field == "name" else "relation", f"at most {LONGEST_NAME} characters")
    if len(entry.words) > LONGEST_EVIDENCE:
        raise WrongField("words", f"at most {LONGEST_EVIDENCE} characters")
    try:
        return ordinary(entry.number, country)
    except ValueError as error:
        raise WrongField("number", str(error)) from error


def ask_for_evidence(entry: ContactEntry) -> None:
    if entry.way not in WAYS:
        raise WrongField("way", "say how the patient agreed: it is kept as evidence")


def keep_scope(
    session: Session, contact: Contact, scope: Scope | None, words: str | None, now: datetime, staff_id: int
) -> None:
    """Write what this phone may be told about this patient from now on; None: nothing, as of somebody removed."""
    session.add(
        ConsentEvent(
            phone_id=contact.phone_id,
            kind=ConsentKind.SCOPE,
            at=now,
            source="staff",
            words=words,
            staff_id=staff_id,
            patient_id=contact.patient_id,
            scope=scope.kept if scope else Scope(reminders=False, missed=False).kept,
        )
    )


def the_contact(session: Session, contact_id: int, version: int | None) -> Contact:
    """Return the contact for a change. Raises Refused where it is gone, or someone changed it since `version`."""
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None:
        raise Refused("somebody removed this contact meanwhile: nothing was changed", "missing")
    if version is not None and contact.version != version:
        raise Refused("this contact was changed meanwhile: nothing of yours is saved yet", "conflict")
    return contact


def not_twice(session: Session, patient_id: int, phone_id: int) -> None:
    """Raises WrongField where this phone is a contact of the patient already."""
    same = select(Contact.id).where(Contact.patient_id == patient_id, Contact.phone_id == phone_id)
    if session.scalar(same) is not None:
        raise WrongField("number", "this number is a contact of this patient already: change that one")


_WAITING = taking_back(
    OutboundMessage.phone_id == bindparam("phone"),
    OutboundMessage.patient_id == bindparam("patient"),
    OutboundMessage.purpose.in_(bindparam("purposes", expanding=True)),
)
_REMINDERS = (Purpose.REMINDER, Purpose.BOOK, Purpose.CHECK_IN)


def take_back_beyond(
    session: Session, phone_id: int, patient_id: int, before: Scope, scope: Scope, now: datetime
) -> None:
    """Take back what waits for this phone and is no longer within what the patient agreed to."""
    lost: tuple[Purpose, ...] = ()
    if not scope.reminders and not scope.missed:
        lost = ASKED_FOR
    elif before.reminders and not scope.reminders:
        lost = _REMINDERS
    elif before.missed and not scope.missed:
        lost = (Purpose.MISSED,)
    if lost:
        withdraw(session, now, "consent changed", _WAITING, phone=phone_id, patient=patient_id, purposes=list(lost))
