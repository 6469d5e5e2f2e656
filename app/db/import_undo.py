"""What has become of the rows that an import created: whose records have grown since, so that it cannot be undone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.db.audit_log import READ
from app.db.calls import PhoneCall
from app.db.care import Appointment, AppointmentState, Program, Pump, Refill, Reminder, ReminderState
from app.db.imports import ImportBatch, ImportChange, ImportState
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Contact, Patient, Phone
from app.db.retention import LegalHold
from app.db.supply import CareStep, Referral, Scan, StepState
from app.db.tables import Base
from app.db.threads import ThreadNote
from app.db.work import AuditEvent, Task, TaskState
from app.domain.import_undo import Why

READS = (READ, "exported an access report")  # looked at, and not touched
Found = Iterator[tuple[Why, Select[Any]]]  # why, and the patients for whom


@dataclass(frozen=True)
class Made:
    """The rows that one batch created, to be selected by kind."""

    batch_id: int
    since: datetime  # when the first of them was written

    def of(self, kind: str) -> Select[Any]:
        return select(ImportChange.row_id).where(
            ImportChange.batch_id == self.batch_id, ImportChange.kind == kind, ImportChange.created
        )


@dataclass
class Blocked:
    """The patients for whom an import cannot be undone, by the reason."""

    by_why: dict[Why, set[int]] = field(default_factory=dict)

    def add(self, why: Why, patients: Iterable[int]) -> None:
        if found := set(patients):
            self.by_why.setdefault(why, set()).update(found)

    def __bool__(self) -> bool:
        return bool(self.by_why)


def blocked(session: Session, made: Made) -> Blocked:
    """Return for whom something that was created has been used, built on or changed since."""
    found = Blocked()
    for part in (_texted, _visits, _records, _entries, _audited, _later):
        for why, patients in part(made):
            found.add(why, session.scalars(patients))
    found.add(Why.CHANGED, _newer(session, made, "patients", Patient, Patient.id))
    found.add(Why.CHANGED, _newer(session, made, "contacts", Contact, Contact.patient_id))
    return found


def _texted(made: Made) -> Found:
    """Texts about whoever is new, to whoever may be told of somebody since, and from any phone that came with them."""
    new, contacts = made.of("patients"), made.of("contacts")
    yield Why.TEXTED, select(OutboundMessage.patient_id).where(OutboundMessage.patient_id.in_(new)).distinct()
    to_them = and_(OutboundMessage.phone_id == Contact.phone_id, OutboundMessage.patient_id == Contact.patient_id)
    yield (
        Why.TEXTED,
        select(Contact.patient_id)
        .join(OutboundMessage, to_them)
        .where(Contact.id.in_(contacts), OutboundMessage.created_at >= made.since),
    )
    yield (
        Why.TEXTED,
        select(Contact.patient_id)
        .join(InboundMessage, InboundMessage.phone_id == Contact.phone_id)
        .where(Contact.id.in_(contacts), InboundMessage.received_at >= made.since),
    )
    yield (
        Why.RECORD,
        select(Contact.patient_id)
        .join(ThreadNote, ThreadNote.phone_id == Contact.phone_id)
        .where(Contact.id.in_(contacts), ThreadNote.at >= made.since),
    )


def _visits(made: Made) -> Found:
    """Visits that were announced, or are not simply booked any more."""
    new = made.of("visits")
    mine = select(Appointment.patient_id).where(Appointment.id.in_(new))
    reminded = exists().where(
        Reminder.appointment_id == Appointment.id,
        or_(Reminder.state == ReminderState.QUEUED, exists().where(OutboundMessage.reminder_id == Reminder.id)),
    )
    stepped = exists().where(CareStep.appointment_id == Appointment.id, CareStep.state == StepState.DONE)
    changed = or_(
        Appointment.state != AppointmentState.BOOKED, Appointment.confirmed_at.is_not(None), Appointment.version > 1
    )
    yield Why.VISIT, mine.where(or_(reminded, stepped, changed))
    refilled = select(Refill.appointment_id).where(Refill.appointment_id.in_(new), Refill.id.not_in(made.of("refills")))
    yield Why.RECORD, mine.where(Appointment.id.in_(refilled))
    yield Why.RECORD, mine.where(exists(_taken().where(Task.subject == _named("appointment", Appointment.id))))


def _records(made: Made) -> Found:
    """What staff, or another file, added to the records of those who are new."""
    new = made.of("patients")
    for table in (PhoneCall, Scan, Referral, LegalHold):
        yield Why.RECORD, select(table.patient_id).where(table.patient_id.in_(new))
    for other, kind in ((Contact, "contacts"), (Pump, "pumps"), (Appointment, "visits")):
        yield Why.RECORD, select(other.patient_id).where(other.patient_id.in_(new), other.id.not_in(made.of(kind)))
    yield Why.RECORD, _taken().with_only_columns(Task.patient_id).where(Task.patient_id.in_(new))


def _entries(made: Made) -> Found:
    """Refills, doses and referrals that were entered since into a pump of which this import wrote something."""
    yield Why.RECORD, select(Referral.patient_id).where(Referral.pump_id.in_(made.of("pumps")))
    entries = ((Program, "programs"), (Refill, "refills"))
    written = [Pump.id.in_(select(table.pump_id).where(table.id.in_(made.of(kind)))) for table, kind in entries]
    for table, kind in entries:
        newer = and_(table.id.not_in(made.of(kind)), table.created_at >= made.since)
        of_pump = select(Pump.patient_id).join(table, table.pump_id == Pump.id)
        yield Why.RECORD, of_pump.where(or_(Pump.id.in_(made.of("pumps")), *written), newer)


def _audited(made: Made) -> Found:
    """Whatever else somebody did with a row: the log knows."""

    def touched(kind: str, row_id: Any) -> ColumnElement[bool]:
        return exists().where(AuditEvent.subject == _named(kind, row_id), AuditEvent.verb.not_in(READS))

    yield Why.RECORD, select(Patient.id).where(Patient.id.in_(made.of("patients")), touched("patient", Patient.id))
    for kind, row, name in (("pumps", Pump, "pump"), ("visits", Appointment, "appointment")):
        yield Why.RECORD, select(row.patient_id).where(row.id.in_(made.of(kind)), touched(name, row.id))
    for kind, entry, name in (("programs", Program, "program"), ("refills", Refill, "refill")):
        of_pump = select(Pump.patient_id).join(entry, entry.pump_id == Pump.id)
        yield Why.RECORD, of_pump.where(entry.id.in_(made.of(kind)), touched(name, entry.id))


def _later(made: Made) -> Found:
    """Rows of this batch, created or updated, that a later one wrote over."""
    again = aliased(ImportChange)
    rows = (
        select(ImportChange.row_id)
        .join(again, and_(again.row_id == ImportChange.row_id, again.kind == ImportChange.kind))
        .join(ImportBatch, ImportBatch.id == again.batch_id)
        .where(
            ImportChange.batch_id == made.batch_id,
            again.batch_id > made.batch_id,
            ImportBatch.state != ImportState.UNDONE,
        )
    )
    yield Why.LATER, rows.where(ImportChange.kind == "patients")
    for kind, table in (("contacts", Contact), ("pumps", Pump), ("visits", Appointment)):
        yield Why.LATER, select(table.patient_id).where(table.id.in_(rows.where(ImportChange.kind == kind)))
    for kind, entry in (("programs", Program), ("refills", Refill)):
        of_pump = select(Pump.patient_id).join(entry, entry.pump_id == Pump.id)
        yield Why.LATER, of_pump.where(entry.id.in_(rows.where(ImportChange.kind == kind)))


def _taken() -> Select[Any]:
    """Select the tasks that somebody has seen to."""
    return select(Task.id).where(or_(Task.state == TaskState.ACKNOWLEDGED, Task.resolved_by.is_not(None)))


def _newer(session: Session, made: Made, kind: str, table: Any, owner: Any) -> list[int]:
    """Return the owners of rows that were saved by somebody else: more often than this import did, and those that came
    after it and were undone, which saved them once more."""
    undone = select(ImportBatch.id).where(ImportBatch.state == ImportState.UNDONE)
    of_row = (ImportChange.kind == kind, ~ImportChange.created, ImportChange.row_id.in_(made.of(kind)))
    saves = session.execute(
        select(ImportChange.row_id, func.count(), func.count(ImportChange.batch_id.distinct()))
        .where(*of_row, or_(ImportChange.batch_id == made.batch_id, ImportChange.batch_id.in_(undone)))
        .group_by(ImportChange.row_id)
    )
    own = set(session.scalars(select(ImportChange.row_id).where(*of_row, ImportChange.batch_id == made.batch_id)))
    times = {row_id: writes + batches - (row_id in own) for row_id, writes, batches in saves}
    rows = session.execute(select(table.id, owner, table.version).where(table.id.in_(made.of(kind)), table.version > 1))
    return [mine for row_id, mine, version in rows if version != 1 + times.get(row_id, 0)]


def _named(kind: str, row_id: Any) -> ColumnElement[str]:
    return literal(f"{kind}:") + cast(row_id, String)


def idle_phones(made: Made) -> Select[Any]:
    """Select the phones of a batch that nothing refers to: no person, no text, no consent, and nobody looked at."""
    referring = [
        exists().where(key.parent == Phone.id)
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is Phone.__table__
    ]
    known = exists().where(AuditEvent.subject == _named("phone", Phone.id))
    return select(Phone.id).where(Phone.id.in_(made.of("phones")), *(~one for one in (*referring, known)))
