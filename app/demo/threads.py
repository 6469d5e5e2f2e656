"""One closed conversation for each phone of the large demo; what its last day brings opens them by the real code."""

from typing import Any

from sqlalchemy import func, insert, literal, select
from sqlalchemy.orm import Session

from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Contact, Patient, Phone
from app.db.threads import NEVER, REST, PhoneThread, ThreadState


def close_history(session: Session) -> None:
    """Write the thread of every phone that has a text and no thread, as it stands after everything was answered."""
    texts_in = (
        select(
            InboundMessage.phone_id.label("phone_id"),
            func.max(InboundMessage.id).label("last_id"),
            func.max(InboundMessage.received_at).label("last_at"),
        )
        .group_by(InboundMessage.phone_id)
        .subquery()
    )
    texts_out = (
        select(
            OutboundMessage.phone_id.label("phone_id"),
            func.max(OutboundMessage.id).label("last_id"),
            func.max(OutboundMessage.created_at).label("last_at"),
        )
        .group_by(OutboundMessage.phone_id)
        .subquery()
    )
    language = (
        select(func.min(Patient.language))
        .join(Contact, Contact.patient_id == Patient.id)
        .where(Contact.phone_id == Phone.id)
        .correlate(Phone)
        .scalar_subquery()
    )
    newest = func.coalesce(
        func.max(texts_in.c.last_at, texts_out.c.last_at)
        if session.get_bind().dialect.name == "sqlite"
        else func.greatest(texts_in.c.last_at, texts_out.c.last_at),
        texts_out.c.last_at,
        texts_in.c.last_at,
    )
    columns = {
        "phone_id": Phone.id,
        "clinic_id": Phone.clinic_id,
        "state": literal(ThreadState.CLOSED, PhoneThread.__table__.c.state.type),
        "last_in_id": texts_in.c.last_id,
        "last_in_at": texts_in.c.last_at,
        "last_out_id": texts_out.c.last_id,
        "last_out_at": texts_out.c.last_at,
        "last_at": newest,
        "rank": literal(REST),
        "since": literal(NEVER, PhoneThread.__table__.c.since.type),
        "language": func.coalesce(language, "en"),
        "version": literal(1),
    }
    rows: Any = (
        select(*(value.label(name) for name, value in columns.items()))
        .select_from(Phone)
        .outerjoin(texts_in, texts_in.c.phone_id == Phone.id)
        .outerjoin(texts_out, texts_out.c.phone_id == Phone.id)
        .where(
            newest.is_not(None),
            ~select(PhoneThread.phone_id).where(PhoneThread.phone_id == Phone.id).exists(),
        )
    )
    session.execute(insert(PhoneThread.__table__).from_select(list(columns), rows))
