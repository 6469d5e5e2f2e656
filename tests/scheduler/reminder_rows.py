"""The reminder rows of one appointment, in memory; worked examples and policies to plan them with."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from scheduler.planning import Changes, Planned, Stored, replan
from scheduler.policy import Hours, ReminderPolicy

POLICY = ReminderPolicy()
NEW_YORK = ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dues(planned: Iterable[Planned]) -> list[tuple[str, datetime]]:
    return [(reminder.step, reminder.due_at) for reminder in planned]


@st.composite
def policies(draw: st.DrawFn) -> ReminderPolicy:
    opens = draw(st.integers(0, 12))
    closes = draw(st.integers(opens + 1, 23))
    minute_of_day = st.integers(opens * 60, closes * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
    ladder = draw(st.sets(st.integers(0, 365), min_size=1, max_size=6))
    return ReminderPolicy(
        ladder_days=tuple(sorted(ladder, reverse=True)),
        send_at=draw(minute_of_day),
        quiet=Hours(opens=time(opens), closes=time(closes)),
        missed_again_at=draw(minute_of_day),
        latest_before=timedelta(minutes=draw(st.integers(0, 600))),
    )


class Rows:
    """The reminder rows of one appointment, written as an action would write them."""

    def __init__(self) -> None:
        self.rows: dict[int, Stored] = {}

    def apply(self, changes: Changes) -> None:
        for row_id in changes.cancel:
            self._write(row_id, self.rows[row_id].due_at, "cancelled")
        for row_id, due_at in (*changes.revive, *changes.retime):
            self._write(row_id, due_at, "planned")
        for reminder in changes.add:
            assert all(row.key != reminder.key for row in self.rows.values())
            row_id = len(self.rows) + 1
            self.rows[row_id] = Stored(row_id, reminder.key, reminder.due_at, "planned")

    def settle(self, row_id: int, state: str) -> None:
        self._write(row_id, self.rows[row_id].due_at, state)

    def pending(self) -> list[tuple[str, datetime]]:
        rows = (row for row in self.rows.values() if row.state == "planned")
        return sorted((row.key, row.due_at) for row in rows)

    def stored(self) -> list[Stored]:
        return list(self.rows.values())

    def _write(self, row_id: int, due_at: datetime, state: str) -> None:
        self.rows[row_id] = Stored(row_id, self.rows[row_id].key, due_at, state)


VISIT = utc("2026-06-15T15:00")
BOOKED = utc("2026-05-01T12:00")


def booked() -> Rows:
    """The rows of the visit at VISIT in New York, as its booking wrote them."""
    rows = Rows()
    rows.apply(replan(VISIT, POLICY, NEW_YORK, BOOKED, rows.stored()))
    return rows
