"""Keeping threads in step, in the transaction of what changes them. What every text runs is one short statement."""

from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, and_, bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.inserts import insert_once
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Contact, Patient, Phone
from app.db.prepared import Prepared
from app.db.threads import FAILED, NEVER, REST, URGENT, WAITS, PhoneThread, ThreadChange, ThreadState
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.domain.delivery import DeliveryState

_thread = PhoneThread.__table__.c
_AT = _thread.since.type


def _rank(urgent: Any, failed: Any, waiting: Any) -> Any:
    """Say in SQL what PhoneThread.place says in Python."""
    return case(
        (urgent.is_not(None), literal(URGENT)),
        (failed.is_not(None), literal(FAILED)),
        (waiting.is_not(None), literal(WAITS)),
        else_=literal(REST),
    )


def _never() -> Any:
    return literal(NEVER, _AT)


def _upsert(dialect: Dialect, changes: Any, **values: Any) -> Any:
    insert: Any = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = insert(PhoneThread.__table__)
    statement = statement.values(**values) if values else statement
    return statement.on_conflict_do_update(index_elements=["phone_id"], set_=changes(statement.excluded))


def _came(new: Any) -> dict[str, Any]:
    waiting = func.coalesce(_thread.waiting_since, new.waiting_since)
    return {
        "state": new.state,
        "snoozed_until": None,
        "last_in_id": new.last_in_id,
        "last_in_at": new.last_in_at,
        "last_at": new.last_at,
        "language": new.language,
        "waiting_since": waiting,
        "rank": _rank(_thread.urgent_since, _thread.failed_at, waiting),
        "since": func.coalesce(_thread.urgent_since, _thread.failed_at, waiting, _never()),
        "version": _thread.version + 1,
    }


def _went(new: Any) -> dict[str, Any]:
    return {
        "last_out_id": new.last_out_id,
        "last_out_at": new.last_out_at,
        "last_at": new.last_at,
        "failed_at": None,
        "rank": case(
            (_thread.urgent_since.is_not(None), literal(URGENT)),
            (_thread.waiting_since.is_not(None), literal(WAITS)),
            else_=literal(REST),
        ),
        "since": func.coalesce(_thread.urgent_since, _thread.waiting_since, _never()),
    }


_phone, _contact, _patient = Phone.__table__.c, Contact.__table__.c, Patient.__table__.c


def _spoken() -> Any:
    """The language of a phone: as last texted, else that of its patient."""
    of_patient = (
        select(func.min(_patient.language))
        .select_from(Contact.__table__.join(Patient.__table__, _patient.id == _contact.patient_id))
        .where(_contact.phone_id == bindparam("of_phone"))
    )
    of_phone = select(_phone.language).where(_phone.id == bindparam("of_phone"))
    return func.coalesce(of_phone.scalar_subquery(), of_patient.scalar_subquery(), literal("en"))


_BORN = ("phone_id", "clinic_id", "state", "last_at", "rank", "since", "version")
_CAME = Prepared(
    lambda dialect: _upsert(dialect, _came), (*_BORN, "language", "last_in_id", "last_in_at", "waiting_since")
)
_WENT = Prepared(lambda dialect: _upsert(dialect, _went, language=_spoken()), (*_BORN, "last_out_id", "last_out_at"))


def text_came(
    session: Session, clinic_id: int, phone_id: int, text_id: int, language: str, now: datetime, *, wants_person: bool
) -> None:
    """A text came: whatever was closed or snoozed is open again. `wants_person`: it led to a task or an alert."""
    _CAME.run_later(
        session,
        phone_id=phone_id,
        clinic_id=clinic_id,
        state=ThreadState.OPEN,
        last_at=now,
        rank=WAITS if wants_person else REST,
        since=now if wants_person else NEVER,
        language=language,
        version=1,
        last_in_id=text_id,
        last_in_at=now,
        waiting_since=now if wants_person else None,
    )


def text_went(session: Session, clinic_id: int, phone_id: int, message_id: int, now: datetime) -> None:
    """A text is owed. By itself that opens nothing: a thread that begins with a reminder begins closed."""
    _WENT.run_later(
        session,
        of_phone=phone_id,
        phone_id=phone_id,
        clinic_id=clinic_id,
        state=ThreadState.CLOSED,
        last_at=now,
        rank=REST,
        since=NEVER,
        version=1,
        last_out_id=message_id,
        last_out_at=now,
    )


_FAILED = (
    update(PhoneThread)
    .where(PhoneThread.phone_id == bindparam("phone"), PhoneThread.last_out_id == bindparam("message"))
    .values(
        failed_at=bindparam("now", type_=_AT),
        rank=case((PhoneThread.urgent_since.is_not(None), URGENT), else_=FAILED),
        since=func.coalesce(PhoneThread.urgent_since, bindparam("now", type_=_AT)),
        # a closed thread whose newest text did not arrive is not done with
        state=case((PhoneThread.state == ThreadState.CLOSED, ThreadState.OPEN), else_=PhoneThread.state),
    )
    .execution_options(synchronize_session=False)
)


def text_failed(session: Session, message: OutboundMessage, now: datetime) -> None:
    """A text did not arrive: its thread is at the top while no newer text went out."""
    if message.purpose is not Purpose.PAGE:
        id_failed(session, message.phone_id, message.id, now)


def id_failed(session: Session, phone_id: int, message_id: int, now: datetime) -> None:
    """Likewise of a text that cannot be read here, and is no page."""
    session.execute(_FAILED, {"phone": phone_id, "message": message_id, "now": now})


def alert_raised(session: Session, clinic_id: int, phone_id: int | None, patient_id: int | None, now: datetime) -> None:
    """An alert stands about a phone, or about a patient and every phone that speaks for them."""
    for about in _phones_of(session, phone_id, patient_id):
        thread = the_thread(session, clinic_id, about, now)
        if thread.urgent_since is None:
            thread.urgent_since = now
            thread.version += 1
        if thread.state in (ThreadState.CLOSED, ThreadState.SNOOZED):
            thread.state, thread.snoozed_until = ThreadState.OPEN, None
        thread.place()


# Tasks that a text can have led to, or that say that one did not arrive. The rest never stands in a thread.
OF_THREADS = frozenset(
    {
        TaskKind.ALERT,
        TaskKind.UNDELIVERED,
        TaskKind.QUESTION,
        TaskKind.HUMAN,
        TaskKind.MEDIA,
        TaskKind.RESCHEDULE,
        TaskKind.CALL_INSTEAD,
        TaskKind.WRONG_NUMBER,
        TaskKind.MISSED_REFILL,
    }
)


def task_settled(session: Session, task: Task) -> None:
    """A task was resolved: nobody may wait for it any more."""
    if task.kind not in OF_THREADS:
        return
    session.flush()
    for about in _phones_of(session, task.phone_id, task.patient_id):
        thread = session.get(PhoneThread, about, with_for_update=True, populate_existing=True)
        if thread is not None:
            if task.kind is TaskKind.UNDELIVERED:
                thread.failed_at = None  # somebody called instead
            settle(session, thread)


def settle(session: Session, thread: PhoneThread) -> None:
    """Work out anew who waits in a thread."""
    session.flush()
    thread.urgent_since = unresolved_alert_since(session, thread)
    thread.waiting_since = None if thread.state is ThreadState.CLOSED else _waits_since(session, thread)
    thread.place()


def unresolved_alert_since(session: Session, thread: PhoneThread) -> datetime | None:
    served = select(Contact.patient_id).where(Contact.phone_id == thread.phone_id)
    return session.scalar(
        select(func.min(Task.opened_at)).where(
            Task.clinic_id == thread.clinic_id,
            Task.kind == TaskKind.ALERT,
            Task.state != TaskState.RESOLVED,
            or_(Task.phone_id == thread.phone_id, and_(Task.phone_id.is_(None), Task.patient_id.in_(served))),
        )
    )


def _waits_since(session: Session, thread: PhoneThread) -> datetime | None:
    by_hand = select(func.max(OutboundMessage.created_at)).where(
        OutboundMessage.phone_id == thread.phone_id,
        OutboundMessage.purpose == Purpose.STAFF,
        OutboundMessage.state != DeliveryState.WITHDRAWN,
    )
    return session.scalar(
        select(func.min(InboundMessage.received_at))
        .join(TaskText, TaskText.inbound_id == InboundMessage.id)
        .join(Task, Task.id == TaskText.task_id)
        .where(
            Task.clinic_id == thread.clinic_id,
            Task.state != TaskState.RESOLVED,
            InboundMessage.phone_id == thread.phone_id,
            InboundMessage.received_at > func.coalesce(by_hand.scalar_subquery(), _never()),
        )
    )


def the_thread(session: Session, clinic_id: int, phone_id: int, now: datetime) -> PhoneThread:
    """Return the thread of a phone, locked and as it is now; made where nobody ever texted."""
    session.flush()  # what waits in the session would be read over
    values: dict[str, Any] = {
        "clinic_id": clinic_id,
        "state": ThreadState.CLOSED,
        "last_at": now,
        "rank": REST,
        "since": NEVER,
        "language": language_of(session, phone_id),
        "version": 1,
    }
    thread = session.get(PhoneThread, phone_id, with_for_update=True, populate_existing=True)
    if thread is None:
        insert_once(session, PhoneThread, ("phone_id",), phone_id=phone_id, **values)
        thread = session.get_one(PhoneThread, phone_id, with_for_update=True, populate_existing=True)
    return thread


def language_of(session: Session, phone_id: int) -> str:
    """Return the language of a phone: as last texted, else its patient's."""
    return str(session.scalar(select(_spoken()), {"of_phone": phone_id}))


def _phones_of(session: Session, phone_id: int | None, patient_id: int | None) -> list[int]:
    if phone_id is not None:
        return [phone_id]
    if patient_id is None:
        return []
    return list(session.scalars(select(Contact.phone_id).where(Contact.patient_id == patient_id).distinct()))


def changed(
    session: Session, thread: PhoneThread, before: "Before", did: str, now: datetime, staff_id: int | None, **more: Any
) -> int:
    """Write down what somebody did to a thread; return the id of that. `more`: to_id, until."""
    thread.version += 1
    thread.place()
    change = ThreadChange(
        clinic_id=thread.clinic_id,
        phone_id=thread.phone_id,
        staff_id=staff_id,
        at=now,
        did=did,
        state_before=before.state,
        assignee_before=before.assignee_id,
        snoozed_before=before.snoozed_until,
        version=thread.version,
        **more,
    )
    session.add(change)
    session.flush()
    return change.id


class Before:
    """How a thread was before it is changed."""

    def __init__(self, thread: PhoneThread) -> None:
        self.state, self.assignee_id, self.snoozed_until = thread.state, thread.assignee_id, thread.snoozed_until
