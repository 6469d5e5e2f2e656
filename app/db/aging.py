"""What grows old, kind by kind: where it stands, since when, how it is put out, and what a legal hold keeps of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, delete, or_, select, union, update
from sqlalchemy.orm import Session

from app.db.calls import PhoneCall
from app.db.inserts import insert_once
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, SignInAttempt, Staff, StaffSession
from app.db.retention import GONE, Forgotten, LegalHold, clinic_is_held
from app.db.threads import ThreadNote
from app.db.work import Task
from app.domain.retention import Periods

AT_ONCE = 500  # rows a transaction: some milliseconds, in which on SQLite nobody else writes
_HELD = LegalHold.lifted_at.is_(None)
_HELD_PATIENTS = select(LegalHold.patient_id).where(_HELD, LegalHold.patient_id.is_not(None))


def _held_phones() -> Select[Any]:
    """Select every phone that speaks for somebody whose record is held, or was texted about them."""
    speaks = select(Contact.phone_id).where(Contact.patient_id.in_(_HELD_PATIENTS))
    texted = select(OutboundMessage.phone_id).where(OutboundMessage.patient_id.in_(_HELD_PATIENTS))
    return select(union(speaks, texted).subquery().c.phone_id)


def _by_phone(table: Any) -> ColumnElement[bool]:
    return or_(clinic_is_held(table.clinic_id), table.phone_id.in_(_held_phones()))


def _by_patient(table: Any) -> ColumnElement[bool]:
    return or_(clinic_is_held(table.clinic_id), table.patient_id.in_(_HELD_PATIENTS))


def _event_is_held() -> ColumnElement[bool]:
    of_held = select(OutboundMessage.id).where(
        OutboundMessage.id == DeliveryEvent.message_id,
        or_(_by_phone(OutboundMessage), OutboundMessage.patient_id.in_(_HELD_PATIENTS)),
    )
    return of_held.exists()


def _any_clinic_is_held() -> ColumnElement[bool]:
    """An attempt names no clinic: a hold on any of them keeps it."""
    return select(LegalHold.id).where(_HELD, LegalHold.patient_id.is_(None)).exists()


def _staff_is_held() -> ColumnElement[bool]:
    return select(Staff.id).where(Staff.id == StaffSession.staff_id, clinic_is_held(Staff.clinic_id)).exists()


@dataclass(frozen=True)
class Kind:
    """`values`: what is written instead; None: the row goes. Rows of one kind are as old as their numbers say."""

    name: str
    table: Any
    at: Any
    period: Callable[[Periods], timedelta]
    values: dict[str, Any] | None
    held: Callable[[], ColumnElement[bool]]


KINDS = (
    Kind(
        "texts in",
        InboundMessage,
        InboundMessage.received_at,
        lambda periods: periods.texts,
        {"body": GONE, "media": None, "trace": "[]"},
        lambda: _by_phone(InboundMessage),
    ),
    Kind(
        "texts out",
        OutboundMessage,
        OutboundMessage.created_at,
        lambda periods: periods.texts,
        {"body": GONE, "asks": None},
        lambda: or_(_by_phone(OutboundMessage), OutboundMessage.patient_id.in_(_HELD_PATIENTS)),
    ),
    Kind(
        "pictures",
        InboundMessage,
        InboundMessage.received_at,
        lambda periods: min(periods.pictures, periods.texts),
        {"media": None},
        lambda: _by_phone(InboundMessage),
    ),
    Kind(
        "notes",
        ThreadNote,
        ThreadNote.at,
        lambda periods: periods.notes,
        {"body": GONE},
        lambda: _by_phone(ThreadNote),
    ),
    Kind(
        "calls",
        PhoneCall,
        PhoneCall.at,
        lambda periods: periods.notes,
        {"note": None},
        lambda: _by_patient(PhoneCall),
    ),
    Kind(
        "tasks",
        Task,
        Task.opened_at,
        lambda periods: periods.notes,
        {"outcome": None},
        lambda: or_(_by_phone(Task), Task.patient_id.in_(_HELD_PATIENTS)),
    ),
    Kind(
        "delivery reports",
        DeliveryEvent,
        DeliveryEvent.at,
        lambda periods: periods.deliveries,
        None,
        _event_is_held,
    ),
    Kind(
        "sessions",
        StaffSession,
        StaffSession.created_at,
        lambda periods: periods.sign_ins,
        None,
        _staff_is_held,
    ),
    Kind(
        "failed sign-ins",
        SignInAttempt,
        SignInAttempt.at,
        lambda periods: periods.sign_ins,
        None,
        _any_clinic_is_held,
    ),
)


def is_any_old(session: Session, kind: Kind, before: datetime) -> bool:
    """Whether the next row of a kind is older than that: asked without a writer's turn."""
    mark = select(Forgotten.up_to_id).where(Forgotten.kind == kind.name).scalar_subquery()
    at = session.scalar(
        select(kind.at).where(kind.table.id > (session.scalar(select(mark)) or 0)).order_by(kind.table.id).limit(1)
    )
    return at is not None and at < before


def forget_some(session: Session, kind: Kind, before: datetime, now: datetime) -> tuple[int, int]:
    """Put out the next rows of a kind; return how many were looked at and how many of them went.

    The clinics' rows are shared meanwhile, so that a hold is placed before this or after it, and never in between.
    """
    session.execute(select(Clinic.id).order_by(Clinic.id).with_for_update(read=True)).all()
    insert_once(session, Forgotten, ("kind",), kind=kind.name, up_to_id=0, at=now, erased=0)
    mark = session.get_one(Forgotten, kind.name, with_for_update=True, populate_existing=True)
    rows = session.execute(
        select(kind.table.id, kind.at).where(kind.table.id > mark.up_to_id).order_by(kind.table.id).limit(AT_ONCE)
    ).all()
    old: list[int] = []
    for row_id, at in rows:
        if at >= before:
            break
        old.append(row_id)
    if not old:
        return 0, 0
    gone = _put_out(session, kind, old)
    mark.up_to_id, mark.at, mark.erased = old[-1], now, mark.erased + gone
    return len(old), gone


def _put_out(session: Session, kind: Kind, old: Sequence[int]) -> int:
    which = (kind.table.id.in_(old), ~kind.held())
    statement: Any = delete(kind.table).where(*which)
    if kind.values is not None:
        statement = update(kind.table).where(*which).values(**kind.values)
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return done.rowcount
