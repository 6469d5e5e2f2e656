"""A line that grows, and a count of what SQLite looks through meanwhile."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import event, text

from app.actions.line import Line

A_STEP = 50  # of SQLite's, between two counts
_VALUE = re.compile(r"'[^']*'|\b\d+\b")
HEADER = (
    "mrn,given_name,family_name,born_on,phone,consent,pump_model,reservoir_size_ml,concentration_mcg_per_ml,"
    "daily_dose_mcg,alarm_volume_ml,last_filled_on,reservoir_volume_ml,appointment_at"
)


@dataclass
class Steps:
    """Counts the steps of what SQLite does, by the statement that it does it for."""

    by_statement: Counter[str] = field(default_factory=Counter)

    def listen(self, connection: object) -> None:
        said = [""]

        def hear(statement: str) -> None:
            said[0] = statement

        def step() -> int:
            self.by_statement[" ".join(_VALUE.sub("?", said[0]).split())] += A_STEP
            return 0

        connection.set_trace_callback(hear)  # type: ignore[attr-defined]
        connection.set_progress_handler(step, A_STEP)  # type: ignore[attr-defined]


def grown(before: dict[str, Counter[str]], after: dict[str, Counter[str]], most: float) -> dict[str, object]:
    """Return what takes more than `most` times the steps, with the statements that took most of them."""
    return {
        name: (before[name].total(), (after[name] - before[name]).most_common(2))
        for name in before
        if after[name].total() > most * before[name].total() + 20 * A_STEP
    }


@contextmanager
def steps_of(line: Line) -> Iterator[Steps]:
    steps = Steps()

    def connected(connection: object, _record: object) -> None:
        steps.listen(connection)

    line.db.engine.dispose()
    event.listen(line.db.engine, "connect", connected)
    try:
        yield steps
    finally:
        event.remove(line.db.engine, "connect", connected)
        line.db.engine.dispose()


def patients_from(first: int, number: int, today: date) -> bytes:
    to = io.StringIO()
    to.write(HEADER + "\n")
    table = csv.writer(to)
    for n in range(first, first + number):
        visit = f"{today + timedelta(days=20 + n % 60)} {9 + n % 8:02}:30"
        who = (f"G-{n}", "Gro", f"Wing {n}", "1980-01-01", f"+1614{2000000 + n}", "yes", "SynchroMed II")
        table.writerow((*who, 40, 2000, 350, 4, today - timedelta(days=30), 40, visit))
    return to.getvalue().encode()


def with_years_behind_them(line: Line, clinic_id: int = 1) -> None:
    """Give every patient what years leave behind: visits kept and cancelled, tasks done, texts in and out."""
    visits = (
        "INSERT INTO appointment (clinic_id, patient_id, starts_at, state, version, created_at) "
        "SELECT clinic_id, patient_id, datetime(starts_at, '-' || (v * 50 + 100) || ' days') || '.000000', "
        "CASE WHEN v % 5 THEN 'attended' ELSE 'cancelled' END, 1, created_at FROM appointment, n WHERE clinic_id = "
    )
    tasks = (
        "INSERT INTO task (clinic_id, kind, subject, reason, state, opened_at, raised_at, pages, code, patient_id, "
        "version) SELECT clinic_id, CASE WHEN v % 2 THEN 'alert' ELSE 'question' END, 'patient:' || id, '', "
        "'resolved', created_at, created_at, 0, v, id, 1 FROM patient, n WHERE clinic_id = "
    )
    texts = (
        "INSERT OR IGNORE INTO outbound_message (clinic_id, phone_id, dedupe_key, token, purpose, urgent, body, "
        "text_id, text_version, segments, state, state_at, due_at, created_at, attempts) "
        "SELECT clinic_id, id, 'old' || id || '.' || v, 'old' || id || '.' || v, 'reply', 0, number, 'answer:bathing', "
        "1, 1, 'delivered', created_at, created_at, created_at, 1 FROM phone, n WHERE clinic_id = "
    )
    with line.db.begin() as session:
        for statement in (visits, tasks, texts):
            some = "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 10) "
            insert, _, rest = statement.partition(" SELECT ")
            session.execute(text(f"{insert} {some} SELECT {rest}{clinic_id}"))
