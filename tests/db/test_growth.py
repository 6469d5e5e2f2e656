"""What is looked through for one text, one visit or one beat does not grow with what is stored.

SQLite counts the steps of each statement. A wrong index costs nothing among ten patients, and a second among a hundred
thousand, while every text waits.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from sqlalchemy import func, select

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.import_patients import import_patients
from app.actions.line import Line
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.actions.plan_reminders import plan_reminders
from app.actions.receive_text import InboundText, receive_text
from app.actions.record_refill import RefillEntry, record_refill
from app.actions.set_patient_state import set_patient_state
from app.channels.simulator import SimulatorChannel
from app.db.engine import Database
from app.db.messages import InboundMessage
from app.db.people import Contact, PatientState, Phone
from app.domain.texts import load_words
from app.jobs import NIGHTLY, jobs_for
from tests.db.conftest import NOW
from tests.growing import Steps, grown, patients_from, steps_of, with_years_behind_them

FEW, MANY = 25, 500
TEXTS = ("my pump is beeping", "REFILL", "when is my refill?", "can I take a bath", "I feel stiff and itchy", "STOP")


@pytest.fixture
def line(db: Database) -> Line:
    return Line(db, load_words(None), channel="simulator")


@pytest.fixture
def steps(line: Line) -> Iterator[Steps]:
    with steps_of(line) as steps:
        yield steps


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
    import_patients(line, patients_from(0, FEW, NOW.date()), NOW)
    settle(line, NOW)
    few = counted(line, steps, NOW + timedelta(minutes=1))
    import_patients(line, patients_from(FEW, MANY, NOW.date()), NOW + timedelta(minutes=2))
    with_years_behind_them(line)
    settle(line, NOW + timedelta(minutes=3))
    many = counted(line, steps, NOW + timedelta(minutes=4))
    with line.db.read() as session:
        texts = session.scalar(select(func.count()).select_from(InboundMessage))
    assert texts == 2 * len(TEXTS), "each was taken in, none as a repeated one"
    assert min(took[name].total() for took in (few, many) for name in took if not name.startswith("job")) > 0
    assert grown(few, many, 2) == {}


def test_planning_in_many_batches_looks_at_each_visit_once(line: Line, steps: Steps) -> None:
    """A batch that looked through all that are left would make a million visits cost the square of it."""
    import_patients(line, patients_from(0, MANY, NOW.date()), NOW)
    took = {}
    for at_once in (MANY, MANY // 25):
        steps.by_statement.clear()
        report = plan_reminders(line, NOW, at_once=at_once)
        assert (report.visits, report.failed) == (MANY, 0)
        took[at_once] = {"planning": Counter(steps.by_statement)}
    assert took[MANY]["planning"].total() > 0
    assert grown(took[MANY], took[MANY // 25], 1.5) == {}
