"""The checks: what the database says in the end, held against what was seen from outside."""

from collections import Counter
from dataclasses import dataclass, field

from app.simulation.agenda import instant
from app.simulation.parameters import MINUTES_A_DAY
from app.simulation.rows import Rows, minute, stored
from app.simulation.world import Empty, World

NOT_ACKNOWLEDGED = -1


@dataclass(frozen=True)
class MissFound:
    """A visit to which nobody came. Hours and days from the visit; None: never, within the simulation."""

    days_left: int | None
    hours_to_owner: float | None
    days_to_refill: float | None
    ran_dry: bool


@dataclass
class Findings:
    """What one clinic showed. Nothing here is random but by the seed: no id, code or wall-clock time."""

    empties: list[Empty] = field(default_factory=list)
    outside_hours: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    unacknowledged: Counter[str] = field(default_factory=Counter)  # by the words
    minutes_to_human: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    texts: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind, month
    days_left_at_refill: list[float] = field(default_factory=list)
    misses: list[MissFound] = field(default_factory=list)
    failed_jobs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Findings") -> None:
        self.empties += other.empties
        self.duplicates += other.duplicates
        self.minutes_to_human += other.minutes_to_human
        self.days_left_at_refill += other.days_left_at_refill
        self.misses += other.misses
        for name in ("outside_hours", "lost", "unacknowledged", "counts", "texts", "tasks", "failed_jobs", "refused"):
            getattr(self, name).update(getattr(other, name))


def at_the_end(world: World) -> Findings:
    """Return what is to be seen on the last evening; urgent texts are not judged yet."""
    world.looks_for_overdue()
    seen, rows = world.seen, world.rows
    counts = seen.counts + world.provider.counts
    counts["urgent texts"] = len(seen.urgent)
    counts["missed visits noticed"] = rows.one(_NOTICED)
    counts["alerts"] = rows.one("SELECT count(*) FROM task WHERE kind = 'alert'")
    return Findings(
        empties=seen.empties,
        outside_hours=seen.outside_hours,
        lost=_lost(world),
        counts=counts,
        texts=seen.texts,
        tasks=Counter({(kind, month): count for kind, month, count in rows.all(_TASKS_BY_MONTH)}),
        days_left_at_refill=seen.days_left_at_refill,
        misses=[_miss(world, place) for place in range(len(seen.misses))],
    )


def see_through(world: World, findings: Findings) -> None:
    """Go on until every alert is taken, four days at most, and judge what was urgent."""
    end = world.minute
    for hours in range(1, 4 * 24 + 1):
        world.run(end + 60 * hours)
        if hours >= 12 and not world.rows.one("SELECT count(*) FROM task WHERE kind = 'alert' AND state = 'open'"):
            break
    for text in world.seen.urgent:
        taken = _taken(world.rows, text.inbound_id, text.minute)
        if taken == NOT_ACKNOWLEDGED:
            findings.unacknowledged[text.words] += 1
        else:
            findings.minutes_to_human.append(taken)
    findings.counts["urgent texts"] = len(world.seen.urgent)
    findings.duplicates = world.provider.duplicates
    findings.failed_jobs = world.beats.failures()
    findings.refused = world.seen.refused


def _taken(rows: Rows, inbound_id: int, received: int) -> int:
    """Return after how many minutes a person took the alert that this text opened or was added to."""
    at = rows.one(_TAKEN, inbound_id, stored(instant(received)))
    return minute(at) - received if at else NOT_ACKNOWLEDGED


def _miss(world: World, place: int) -> MissFound:
    miss = world.seen.misses[place]
    taken = world.rows.one(_MISS_TAKEN, f"appointment:{miss.appointment_id}")
    return MissFound(
        days_left=miss.days_left,
        hours_to_owner=round((minute(taken) - miss.minute) / 60, 1) if taken else None,
        days_to_refill=round((miss.refilled - miss.minute) / MINUTES_A_DAY, 1) if miss.refilled else None,
        ran_dry=miss.ran_dry,
    )


def _lost(world: World) -> Counter[str]:
    """Return what was owed and came to nothing without a word, by what it was."""
    found = Counter(f"{kind}: overdue by more than an hour" for kind, _ in world.seen.overdue)
    for what, sql in _SETTLED_WITHOUT.items():
        if count := world.rows.one(sql):
            found[what] += count
    return found


_NOTICED = "SELECT count(*) FROM appointment WHERE missed_at IS NOT NULL"
_TASKS_BY_MONTH = "SELECT kind, substr(opened_at, 1, 7), count(*) FROM task GROUP BY 1, 2 ORDER BY 1, 2"
_TAKEN = """
SELECT min(a.at) FROM task_text x JOIN task t ON t.id = x.task_id AND t.kind = 'alert'
JOIN audit_event a ON a.subject = 'task:' || t.id AND a.verb = 'task acknowledged'
WHERE x.inbound_id = ? AND a.at >= ?
"""
_MISS_TAKEN = """
SELECT min(a.at) FROM task t JOIN audit_event a ON a.subject = 'task:' || t.id AND a.verb = 'task acknowledged'
WHERE t.kind = 'missed_refill' AND t.subject = ?
"""
_SETTLED_WITHOUT = {
    "reminder: queued, and no text": """
        SELECT count(*) FROM reminder WHERE state = 'queued'
        AND id NOT IN (SELECT reminder_id FROM outbound_message WHERE reminder_id IS NOT NULL)""",
    "reminder: not sent, and no reason": """
        SELECT count(*) FROM reminder WHERE state IN ('cancelled', 'skipped') AND coalesce(reason, '') = ''""",
    "step: not taken, and no reason": """
        SELECT count(*) FROM care_step WHERE state IN ('cancelled', 'skipped') AND coalesce(reason, '') = ''""",
    "step: done, and no text or task": """
        SELECT count(*) FROM care_step c WHERE state = 'done'
        AND id NOT IN (SELECT care_step_id FROM outbound_message WHERE care_step_id IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM task t WHERE t.patient_id = c.patient_id AND
          CASE substr(c.step, 1, instr(c.step, ':') - 1)
            WHEN 'left' THEN t.kind IN ('supply', 'alert') WHEN 'owner' THEN t.kind = 'alert'
            WHEN 'call' THEN t.kind = 'unconfirmed' WHEN 'arrive' THEN t.kind = 'not_arrived'
            WHEN 'scan' THEN t.kind = 'check_pump' ELSE t.kind = 'battery' END
                        AND t.opened_at <= c.settled_at AND coalesce(t.resolved_at, '9999-12-31') >= c.settled_at)""",
    "text: never sent, and no reason": """
        SELECT count(*) FROM outbound_message WHERE purpose IN ('reminder', 'missed', 'book', 'check_in', 'page')
        AND state IN ('refused', 'withdrawn', 'expired', 'undelivered', 'failed') AND coalesce(reason, '') = ''""",
    "visit: passed, and no reminder was ever planned": """
        SELECT count(*) FROM appointment a WHERE state IN ('attended', 'missed')
        AND julianday(starts_at) - 2.5 > (SELECT max(julianday(e.at)) FROM audit_event e
          WHERE e.subject = 'appointment:' || a.id AND e.verb IN ('booked', 'moved'))
        AND NOT EXISTS (SELECT 1 FROM reminder r WHERE r.appointment_id = a.id AND r.step LIKE 'ladder:%')""",
}
