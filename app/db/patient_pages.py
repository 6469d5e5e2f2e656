"""What the patient pages show: one patient's record, one pump, one phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, EntryState, Program, Refill, Reminder, ReminderState
from app.db.pages import Person, VisitRow, person_of, visit_of
from app.db.people import ConsentEvent, ConsentKind, Contact, ContactKind, Patient, Phone, Staff
from app.db.pump_records import PumpRecord, pump_record
from app.db.supply import Referral, Scan, Supply
from app.domain.consent_scope import Scope

HISTORY = 40


@dataclass(frozen=True)
class ContactRow:
    id: int
    phone_id: int
    number: str
    kind: ContactKind
    name: str | None
    relation: str | None
    gets_reminders: bool
    told_if_missed: bool
    opted_out_at: datetime | None

    @property
    def scope(self) -> str:
        """Return it as domain.consent_scope keeps it."""
        return Scope(self.gets_reminders, self.told_if_missed).kept


@dataclass(frozen=True)
class ConsentRow:
    phone_id: int
    kind: ConsentKind
    at: datetime
    source: str
    words: str | None
    staff_name: str | None
    scope: str | None = None  # of a scope: domain.consent_scope


@dataclass(frozen=True)
class PumpFacts:
    """The present pump with the program of a day, the last refill, and the dates that follow from them."""

    model: str
    reservoir_size_ml: Decimal
    implanted_on: date | None
    concentration_mcg_per_ml: Decimal | None = None
    daily_dose_mcg: Decimal | None = None
    alarm_volume_ml: Decimal | None = None
    filled_on: date | None = None
    reservoir_volume_ml: Decimal | None = None
    early_empty_on: date | None = None
    empty_on: date | None = None
    plan_by: date | None = None
    problem: str | None = None


@dataclass(frozen=True)
class PumpPage:
    """What stands on record about a patient's pump: rows, usable while their session is open. Newest first."""

    record: PumpRecord | None
    refills: tuple[Refill, ...]
    programs: tuple[Program, ...]  # those that a refill brought among them
    waiting: tuple[Refill | Program, ...]  # for a second person
    referral: Referral | None
    scans: tuple[Scan, ...]
    staff: dict[int, str]  # names by id, also of those who have left


@dataclass(frozen=True)
class PlannedText:
    appointment_id: int
    step: str
    due_at: datetime
    state: ReminderState
    reason: str | None


@dataclass(frozen=True)
class PatientRecord:
    person: Person
    contacts: tuple[ContactRow, ...]
    consent: tuple[ConsentRow, ...]
    pump: PumpFacts | None
    pump_record: PumpRecord | None  # rows, usable while their session is open
    coming: tuple[VisitRow, ...]  # booked, soonest first; may lie in the past until marked
    past: tuple[VisitRow, ...]  # newest first
    texts: tuple[PlannedText, ...]  # of the coming visits

    @property
    def phone_ids(self) -> tuple[int, ...]:
        return tuple(contact.phone_id for contact in self.contacts)


@dataclass(frozen=True)
class PhoneRecord:
    """A phone with everybody it speaks for; nobody for an unknown number."""

    id: int
    number: str
    opted_out_at: datetime | None
    language: str | None
    people: tuple[Person, ...]
    consent: tuple[ConsentRow, ...]


def patient_record(session: Session, patient_id: int, today: date) -> PatientRecord:
    """Return a patient's record; `today` at the clinic tells which program is in force."""
    person = person_of(session.get_one(Patient, patient_id))
    contacts = _contacts(session, patient_id)
    visits = session.scalars(
        select(Appointment).where(Appointment.patient_id == patient_id).order_by(Appointment.starts_at.desc()).limit(60)
    ).all()
    coming = tuple(visit_of(v, person) for v in reversed(visits) if v.state is AppointmentState.BOOKED)
    past = tuple(visit_of(v, person) for v in visits if v.state is not AppointmentState.BOOKED)[:12]
    pump = pump_record(session, patient_id)
    return PatientRecord(
        person,
        contacts,
        _consent(session, [contact.phone_id for contact in contacts], patient_id),
        _pump(session, patient_id, pump, today),
        pump,
        coming,
        past,
        _planned(session, [visit.id for visit in coming]),
    )


def phone_record(session: Session, phone_id: int) -> PhoneRecord:
    phone = session.get_one(Phone, phone_id)
    people = session.scalars(
        select(Patient)
        .join(Contact, Contact.patient_id == Patient.id)
        .where(Contact.phone_id == phone_id)
        .order_by(Contact.id)
    )
    return PhoneRecord(
        phone.id,
        phone.number,
        phone.opted_out_at,
        phone.language,
        tuple(person_of(patient) for patient in people),
        _consent(session, [phone_id]),
    )


def _contacts(session: Session, patient_id: int) -> tuple[ContactRow, ...]:
    rows = session.execute(
        select(Contact, Phone)
        .join(Phone, Phone.id == Contact.phone_id)
        .where(Contact.patient_id == patient_id)
        .order_by(Contact.id)
    )
    return tuple(
        ContactRow(
            contact.id,
            phone.id,
            phone.number,
            contact.kind,
            contact.name,
            contact.relation,
            contact.gets_reminders,
            contact.told_if_missed,
            phone.opted_out_at,
        )
        for contact, phone in rows
    )


def _consent(session: Session, phone_ids: Sequence[int], patient_id: int | None = None) -> tuple[ConsentRow, ...]:
    """Return what these phones agreed to, and what they may be told about this patient: not about another."""
    rows = session.execute(
        select(ConsentEvent, Staff.name)
        .outerjoin(Staff, Staff.id == ConsentEvent.staff_id)
        .where(
            ConsentEvent.phone_id.in_(phone_ids),
            or_(ConsentEvent.kind != ConsentKind.SCOPE, ConsentEvent.patient_id == patient_id),
        )
        .order_by(ConsentEvent.at.desc(), ConsentEvent.id.desc())
        .limit(40)
    )
    return tuple(ConsentRow(e.phone_id, e.kind, e.at, e.source, e.words, name, e.scope) for e, name in rows)


def _pump(session: Session, patient_id: int, record: PumpRecord | None, today: date) -> PumpFacts | None:
    if record is None:
        return None
    pump, program, refill = record.pump, record.program_on(today), record.refill
    supply = session.get(Supply, patient_id)
    return PumpFacts(
        pump.model,
        pump.reservoir_size_ml,
        pump.implanted_on,
        program.concentration_mcg_per_ml if program else None,
        program.daily_dose_mcg if program else None,
        program.alarm_volume_ml if program else None,
        refill.filled_on if refill else None,
        refill.reservoir_volume_ml if refill else None,
        supply.early_empty_on if supply else None,
        supply.empty_on if supply else None,
        supply.plan_by if supply else None,
        supply.problem if supply else None,
    )


def pump_page(session: Session, patient_id: int) -> PumpPage:
    record = pump_record(session, patient_id)
    clinic_id = session.get_one(Patient, patient_id).clinic_id
    names = session.execute(select(Staff.id, Staff.name).where(Staff.clinic_id == clinic_id))
    scans = session.scalars(select(Scan).where(Scan.patient_id == patient_id).order_by(Scan.scanned_at.desc()).limit(5))
    refills: Sequence[Refill] = ()
    programs: Sequence[Program] = ()
    referral = None
    if record is not None:
        pump_id = record.pump.id
        of_refills = select(Refill).where(Refill.pump_id == pump_id)
        refills = session.scalars(of_refills.order_by(Refill.filled_on.desc(), Refill.id.desc()).limit(HISTORY)).all()
        of_programs = select(Program).where(Program.pump_id == pump_id)
        newest = (Program.effective_on.desc(), Program.id.desc())
        programs = session.scalars(of_programs.order_by(*newest).limit(HISTORY)).all()
        referrals = select(Referral).where(Referral.pump_id == pump_id).order_by(Referral.id.desc()).limit(1)
        referral = session.scalars(referrals).first()
    waits: list[Refill | Program] = [row for row in refills if row.state is EntryState.WAITING]
    waits += [row for row in programs if row.state is EntryState.WAITING and row.refill_id is None]
    return PumpPage(
        record,
        tuple(refills),
        tuple(programs),
        tuple(waits),
        referral,
        tuple(scans),
        {row.id: row.name for row in names},
    )


def _planned(session: Session, appointment_ids: Sequence[int]) -> tuple[PlannedText, ...]:
    rows = session.scalars(
        select(Reminder)
        .where(and_(Reminder.appointment_id.in_(appointment_ids), Reminder.state != ReminderState.CANCELLED))
        .order_by(Reminder.due_at)
    )
    return tuple(PlannedText(r.appointment_id, r.step, r.due_at, r.state, r.reason) for r in rows)
