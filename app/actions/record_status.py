"""Take in one status callback: recorded as it came; the message's state only moves forward."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.actions.failed_text import not_delivered
from app.actions.line import Line
from app.actions.line_check import check_reported, is_check_token
from app.actions.threads import text_failed
from app.actions.ways import note_fault, way_gone
from app.db.messages import DeliveryEvent, OutboundMessage
from app.db.reading import passing_over
from app.db.tally import count_provider_error
from app.domain.delivery import FAILURES, FINAL, DeliveryState, failure, moves, state_named

TAKEN_FOR_ANOTHER = "what the provider has was another text with the same words"


@dataclass(frozen=True)
class StatusReport:
    """`token` names our message where the provider's id is not known yet (replies handed over as TwiML).

    `by_words`: nobody reported it; the text was found in the provider's list by its phone, words and time.
    """

    status: str
    token: str | None = None
    provider_id: str | None = None
    error_code: int | None = None
    by_words: bool = False


def record_status(line: Line, report: StatusReport, now: datetime) -> bool:
    """Record a report, known or not, and return whether a message moved forward by it. The same report twice is one."""
    if report.token and is_check_token(report.token):
        return check_reported(line, report.token, report.status, now)
    return line.db.write(lambda session: _recorded(line, session, report, now))


@passing_over()  # a report of a text whose words were damaged still says what became of it
def _recorded(line: Line, session: Session, report: StatusReport, now: datetime) -> bool:
    message = _message(session, report)
    if message is not None and _names_another(message, report):
        _forget_what_was_found(session, message)
    if _known(session, report, message):
        return False
    state = state_named(report.status)
    moved = message is not None and state is not None and moves(message.state, state)
    session.add(
        DeliveryEvent(
            message_id=message.id if message else None,
            provider_id=(report.provider_id or "")[:64] or None,
            status=report.status[:64],
            error_code=report.error_code,
            moved=moved,
            at=now,
        )
    )
    if message is None:
        return False
    if message.provider_id is None and report.provider_id and not _take(session, message, report, now):
        return False
    if not moved or state is None:
        return False
    message.state, message.state_at = state, now
    if state in FAILURES:
        why = failure(None, report.error_code)
        message.error_code, message.reason = report.error_code, why.reason
        message.attempts = max(message.attempts, 1)
        text_failed(session, message, now)
        not_delivered(session, message, why, now)
        note_fault(line, session, way_gone(line, session, message), why, now)
        count_provider_error(session, state.value, report.error_code)
    return True


def _message(session: Session, report: StatusReport) -> OutboundMessage | None:
    """Find the message by our own token first: it is in the signed address, and unique."""
    if report.token:
        return session.scalars(
            select(OutboundMessage).where(OutboundMessage.token == report.token).with_for_update()
        ).first()
    if report.provider_id:
        return session.scalars(
            select(OutboundMessage).where(OutboundMessage.provider_id == report.provider_id).with_for_update()
        ).first()
    return None


def _known(session: Session, report: StatusReport, message: OutboundMessage | None) -> bool:
    same = select(DeliveryEvent.id).where(
        DeliveryEvent.status == report.status[:64],
        DeliveryEvent.message_id == message.id if message else DeliveryEvent.provider_id == report.provider_id,
    )
    return session.execute(same.limit(1)).first() is not None


def _names_another(message: OutboundMessage, report: StatusReport) -> bool:
    """Whether a certain report says that the id which words had found is not this text's.

    Of an answer that was handed over once: a text that was sent twice has two ids, and both are its own.
    """
    certain = report.token is not None and not report.by_words and report.provider_id is not None
    return certain and not message.attempts and message.provider_id not in (None, report.provider_id)


def _forget_what_was_found(session: Session, message: OutboundMessage) -> None:
    session.execute(
        delete(DeliveryEvent).where(
            DeliveryEvent.message_id == message.id, DeliveryEvent.provider_id == message.provider_id
        )
    )
    message.provider_id, message.state, message.reason = None, DeliveryState.HANDED_OVER, None


def _take(session: Session, message: OutboundMessage, report: StatusReport, now: datetime) -> bool:
    """Note the provider's id; False where it is another text's. Only a report that names our token is certain of it.

    What was matched by words gives way: that other text, with the same words to the same phone, is unknown again
    whatever was believed of it, and asked about.
    """
    other = session.scalars(
        select(OutboundMessage).where(OutboundMessage.provider_id == report.provider_id).with_for_update()
    ).first()
    if other is not None and (not report.token or report.by_words):
        return False
    if other is not None:
        other.provider_id = None
        if other.state not in FINAL or other.state is DeliveryState.DELIVERED:
            other.state, other.state_at, other.reason = DeliveryState.UNKNOWN, now, TAKEN_FOR_ANOTHER
        session.flush()
        session.execute(  # what was found of it was never told of it: its own reports are still to come
            delete(DeliveryEvent).where(
                DeliveryEvent.message_id == other.id, DeliveryEvent.provider_id == report.provider_id
            )
        )
    message.provider_id = report.provider_id
    return True
