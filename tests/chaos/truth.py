"""What is true after a run: every text has its row and its answer, every reminder its end, nothing went out twice."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.db.care import Reminder, ReminderState
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Phone
from app.db.work import Task
from app.domain.delivery import FAILURES, WITHOUT_END, DeliveryState
from tests.chaos.weather import Carrier

WENT = (DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED)
NEVER_WENT = (DeliveryState.WITHDRAWN, DeliveryState.EXPIRED, DeliveryState.REFUSED)


@dataclass
class Verdict:
    """`wrong` holds a sentence for each broken promise; `counted` what may be, and is told."""

    wrong: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def expect(self, true: bool, sentence: str) -> None:
        if not true:
            self.wrong.append(sentence)


@dataclass(frozen=True)
class _Row:
    state: DeliveryState
    to: str
    body: str
    provider_id: str | None
    inbound_id: int | None
    reminder_id: int | None
    phone_id: int


def open_texts(db: Database) -> int:
    """Return how many texts out have no end yet, and are not to go at a later time."""
    with db.read() as session:
        count = session.scalar(select(func.count()).where(OutboundMessage.state.in_(WITHOUT_END)))
    return count or 0


def texts_in(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(InboundMessage)) or 0


def look(db: Database, carriers: Sequence[Carrier], sids: Sequence[str]) -> Verdict:
    found = Verdict()
    with db.read() as session:
        rows = _rows(db, session)
        called = set(session.scalars(select(Task.phone_id).where(Task.phone_id.is_not(None))))
        _texts_in(found, session, sids, rows, called)
        _reminders(found, session, rows, called)
        _states(found, rows)
        _carried(found, rows, carriers)
        _no_lock(found, session)
    return found


def _rows(db: Database, session: Session) -> list[_Row]:
    numbers = {row.id: row.number for row in session.execute(select(Phone.id, Phone.number))}
    return [
        _Row(m.state, numbers[m.phone_id], m.body, m.provider_id, m.inbound_id, m.reminder_id, m.phone_id)
        for m in session.scalars(select(OutboundMessage))
    ]


def _texts_in(found: Verdict, session: Session, sids: Sequence[str], rows: list[_Row], called: set[int]) -> None:
    kept = Counter(session.scalars(select(InboundMessage.provider_id)))
    found.counted["texts in"] = len(sids)
    missing = [sid for sid in sids if kept[sid] == 0]
    found.expect(not missing, f"{len(missing)} texts of patients were lost, {missing[:3]}")
    found.expect(max(kept.values(), default=0) <= 1, "a text was taken in twice")
    answers = {row.inbound_id for row in rows if row.state not in FAILURES}
    told = session.execute(select(InboundMessage.id, InboundMessage.phone_id, InboundMessage.trace)).all()
    mute = [one for one in told if one.id not in answers and one.phone_id not in called]
    found.counted["left to a nurse"] = sum(one.id not in answers and one.phone_id in called for one in told)
    found.expect(
        not mute, f"{len(mute)} texts have no answer, the first: {[json.loads(one.trace) for one in mute[:2]]}"
    )


def _reminders(found: Verdict, session: Session, rows: list[_Row], called: set[int]) -> None:
    went = Counter(row.reminder_id for row in rows if row.reminder_id and row.state not in NEVER_WENT)
    mine = {row.reminder_id for row in rows if row.reminder_id and row.phone_id in called}
    states = Counter[str]()
    for reminder in session.scalars(select(Reminder)):
        states[reminder.state] += 1
        if reminder.state is ReminderState.QUEUED and not (went[reminder.id] or reminder.id in mine):
            found.wrong.append(f"reminder {reminder.id} was queued and never went")
        if went[reminder.id] > 1:
            found.wrong.append(f"reminder {reminder.id} went {went[reminder.id]} times")
        if reminder.state in (ReminderState.SKIPPED, ReminderState.CANCELLED) and not reminder.reason:
            found.wrong.append(f"reminder {reminder.id} is {reminder.state} for no reason")
    found.counted |= Counter({f"reminders {state}": count for state, count in states.items()})


def _states(found: Verdict, rows: list[_Row]) -> None:
    states = Counter(row.state for row in rows)
    found.counted |= Counter({f"texts {state}": count for state, count in states.items()})
    for state in WITHOUT_END:
        found.expect(not states[state], f"{states[state]} texts are {state}, without an end")


def _carried(found: Verdict, rows: list[_Row], carriers: Sequence[Carrier]) -> None:
    """Compare what we believe with what the carrier holds, phone by phone and word by word."""
    # what is said while nothing can be written down asks for no report, and has no row
    replied = [message for carrier in carriers for message in carrier.replied]
    accepted = [message for carrier in carriers for message in carrier.accepted]
    holding = [message for message in replied if not message.status_callback]
    found.counted["told that it is kept"] = len(holding)
    found.expect(len(holding) <= found.counted["texts in"], "more texts were told that they are kept than came")
    held = [*accepted, *(message for message in replied if message.status_callback)]
    at_carrier = Counter((message.to, message.body) for message in held)
    ours = Counter((row.to, row.body) for row in rows if row.state not in NEVER_WENT)
    hidden = Counter((message.to, message.body) for carrier in carriers for message in carrier.hidden)
    twice = at_carrier - ours
    unknowable = twice & hidden
    found.counted["at the carrier"] = len(held)
    found.counted["twice where nobody could tell"] = unknowable.total()
    found.expect(not twice - unknowable, f"{(twice - unknowable).total()} texts went out twice, or unasked")
    believed = Counter((row.to, row.body) for row in rows if row.state in WENT)
    short = believed - at_carrier
    found.expect(not short, f"{short.total()} texts are said to have gone and are not at the carrier")
    sids = Counter(row.provider_id for row in rows if row.provider_id)
    found.expect(max(sids.values(), default=0) <= 1, "two texts share the carrier's id")


def _no_lock(found: Verdict, session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        return
    waits = session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar()
    idle = session.execute(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            " AND state_change < clock_timestamp() - interval '10 seconds'"
        )
    ).scalar()
    doing = session.execute(
        text(
            "SELECT count(*) FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' AND w.id IS NULL"
        )
    ).scalar()
    found.expect(not waits, f"{waits} locks are waited for")
    found.expect(not idle, f"{idle} transactions were left open")
    found.expect(not doing, f"{doing} beats belong to no worker")


def opened(url: str, data_keys: str) -> Database:
    return Database(url, Keyring(data_keys.split(",")))
