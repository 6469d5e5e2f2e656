"""The list of the inbox: threads by tab, state and language, paged by key, with how many each tab holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.db.messages import InboundMessage, OutboundMessage
from app.db.pages import Person, person_of
from app.db.people import Contact, ContactKind, Patient, Phone, Staff
from app.db.supply import Supply
from app.db.threads import ACTIVE, COUNTED, URGENT, PhoneThread, ThreadSeen, ThreadState
from app.domain.delivery import DeliveryState
from app.domain.permissions import Permission, may

Tab = Literal["urgent", "mine", "unassigned", "all"]
PAGE = 40
_ORDER = (PhoneThread.rank, PhoneThread.since, PhoneThread.last_at.desc(), PhoneThread.phone_id.desc())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Key:
    """Where one row stands in the order of the list."""

    rank: int
    since: datetime
    last_at: datetime
    phone_id: int

    def __str__(self) -> str:
        numbers = (self.rank, (self.since - _EPOCH) // _MICROSECOND, (self.last_at - _EPOCH) // _MICROSECOND)
        return ".".join(str(number) for number in (*numbers, self.phone_id))

    @staticmethod
    def read(written: str) -> "Key | None":
        """Return the key that an address carries; None for anything else."""
        parts = written.split(".")
        if len(parts) != 4 or not all(part.isascii() and part.isdecimal() and len(part) < 18 for part in parts):
            return None
        rank, since, last, phone_id = (int(part) for part in parts)
        try:
            return Key(rank, _EPOCH + since * _MICROSECOND, _EPOCH + last * _MICROSECOND, phone_id)
        except OverflowError:
            return None


@dataclass(frozen=True)
class Wanted:
    """Which threads are listed. No state: open, and waiting on the patient."""

    tab: Tab = "all"
    state: ThreadState | None = None
    language: str = ""
    after: Key | None = None


@dataclass(frozen=True)
class Voice:
    """Somebody whom a phone speaks for, and as whom."""

    person: Person
    is_carer: bool
    name: str | None  # of a carer
    relation: str | None
    filled_on: date | None = None
    early_empty_on: date | None = None
    empty_on: date | None = None
    plan_by: date | None = None


@dataclass(frozen=True)
class Line:
    """The newest text of a thread."""

    body: str
    incoming: bool
    staff_id: int | None = None
    state: DeliveryState | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Row:
    """One thread of the list."""

    phone_id: int
    number: str
    state: ThreadState
    assignee_id: int | None
    urgent_since: datetime | None
    failed_at: datetime | None
    waiting_since: datetime | None
    snoozed_until: datetime | None
    last_at: datetime
    language: str
    unread: int
    line: Line | None
    key: Key
    voices: tuple[Voice, ...] = field(default=())


def threads(session: Session, clinic_id: int, staff_id: int, wanted: Wanted) -> tuple[tuple[Row, ...], bool]:
    """Return one page of threads, urgent first, then failed, then whoever waits longest; and whether more follow."""
    page = select(PhoneThread.phone_id).where(PhoneThread.clinic_id == clinic_id, *_conditions(wanted, staff_id))
    if wanted.after:
        page = page.where(_behind(wanted.after))
    chosen = page.order_by(*_ORDER).limit(PAGE + 1).subquery()  # which they are first: the rest is read for these alone
    found = session.execute(_rows(staff_id).where(PhoneThread.phone_id.in_(select(chosen.c.phone_id)))).all()
    return tuple(_row(row) for row in found[:PAGE]), len(found) > PAGE


def _rows(staff_id: int) -> Select[Any]:
    hired_at = select(Staff.created_at).where(Staff.id == staff_id).scalar_subquery()
    unread = (
        select(func.count())
        .select_from(InboundMessage)
        .where(
            InboundMessage.phone_id == PhoneThread.phone_id,
            InboundMessage.id > func.coalesce(ThreadSeen.seen_id, 0),
            InboundMessage.received_at >= hired_at,
        )
        .correlate(PhoneThread, ThreadSeen)
        .scalar_subquery()
    )
    last_in, last_out = InboundMessage.__table__.alias("last_in"), OutboundMessage.__table__.alias("last_out")
    return (
        select(
            PhoneThread,
            Phone.number,
            unread.label("unread"),
            last_in.c.body.label("said"),
            last_out.c.body.label("told"),
            last_out.c.staff_id.label("told_by"),
            last_out.c.state.label("told_state"),
            last_out.c.reason.label("told_reason"),
        )
        .join(Phone, Phone.id == PhoneThread.phone_id)
        .outerjoin(ThreadSeen, and_(ThreadSeen.phone_id == PhoneThread.phone_id, ThreadSeen.staff_id == staff_id))
        .outerjoin(last_in, last_in.c.id == PhoneThread.last_in_id)
        .outerjoin(last_out, last_out.c.id == PhoneThread.last_out_id)
        .order_by(*_ORDER)
    )


def _conditions(wanted: Wanted, staff_id: int) -> list[ColumnElement[bool]]:
    states = ACTIVE if wanted.state is None else (wanted.state,)
    conditions = [PhoneThread.state.in_(states), *_of_tab(wanted.tab, staff_id)]
    if wanted.language:
        conditions.append(PhoneThread.language == wanted.language)
    return conditions


def _of_tab(tab: Tab, staff_id: int) -> list[ColumnElement[bool]]:
    match tab:
        case "urgent":
            return [PhoneThread.rank == URGENT]
        case "mine":
            return [PhoneThread.assignee_id == staff_id]
        case "unassigned":
            return [PhoneThread.assignee_id.is_(None)]
        case "all":
            return []


def _behind(key: Key) -> ColumnElement[bool]:
    """What comes after a row: rank and since rise, last_at and the id fall."""
    same = and_(PhoneThread.rank == key.rank, PhoneThread.since == key.since)
    return or_(
        PhoneThread.rank > key.rank,
        and_(PhoneThread.rank == key.rank, PhoneThread.since > key.since),
        and_(same, PhoneThread.last_at < key.last_at),
        and_(same, PhoneThread.last_at == key.last_at, PhoneThread.phone_id < key.phone_id),
    )


def _row(row: Any) -> Row:
    thread: PhoneThread = row.PhoneThread
    in_at, out_at = thread.last_in_at, thread.last_out_at
    line = None
    if row.told is not None and (in_at is None or (out_at is not None and out_at > in_at) or thread.failed_at):
        line = Line(row.told, False, row.told_by, row.told_state, row.told_reason)
    if row.said is not None and (line is None or (row.told_by is None and thread.failed_at is None)):
        line = Line(row.said, True)  # what the assistant answered within the same moment is not the news
    return Row(
        thread.phone_id,
        row.number,
        thread.state,
        thread.assignee_id,
        thread.urgent_since,
        thread.failed_at,
        thread.waiting_since,
        thread.snoozed_until,
        thread.last_at,
        thread.language,
        row.unread,
        line,
        Key(thread.rank, thread.since, thread.last_at, thread.phone_id),
    )


def tab_counts(session: Session, clinic_id: int, staff_id: int) -> dict[Tab, int]:
    """Return how many active threads each tab holds, counted up to COUNTED: one statement, whatever there is."""
    tabs: tuple[Tab, ...] = ("urgent", "mine", "unassigned", "all")
    found = []
    for tab in tabs:
        some = (
            select(literal_column("1"))
            .select_from(PhoneThread)
            .where(PhoneThread.clinic_id == clinic_id, *_conditions(Wanted(tab), staff_id))
            .limit(COUNTED)
            .subquery()
        )
        found.append(select(func.count()).select_from(some).scalar_subquery())
    return dict(zip(tabs, session.execute(select(*found)).one(), strict=True))


def voices(session: Session, phone_ids: Sequence[int]) -> dict[int, tuple[Voice, ...]]:
    """Return whom each phone speaks for, with the dates of their pumps: one statement for a whole page."""
    rows = session.execute(
        select(Contact, Patient, Supply)
        .join(Patient, Patient.id == Contact.patient_id)
        .outerjoin(Supply, and_(Supply.patient_id == Patient.id, Supply.stale.is_(False)))
        .where(Contact.phone_id.in_(phone_ids))
        .order_by(Contact.id)
    )
    found: dict[int, list[Voice]] = {}
    for contact, patient, supply in rows:
        carer = contact.kind is ContactKind.CARER
        dates = (supply.filled_on, supply.early_empty_on, supply.empty_on, supply.plan_by) if supply else ()
        voice = Voice(person_of(patient), carer, contact.name, contact.relation, *dates)
        found.setdefault(contact.phone_id, []).append(voice)
    return {phone_id: tuple(of_phone) for phone_id, of_phone in found.items()}


def staff_of(session: Session, clinic_id: int) -> dict[int, tuple[str, bool]]:
    """Return name and whether a thread may be theirs, of everybody who ever worked here."""
    rows = session.execute(
        select(Staff.id, Staff.name, Staff.active, Staff.role)
        .where(Staff.clinic_id == clinic_id)
        .order_by(Staff.name, Staff.id)
    )
    return {staff_id: (name, active and may(role, Permission.WRITE_PATIENTS)) for staff_id, name, active, role in rows}
