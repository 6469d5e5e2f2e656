"""The stage of every story: a clinic, Maria who has a pump, a clock that only moves when told, a fake Twilio."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from app import create_app
from app.actions import passwords
from app.actions.advance_clock import next_due
from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.line import Line
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.actions.outbox import owe
from app.actions.prepare import prepare
from app.actions.programs import Entry
from app.actions.receive_text import InboundText, Media, Received, receive_text
from app.actions.record_refill import RefillEntry, RefillOutcome, record_refill
from app.channels.base import Channel
from app.db.care import Appointment, Pump, Reminder
from app.db.crypto import Keyring
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.migrate import current, migrate, newest
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState
from app.db.stuck import list_stuck
from app.db.supply import CareStep, Supply
from app.db.work import Task, TaskKind, TaskState
from app.domain.delivery import WITHOUT_END
from app.domain.texts import Rendered
from app.settings import Settings
from app.wiring import first_clinic
from tests.fakes.twilio_server import FakeTwilio

Row = TypeVar("Row")
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 10:00 in New York


# Every story that signs in hashes twice; at the strength that ships, that was a third of what web stories took.
SHIPPED_HASHER = passwords._hasher
passwords._hasher = PasswordHasher.from_parameters(CHEAPEST)


class FrozenClock:
    """The time, as a story tells it."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def to(self, at: datetime) -> None:
        self.at = at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass(frozen=True)
class Someone:
    """A patient of the story."""

    id: int
    phone: str
    phone_id: int


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def twilio(clock: FrozenClock) -> Iterator[FakeTwilio]:
    with FakeTwilio(clock=clock) as fake:
        yield fake


@pytest.fixture
def settings(tmp_path: Path, twilio: FakeTwilio) -> Settings:
    """A clinic on the fake Twilio; its on-call nurse has a phone."""
    return Settings(
        channel="twilio",
        instance_dir=tmp_path,
        public_url=twilio.public_url,
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=SecretStr(twilio.auth_token),
        twilio_sender=twilio.number,
        twilio_api_url=twilio.url,
        twilio_timeout_seconds=2,
        long_code_per_second=0,  # a clock that stands still brings no sender's turn
        on_call_phone="+16145550190",
        second_factor_roles="none",
        opt_out_reply="pumpline",
        secret_key=SecretStr("s" * 32),
        data_keys=SecretStr(Fernet.generate_key().decode()),
        scheduler=False,
    )


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all the applications of a run: each story makes one, and none changes a template."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and nothing in them, made once and copied for each story."""
    file = tmp_path_factory.mktemp("migrated") / "pumpline.db"
    db = Database(f"sqlite:///{file}", Keyring([Keyring.new_key()]))
    migrate(db)
    db.close()
    return file


@pytest.fixture
def app(settings: Settings, clock: FrozenClock, migrated_file: Path, twilio: FakeTwilio) -> Iterator[Flask]:
    """The whole application on a migrated, prepared database; no heartbeat runs unless a story beats it."""
    shutil.copy(migrated_file, settings.instance_dir / "pumpline.db")
    flask = create_app(settings, clock=clock)
    line: Line = flask.extensions["line"]
    migrate(line.db)
    prepare(line.db, first_clinic(settings), clock())
    flask.extensions["session_clock"] = clock
    yield flask
    see_that_nothing_is_stuck(flask, clock, twilio)
    line.db.close()


def see_that_nothing_is_stuck(flask: Flask, clock: FrozenClock, twilio: FakeTwilio) -> None:
    """Whatever a story left under way comes to an end, with a provider that answers and a day to do it in."""
    line: Line = flask.extensions["line"]
    if current(line.db) != newest():  # a story of an older version's tables
        return
    with line.db.read() as session:
        under_way = session.scalar(select(OutboundMessage.id).where(OutboundMessage.state.in_(WITHOUT_END)).limit(1))
    if under_way is None:
        return
    twilio.no_more_faults()
    began = clock()
    for later in (timedelta(minutes=2), timedelta(minutes=4), timedelta(hours=2), *[timedelta(hours=26)] * 8):
        clock.at = began + later
        flask.extensions["run_due"](clock())
        with line.db.read() as session:
            stuck = list_stuck(session, clock())
        if later > timedelta(hours=2) and not stuck:
            return
    assert stuck == []


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def line(app: Flask) -> Line:
    line: Line = app.extensions["line"]
    return line


@pytest.fixture
def clinic(line: Line) -> Clinic:
    with line.db.read() as session:
        found = session.scalars(select(Clinic)).one()
        session.expunge(found)
        return found


@pytest.fixture
def beat(app: Flask, clock: FrozenClock) -> Callable[[], None]:
    """Do once, now, what the heartbeat does all the time."""

    def run() -> None:
        app.extensions["run_due"](clock())

    return run


@pytest.fixture
def add_patient(line: Line, clock: FrozenClock) -> Callable[..., Someone]:
    """Make a patient: `add_patient("Maria", "+16145550142", time_zone=..., carer=...)`."""

    def add(
        given_name: str,
        phone: str,
        *,
        family_name: str = "Lopez",
        time_zone: str = "America/New_York",
        language: str = "en",
        kind: ContactKind = ContactKind.PATIENT,
    ) -> Someone:
        with line.db.begin() as session:
            clinic = session.scalars(select(Clinic)).first()
            assert clinic is not None
            mrn = f"MRN {given_name} {phone}"
            patient = Patient(
                clinic_id=clinic.id,
                mrn=mrn,
                mrn_hash=line.db.hash_of(mrn),
                given_name=given_name,
                family_name=family_name,
                born_on="1979-02-14",
                language=language,
                time_zone=time_zone,
                state=PatientState.ACTIVE,
                created_at=clock(),
            )
            session.add(patient)
            session.flush()
            phone_id = _contact(line, session, patient, phone, kind, clock())
            session.add(
                Pump(
                    patient_id=patient.id,
                    model="SynchroMed II",
                    reservoir_size_ml=Decimal(20),
                    implanted_on=clock().date() - timedelta(days=900),
                    created_at=clock(),
                )
            )
            return Someone(patient.id, phone, phone_id)

    return add


def _contact(line: Line, session: Session, patient: Patient, phone: str, kind: ContactKind, now: datetime) -> int:
    phone_id = phone_named(line.db, session, patient.clinic_id, phone, now)
    session.add(Contact(patient_id=patient.id, phone_id=phone_id, kind=kind, created_at=now))
    return phone_id


@pytest.fixture
def maria(add_patient: Callable[..., Someone]) -> Someone:
    return add_patient("Maria", "+16145550142")


@pytest.fixture
def texts(line: Line, clock: FrozenClock, twilio: FakeTwilio) -> Callable[..., Received]:
    """Text the line past the web: `texts(maria.phone, "ALARM")`. Twilio takes the answers, and reports nothing."""
    count = 0

    def text(sender: str, body: str, *, sid: str | None = None, media: tuple[Media, ...] = (), **more: str) -> Received:
        nonlocal count
        count += 1
        inbound = InboundText(sid or f"SM{count:032d}", sender, "", body, media, **more)  # type: ignore[arg-type]
        received = receive_text(line, inbound, clock())
        for reply in received.replies if not received.repeated else ():
            twilio.hold({"To": sender, "From": twilio.number, "Body": reply.body}, direction="outbound-reply")
        return received

    return text


@dataclass
class Desk:
    """What staff do with visits, and what stands in the rows: for stories told past the web."""

    line: Line
    clock: FrozenClock

    def books(self, patient: Someone, starts_at: datetime, *, late_reason: str = "") -> int:
        return book_appointment(self.line, patient.id, starts_at, self.clock(), "test", late_reason=late_reason)

    def moves(self, visit: int, starts_at: datetime, *, late_reason: str = "") -> None:
        move_appointment(self.line, visit, starts_at, self.clock(), "test", late_reason=late_reason)

    def cancels(self, visit: int) -> None:
        cancel_appointment(self.line, visit, self.clock(), "test")

    def attends(self, visit: int) -> None:
        mark_attended(self.line, visit, self.clock(), "test")

    def misses(self, visit: int) -> None:
        mark_missed(self.line, visit, self.clock(), "test")

    def fills(
        self,
        patient: Someone,
        days_ago: int = 0,
        *,
        volume: str = "20",
        dose: str = "400",
        concentration: str = "2000",
        aspirated: str | None = None,
        staff_id: int | None = None,
    ) -> RefillOutcome:
        """Record a refill as a nurse does, so many days ago. 400 mcg of 2000 mcg/mL a day: by the early edge 20 mL last
        86 days, and the low reservoir alarm may sound after 78."""
        program = Entry(Decimal(concentration), Decimal(2), Decimal(dose))
        filled_on = self.clock().astimezone(ZoneInfo("America/New_York")).date() - timedelta(days=days_ago)
        taken = Decimal(aspirated) if aspirated is not None else None
        entry = RefillEntry(filled_on, Decimal(volume), taken, program)
        return record_refill(self.line, patient.id, entry, self.clock(), "test", staff_id)

    def supply(self, patient: Someone) -> Supply:
        return self.rows(Supply, Supply.patient_id == patient.id)[0]

    def steps(self, patient: Someone, ladder: str = "supply") -> list[CareStep]:
        found = self.rows(CareStep, CareStep.patient_id == patient.id, CareStep.ladder == ladder)
        return sorted(found, key=lambda step: (step.due_at, step.id))

    def rows(self, table: type[Row], *conditions: Any) -> list[Row]:
        with self.line.db.read() as session:
            found = list(session.scalars(select(table).where(*conditions).order_by(*inspect(table).primary_key)))
            session.expunge_all()  # the end of a reading snapshot would empty them
            return found

    def messages(self, *purposes: Purpose) -> list[OutboundMessage]:
        wanted = (OutboundMessage.purpose.in_(purposes),) if purposes else ()
        return self.rows(OutboundMessage, *wanted)

    def tasks(self, *kinds: TaskKind) -> list[Task]:
        """Return what is not resolved."""
        wanted = (Task.kind.in_(kinds),) if kinds else ()
        return self.rows(Task, Task.state != TaskState.RESOLVED, *wanted)

    def reminders(self, visit: int) -> list[Reminder]:
        return sorted(self.rows(Reminder, Reminder.appointment_id == visit), key=lambda reminder: reminder.due_at)

    def visit(self, visit: int) -> Appointment:
        return self.rows(Appointment, Appointment.id == visit)[0]

    def adds_carer(self, patient: Someone, phone: str, **values: Any) -> None:
        with self.line.db.begin() as session:
            found = session.get_one(Patient, patient.id)
            phone_id = _contact(self.line, session, found, phone, ContactKind.CARER, self.clock())
            session.flush()
            if values:
                session.execute(update(Contact).where(Contact.phone_id == phone_id).values(**values))

    def change(self, table: type[Any], row_id: int, **values: Any) -> None:
        """Set what no verb sets: the settings of a clinic, a row as a fault left it."""
        with self.line.db.begin() as session:
            session.execute(update(table).where(table.id == row_id).values(**values))


@pytest.fixture
def desk(line: Line, clock: FrozenClock) -> Desk:
    return Desk(line, clock)


@pytest.fixture
def live_until(line: Line, clock: FrozenClock, beat: Callable[[], None]) -> Callable[[datetime], None]:
    """Let time pass: the clock stops at everything that falls due on the way, and the heart beats there."""

    def live(until: datetime) -> None:
        beat()
        while (due := next_due(line, clock())) is not None and due <= until:
            clock.to(due)
            beat()
        clock.to(until)
        beat()

    return live


@pytest.fixture
def channel(app: Flask) -> Channel:
    """The application's own way to the provider."""
    channel: Channel = app.extensions["channel"]
    return channel


@pytest.fixture
def owed(line: Line, clock: FrozenClock) -> Callable[..., int]:
    """Owe somebody one text: `owed(maria, urgent=True, expires_at=...)`; return its id."""
    count = 0

    def make(someone: Someone, body: str = "", *, purpose: Purpose = Purpose.STAFF, **more: Any) -> int:
        nonlocal count
        count += 1
        words = Rendered(body or f"Please call us about text {count}.", "by hand", 1, draft=False)
        with line.db.begin() as session:
            clinic_id = session.scalars(select(Clinic.id)).first()
            assert clinic_id is not None
            made = owe(
                session,
                clinic_id=clinic_id,
                phone_id=someone.phone_id,
                words=words,
                purpose=purpose,
                dedupe_key=f"test:{count}",
                now=clock(),
                **({"patient_id": someone.id} | more),
            )
            assert made is not None
            return made

    return make
