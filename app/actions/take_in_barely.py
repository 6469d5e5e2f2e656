"""Take in a text that cannot be taken in as any other: something that is kept about its phone is not as it should be.

Nothing that is known about the phone is asked: the text stands in its thread, an urgent one pages, and a person reads
every other. It is answered by whoever took it from the provider, with whom to call.
"""

from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from app.actions.alerts import raise_alert
from app.actions.audit import audit
from app.actions.consent import opt_out
from app.actions.line import Line
from app.actions.receive_text import InboundText, Late, Received, write_down
from app.actions.tasks import open_task
from app.actions.threads import text_came
from app.db.directory import clinic_that_texts, phone_named
from app.db.people import Clinic
from app.db.work import TaskKind
from app.domain.breaker import Via
from app.domain.inbound import URGENT_REASONS
from app.domain.phone import sender_key
from faq.understand import Context, understand

READ_IT = "a text could not be taken in as usual: read it, answer, and tell whoever runs the line"
TRACE = ("It could not be taken in as usual: something that is kept about this phone is damaged", "A person reads it")


def take_in_barely(line: Line, inbound: InboundText, now: datetime, late: Late) -> Received:
    """Record the text, and have a person look: at once where it is urgent. No reply follows."""
    number = sender_key(inbound.sender)
    number_hash = line.db.hash_of(number)
    understood = understand(inbound.body, Context(), line.words.library)
    with line.db.begin() as session:
        clinic = session.get_one(Clinic, _clinic_id(session, inbound, number_hash))
        phone_id = phone_named(line.db, session, clinic.id, number, now)
        inbound_id = write_down(session, inbound, clinic.id, phone_id, understood, TRACE, late.came_at)
        if inbound_id is None:
            return Received(0, (), repeated=True, trace=(), kind=understood.kind)
        text_came(session, clinic.id, phone_id, inbound_id, understood.language, now, wants_person=True)
        subject = f"phone:{phone_id}"
        if understood.kind == "urgent":
            category = understood.urgency.category if understood.urgency else "alarm"
            reason = URGENT_REASONS.get(category, "Urgent text")
            raise_alert(line, session, now, clinic, subject, category, reason, inbound_id=inbound_id, phone_id=phone_id)
        else:
            kind = TaskKind.QUESTION
            open_task(session, now, clinic.id, kind, subject, READ_IT, phone_id=phone_id, inbound_id=inbound_id)
        if understood.intent == "opt_out":
            opt_out(session, now, phone_id, "text", words=inbound.body, inbound_id=inbound_id)
        audit(session, now, f"phone:{phone_id}", "text received", f"inbound:{inbound_id}", kind=understood.kind)
        return Received(inbound_id, (), repeated=False, trace=TRACE, kind=understood.kind)


def _clinic_id(session: Session, inbound: InboundText, number_hash: str) -> int:
    """Return which clinic was texted, of whose row nothing else need be right."""
    if inbound.via is Via.SECOND and (known := clinic_that_texts(session, number_hash)):
        return known
    meant = case((Clinic.sender == inbound.recipient, 0), else_=1)
    return session.scalars(select(Clinic.id).order_by(meant, Clinic.id).limit(1)).one()
