"""A nurse says what a text really asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.learned import LABELLED_KINDS, offered, understood_as
from app.actions.line import Line
from app.db.inserts import insert_once
from app.db.learning import NONE_OF_THESE, Label
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Staff


def label_text(line: Line, inbound_id: int, topic: str, now: datetime, staff_id: int) -> None:
    """Label one inbound text with a topic, or NONE_OF_THESE; a later label replaces the earlier one.

    Raises Refused for a topic that is not in the library, for a text that is no inbound text of the nurse's own
    clinic, and for one that was not read as a question.
    """
    library = line.words.library
    if topic != NONE_OF_THESE and topic not in library.topics:
        raise Refused("there is no such topic: choose one from the list")
    with line.db.begin() as session:
        message = session.get(InboundMessage, inbound_id)
        clinic_id = session.scalar(select(Staff.clinic_id).where(Staff.id == staff_id))
        if message is None or message.clinic_id != clinic_id:
            raise Refused("there is no such text from a patient", "missing")
        if message.kind not in LABELLED_KINDS:
            raise Refused("this text was not read as a question: it takes no label")
        was = understood_as(message.kind, message.topic, offered(_menu(session, message), library))
        values: dict[str, Any] = {"topic": topic, "was": was, "labelled_by": staff_id, "labelled_at": now}
        if insert_once(session, Label, ("inbound_id",), clinic_id=clinic_id, inbound_id=inbound_id, **values) is None:
            session.execute(update(Label).where(Label.inbound_id == inbound_id).values(**values))
        audit(session, now, f"staff:{staff_id}", "text labelled", f"inbound:{inbound_id}", topic=topic)


def _menu(session: Session, message: InboundMessage) -> str | None:
    """Return the numbered menu that answered a text, as it was sent; None where no menu did."""
    if message.kind != "choices":
        return None
    menu = select(OutboundMessage.body).where(
        OutboundMessage.inbound_id == message.id,
        OutboundMessage.purpose == Purpose.REPLY,
        OutboundMessage.text_id == "text:choices",
    )
    return session.scalars(menu).first()
