"""A small fictional clinic for an empty simulator, so that a newcomer has somebody to text as."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.actions.add_staff import add_staff
from app.actions.consent import opt_in
from app.actions.line import Line
from app.actions.prepare import DEMO_SIGN_IN, the_clinic
from app.actions.supply import refresh_many
from app.actions.visits import after_change
from app.db.care import Appointment, AppointmentState, Program, Pump, Refill
from app.db.directory import phone_named
from app.db.name_index import Named, index_names
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState


@dataclass(frozen=True)
class _Person:
    mrn: str
    given: str
    family: str
    born: str
    phone: str
    zone: str = "America/New_York"
    language: str = "en"
    visit_in_days: int | None = None
    visit_at: time = time(10, 30)
    carer: tuple[str, str, str] | None = None  # name, relation, phone
    texts_to_carer_only: bool = False
    filled_days_ago: int = 6
    dose: str = "120"  # mcg a day: nobody but the last one is due for months


# Fictional people on 555-01xx numbers, which are kept for fiction.
_PEOPLE = (
    _Person("40-0917", "Maeve", "Hargreave", "1979-02-14", "+16145550142", "America/Chicago", visit_in_days=3),
    _Person("40-0921", "Rosa", "Quispe Mamani", "1968-08-30", "+16145550143", language="es", visit_in_days=5),
    _Person("40-0932", "Curtis", "Brandvold", "1962-04-17", "+16145550144", visit_in_days=16,
            carer=("Dana Brandvold", "wife", "+16145550186")),
    _Person("40-0940", "Grace", "Oduya", "1984-06-11", "+16145550145"),
    _Person("40-0951", "Dewey", "Tillman", "1957-09-02", "+16145550199", visit_in_days=2),
    _Person("40-0957", "Ruth", "Abernathy", "1949-01-30", "+16145550198", visit_in_days=8),
    _Person("40-0966", "Mateo", "Silva-Reyes", "2011-12-08", "+16145550146", visit_in_days=1, visit_at=time(14),
            carer=("Ines Silva-Reyes", "mother", "+16145550147"), texts_to_carer_only=True),
    _Person("40-0718", "Theodore", "Nakagawa", "1959-11-28", "+16145550134", filled_days_ago=60, dose="400"),
)  # fmt: skip


def demo_mrns() -> tuple[str, ...]:
    """Return the record numbers of the demo's patients, by which they are told from real ones."""
    return tuple(person.mrn for person in _PEOPLE)


def seed_demo(line: Line, now: datetime) -> bool:
    """Make the demo clinic's patients where there is no patient at all; return whether it did."""
    with line.db.begin() as session:
        if session.execute(select(func.count()).select_from(Patient)).scalar_one():
            return False
        clinic = the_clinic(session)
        for person in _PEOPLE:
            _seed(line, session, clinic, person, now)
        session.flush()
        patients = session.scalars(select(Patient).order_by(Patient.id)).all()
        refresh_many(session, [(patient, clinic) for patient in patients], now, "recorded")
        clinic_id = clinic.id
    email, password = DEMO_SIGN_IN
    add_staff(line.db, email, "Ana Lindqvist, RN", "nurse", password, now, clinic_id)
    return True


def _seed(line: Line, session: Session, clinic: Clinic, person: _Person, now: datetime) -> None:
    patient = Patient(
        clinic_id=clinic.id,
        mrn=person.mrn,
        mrn_hash=line.db.hash_of(person.mrn),
        given_name=person.given,
        family_name=person.family,
        born_on=person.born,
        language=person.language,
        time_zone=person.zone,
        state=PatientState.ACTIVE,
        created_at=now,
    )
    session.add(patient)
    session.flush()
    index_names(line.db, session, [Named(patient.id, clinic.id, person.given, person.family)])
    _contact(line, session, patient, person.phone, now, gets_reminders=not person.texts_to_carer_only)
    if person.carer:
        name, relation, phone = person.carer
        _contact(line, session, patient, phone, now, carer=(name, relation))
    _pump(session, patient, person, now.date())
    if person.visit_in_days is not None:
        _visit(session, clinic, patient, person, now)


def _contact(
    line: Line,
    session: Session,
    patient: Patient,
    number: str,
    now: datetime,
    *,
    carer: tuple[str, str] | None = None,
    gets_reminders: bool = True,
) -> None:
    phone_id = phone_named(line.db, session, patient.clinic_id, number, now)
    session.add(
        Contact(
            patient_id=patient.id,
            phone_id=phone_id,
            kind=ContactKind.CARER if carer else ContactKind.PATIENT,
            name=carer[0] if carer else None,
            relation=carer[1] if carer else None,
            gets_reminders=gets_reminders,
            created_at=now,
        )
    )
    opt_in(session, now, phone_id, "demo")


def _pump(session: Session, patient: Patient, person: _Person, today: date) -> None:
    pump = Pump(
        patient_id=patient.id,
        model="SynchroMed II",
        reservoir_size_ml=Decimal(20),
        implanted_on=today - timedelta(days=900),
        created_at=patient.created_at,
    )
    session.add(pump)
    session.flush()
    filled_on = today - timedelta(days=person.filled_days_ago)
    session.add(
        Program(
            pump_id=pump.id,
            effective_on=filled_on,
            concentration_mcg_per_ml=Decimal(2000),
            daily_dose_mcg=Decimal(person.dose),
            alarm_volume_ml=Decimal(2),
            created_at=patient.created_at,
        )
    )
    session.add(
        Refill(pump_id=pump.id, filled_on=filled_on, reservoir_volume_ml=Decimal(20), created_at=patient.created_at)
    )


def _visit(session: Session, clinic: Clinic, patient: Patient, person: _Person, now: datetime) -> None:
    zone = ZoneInfo(clinic.time_zone)
    day = now.astimezone(zone).date() + timedelta(days=person.visit_in_days or 0)
    visit = Appointment(
        clinic_id=clinic.id,
        patient_id=patient.id,
        starts_at=datetime.combine(day, person.visit_at, zone),
        state=AppointmentState.BOOKED,
        version=0,
        created_at=now,
    )
    session.add(visit)
    session.flush()
    after_change(session, visit, patient, clinic, now, "system", "booked")
