"""Reading the simulation's own database: many small questions, asked past the ORM, which would cost more than the year.

What staff see is read here as their lists show it; what the checks hold against reality too. Nothing is written.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from app.simulation.agenda import minute_of

Found = Sequence[Any]


@dataclass(frozen=True)
class TaskRow:
    """One line of the nurses' list."""

    id: int
    kind: str
    state: str
    subject: str
    reason: str
    category: str | None
    patient_id: int | None
    phone_id: int | None
    owner: int | None
    due: str
    needed_by: str
    raised: str

    @property
    def about(self) -> tuple[str, int]:
        kind, _, row = self.subject.partition(":")
        return kind, int(row)


@dataclass(frozen=True)
class SupplyRow:
    filled_on: date | None
    plan_by: date | None
    early_empty_on: date | None


class Rows:
    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self._connection.close()

    def all(self, sql: str, *values: Any) -> list[Found]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        found = self._connection.execute(sql, values).fetchone()
        return found[0] if found else None

    def due(self) -> Found:
        """Return when reminder, step, text, page, text in doubt and booked visit are next: None for none."""
        return self.all(_DUE)[0]

    def facts(self, tokens: Iterable[str]) -> dict[str, Found]:
        """Return, by token: purpose, words, patient, key of the reminder and its visit, key of the step, task."""
        return {row[0]: row[1:] for row in self.all(_FACTS, json.dumps(list(tokens)))}

    def tasks(self) -> list[TaskRow]:
        return [TaskRow(*row) for row in self.all(_TASKS)]

    def supply(self, patient_id: int) -> SupplyRow:
        found = self.all("SELECT filled_on, plan_by, early_empty_on FROM supply WHERE patient_id = ?", patient_id)
        return SupplyRow(*(day(value) for value in found[0])) if found else SupplyRow(None, None, None)

    def next_visit(self, patient_id: int, now: datetime) -> tuple[int, int] | None:
        """Return the soonest booked visit still to come, and its minute."""
        found = self.all(_NEXT_VISIT, patient_id, stored(now))
        return (found[0][0], minute(found[0][1])) if found else None

    def patient_of(self, appointment_id: int) -> int:
        return int(self.one("SELECT patient_id FROM appointment WHERE id = ?", appointment_id))

    def clinic_id(self) -> int:
        return int(self.one("SELECT min(id) FROM clinic"))


def stored(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def read_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minute(text: str) -> int:
    return minute_of(read_instant(text))


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_DUE = """
SELECT (SELECT min(due_at) FROM reminder WHERE state = 'planned'),
       (SELECT min(due_at) FROM care_step WHERE state = 'planned'),
       (SELECT min(due_at) FROM outbound_message WHERE state = 'queued'),
       (SELECT min(next_page_at) FROM task WHERE state = 'open' AND next_page_at IS NOT NULL),
       (SELECT min(state_at) FROM outbound_message WHERE state IN ('sending', 'unknown')),
       (SELECT min(starts_at) FROM appointment WHERE state = 'booked')
"""
_FACTS = """
SELECT m.token, m.purpose, m.text_id, m.patient_id, r.key, r.appointment_id, c.key, m.task_id
FROM outbound_message m LEFT JOIN reminder r ON r.id = m.reminder_id LEFT JOIN care_step c ON c.id = m.care_step_id
WHERE m.token IN (SELECT value FROM json_each(?))
"""
_TASKS = """
SELECT id, kind, state, subject, reason, category, patient_id, phone_id, acknowledged_by,
       coalesce(due_at, raised_at), coalesce(needed_by, '9999-12-31'), raised_at
FROM task WHERE state != 'resolved' ORDER BY id
"""
_NEXT_VISIT = """
SELECT id, starts_at FROM appointment WHERE patient_id = ? AND state = 'booked' AND starts_at >= ?
ORDER BY starts_at LIMIT 1
"""
# What should have happened an hour ago, and has neither happened nor a reason why not.
OVERDUE = {
    "reminder": "SELECT id FROM reminder WHERE state = 'planned' AND due_at < ?",
    "step": "SELECT id FROM care_step WHERE state = 'planned' AND due_at < ?",
    "text": "SELECT id FROM outbound_message WHERE state = 'queued' AND due_at < ?",
}
