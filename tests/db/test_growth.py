"""What is looked through for one text, one visit or one beat does not grow with what is stored.

SQLite counts the steps of each statement. A wrong index costs nothing among ten patients, and a second among a hundred
thousand, while every text waits.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from sqlalchemy import event, select, text

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.import_patients import import_patients
from app.actions.line import Line
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.actions.receive_text import InboundText, receive_text
from app.actions.record_refill import RefillEntry, record_refill
from app.actions.set_patient_state import set_patient_state
from app.channels.simulator import SimulatorChannel
from app.db.engine import Database
from app.db.people import Contact, PatientState, Phone
from app.domain.texts import load_words
from app.jobs import NIGHTLY, jobs_for
from tests.db.conftest import NOW

FEW, MANY = 25, 500
A_STEP = 50  # of SQLite's, between two counts
HEADER = (
    "mrn,given_name,family_name,born_on,phone,consent,pump_model,reservoir_size_ml,concentration_mcg_per_ml,"
    "daily_dose_mcg,alarm_volume_ml,last_filled_on,reservoir_volume_ml,appointment_at"
)
TEXTS = ("my pump is beeping", "REFILL", "when is my refill?", "can I take a bath", "I feel stiff and itchy", "STOP")


@pytest.fixture
def line(db: Database) -> Line:
    return Line(db, load_words(None), channel="simulator")


@dataclass
class Steps:
    """Counts the steps of what SQLite does, by the statement that it does it for."""

    by_statement: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.by_statement.values())

    def listen(self, connection: object) -> None:
        said = [""]

        def hear(statement: str) -> None:
            said[0] = statement

        def step() -> int:
            self.by_statement[" ".join(said[0].split())[:200]] += A_STEP
            return 0

        connection.set_trace_callback(hear)  # type: ignore[attr-defined]
        connection.set_progress_handler(step, A_STEP)  # type: ignore[attr-defined]


@pytest.fixture
def steps(line: Line) -> Iterator[Steps]:
    steps = Steps()

    def connected(connection: object, _record: object) -> None:
        steps.listen(connection)

    line.db.engine.dispose()
    event.listen(line.db.engine, "connect", connected)
    yield steps
    event.remove(line.db.engine, "connect", connected)


def patients_from(first: int, number: int) -> bytes:
    to = io.StringIO()
    to.write(HEADER + "\n")
    table = csv.writer(to)
    for n in range(first, first + number):
        visit = f"{NOW.date() + timedelta(days=20 + n % 60)} {9 + n % 8:02}:30"
        who = (f"G-{n}", "Gro", f"Wing {n}", "1980-01-01", f"+1614{2000000 + n}", "yes", "SynchroMed II")
        table.writerow((*who, 40, 2000, 350, 4, NOW.date() - timedelta(days=30), 40, visit))
    return to.getvalue().encode()


def with_years_behind_them(line: Line) -> None:
    """Give every patient what years leave behind: visits kept and cancelled, tasks done, texts in and out."""
    visits = (
        "INSERT INTO appointment (clinic_id, patient_id, starts_at, state, version, created_at) "
        "SELECT clinic_id, patient_id, datetime(starts_at, '-' || (v * 50 + 100) || ' days') || '.000000', "
        "CASE WHEN v % 5 THEN 'attended' ELSE 'cancelled' END, 1, created_at FROM appointment, n"
    )
    tasks = (
        "INSERT INTO task (clinic_id, kind, subject, reason, state, opened_at, raised_at, pages, code, patient_id, "
        "version) SELECT 1, CASE WHEN v % 2 THEN 'alert' ELSE 'question' END, 'patient:' || id, '', 'resolved', "
        "created_at, created_at, 0, v, id, 1 FROM patient, n"
    )
    texts = (
        "INSERT INTO outbound_message (clinic_id, phone_id, dedupe_key, token, purpose, urgent, body, text_id, "
        "text_version, segments, state, state_at, due_at, created_at, attempts) "
        "SELECT clinic_id, id, 'old' || id || '.' || v, 'old' || id || '.' || v, 'reply', 0, number, 'answer:bathing', "
        "1, 1, 'delivered', created_at, created_at, created_at, 1 FROM phone, n"
    )
    with line.db.begin() as session:
        for statement in (visits, tasks, texts):
            some = "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 10) "
            insert, _, rest = statement.partition(" SELECT ")
            session.execute(text(f"{insert} {some} SELECT {rest}"))


_TEXTED = count(1)


@dataclass
class Story:
    """The same things happen to other patients, again and again."""

    line: Line
    now: datetime
    patients: Iterator[tuple[int, str]]

    def things(self) -> dict[str, Callable[[], object]]:
        line, now = self.line, self.now
        told: dict[str, Callable[[], object]] = {
            f"text: {body}": lambda body=body: receive_text(  # type: ignore[misc]
                line, InboundText(f"SM{next(_TEXTED)}", next(self.patients)[1], "", body), now
            )
            for body in TEXTS
        }
        jobs = jobs_for(line, SimulatorChannel(), steady=lambda: 0.0)
        told |= {f"job: {job.name}": lambda job=job: job.run(now) for job in jobs if job.name not in NIGHTLY}  # type: ignore[misc]
        return told | {
            "booked, moved, cancelled": self.move,
            "attended": lambda: mark_attended(line, self.book(), now + timedelta(days=12), "test"),
            "missed": lambda: mark_missed(line, self.book(), now + timedelta(days=12), "test"),
            "refill": self.refill,
            "paused": lambda: set_patient_state(line, next(self.patients)[0], PatientState.PAUSED, now, "test"),
        }

    def book(self) -> int:
        return book_appointment(self.line, next(self.patients)[0], self.now + timedelta(days=11), self.now, "test")

    def move(self) -> None:
        visit = self.book()
        move_appointment(self.line, visit, self.now + timedelta(days=13), self.now, "test")
        cancel_appointment(self.line, visit, self.now, "test")

    def refill(self) -> None:
        record_refill(self.line, next(self.patients)[0], RefillEntry(self.now.date(), Decimal(40)), self.now, "test")


def counted(line: Line, steps: Steps, now: datetime) -> dict[str, Counter[str]]:
    """Let everything happen, and return the steps that each thing took."""
    with line.db.read() as session:
        query = select(Contact.patient_id, Phone.number).join(Phone, Phone.id == Contact.phone_id)
        known = session.execute(query.order_by(Contact.patient_id.desc())).all()
    story, found = Story(line, now, iter([(row[0], row[1]) for row in known])), {}
    for name, happens in story.things().items():
        steps.by_statement.clear()
        happens()
        found[name] = Counter(steps.by_statement)
    return found


def settle(line: Line, now: datetime) -> None:
    jobs = jobs_for(line, SimulatorChannel(), steady=lambda: 0.0)
    for _ in range(12):
        for job in jobs:
            if job.name not in NIGHTLY:
                job.run(now)


def test_nothing_looks_through_all_there_is(line: Line, steps: Steps) -> None:
    import_patients(line, patients_from(0, FEW), NOW)
    settle(line, NOW)
    few = counted(line, steps, NOW + timedelta(minutes=1))
    import_patients(line, patients_from(FEW, MANY), NOW + timedelta(minutes=2))
    with_years_behind_them(line)
    settle(line, NOW + timedelta(minutes=3))
    many = counted(line, steps, NOW + timedelta(minutes=4))
    grown = {
        name: many[name].most_common(2)
        for name in few
        if sum(many[name].values()) > 2 * sum(few[name].values()) + 20 * A_STEP
    }
    assert grown == {}
