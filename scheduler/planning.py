"""Which reminders a visit is owed, how stored rows must change to match, and what to do with a due one.

Rows belong to one appointment: pass `diff` and `replan` all rows of that appointment and of no other.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.cap import fitting
from scheduler.policy import ReminderPolicy
from scheduler.quiet_hours import as_utc, local_instant, next_allowed

PLANNED = "planned"
CANCELLED = "cancelled"

TOO_LATE = "too late to help"
REPLACED = "a later reminder replaces it"

MISSED_TEXTS_APART = timedelta(hours=4)


@dataclass(frozen=True)
class Planned:
    """One reminder owed for the visit at `starts_at`; `step` is "ladder:<days before>" or "missed:<n>"."""

    step: str
    due_at: datetime
    starts_at: datetime

    @property
    def key(self) -> str:
        """Unique within one appointment. It holds the visit's instant, so that a moved visit gets reminders of
        its own, and one moved back finds the old rows: cancelled ones return, sent ones are not repeated."""
        return f"{self.step}@{as_utc(self.starts_at).isoformat()}"


@dataclass(frozen=True)
class Stored:
    """One reminder row as stored. Any state but "planned" and "cancelled" is settled and never touched."""

    id: int
    key: str
    due_at: datetime
    state: str


@dataclass(frozen=True)
class Changes:
    """What to write so that the rows match the plan. `revive` and `retime` pair a row's id with its new due_at."""

    add: tuple[Planned, ...] = ()
    cancel: tuple[int, ...] = ()
    revive: tuple[tuple[int, datetime], ...] = ()
    retime: tuple[tuple[int, datetime], ...] = ()
    keep: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.add or self.cancel or self.revive or self.retime)


@dataclass(frozen=True)
class Send:
    late: timedelta


@dataclass(frozen=True)
class Later:
    at: datetime


@dataclass(frozen=True)
class Skip:
    reason: str


DueDecision = Send | Later | Skip


def plan(starts_at: datetime, policy: ReminderPolicy, zone: ZoneInfo, now: datetime) -> tuple[Planned, ...]:
    """Return the ladder reminders still to come for this visit, earliest first."""
    return tuple(reminder for reminder in _ladder(starts_at, policy, zone) if reminder.due_at > now)


def missed_texts(
    starts_at: datetime, noticed_at: datetime, policy: ReminderPolicy, zone: ZoneInfo, *, urgent: bool = False
) -> tuple[Planned, ...]:
    """Return the texts a missed visit is owed: one when noticed, one the morning after the visit.

    The second is dropped where it would come less than four hours after the first, or before it. `urgent`: the first
    waits for no hours.
    """
    starts_at = as_utc(starts_at)
    first = max(as_utc(noticed_at), starts_at + policy.missed_after)
    first = first if urgent else next_allowed(first, zone, policy.quiet)
    morning = _visit_day(starts_at, zone) + timedelta(days=1)
    second = next_allowed(local_instant(morning, policy.missed_again_at, zone), zone, policy.quiet)
    texts = [Planned("missed:1", first, starts_at)]
    if second - first >= MISSED_TEXTS_APART:
        texts.append(Planned("missed:2", second, starts_at))
    return tuple(texts)


def replan(
    starts_at: datetime | None,
    policy: ReminderPolicy,
    zone: ZoneInfo,
    now: datetime,
    stored: Iterable[Stored],
    *,
    missed_noticed_at: datetime | None = None,
    urgent: bool = False,
) -> Changes:
    """Return the changes after anything about an appointment changed, or nothing did.

    `starts_at` is None once the visit is cancelled or attended: everything pending stops. Give
    `missed_noticed_at` whenever the visit counts as missed: without it, its missed texts are cancelled; `urgent`, where
    hardly any drug was left then.
    """
    if starts_at is None:
        return diff((), stored)
    ladder = _ladder(starts_at, policy, zone)
    if missed_noticed_at is not None:
        planned = missed_texts(starts_at, missed_noticed_at, policy, zone, urgent=urgent)
    else:
        planned = tuple(reminder for reminder in ladder if reminder.due_at > now)
    return diff(planned, stored, overdue=(reminder for reminder in ladder if reminder.due_at <= now))


def diff(planned: Iterable[Planned], stored: Iterable[Stored], *, overdue: Iterable[Planned] = ()) -> Changes:
    """Return the changes that make the stored rows match the plan. Applied once, the next diff is empty.

    `overdue` names reminders whose time has come: a row that waits for one stays as it is, for
    `due_decision` to send late or skip with a reason, but none is added or revived.
    """
    wanted = {reminder.key: reminder for reminder in planned}
    waiting = {reminder.key for reminder in overdue}
    rows_by_key: defaultdict[str, list[Stored]] = defaultdict(list)
    for row in sorted(stored, key=lambda row: row.id):
        rows_by_key[row.key].append(row)

    cancel: list[int] = []
    revive: list[tuple[int, datetime]] = []
    retime: list[tuple[int, datetime]] = []
    keep: list[int] = []
    for key, rows in rows_by_key.items():
        answering = _answering(rows)
        for row in rows:
            reminder = wanted.get(key) if row is answering else None
            if row.state == PLANNED and reminder is None and not (row is answering and key in waiting):
                cancel.append(row.id)
            elif row.state == PLANNED and reminder is not None and row.due_at != reminder.due_at:
                retime.append((row.id, reminder.due_at))
            elif row.state == CANCELLED and reminder is not None:
                revive.append((row.id, reminder.due_at))
            else:
                keep.append(row.id)
    add = tuple(reminder for key, reminder in wanted.items() if key not in rows_by_key)
    return Changes(add, tuple(cancel), tuple(revive), tuple(retime), tuple(keep))


def due_decision(
    due_at: datetime, starts_at: datetime, now: datetime, zone: ZoneInfo, policy: ReminderPolicy, newer_due: bool
) -> DueDecision:
    """Decide what becomes of a ladder reminder now. `newer_due`: a later step of the same visit is due as well."""
    limit = as_utc(starts_at) - policy.latest_before
    if now > limit:
        return Skip(TOO_LATE)
    decision = _decide_in_hours(due_at, now, zone, policy, newer_due)
    if isinstance(decision, Later) and decision.at > limit:
        return Skip(TOO_LATE)
    return decision


def missed_decision(
    due_at: datetime, now: datetime, zone: ZoneInfo, policy: ReminderPolicy, newer_due: bool
) -> DueDecision:
    """Decide what becomes of a missed-visit text now. It never comes too late: the refill is still owed."""
    return _decide_in_hours(due_at, now, zone, policy, newer_due)


def _decide_in_hours(
    due_at: datetime, now: datetime, zone: ZoneInfo, policy: ReminderPolicy, newer_due: bool
) -> DueDecision:
    if newer_due:
        return Skip(REPLACED)
    allowed_at = next_allowed(max(now, due_at), zone, policy.quiet)
    return Later(allowed_at) if allowed_at > now else Send(late=now - due_at)


def _ladder(starts_at: datetime, policy: ReminderPolicy, zone: ZoneInfo) -> tuple[Planned, ...]:
    """Return every step that helps this visit, past or to come, earliest first; as many as a phone may get."""
    starts_at = as_utc(starts_at)
    visit_day = _visit_day(starts_at, zone)
    step_at: dict[datetime, int] = {}
    for days_before in fitting(policy.ladder_days):  # largest first, so that the smaller offset wins one instant
        sent_at = local_instant(visit_day - timedelta(days=days_before), policy.send_at, zone)
        due_at = next_allowed(sent_at, zone, policy.quiet)
        if due_at <= starts_at - policy.latest_before:
            step_at[due_at] = days_before
    return tuple(Planned(f"ladder:{step_at[due_at]}", due_at, starts_at) for due_at in sorted(step_at))


def _visit_day(starts_at: datetime, zone: ZoneInfo) -> date:
    return starts_at.astimezone(zone).date()


def _answering(rows: list[Stored]) -> Stored:
    """Return which of several rows under one key counts: a settled one, else a planned one, else the oldest."""
    settled = (row for row in rows if row.state not in (PLANNED, CANCELLED))
    waiting = (row for row in rows if row.state == PLANNED)
    return next(settled, None) or next(waiting, None) or rows[0]
