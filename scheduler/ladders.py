"""The ladders beside a visit's reminders: what is done, for whom and when, as drug, battery or time run out.

Here are dates and instants only. Whether a step is still needed when its time comes is another's to decide.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.policy import ReminderPolicy
from scheduler.quiet_hours import as_utc, local_instant, next_allowed


class Channel(StrEnum):
    """How somebody is told. CALL stands in the ladders for phone calls made by the system; nothing carries it yet."""

    TEXT = "text"
    TASK = "task"
    ALERT = "alert"  # a task that pages until somebody acknowledges
    CALL = "call"


class Audience(StrEnum):
    PATIENT = "patient"
    CARER = "carer"  # where the patient's consent allows
    NURSE = "nurse"
    ON_CALL = "on_call"


@dataclass(frozen=True)
class Act:
    channel: Channel
    audience: Audience


class Due(StrEnum):
    """By when a nurse is to have done a task."""

    WORKING_DAY = "working_day"  # within one, from when it was opened
    TODAY = "today"
    NOW = "now"


@dataclass(frozen=True)
class Rung:
    """What is done while at most `days` of drug are left (None: more than every other rung), by the early edge."""

    name: str
    days: int | None
    acts: tuple[Act, ...]
    due: Due
    urgent_by_date: bool = False

    def tells(self, channel: Channel, audience: Audience) -> bool:
        return Act(channel, audience) in self.acts


_TEXT = Act(Channel.TEXT, Audience.PATIENT)
_TEXT_CARER = Act(Channel.TEXT, Audience.CARER)
_TASK = Act(Channel.TASK, Audience.NURSE)
_CALLS = (Act(Channel.CALL, Audience.PATIENT), Act(Channel.CALL, Audience.CARER), Act(Channel.CALL, Audience.ON_CALL))

FAR = Rung("far", None, (_TEXT, _TASK), Due.WORKING_DAY)
NEAR = Rung("near", 14, (_TEXT, _TASK), Due.TODAY)
SOON = Rung("soon", 7, (_TEXT, _TEXT_CARER, _TASK), Due.NOW, urgent_by_date=True)
LAST = Rung(
    "last", 3, (_TEXT, _TEXT_CARER, Act(Channel.ALERT, Audience.ON_CALL), *_CALLS), Due.NOW, urgent_by_date=True
)
RUNGS = (FAR, NEAR, SOON, LAST)

# With this many days left, whoever should have taken the task is paged if nobody has: two days before SOON.
OWNER_BY_DAYS = 9
# A booked visit with fewer days of drug behind it needs a person who sees to it that it happens: a long weekend and
# a week, so that a missed visit still leaves time.
GUARDED_DAYS = 10
ASK_AGAIN_EVERY_DAYS = 7
CALL_AT = time(12)
ARRIVED_WITHIN = timedelta(minutes=60)
CHECK_IN_HOURS = (4, 24)
CHECK_INS_APART = timedelta(hours=8)
SCAN_ASK_AFTER = timedelta(hours=2)
SCAN_AGAIN_AFTER = timedelta(hours=24)
BATTERY_MONTHS = (12, 6, 3, 0)
ERI_DAYS = 90
ERI_STEPS = (90, 60, 30, 14, 7, 0)  # days that the 90 still have
REFERRAL_STALLS_AFTER = timedelta(days=14)


def rung_for(days_left: int | None) -> Rung:
    """Return what to do with so many days of drug left; unknown counts as near, for it may be."""
    if days_left is None:
        return NEAR
    return next((rung for rung in reversed(RUNGS) if rung.days is not None and days_left <= rung.days), FAR)


@dataclass(frozen=True)
class Step:
    """One step owed at `due_at` (aware, UTC); `about` keeps apart what would otherwise be the same step."""

    step: str
    due_at: datetime
    about: str = ""

    @property
    def key(self) -> str:
        """Unique within one patient."""
        return f"{self.step}@{self.about}" if self.about else self.step

    @property
    def kind(self) -> str:
        return self.step.partition(":")[0]


def supply_steps(
    refill: int, plan_by: date, early_empty_on: date, ask_days: int, policy: ReminderPolicy, zone: ZoneInfo
) -> tuple[Step, ...]:
    """Return the steps of one filling: asking to book before the plan-by date, then by days of drug left.

    They come at the hours of texts. A filling whose dates move gets steps of its own for the new days.
    """
    steps: list[Step] = []
    for days in range(ask_days, 0, -ASK_AGAIN_EVERY_DAYS):
        day = plan_by - timedelta(days=days)
        at = next_allowed(local_instant(day, policy.send_at, zone), zone, policy.quiet)
        steps.append(Step(f"book:{days}", at, f"{refill}:{day}"))
    lefts = [(f"left:{rung.days}", rung.days) for rung in RUNGS if rung.days is not None]
    for step, days in sorted([*lefts, (f"owner:{OWNER_BY_DAYS}", OWNER_BY_DAYS)], key=lambda s: -s[1]):
        day = early_empty_on - timedelta(days=days)
        at = next_allowed(local_instant(day, policy.quiet.opens, zone), zone, policy.quiet)
        steps.append(Step(step, at, f"{refill}:{day}"))
    return tuple(steps)


def in_force(steps: tuple[Step, ...], settled: frozenset[str], now: datetime) -> tuple[Step, ...]:
    """Return what is still owed of one filling's steps: all to come, and of those by days left that have passed, the
    last one. `settled` names steps (not keys) already done for this filling: they are not done for another day that
    has passed."""
    coming = [step for step in steps if step.due_at > now]
    passed = [step for step in steps if step.due_at <= now and step.kind in ("left", "owner")]
    worst = next((step for step in reversed(passed) if step.kind == "left"), None)
    late = [s for s in passed if (s is worst or s.kind == "owner") and s.step not in settled]
    if worst is not None and any(_days(done) <= _days(worst.step) for done in settled if done.startswith("left:")):
        late = [step for step in late if step is not worst]
    return (*late, *coming)


def _days(step: str) -> int:
    return int(step.partition(":")[2])


def visit_steps(visit: int, starts_at: datetime, zone: ZoneInfo) -> tuple[Step, ...]:
    """Return the steps of a booked visit that are a nurse's: call at noon the day before, look an hour after."""
    starts_at = as_utc(starts_at)
    day_before = starts_at.astimezone(zone).date() - timedelta(days=1)
    about = f"{visit}:{starts_at.isoformat()}"
    noon = local_instant(day_before, CALL_AT, zone)
    return (Step("call:1", noon, about), Step("arrive:60", starts_at + ARRIVED_WITHIN, about))


def missed_steps(
    visit: int, starts_at: datetime, noticed_at: datetime, policy: ReminderPolicy, zone: ZoneInfo
) -> tuple[Step, ...]:
    """Return what is owed with the first text about a missed visit: tell the carer, and ask what kept them.

    They come a minute after it, so that what to do is read first.
    """
    first = max(as_utc(noticed_at), as_utc(starts_at) + policy.missed_after)
    about = f"{visit}:{as_utc(starts_at).isoformat()}"
    asked_at = next_allowed(next_allowed(first, zone, policy.quiet) + timedelta(minutes=1), zone, policy.quiet)
    return (Step("carer:1", first, about), Step("why:1", asked_at, about))


def check_ins(day: date, from_: datetime, policy: ReminderPolicy, zone: ZoneInfo) -> tuple[Step, ...]:
    """Return the check-ins after a refill or dose change at `from_`, moved into waking hours.

    Where that brings two closer together than eight hours, the later one is left out: it would ask the same again.
    """
    steps: list[Step] = []
    for hours in CHECK_IN_HOURS:
        at = next_allowed(as_utc(from_) + timedelta(hours=hours), zone, policy.quiet)
        if not steps or at - steps[-1].due_at >= CHECK_INS_APART:
            steps.append(Step(f"checkin:{hours}", at, str(day)))
    return tuple(steps)


def scan_steps(scan: int, recorded_at: datetime, scanned_at: datetime) -> tuple[Step, ...]:
    """Return when to ask whether the pump was checked, and when a nurse is to see to it. It waits for no hours: a pump
    that stands still after a scan does not either."""
    first = max(as_utc(recorded_at), as_utc(scanned_at) + SCAN_ASK_AFTER)
    return (Step("scan:1", first, str(scan)), Step("scan:2", first + SCAN_AGAIN_AFTER, str(scan)))


def battery_steps(pump: int, replace_by: date, zone: ZoneInfo, at: time) -> tuple[Step, ...]:
    """Return the warnings to staff, months before the pump must be replaced."""
    return tuple(
        Step(f"battery:{months}", local_instant(months_before(replace_by, months), at, zone), f"{pump}:{replace_by}")
        for months in BATTERY_MONTHS
    )


def eri_steps(pump: int, eri_on: date, zone: ZoneInfo, at: time) -> tuple[Step, ...]:
    """Return the steps of the 90 days after the elective replacement indicator."""
    return tuple(
        Step(f"eri:{left}", local_instant(eri_on + timedelta(days=ERI_DAYS - left), at, zone), f"{pump}:{eri_on}")
        for left in ERI_STEPS
    )


def months_before(day: date, months: int) -> date:
    """Return the same day of the month, so many months earlier; the last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first = date(year, month + 1, 1)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def task_due(due: Due, now: datetime, zone: ZoneInfo) -> datetime:
    """Return until when a task is to be done: at once, by midnight at the clinic, or by this hour of the next
    weekday."""
    if due is Due.NOW:
        return as_utc(now)
    local = as_utc(now).astimezone(zone)
    if due is Due.TODAY:
        return local_instant(local.date() + timedelta(days=1), time(0), zone)
    day = local.date() + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return local_instant(day, local.time().replace(microsecond=0), zone)
