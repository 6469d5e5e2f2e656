"""Who may be texted about a patient, within what consent, and the evidence of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from app.db.pages import Person, person_of
from app.db.patient_banner import PhoneState, failing_phones
from app.db.people import ConsentEvent, ConsentKind, Contact, ContactKind, Patient, Phone, Staff
from app.db.work import AuditEvent
from app.domain.consent_scope import Scope

MOST = 200


@dataclass(frozen=True)
class Evidence:
    """One line of the history of consent."""

    phone_id: int
    kind: ConsentKind
    at: datetime
    source: str
    words: str | None
    staff_name: str | None
    scope: str | None


@dataclass(frozen=True)
class ContactCard:
    id: int
    version: int
    phone_id: int
    number: str
    kind: ContactKind
    name: str | None
    relation: str | None
    gets_reminders: bool
    told_if_missed: bool
    opted_out_at: datetime | None
    state: PhoneState
    failed_at: datetime | None
    shared_with: tuple[Person, ...]
    evidence: tuple[Evidence, ...]  # newest first

    @property
    def scope(self) -> str:
        """Return it as domain.consent_scope keeps it."""
        return Scope(self.gets_reminders, self.told_if_missed).kept


@dataclass(frozen=True)
class Former:
    """A phone that was a contact of this patient, with what was agreed then."""

    phone_id: int
    number: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class ContactsPage:
    cards: tuple[ContactCard, ...]
    former: tuple[Former, ...]


def contacts_page(session: Session, patient_id: int) -> ContactsPage:
    rows = session.execute(
        select(Contact, Phone)
        .join(Phone, Phone.id == Contact.phone_id)
        .where(Contact.patient_id == patient_id)
        .order_by(Contact.kind != ContactKind.PATIENT, Contact.id)
    ).all()
    present = [phone.id for _, phone in rows]
    evidence = _evidence(session, patient_id, present)
    failing = failing_phones(session, present)
    shared = _shared(session, patient_id, present)
    cards = []
    for contact, phone in rows:
        failure = failing.get(phone.id)
        state: PhoneState = failure[0] if failure else "ok"
        cards.append(
            ContactCard(
                contact.id,
                contact.version,
                phone.id,
                phone.number,
                contact.kind,
                contact.name,
                contact.relation,
                contact.gets_reminders,
                contact.told_if_missed,
                phone.opted_out_at,
                "opted_out" if phone.opted_out_at else state,
                failure[1] if failure else None,
                tuple(shared[phone.id]),
                tuple(evidence[phone.id]),
            )
        )
    gone = [phone_id for phone_id in evidence if phone_id not in present]
    numbers = {phone.id: phone.number for phone in session.scalars(select(Phone).where(Phone.id.in_(gone)))}
    former = tuple(Former(phone_id, numbers[phone_id], tuple(evidence[phone_id])) for phone_id in gone)
    return ContactsPage(tuple(cards), former)


def _evidence(session: Session, patient_id: int, phone_ids: Sequence[int]) -> defaultdict[int, list[Evidence]]:
    """Return, by phone, what the phone agreed to, and what it may be told about this patient, not about another."""
    rows = session.execute(
        select(ConsentEvent, Staff.name)
        .outerjoin(Staff, Staff.id == ConsentEvent.staff_id)
        .where(
            or_(
                ConsentEvent.patient_id == patient_id,
                ConsentEvent.phone_id.in_(phone_ids) & (ConsentEvent.kind != ConsentKind.SCOPE),
            )
        )
        .order_by(ConsentEvent.at.desc(), ConsentEvent.id.desc())
        .limit(MOST)
    )
    found: defaultdict[int, list[Evidence]] = defaultdict(list)
    for event, name in rows:
        line = Evidence(event.phone_id, event.kind, event.at, event.source, event.words, name, event.scope)
        found[event.phone_id].append(line)
    return found


def _shared(session: Session, patient_id: int, phone_ids: Sequence[int]) -> defaultdict[int, list[Person]]:
    rows = session.execute(
        select(Contact.phone_id, Patient)
        .join(Patient, Patient.id == Contact.patient_id)
        .where(Contact.phone_id.in_(phone_ids), Contact.patient_id != patient_id)
        .order_by(Contact.id)
        .limit(MOST)
    )
    found: defaultdict[int, list[Person]] = defaultdict(list)
    for phone_id, patient in rows:
        found[phone_id].append(person_of(patient))
    return found


def was_contact(session: Session, patient_id: int, contact_id: int) -> bool:
    """Whether a contact that is gone was this patient's."""
    return last_contact_change(session, patient_id, contact_id) is not None


def voices(session: Session, patient_id: int) -> dict[int, tuple[str | None, str, bool]]:
    """Return, by phone, the carer's name, whose it is, and whether it is also another patient's."""
    other = aliased(Contact)
    shared = (
        select(other.id).where(other.phone_id == Contact.phone_id, other.patient_id != patient_id).correlate(Contact)
    )
    rows = session.execute(
        select(Contact.phone_id, Contact.name, Contact.kind, shared.exists()).where(Contact.patient_id == patient_id)
    )
    return {phone_id: (name, kind.value, is_shared) for phone_id, name, kind, is_shared in rows}


_CHANGES = ("contact added", "contact changed", "contact removed")


def last_contact_change(session: Session, patient_id: int, contact_id: int) -> tuple[str, datetime] | None:
    """Return who changed or removed a contact last, and when."""
    rows = session.execute(
        select(AuditEvent.at, AuditEvent.actor, AuditEvent.detail)
        .where(AuditEvent.subject == f"patient:{patient_id}", AuditEvent.verb.in_(_CHANGES))
        .order_by(AuditEvent.id.desc())
        .limit(20)
    )
    for at, actor, detail in rows:
        if (detail or {}).get("contact") == contact_id:
            kind, _, row_id = actor.partition(":")
            name = session.scalar(select(Staff.name).where(Staff.id == int(row_id))) if kind == "staff" else None
            return name or "Somebody", at
    return None
