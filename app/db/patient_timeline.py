"""What happened about one patient, newest first, by key: texts, calls, visits, refills, alerts, consent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from app.db.calls import PhoneCall
from app.db.care import Appointment, EntryState, Program, Pump, Refill, Reminder
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import ConsentEvent, ConsentKind, Contact, Staff
from app.db.supply import CareStep
from app.db.work import Task, TaskKind
from scheduler.quiet_hours import local_instant

PAGE = 40
MOST = 1_000  # of each kind of record but texts: nobody has more
Kind = Literal["texts", "calls", "visits", "alerts", "consent"]
KINDS: tuple[Kind, ...] = ("texts", "calls", "visits", "alerts", "consent")
Key = tuple[datetime, int, int]  # of one moment, by rank and id

(TEXT_IN, TEXT_OUT, CALL, BOOKED, CONFIRMED, ATTENDED, MISSED, CANCELLED, REFILL, PROGRAM, OPENED, TAKEN, SETTLED,
 CONSENT) = range(14)  # fmt: skip


@dataclass(frozen=True)
class Happened:
    """One thing that happened. `row` is what it says; usable while its session is open."""

    at: datetime
    rank: int
    id: int
    kind: Kind
    row: Any
    staff_name: str | None = None
    phone_id: int | None = None
    step: str | None = None  # what a text was owed for
    day_only: bool = False

    @property
    def key(self) -> Key:
        return self.at, self.rank, self.id


@dataclass(frozen=True)
class Timeline:
    shown: tuple[Happened, ...]
    earlier: Key | None  # where the next page begins: after this one


def timeline(
    session: Session, patient_id: int, zone: ZoneInfo, kind: Kind | None = None, before: Key | None = None
) -> Timeline:
    """Return one page, of one kind or of all. `zone` tells which day an instant is at the clinic."""
    sources: dict[Kind, Callable[[], Iterable[Happened]]] = {
        "texts": lambda: _texts(session, patient_id, before),
        "calls": lambda: _calls(session, patient_id),
        "visits": lambda: [*_visits(session, patient_id), *_pump(session, patient_id, zone)],
        "alerts": lambda: _tasks(session, patient_id),
        "consent": lambda: _consent(session, patient_id),
    }
    found: list[Happened] = []
    for name in KINDS if kind is None else (kind,):
        found += sources[name]()
    if before is not None:
        found = [one for one in found if one.key < before]
    found.sort(key=lambda one: one.key, reverse=True)
    shown = tuple(found[:PAGE])
    return Timeline(shown, shown[-1].key if len(found) > PAGE else None)


def _phones(patient_id: int) -> Select[int]:
    return select(Contact.phone_id).where(Contact.patient_id == patient_id)


def _about(
    table: type[OutboundMessage] | type[Task], patient_id: int, *of_shared: ColumnElement[bool]
) -> CompoundSelect[int]:
    """Select the ids of rows about the patient, and about nobody by one of the patient's phones: an index each.

    Said with OR, PostgreSQL looks through all rows, and with "IS NULL" SQLite through all that are about nobody.
    """
    own = select(table.id).where(table.patient_id == patient_id)
    of_nobody = func.coalesce(table.patient_id, 0) == 0
    return union_all(own, select(table.id).where(of_nobody, table.phone_id.in_(_phones(patient_id)), *of_shared))


def _before(at: Any, row_id: Any, rank: int, before: Key | None) -> ColumnElement[bool] | None:
    if before is None:
        return None
    moment, its_rank, its_id = before
    if rank < its_rank:
        return at <= moment  # type: ignore[no-any-return]
    if rank > its_rank:
        return at < moment  # type: ignore[no-any-return]
    return or_(at < moment, and_(at == moment, row_id < its_id))


def _texts(session: Session, patient_id: int, before: Key | None) -> list[Happened]:
    """Texts from the phones of the patient; texts to them, but for those about another patient on the same phone."""
    phones = _phones(patient_id)
    came = select(InboundMessage).where(InboundMessage.phone_id.in_(phones))
    went = (
        select(OutboundMessage, Staff.name, func.coalesce(Reminder.step, CareStep.step))
        .outerjoin(Staff, Staff.id == OutboundMessage.staff_id)
        .outerjoin(Reminder, Reminder.id == OutboundMessage.reminder_id)
        .outerjoin(CareStep, CareStep.id == OutboundMessage.care_step_id)
        .where(OutboundMessage.id.in_(_about(OutboundMessage, patient_id)), OutboundMessage.purpose != Purpose.PAGE)
    )
    if (cut := _before(InboundMessage.received_at, InboundMessage.id, TEXT_IN, before)) is not None:
        came = came.where(cut)
    if (cut := _before(OutboundMessage.created_at, OutboundMessage.id, TEXT_OUT, before)) is not None:
        went = went.where(cut)
    came = came.order_by(InboundMessage.received_at.desc(), InboundMessage.id.desc()).limit(PAGE + 1)
    went = went.order_by(OutboundMessage.created_at.desc(), OutboundMessage.id.desc()).limit(PAGE + 1)
    found = [
        Happened(row.received_at, TEXT_IN, row.id, "texts", row, phone_id=row.phone_id) for row in session.scalars(came)
    ]
    found += [
        Happened(row.created_at, TEXT_OUT, row.id, "texts", row, name, row.phone_id, step)
        for row, name, step in session.execute(went)
    ]
    return found


def _calls(session: Session, patient_id: int) -> list[Happened]:
    rows = session.execute(
        select(PhoneCall, Staff.name)
        .join(Staff, Staff.id == PhoneCall.staff_id)
        .where(PhoneCall.patient_id == patient_id)
        .order_by(PhoneCall.at.desc())
        .limit(MOST)
    )
    return [Happened(call.at, CALL, call.id, "calls", call, name) for call, name in rows]


def _visits(session: Session, patient_id: int) -> Iterator[Happened]:
    rows = session.scalars(
        select(Appointment)
        .where(Appointment.patient_id == patient_id)
        .order_by(Appointment.created_at.desc())
        .limit(MOST)
    )
    for visit in rows:
        came = visit.attended_at
        if came and visit.starts_at < came:  # marked later than it was
            came = visit.starts_at
        for rank, at in (
            (BOOKED, visit.created_at),
            (CONFIRMED, visit.confirmed_at),
            (ATTENDED, came),
            (MISSED, visit.missed_at),
            (CANCELLED, visit.cancelled_at),
        ):
            if at is not None:
                yield Happened(at, rank, visit.id, "visits", visit)


def _pump(session: Session, patient_id: int, zone: ZoneInfo) -> Iterator[Happened]:
    """Refills, and programs that came without one. One that was entered on a later day stands on its own day."""
    of_patient = select(Pump.id).where(Pump.patient_id == patient_id)
    refills = session.execute(
        select(Refill, Staff.name)
        .outerjoin(Staff, Staff.id == Refill.entered_by)
        .where(Refill.pump_id.in_(of_patient), Refill.state != EntryState.DECLINED)
        .order_by(Refill.filled_on.desc())
        .limit(MOST)
    )
    programs = session.execute(
        select(Program, Staff.name)
        .outerjoin(Staff, Staff.id == Program.entered_by)
        .where(Program.pump_id.in_(of_patient), Program.state != EntryState.DECLINED, Program.refill_id.is_(None))
        .order_by(Program.effective_on.desc())
        .limit(MOST)
    )
    entered: list[tuple[int, Any, date, str | None]] = [(REFILL, row, row.filled_on, name) for row, name in refills]
    entered += [(PROGRAM, row, row.effective_on, name) for row, name in programs]
    for rank, row, day, name in entered:
        same_day = row.created_at.astimezone(zone).date() == day
        at = row.created_at if same_day else local_instant(day, time(12), zone)
        yield Happened(at, rank, row.id, "visits", row, name, day_only=not same_day)


def _tasks(session: Session, patient_id: int) -> Iterator[Happened]:
    """Alerts and the other things that somebody had to do, each with who took it and how it ended."""
    taker, closer = aliased(Staff), aliased(Staff)
    rows = session.execute(
        select(Task, taker.name, closer.name)
        .outerjoin(taker, taker.id == Task.acknowledged_by)
        .outerjoin(closer, closer.id == Task.resolved_by)
        .where(Task.id.in_(_about(Task, patient_id, Task.kind == TaskKind.ALERT)))
        .order_by(Task.id.desc())
        .limit(MOST)
    )
    for task, took, closed in rows:
        yield Happened(task.opened_at, OPENED, task.id, "alerts", task)
        if task.acknowledged_at is not None:
            yield Happened(task.acknowledged_at, TAKEN, task.id, "alerts", task, took)
        if task.resolved_at is not None:
            yield Happened(task.resolved_at, SETTLED, task.id, "alerts", task, closed)


def _consent(session: Session, patient_id: int) -> list[Happened]:
    rows: Sequence[Any] = session.execute(
        select(ConsentEvent, Staff.name)
        .outerjoin(Staff, Staff.id == ConsentEvent.staff_id)
        .where(
            or_(
                ConsentEvent.patient_id == patient_id,
                and_(ConsentEvent.kind != ConsentKind.SCOPE, ConsentEvent.phone_id.in_(_phones(patient_id))),
            )
        )
        .order_by(ConsentEvent.id.desc())
        .limit(MOST)
    ).all()
    return [Happened(event.at, CONSENT, event.id, "consent", event, name, event.phone_id) for event, name in rows]
