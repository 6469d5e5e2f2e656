"""Erase a patient: names, numbers and texts go from everywhere; what was done, when and how often stays, of nobody.

The audit log holds ids alone and stays as it is, so that its chain still proves it. A number that opted out stays known
by its keyed hash, and is not texted again whoever has it. Copies in backups go with the backups.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.outbox import taking_back, withdraw
from app.actions.set_patient_state import put_in_state
from app.actions.tasks import stop_pages
from app.actions.visits import the_patient
from app.db.erasing import (
    Phones,
    erase_changes,
    erase_person,
    erase_phones,
    erase_texts,
    phones_of,
    pumps_in_use,
)
from app.db.finding import SavedView
from app.db.imports import ImportBatch, ImportState
from app.db.messages import OutboundMessage
from app.db.people import Clinic, Patient, PatientState, Phone
from app.db.reading import passing_over
from app.db.retention import GONE, holds_on
from app.db.spool import Unreadable
from app.db.work import Task, TaskKind, TaskState
from app.domain.delivery import DeliveryState
from app.domain.names import name_words
from app.domain.phone import digits_of, sender_key
from app.domain.unreadable import UNREADABLE

HELD = "a legal hold keeps this record: it can be erased once the hold is lifted"
IN_USE = "this patient is on the line with a pump that was not taken out: say that this is known, to erase all the same"
ALERT = "an alert about this patient is not resolved: resolve it first"
ON_ITS_WAY = "a text to this patient is on its way: try again in some minutes"
UNREAD = "what is kept of this patient cannot be read, nor found elsewhere: type names and numbers anew, and try again"
IMPORTING = "a file is being imported at this moment: try again when it is in"
SPOOLED = "a text of this patient waits in the spool and nobody has seen it: see `pumpline doctor`, and try again"
_GONE_ALREADY = (PatientState.LEFT, PatientState.DECEASED)
_MOVING = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HANDED_OVER)
_TO_PHONES = taking_back(OutboundMessage.phone_id.in_(select(Phone.id).where(Phone.number_hash.like("erased:%"))))


@dataclass(frozen=True)
class Erased:
    """What was done. `shared`: phones that others use too, whose own texts were left to those."""

    texts: int
    phones: int
    opt_outs: int
    shared: int
    files: int


@passing_over()
def erase_patient(
    line: Line,
    patient_id: int,
    now: datetime,
    actor: str,
    *,
    pump_in_use_is_known: bool = False,
    clinic_id: int | None = None,
) -> Erased:
    """Erase one record, whole or not at all. Raises Refused under hold, with an open alert, or for a pump in use."""
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        if clinic_id not in (None, patient.clinic_id):
            raise Refused("there is no such patient, or the record was erased", "missing")
        clinic = session.get_one(Clinic, patient.clinic_id, with_for_update={"read": True})
        _refuse(session, patient, pump_in_use_is_known)
        on_call = line.db.hash_of(clinic.on_call_phone) if clinic.on_call_phone else None
        phones = phones_of(session, patient_id, on_call)
        _refuse_moving(session, patient_id, phones)
        numbers = _numbers(session, phones)
        if UNREADABLE in {patient.mrn, patient.given_name, patient.family_name, *numbers}:
            raise Refused(UNREAD, "conflict")
        _refuse_spooled(line, session, phones)
        if patient.state not in _GONE_ALREADY:
            put_in_state(session, patient, PatientState.LEFT, now, actor)
        _settle_tasks(session, patient_id, phones, now)
        files = _forget_files(session, patient, numbers)
        _rename_views(session, patient)
        texts = erase_texts(session, patient_id, phones)
        erase_changes(session, patient_id, phones)
        opt_outs = erase_phones(session, phones, now)
        session.flush()
        withdraw(session, now, "the record was erased", _TO_PHONES)
        erase_person(session, patient, now)
        done = Erased(texts, len(phones.own), opt_outs, len(phones.shared), files)
        audit(session, now, actor, "patient erased", f"patient:{patient_id}", **vars(done))
    return done


def _refuse(session: Session, patient: Patient, pump_in_use_is_known: bool) -> None:
    if holds_on(session, patient.clinic_id, patient.id):
        raise Refused(HELD, "conflict")
    in_use = patient.state not in _GONE_ALREADY and pumps_in_use(session, patient.id)
    if in_use and not pump_in_use_is_known:
        raise Refused(IN_USE, "conflict")


def _refuse_moving(session: Session, patient_id: int, phones: Phones) -> None:
    about = (Task.patient_id == patient_id) | Task.phone_id.in_(phones.own)
    alert = select(Task.id).where(about, Task.kind == TaskKind.ALERT, Task.state != TaskState.RESOLVED)
    if session.scalar(alert.limit(1)) is not None:
        raise Refused(ALERT, "conflict")
    moving = select(OutboundMessage.id).where(
        OutboundMessage.phone_id.in_(phones.own), OutboundMessage.state.in_(_MOVING)
    )
    if session.scalar(moving.limit(1)) is not None:
        raise Refused(ON_ITS_WAY, "conflict")


def _settle_tasks(session: Session, patient_id: int, phones: Phones, now: datetime) -> None:
    about = (Task.patient_id == patient_id) | Task.phone_id.in_(phones.own)
    for task in session.scalars(select(Task).where(about, Task.state != TaskState.RESOLVED)).all():
        stop_pages(session, now, task.id)
        task.state, task.resolved_at, task.next_page_at = TaskState.RESOLVED, now, None
        task.version += 1
    session.flush()


def _numbers(session: Session, phones: Phones) -> set[str]:
    return set(session.scalars(select(Phone.number).where(Phone.id.in_(phones.own))))


def _forget_files(session: Session, patient: Patient, numbers: set[str]) -> int:
    """Give up files that wait to be imported and name this patient. Raises Refused while one is being written."""
    waiting = select(ImportBatch).where(ImportBatch.clinic_id == patient.clinic_id, ImportBatch.content.is_not(None))
    count, wanted = 0, {digits for number in numbers if len(digits := digits_of(number)) >= 7}
    for batch in session.scalars(waiting.with_for_update()):
        if batch.state is ImportState.WRITING:
            raise Refused(IMPORTING, "conflict")
        content = batch.content or ""
        digits = digits_of(content)
        if patient.mrn in content or patient.family_name in content or any(one[-10:] in digits for one in wanted):
            batch.content, batch.version = None, batch.version + 1
            batch.state = ImportState.DROPPED if batch.state is ImportState.WAITING else ImportState.STOPPED
            count += 1
    return count


def _rename_views(session: Session, patient: Patient) -> None:
    """Views are named by whoever saved them, and may be called after a patient."""
    names = {word for word in name_words(patient.given_name, patient.family_name) if len(word) > 2}
    for view in session.scalars(select(SavedView).where(SavedView.clinic_id == patient.clinic_id)):
        if names & set(name_words(view.name, "")) or patient.mrn in view.name:
            view.name, view.version = f"{GONE} {view.id}", view.version + 1


def _refuse_spooled(line: Line, session: Session, phones: Phones) -> None:
    """A text that nobody has seen yet is not thrown away with the rest. What no key opens is nobody's any more."""
    spool = line.spool
    if spool is None or not (files := spool.everything()):
        return
    hashes = set(session.scalars(select(Phone.number_hash).where(Phone.id.in_(phones.own))))
    for path in files:
        with suppress(Unreadable):
            found = spool.read(path)
            said = found.form if found else {}
            if {line.db.hash_of(sender_key(said.get(name, ""))) for name in ("From", "To")} & hashes:
                raise Refused(SPOOLED, "conflict")
