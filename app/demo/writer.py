"""Writing people, pumps and visits of the large demo: rows as the verbs would leave them, with audit lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, EntryState, Program, Pump, Refill
from app.db.engine import Database
from app.db.people import Clinic, ConsentEvent, ConsentKind, Contact, ContactKind, Patient, PatientState, Phone
from app.db.work import AuditEvent
from app.demo.history import Filling, History, Visit
from app.demo.people import Person, Standing
from app.demo.rows import Rows
from app.domain.conversation import Asked
from scheduler.quiet_hours import local_instant

_STATES = {
    Standing.PAUSED: PatientState.PAUSED,
    Standing.LEFT: PatientState.LEFT,
    Standing.DECEASED: PatientState.DECEASED,
}
MODEL = "SynchroMed II"


@dataclass(slots=True)
class Known:
    """The ids of one person's rows."""

    patient: int
    phone: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Something staff did, for the audit log."""

    at: datetime
    actor: str
    verb: str
    subject: str
    state: str


class Writer:
    def __init__(self, rows: Rows, db: Database, clinic: Clinic, nurses: list[int]) -> None:
        self.rows, self.clinic, self.nurses = rows, clinic, nurses
        self._db, self._zone = db, ZoneInfo(clinic.time_zone)
        self.known: dict[int, Known] = {}
        self.deeds: list[Deed] = []

    def nurse(self, number: int) -> int:
        return self.nurses[number % len(self.nurses)]

    def write(self, everybody: Iterable[tuple[Person, History]]) -> None:
        everybody = list(everybody)
        for person, history in everybody:
            self._person(person, history)
        visits = [(visit, person) for person, history in everybody for visit in history.visits]
        for visit, person in sorted(visits, key=lambda one: one[0].booked_at):
            self._visit(visit, person)
        for person, history in everybody:
            self._pump(person, history)

    def audit(self, at: datetime, actor: str, verb: str, subject: str, **detail: Any) -> None:
        self.rows.add(AuditEvent, at=at, actor=actor, verb=verb, subject=subject, detail=detail)

    def _person(self, person: Person, history: History) -> None:
        since = _since(history, self._zone)
        patient = self.rows.add(
            Patient,
            clinic_id=self.clinic.id,
            mrn=person.mrn,
            mrn_hash=self._db.hash_of(person.mrn),
            given_name=person.given,
            family_name=person.family,
            born_on=person.born.isoformat(),
            language=person.language,
            time_zone=person.zone,
            state=_STATES.get(person.standing, PatientState.ACTIVE),
            created_at=since,
        )
        phone = self._phone(patient, person.phone, since)
        if person.carer is not None:
            carer = {"name": person.carer.name, "relation": person.carer.relation}
            self._phone(patient, person.carer.phone, since, told=person.carer.told_if_missed, **carer)
        self.known[person.number] = Known(patient, phone)

    def _phone(
        self,
        patient: int,
        number: str,
        since: datetime,
        *,
        name: str | None = None,
        relation: str | None = None,
        told: bool = False,
    ) -> int:
        phone = self.rows.add(
            Phone, clinic_id=self.clinic.id, number=number, number_hash=self._db.hash_of(number), created_at=since
        )
        self.rows.add(
            Contact,
            patient_id=patient,
            phone_id=phone,
            kind=ContactKind.CARER if name else ContactKind.PATIENT,
            name=name,
            relation=relation,
            gets_reminders=name is None,
            told_if_missed=told,
            created_at=since,
        )
        self.consent(phone, ConsentKind.OPT_IN, since, "demo")
        return phone

    def consent(
        self,
        phone: int,
        kind: ConsentKind,
        at: datetime,
        source: str,
        words: str | None = None,
        text: int | None = None,
    ) -> None:
        self.rows.add(ConsentEvent, phone_id=phone, kind=kind, at=at, source=source, words=words, inbound_id=text)

    def _visit(self, visit: Visit, person: Person) -> None:
        missed = visit.state is AppointmentState.MISSED
        attended = visit.state is AppointmentState.ATTENDED
        cancelled = visit.state is AppointmentState.CANCELLED
        visit.id = self.rows.add(
            Appointment,
            clinic_id=self.clinic.id,
            patient_id=self.known[person.number].patient,
            starts_at=visit.starts_at,
            state=visit.state,
            confirmed_at=visit.confirmed_at,
            attended_at=visit.came_at if attended else None,
            missed_at=visit.settled_at if missed else None,
            cancelled_at=visit.starts_at - timedelta(days=1, hours=2) if cancelled else None,
            late_reason=visit.late_reason,
            missed_reason=visit.missed_reason,
            created_at=visit.booked_at,
        )
        subject, nurse = f"appointment:{visit.id}", f"staff:{self.nurse(visit.id)}"
        self.deeds.append(Deed(visit.booked_at, nurse, "booked", subject, "booked"))
        if attended or missed:
            actor = nurse if attended else "system"
            self.deeds.append(Deed(visit.settled_at, actor, visit.state.value, subject, visit.state.value))

    def _pump(self, person: Person, history: History) -> None:
        spec = person.pump
        pump = self.rows.add(
            Pump,
            patient_id=self.known[person.number].patient,
            model=MODEL,
            reservoir_size_ml=spec.size_ml,
            implanted_on=history.implanted_on,
            created_at=_since(history, self._zone),
        )
        for filling in history.fillings:
            self._filling(person, pump, filling)

    def _filling(self, person: Person, pump: int, filling: Filling) -> None:
        spec = person.pump
        visit = filling.visit
        at = (visit.came_at if visit else None) or local_instant(filling.on, time(12), self._zone)
        at += timedelta(minutes=25)
        nurse = self.nurse(visit.id if visit else pump)
        filling.id = self.rows.add(
            Refill,
            pump_id=pump,
            filled_on=filling.on,
            reservoir_volume_ml=spec.size_ml,
            aspirated_ml=filling.aspirated,
            expected_ml=filling.expected,
            appointment_id=visit.id if visit else None,
            state=EntryState.EFFECTIVE,
            entered_by=nurse,
            created_at=at,
        )
        self.deeds.append(Deed(at, f"staff:{nurse}", "refill recorded", f"refill:{filling.id}", "effective"))
        if filling.changed:
            self.rows.add(
                Program,
                pump_id=pump,
                effective_on=filling.on,
                concentration_mcg_per_ml=spec.concentration,
                daily_dose_mcg=filling.dose,
                alarm_volume_ml=spec.alarm_ml,
                refill_id=filling.id,
                state=EntryState.EFFECTIVE,
                entered_by=nurse,
                created_at=at,
            )


def _since(history: History, zone: ZoneInfo) -> datetime:
    """Return when somebody became a patient here: with the first filling, or when the first visit was booked."""
    first = local_instant(history.fillings[0].on, time(8), zone)
    return min([first, *(visit.booked_at for visit in history.visits[:1])])


def remember_asking(session: Session, asked: Mapping[int, Asked]) -> None:
    """Let phones that had a reminder of a visit to come answer it."""
    table = Phone.__table__
    statement = update(table).where(table.c.id == bindparam("phone")).values(asked=bindparam("kept"))
    rows = [{"phone": phone, "kept": one.to_json()} for phone, one in asked.items()]
    if rows:
        session.connection().execute(statement, rows)


def opted_out(session: Session, at: Mapping[int, datetime]) -> None:
    table = Phone.__table__
    statement = update(table).where(table.c.id == bindparam("phone")).values(opted_out_at=bindparam("stopped"))
    rows: Iterator[dict[str, Any]] = ({"phone": phone, "stopped": moment} for phone, moment in at.items())
    if found := list(rows):
        session.connection().execute(statement, found)
