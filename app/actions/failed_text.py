"""What follows when a text did not get through: again later, never, and always a person for what matters."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.consent import opt_out
from app.actions.line import policy_of
from app.actions.outbox import owe
from app.actions.tasks import open_task
from app.actions.threads import id_failed, text_failed
from app.db.messages import ASKED_FOR, OutboundMessage, Purpose
from app.db.people import Clinic, Contact, Patient
from app.db.work import TaskKind
from app.domain.breaker import Via
from app.domain.delivery import ATTEMPTS, DeliveryState, Failure, Next, wait_before
from app.domain.texts import Rendered
from app.domain.unreadable import Unreadable
from scheduler.quiet_hours import next_allowed

UNREADABLE = "a text or its number cannot be read here: call, and tell whoever runs the line"
LOOK_AGAIN_AT_UNREADABLE = timedelta(minutes=5)
REPEATED = ASKED_FOR  # a page comes again by itself; a reply or a nurse's text is not repeated


def refused_for_now(
    session: Session,
    message: OutboundMessage,
    failure: Failure,
    now: datetime,
    jitter: float = 0,
    *,
    other_way: bool = False,
) -> None:
    """Wait, ever longer, and try again until it no longer helps; after a few tries a nurse knows too.

    `other_way`: another account is tried at once, and a nurse knows of what that one does not take either.
    """
    message.state, message.state_at = DeliveryState.QUEUED, now
    message.due_at = _in_hours(session, message, now + wait_before(message.attempts, failure, jitter))
    waits_for_other = other_way and message.attempts == 1
    if message.attempts >= ATTEMPTS or (matters_at_once(message) and not waits_for_other):
        ask_for_a_call(session, message, failure.reason, now)


def by_other_way(session: Session, message: OutboundMessage, via: Via, now: datetime) -> None:
    """Let a text that an account refused leave by the other one: at once, but after a pause where that one did too."""
    message.via = via
    if message.attempts % 2:
        message.due_at = _in_hours(session, message, now)


def refused_for_good(session: Session, message: OutboundMessage, failure: Failure, now: datetime) -> None:
    message.state, message.state_at, message.reason = DeliveryState.REFUSED, now, failure.reason
    text_failed(session, message, now)
    if failure.next is Next.OPTED_OUT:
        opt_out(session, now, message.phone_id, "carrier")
    ask_for_a_call(session, message, failure.reason, now)


def expired(session: Session, message: OutboundMessage, now: datetime) -> None:
    message.state, message.state_at = DeliveryState.EXPIRED, now
    message.reason = message.reason or "too late to help"
    text_failed(session, message, now)
    if message.purpose is not Purpose.PAGE:
        ask_for_a_call(session, message, "a text could not be sent in time", now)


def not_delivered(session: Session, message: OutboundMessage, failure: Failure, now: datetime) -> None:
    """The carrier could not deliver what the provider took: try once more where that may help, and tell a nurse."""
    if failure.next is Next.OPTED_OUT:
        opt_out(session, now, message.phone_id, "carrier")
    can = message.attempts < ATTEMPTS and not isinstance(message.body, Unreadable)
    again = failure.next is Next.REPEAT and message.purpose in REPEATED and can
    if again:
        words = Rendered(message.body, message.text_id, message.text_version, draft=False)
        owe(
            session,
            clinic_id=message.clinic_id,
            phone_id=message.phone_id,
            words=words,
            purpose=message.purpose,
            dedupe_key=f"{message.dedupe_key}:again{message.attempts}",
            now=now,
            due_at=_in_hours(session, message, now + wait_before(message.attempts, failure)),
            expires_at=message.expires_at,
            urgent=message.urgent,
            patient_id=message.patient_id,
            reminder_id=message.reminder_id,
            care_step_id=message.care_step_id,
            attempts=message.attempts,
        )
    if not again or matters_at_once(message):
        ask_for_a_call(session, message, failure.reason, now)


def put_off_unreadable(session: Session, message_id: int, now: datetime) -> None:
    """A text whose words or number no data key opens, damaged or sealed with a key that is not given here: it is looked
    at again, for a key may be given, until it no longer helps; a nurse knows at once."""
    row = session.execute(
        select(
            *(OutboundMessage.clinic_id, OutboundMessage.phone_id, OutboundMessage.patient_id),
            *(OutboundMessage.purpose, OutboundMessage.expires_at),
        ).where(OutboundMessage.id == message_id)
    ).one()
    over = row.expires_at is not None and row.expires_at <= now
    changed = {"state": DeliveryState.EXPIRED, "state_at": now} if over else {"due_at": now + LOOK_AGAIN_AT_UNREADABLE}
    session.execute(
        update(OutboundMessage).where(OutboundMessage.id == message_id).values(reason=UNREADABLE, **changed)
    )
    if over and row.purpose is not Purpose.PAGE:
        id_failed(session, row.phone_id, message_id, now)
    subject = f"patient:{row.patient_id}" if row.patient_id else f"phone:{row.phone_id}"
    about = {"phone_id": row.phone_id, "patient_id": row.patient_id}
    open_task(session, now, row.clinic_id, TaskKind.UNDELIVERED, subject, UNREADABLE, **about)


def matters_at_once(message: OutboundMessage) -> bool:
    """A safety text that failed is a person's work at once, whatever a machine may still try."""
    return message.urgent or message.purpose in (Purpose.MISSED, Purpose.CHECK_IN)


def ask_for_a_call(session: Session, message: OutboundMessage, reason: str, now: datetime) -> None:
    patient_id = message.patient_id or _only_patient(session, message.phone_id)
    subject = f"patient:{patient_id}" if patient_id else f"phone:{message.phone_id}"
    said = "a page to the on-call phone failed" if message.purpose is Purpose.PAGE else "a text did not arrive"
    open_task(
        session,
        now,
        message.clinic_id,
        TaskKind.UNDELIVERED,
        subject,
        f"{said}: {reason}",
        phone_id=message.phone_id,
        patient_id=patient_id,
    )


def _only_patient(session: Session, phone_id: int) -> int | None:
    patients = session.scalars(select(Contact.patient_id).where(Contact.phone_id == phone_id).limit(2)).all()
    return patients[0] if len(patients) == 1 else None


def _in_hours(session: Session, message: OutboundMessage, at: datetime) -> datetime:
    """Return when a routine text may go: a retry keeps to texting hours as the first try did."""
    if message.urgent or message.purpose not in REPEATED or message.patient_id is None:
        return at
    clinic = session.get_one(Clinic, message.clinic_id)
    patient = session.get_one(Patient, message.patient_id)
    return next_allowed(at, ZoneInfo(patient.time_zone), policy_of(clinic).quiet)
