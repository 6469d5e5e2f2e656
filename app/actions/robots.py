"""Hold a decision about a known phone to what a person would need: two machines must not answer each other for ever."""

from datetime import datetime
from itertools import takewhile

from sqlalchemy import LargeBinary, bindparam, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.answers_given import answered_today
from app.db.crypto import Keyring, WrongDataKey
from app.db.directory import KnownPhone
from app.db.messages import InboundMessage
from app.db.prepared import Prepared
from app.domain.effects import Decision, Sender
from app.domain.robots import SAME_WORDS_IN_DANGER, WITHIN, Before, may_loop, without_loops

_text = InboundMessage.__table__.c
_LATELY = Prepared(
    lambda _: (
        select(_text.received_at, type_coerce(_text.body, LargeBinary))
        .where(_text.phone_id == bindparam("phone"))
        .order_by(_text.id.desc())
        .limit(literal_column(str(SAME_WORDS_IN_DANGER)))
    )
)


def within_reason(
    line: Line, session: Session, decision: Decision, sender: Sender, phone: KnownPhone, body: str, now: datetime
) -> Decision:
    """Return the decision, without answers that only a machine would go on to ask for.

    Of a phone that texted less than a few times lately nothing is read.
    """
    if not decision.replies or sender.is_on_call or phone.lately is None or now - phone.lately >= WITHIN:
        return decision
    rows = _LATELY.run(session, phone=phone.id)
    recent = [(at, sealed) for at, sealed in rows if now - at < WITHIN]
    if not recent:  # erased meanwhile
        return decision
    alike = (_says(line.db.keyring, sealed, body) for _, sealed in recent)
    same = sum(1 for _ in takewhile(bool, alike)) if may_loop(body) else 0
    answers = answered_today(session, phone.id, now) if line.answers_a_day and len(recent) == len(rows) else 0
    before = Before(same, recent[0][0], answers)
    in_danger = sender.asked.still(now).last("urgent") is not None
    return without_loops(decision, before, line.answers_a_day, now, in_danger=in_danger)


def _says(keyring: Keyring, sealed: bytes, body: str) -> bool:
    """Whether an earlier text said the same. One that no key opens is another: no text may be lost for its sake."""
    try:
        return keyring.open(bytes(sealed)).strip() == body.strip()
    except WrongDataKey:
        return False
