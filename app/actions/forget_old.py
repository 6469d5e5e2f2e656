"""Put out what is older than its period, at night, a few rows at a time; a legal hold keeps what it lies on."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.line import Line
from app.db.aging import KINDS, Kind, forget_some, is_any_old
from app.db.people import Clinic
from app.domain.retention import is_night

MOST_BATCHES = 20  # of one kind in a beat: what is left waits for the next
Told = Callable[[str, int], None]


def forget_old(line: Line, now: datetime) -> int:
    """Do a part of it, where it is night at the first clinic; return how many rows went."""
    with line.db.read() as session:
        time_zone = session.scalar(select(Clinic.time_zone).order_by(Clinic.id).limit(1))
    if time_zone is None or not is_night(now, time_zone):
        return 0
    return forget_now(line, now, "system", most=MOST_BATCHES)


def forget_now(
    line: Line, now: datetime, actor: str, told: Told = lambda _kind, _rows: None, most: int | None = None
) -> int:
    """Do it at once: all of it, or `most` batches of each kind. Texts come and go in between."""
    total = 0
    for kind in KINDS:
        gone = _forget_kind(line, kind, now, told, most)
        if gone:
            with line.db.begin() as session:
                audit(session, now, actor, "old rows erased", "installation:1", kind=kind.name, rows=gone)
        total += gone
    return total


def _forget_kind(line: Line, kind: Kind, now: datetime, told: Told, most: int | None) -> int:
    before, gone, batches = now - kind.period(line.periods), 0, 0
    while most is None or batches < most:
        with line.db.read() as session:  # nearly always there is nothing, and then no writer's turn is taken
            if not is_any_old(session, kind, before):
                break
        with line.db.begin() as session:
            looked, went = forget_some(session, kind, before, now)
        if not looked:
            break
        told(kind.name, went)
        gone, batches = gone + went, batches + 1
    return gone
