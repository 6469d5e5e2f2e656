"""What is known of one patient, table by table, and how it is put out. Decides nothing: app.actions.erase_patient does.

Rows stay, so that counts do: what goes is what says who it was, and what was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.db.calls import PhoneCall
from app.db.care import Appointment, Program, Pump, Refill
from app.db.finding import NameKey, PatientSearch
from app.db.imports import ImportChange
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import ConsentEvent, ConsentKind, Contact, Patient, Phone, Staff
from app.db.retention import GONE, LegalHold
from app.db.threads import NEVER, REST, PhoneThread, ThreadNote, ThreadState
from app.db.work import Task


@dataclass(frozen=True)
class Phones:
    """`own`: nobody else's; `shared`: of other patients, or the on-call phone, and so left as they are."""

    own: tuple[int, ...]
    shared: tuple[int, ...]


def phones_of(session: Session, patient_id: int, on_call_hash: str | None) -> Phones:
    """Return every phone that speaks for a patient or was texted about them, locked."""
    known = select(Contact.phone_id).where(Contact.patient_id == patient_id)
    texted = select(OutboundMessage.phone_id).where(OutboundMessage.patient_id == patient_id)
    rows = session.execute(
        select(Phone.id, Phone.number_hash)
        .where(or_(Phone.id.in_(known), Phone.id.in_(texted)))
        .order_by(Phone.id)
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    others = set(
        session.scalars(select(Contact.phone_id).where(Contact.phone_id.in_(ids), Contact.patient_id != patient_id))
    )
    others |= set(
        session.scalars(
            select(OutboundMessage.phone_id)
            .where(OutboundMessage.phone_id.in_(ids), OutboundMessage.patient_id != patient_id)
            .distinct()
        )
    )
    others |= {row.id for row in rows if row.number_hash == on_call_hash}
    return Phones(tuple(one for one in ids if one not in others), tuple(one for one in ids if one in others))


def erase_texts(session: Session, patient_id: int, phones: Phones) -> int:
    """Put out what was said by and about the patient; return how many texts that was."""
    heard = InboundMessage.phone_id.in_(phones.own)
    said = or_(OutboundMessage.phone_id.in_(phones.own), OutboundMessage.patient_id == patient_id)
    texts = _done(session, update(InboundMessage).where(heard).values(body=GONE, media=None, trace="[]"))
    texts += _done(session, update(OutboundMessage).where(said).values(body=GONE, asks=None))
    about = or_(ConsentEvent.phone_id.in_(phones.own), ConsentEvent.patient_id == patient_id)
    _done(session, update(ConsentEvent).where(about).values(words=None))
    _done(session, update(ThreadNote).where(ThreadNote.phone_id.in_(phones.own)).values(body=GONE))
    _done(session, update(PhoneCall).where(PhoneCall.patient_id == patient_id).values(note=None))
    tasks = or_(Task.patient_id == patient_id, Task.phone_id.in_(phones.own))
    _done(session, update(Task).where(tasks).values(outcome=None))
    reasons = {"late_reason": None, "room_reason": None, "external_id": None}
    _done(session, update(Appointment).where(Appointment.patient_id == patient_id).values(**reasons))
    _done(
        session,
        update(LegalHold).where(LegalHold.patient_id == patient_id).values(reason=GONE),
    )
    return texts


def erase_phones(session: Session, phones: Phones, now: datetime) -> int:
    """Take the numbers away. Where one opted out, a row with its hash alone goes on saying so; return how many."""
    kept = 0
    for phone in session.scalars(select(Phone).where(Phone.id.in_(phones.own)).order_by(Phone.id)).all():
        number_hash, opted_out_at = phone.number_hash, phone.opted_out_at
        phone.number, phone.number_hash = GONE, f"erased:{phone.id}"
        phone.language, phone.asked = None, None
        session.flush()
        if opted_out_at is not None:
            bare = {"clinic_id": phone.clinic_id, "number": GONE, "number_hash": number_hash, "number_gone": True}
            bare |= {"opted_out_at": opted_out_at, "created_at": now}
            row_id = session.execute(insert(Phone).values(**bare).returning(Phone.id)).scalar_one()
            session.add(ConsentEvent(phone_id=row_id, kind=ConsentKind.OPT_OUT, at=opted_out_at, source="kept"))
            kept += 1
    quiet: dict[str, Any] = {"state": ThreadState.CLOSED, "rank": REST, "since": NEVER}
    quiet |= dict.fromkeys(("assignee_id", "snoozed_until", "paused_until", "paused_by"))
    quiet |= dict.fromkeys(("urgent_since", "failed_at", "waiting_since"))
    _done(session, update(PhoneThread).where(PhoneThread.phone_id.in_(phones.own)).values(**quiet))
    return kept


def erase_changes(session: Session, patient_id: int, phones: Phones) -> None:
    """Forget what imports wrote about the patient, and what stood there before."""
    pumps = select(Pump.id).where(Pump.patient_id == patient_id)
    of_kind: dict[str, Select[Any] | Sequence[int]] = {
        "patients": [patient_id],
        "phones": phones.own,
        "contacts": select(Contact.id).where(Contact.patient_id == patient_id),
        "pumps": pumps,
        "programs": select(Program.id).where(Program.pump_id.in_(pumps)),
        "refills": select(Refill.id).where(Refill.pump_id.in_(pumps)),
        "visits": select(Appointment.id).where(Appointment.patient_id == patient_id),
    }
    for kind, rows in of_kind.items():
        mine = update(ImportChange).where(ImportChange.kind == kind, ImportChange.row_id.in_(rows))
        _done(session, mine.values(old=None, new=None))


def erase_person(session: Session, patient: Patient, now: datetime) -> None:
    """Take the names, and whatever finds them, away."""
    _done(session, delete(NameKey).where(NameKey.patient_id == patient.id))
    _done(session, delete(Contact).where(Contact.patient_id == patient.id))
    searching = select(Staff.id).where(Staff.clinic_id == patient.clinic_id)
    _done(session, delete(PatientSearch).where(PatientSearch.staff_id.in_(searching)))
    patient.given_name = patient.family_name = patient.mrn = GONE
    patient.mrn_hash, patient.born_on = f"erased:{patient.id}", None
    patient.erased_at, patient.version = now, patient.version + 1
    patient.names_indexed = True  # with no key: nobody is found by it


def pumps_in_use(session: Session, patient_id: int) -> int:
    """Return how many pumps a patient has that were not taken out."""
    still = select(func.count()).select_from(Pump).where(Pump.patient_id == patient_id, Pump.removed_on.is_(None))
    return session.scalar(still) or 0


def _done(session: Session, statement: Any) -> int:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return done.rowcount
