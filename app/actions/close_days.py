"""Close the clinic for some days. Visits booked there stay booked until somebody moves them: they are listed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.visit_hours import Closure

LONGEST_REASON = 60
LONGEST_DAYS = 366
FARTHEST = timedelta(days=3 * 366)
MOST_AT_ONCE = 40


@dataclass(frozen=True)
class DaysToClose:
    """Both days included."""

    first: date
    last: date
    reason: str


def close_days(
    line: Line,
    clinic_id: int,
    wanted: tuple[DaysToClose, ...],
    today: date,
    now: datetime,
    actor: str,
    staff_id: int | None = None,
) -> tuple[int, ...]:
    """Write the closures, all or none, and return their ids. Raises Refused for days or a reason that cannot be."""
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise Refused(f"give from 1 to {MOST_AT_ONCE} closures at once")
    for one in wanted:
        _check(one, today)
    with line.db.begin() as session:
        made = []
        for one in wanted:
            row = Closure(
                clinic_id=clinic_id,
                first_on=one.first,
                last_on=one.last,
                reason=one.reason,
                created_by=staff_id,
                created_at=now,
            )
            session.add(row)
            session.flush()
            days = (one.last - one.first).days + 1
            audit(session, now, actor, "days closed", f"closure:{row.id}", first=one.first.isoformat(), days=days)
            made.append(row.id)
        return tuple(made)


def _check(wanted: DaysToClose, today: date) -> None:
    if not wanted.reason.strip():
        raise Refused("say why the clinic is closed, for example Thanksgiving")
    if len(wanted.reason) > LONGEST_REASON:
        raise Refused(f"keep the reason to {LONGEST_REASON} characters")
    if wanted.last < wanted.first:
        raise Refused("the last day must not come before the first")
    if wanted.last < today:
        raise Refused("these days have passed: check them")
    if wanted.last > today + FARTHEST:
        raise Refused("close days at most three years ahead: check the year")
    if (wanted.last - wanted.first).days >= LONGEST_DAYS:
        raise Refused("one closure lasts at most a year: check the days")
