"""What a due step of a ladder still asks for, by how the patient stands when its time comes.

Days of drug left are counted to the early edge of empty. A step is never dropped because it is night or a holiday.
"""

from dataclasses import dataclass
from datetime import date

from scheduler.ladders import GUARDED_DAYS, LAST, RUNGS, Audience, Channel, Rung

ARRANGED = "a visit is booked in time"
BOOKED = "a visit is booked"
FOLLOWED_UP = "the missed visit is being followed up"
SEEN = "seen since: the volumes are not recorded"
NOTHING_TO_ASK = "seen since: staff are to record the volumes"
OWNED = "somebody has taken the task"

# A refill written down for so many days before its visit is still that visit's: done on Friday, the visit moved to
# Monday and marked then. Were it another one after all, the task to record it stands, and steps go on meanwhile.
SAME_VISIT_DAYS = 7
# Somebody who was seen since is taken for filled so long as nobody recorded the volumes; after so many days of that
# the dates of the last recorded filling count again, for staff: a pump may have gone unfilled.
RECORD_WITHIN_DAYS = 14


def seen_since(filled_on: date, came_on: date | None) -> bool:
    """Return whether somebody came to a refill visit that the last recorded filling does not belong to."""
    return came_on is not None and (came_on - filled_on).days > SAME_VISIT_DAYS


def relied_on(came_on: date, today: date) -> bool:
    """Return whether the pump is taken for filled on that day, though the volumes are still to be recorded."""
    return (today - came_on).days < RECORD_WITHIN_DAYS


@dataclass(frozen=True)
class Standing:
    """One patient on one day (of the clinic)."""

    today: date
    early_empty_on: date
    plan_by: date
    visit_on: date | None = None  # the soonest booked visit still to come, today's included
    missed: bool = False  # a visit was missed and not made good
    seen_on: date | None = None  # a visit was attended after the last recorded refill
    owned: bool = False  # a nurse has taken the open task about this refill

    @property
    def seen_since(self) -> bool:
        """Whether the pump was filled, for all we know, though the volumes are still to be recorded."""
        return self.seen_on is not None and relied_on(self.seen_on, self.today)

    @property
    def unrecorded(self) -> bool:
        """Whether so much time has passed since that visit that nobody may rely on it."""
        return self.seen_on is not None and not self.seen_since

    @property
    def days_left(self) -> int:
        return max(0, (self.early_empty_on - self.today).days)

    @property
    def days_behind_visit(self) -> int | None:
        """Days of drug that the booked visit still leaves; None where there is no visit, or it comes too late."""
        if self.visit_on is None or self.visit_on > self.early_empty_on:
            return None
        return (self.early_empty_on - self.visit_on).days

    @property
    def arranged(self) -> bool:
        """Whether a visit is booked with enough drug behind it that missing it can still be made good."""
        return self.days_behind_visit is not None and self.days_behind_visit >= GUARDED_DAYS


@dataclass(frozen=True)
class Do:
    """What to do. `text` goes to the patient, `carer` to carers who may be told; `task` or `alert` is its reason."""

    text: str = ""
    urgent: bool = False
    routine: bool = False
    carer: bool = False
    task: str = ""
    alert: str = ""
    rung: Rung | None = None


@dataclass(frozen=True)
class Skip:
    reason: str


def supply_step(step: str, standing: Standing) -> Do | Skip:
    """Decide a due step of a filling: book:N (days before plan-by), left:N or owner:N (days of drug left)."""
    kind, _, days = step.partition(":")
    if standing.seen_since:
        return Skip(SEEN)
    if kind == "book":
        if standing.unrecorded:
            return Skip(NOTHING_TO_ASK)
        if standing.visit_on is not None:
            return Skip(ARRANGED if standing.arranged else BOOKED)
        return Skip(FOLLOWED_UP) if standing.missed else Do(text="book", routine=True)
    if standing.arranged:
        return Skip(ARRANGED)
    if kind == "owner":
        return Skip(OWNED) if standing.owned else Do(alert=f"{left(standing)}, and nobody has taken it on", rung=LAST)
    rung = next(rung for rung in RUNGS if rung.days == int(days))
    behind = standing.days_behind_visit
    if behind is not None:  # booked, late but before empty: the visit must not be missed
        reason = f"the visit leaves {_days(behind)} of drug behind it: make sure that it happens"
        if rung is LAST and not standing.owned:
            return Do(alert=reason, rung=rung)
        return Do(task=reason, rung=rung)
    alerts = rung.tells(Channel.ALERT, Audience.ON_CALL)
    if standing.unrecorded:  # whoever was filled is not to read that they were not: this is between staff
        reason = f"{left(standing)}: seen {standing.seen_on:%d-%b}, the volumes never recorded: read the pump, record"
        return Do(alert=reason, rung=rung) if alerts else Do(task=reason, rung=rung)
    what = "missed, and not booked again" if standing.missed else "no visit is booked in time"
    reason = f"{left(standing)}, {what}: call"
    return Do(
        text="missed_now" if alerts else "book_now",
        urgent=alerts,
        carer=standing.missed and rung.tells(Channel.TEXT, Audience.CARER),
        task="" if alerts else reason,
        alert=reason if alerts else "",
        rung=rung,
    )


def left(standing: Standing) -> str:
    return f"{_days(standing.days_left)} of drug left by the early edge"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def missed_reason(days_left: int | None, rung: Rung, *, confirmed: bool) -> str:
    """Return what a nurse reads about a visit that was just missed."""
    if days_left is None:
        return "missed a refill visit: call today. Days of drug left are not known: record the last refill"
    when = {"far": "call within a working day", "near": "call today", "soon": "call now", "last": "call now"}[rung.name]
    said = "had confirmed, " if confirmed else ""
    return f"missed a refill visit, {said}{_days(days_left)} of drug left by the early edge: {when}"


def too_late(visit_on: date, plan_by: date) -> int:
    """Return by how many days a visit lies after the plan-by date; 0 where it does not."""
    return max(0, (visit_on - plan_by).days)
