"""Take in one text: record it and everything that follows from it, or nothing; return what to answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.alerts import can_page
from app.actions.audit import audit
from app.actions.carry_out import carry_out
from app.actions.errors import Refused
from app.actions.line import Line, staff_link, voice_of
from app.actions.line_check import is_check, take_check
from app.actions.outbox import new_token, owe
from app.actions.render import render_reply, room_to_ask
from app.actions.robots import within_reason
from app.actions.strangers import within_bounds
from app.actions.tasks import open_task
from app.actions.threads import text_came
from app.db.directory import (
    KnownPhone,
    Who,
    clinic_that_texts,
    coming_visits,
    find_who,
    number_again,
    open_alert_codes,
    phone_named,
    visits_in_time,
)
from app.db.inserts import insert_once
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Clinic
from app.db.types import words_of
from app.db.work import TaskKind
from app.domain.breaker import Via
from app.domain.conversation import Asked
from app.domain.delivery import DeliveryState
from app.domain.effects import AcknowledgeAlert, Decision, OpenTask, Person, RaiseAlert, Remember, Reply, Sender, Visit
from app.domain.inbound import decide
from app.domain.phone import sender_key
from app.domain.texts import ClinicVoice, Rendered
from app.domain.unreadable import UNREADABLE
from faq.intents import IntentName as Intent
from faq.understand import Understanding, understand
from scheduler.policy import Hours
from scheduler.quiet_hours import next_allowed


@dataclass(frozen=True)
class Media:
    url: str
    content_type: str


@dataclass(frozen=True)
class InboundText:
    """One text as a channel delivered it. `opt_out_type`: what the carrier's own opt-out made of it, if anything."""

    provider_id: str
    sender: str
    recipient: str
    body: str
    media: tuple[Media, ...] = ()
    opt_out_type: str | None = None
    channel: str = "twilio"
    via: Via = Via.FIRST  # the account it came in by


STILL_AWAITED = timedelta(minutes=30)


@dataclass(frozen=True)
class Late:
    """A text that is taken in after the webhook was answered, or missed: its replies go out as texts of their own."""

    came_at: datetime


@dataclass(frozen=True)
class Handed:
    """One reply to hand over in the answer to the webhook; `token` names it in its status callback."""

    message_id: int
    token: str
    body: str
    urgent: bool


@dataclass(frozen=True)
class Received:
    inbound_id: int
    replies: tuple[Handed, ...]
    repeated: bool
    trace: tuple[str, ...]
    kind: str = ""  # of the understanding; not told of a text that came before

    def for_log(self) -> dict[str, Any]:
        """Return what the log may say: ids and states."""
        return {
            "inbound_id": self.inbound_id,
            "kind": self.kind,
            "repeated": self.repeated,
            "replies": len(self.replies),
        }


def receive_text(line: Line, inbound: InboundText, now: datetime, *, late: Late | None = None) -> Received:
    """Record one inbound text, its effects and its replies in one transaction; the same text again, the same replies.

    `late`: nobody waits for the replies any more; they are queued, and say which text they answer.
    Raises Refused where there is no clinic yet.
    """
    if is_check(line, inbound):
        return _checked(line, inbound, now, late)
    return line.db.write(lambda session: _received(line, session, inbound, now, late))


def _received(line: Line, session: Session, inbound: InboundText, now: datetime, late: Late | None) -> Received:
    number = sender_key(inbound.sender)
    who = _who(session, inbound, line.db.hash_of(number))
    if who is None:
        raise Refused("there is no clinic yet: run `pumpline migrate`", "missing")
    clinic, phone = who.clinic, who.phone
    understood = _understand(line, inbound, phone, now)
    sender = _sender(line, session, clinic, number, phone, understood, now)
    decision = decide(
        understood,
        inbound.body,
        sender,
        line.words.library,
        now,
        media=len(inbound.media),
        room_to_ask=lambda topic: room_to_ask(topic, line.words, voice_of(clinic), understood.language),
    )
    if line.carrier_confirms_opt_out and _CARRIER_TOOK_AS.get((inbound.opt_out_type or "").upper()) in CARRIER_SAYS:
        decision = replace(decision, replies=tuple(reply for reply in decision.replies if reply.urgent))
    decision = within_bounds(line, session, decision, sender, number, phone.id if phone else None, now)
    if phone:
        decision = within_reason(line, session, decision, sender, phone, inbound.body, now)
    phone_id = phone.id if phone else phone_named(line.db, session, clinic.id, number, now)
    if phone and phone.number_gone:
        number_again(session, phone_id, number)
    came_at = late.came_at if late else now
    inbound_id = write_down(session, inbound, clinic.id, phone_id, understood, decision.trace, came_at)
    if inbound_id is None:  # the provider repeats a webhook it believes we missed: say the same again
        return _said_before(session, inbound.provider_id)
    if not any(isinstance(effect, AcknowledgeAlert) for effect in decision.effects):  # a code is no conversation
        wants_person = any(isinstance(effect, OpenTask | RaiseAlert) for effect in decision.effects)
        spoken = understood.language
        text_came(session, clinic.id, phone_id, inbound_id, spoken, now, wants_person=wants_person)
    carry_out(line, session, decision.effects, clinic, phone_id, sender, inbound_id, now)
    replies = _reply(line, session, decision, clinic, phone_id, sender, understood, inbound, inbound_id, now, late)
    audit(session, now, f"phone:{phone_id}", "text received", f"inbound:{inbound_id}", kind=understood.kind)
    return Received(inbound_id, replies, repeated=False, trace=decision.trace, kind=understood.kind)


def _who(session: Session, inbound: InboundText, number_hash: str) -> Who | None:
    """Return the clinic that is meant and the phone. The sender of the second account is all clinics': whose patient
    is it?"""
    meant = clinic_that_texts(session, number_hash) if inbound.via is Via.SECOND else 0
    return find_who(session, inbound.recipient, number_hash, clinic_id=meant)


def _checked(line: Line, inbound: InboundText, now: datetime, late: Late | None) -> Received:
    answer = take_check(line, inbound, now, late=late is not None)
    replies = (Handed(0, answer[0], answer[1], urgent=False),) if answer else ()
    return Received(0, replies, repeated=False, trace=("A text of the line's own.",), kind="check")


_CARRIER_TOOK_AS: dict[str, Intent] = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}


CARRIER_SAYS = ("opt_in", "help")  # answered by the carrier itself, where it is set to; STOP is seen to in `decide`


def _understand(line: Line, inbound: InboundText, phone: KnownPhone | None, now: datetime) -> Understanding:
    asked = Asked.from_json(phone.asked) if phone else Asked()
    understood = understand(inbound.body, asked.context(now, _language(phone)), line.words.library)
    carrier = (inbound.opt_out_type or "").upper()
    intent = _CARRIER_TOOK_AS.get(carrier)
    if intent is None:
        return understood
    if understood.intent in ("yes", "no") and asked.context(now, None).asked == "triage":
        return understood  # the same, and somebody may be in danger
    if intent == "opt_in" and phone and phone.opted_out_at is None and understood.intent not in (None, "opt_in"):
        return understood  # YES is an opt-in word to the carrier, and here an answer to what we asked
    # what the carrier has done already counts, whatever we would read; an urgent text stays urgent
    taken = replace(understood, intent=intent, formal_opt_out=intent == "opt_out")
    why = f"The carrier took this as {carrier}"
    return (
        replace(taken, why=f"{taken.why}. {why}") if taken.kind == "urgent" else replace(taken, kind="admin", why=why)
    )


def _language(phone: KnownPhone | None) -> str | None:
    """As last texted or switched to; the patient's own where nothing was."""
    if phone is None:
        return None
    return phone.language or (phone.people[0].language if phone.people else None)


_ABOUT_VISITS = {"confirm", "reschedule", "cancel_appointment", "when_is_my_refill", "running_late"}


def _sender(
    line: Line,
    session: Session,
    clinic: Clinic,
    number: str,
    phone: KnownPhone | None,
    understood: Understanding,
    now: datetime,
) -> Sender:
    is_on_call = clinic.on_call_phone == number
    base = Sender(
        is_on_call=is_on_call,
        alert_codes=open_alert_codes(session, clinic.id) if is_on_call else (),
        clinic_pages=(understood.kind == "urgent" or understood.intent in ("yes", "no"))
        and can_page(line, session, clinic),
        carrier_confirms_opt_out=line.carrier_confirms_opt_out,
        language=_language(phone),
        country=clinic.country,
    )
    if phone is None:
        return base
    asked = Asked.from_json(phone.asked)
    names = {person.patient_id: person.sealed_name for person in phone.people}
    coming = (
        coming_visits(session, names, now) if names and (understood.intent in _ABOUT_VISITS or asked.confirms) else ()
    )
    others = visits_in_time(session, coming, clinic.time_zone)
    return replace(
        base,
        opted_out=phone.opted_out_at is not None,
        people=tuple(Person(p.patient_id, p.is_carer) for p in phone.people),
        visits=tuple(
            Visit(
                v.appointment_id,
                v.patient_id,
                words_of(line.db.keyring, names[v.patient_id]),
                v.starts_at,
                others.get(v.appointment_id),
            )
            for v in coming
        ),
        asked=asked,
        paused=phone.paused_until is not None and now < phone.paused_until,
    )


def write_down(
    session: Session,
    inbound: InboundText,
    clinic_id: int,
    phone_id: int,
    understood: Understanding,
    trace: tuple[str, ...],
    came_at: datetime,
) -> int | None:
    """Write the text's row and return its id; None where it came before."""
    media = (
        json.dumps([{"url": m.url, "content_type": m.content_type} for m in inbound.media]) if inbound.media else None
    )
    return insert_once(
        session,
        InboundMessage,
        ("provider_id",),
        provider_id=inbound.provider_id,
        clinic_id=clinic_id,
        phone_id=phone_id,
        channel=inbound.channel,
        body=inbound.body,
        media=media,
        kind=understood.kind,
        topic=understood.topic,
        intent=understood.intent,
        category=understood.urgency.category if understood.urgency else None,
        trace=json.dumps(trace),
        received_at=came_at,
    )


def _reply(
    line: Line,
    session: Session,
    decision: Decision,
    clinic: Clinic,
    phone_id: int,
    sender: Sender,
    understood: Understanding,
    inbound: InboundText,
    inbound_id: int,
    now: datetime,
    late: Late | None,
) -> tuple[Handed, ...]:
    """Write down the replies as handed over and return them. A draft is held back where the clinic wants it so."""
    handed = []
    patient_id = sender.people[0].patient_id if len(sender.people) == 1 else None
    for n, (reply, text) in enumerate(_rendered(line, decision, clinic, sender, understood.language)):
        words = text
        if text.draft and not line.send_drafts and text.text_id.startswith(("answer:", "more:")):
            # the clinic sends no answer before a clinician signed it: a nurse reads the question instead
            words = line.words.system("unknown", voice_of(clinic), understood.language)
            reason = "asked about something whose answer is not signed yet"
            subject = f"phone:{phone_id}"
            about: dict[str, Any] = {"phone_id": phone_id, "inbound_id": inbound_id}
            open_task(session, now, clinic.id, TaskKind.QUESTION, subject, reason, **about)
        if late and n == 0 and not reply.urgent:
            words = _as_late(line, words, voice_of(clinic), understood.language, late)
        token = new_token()
        message_id = owe(
            session,
            clinic_id=clinic.id,
            phone_id=phone_id,
            words=words,
            purpose=Purpose.REPLY,
            token=token,
            dedupe_key=f"inbound:{inbound_id}:{n}",
            now=now,
            urgent=reply.urgent,
            state=DeliveryState.QUEUED if late else DeliveryState.HANDED_OVER,
            due_at=_due(clinic, late, now) if late and not reply.urgent else None,
            inbound_id=inbound_id,
            patient_id=patient_id,
            via=inbound.via if inbound.via is Via.SECOND else None,
        )
        if message_id is None:
            raise RuntimeError("a new inbound text cannot have a reply already")
        handed.append(Handed(message_id, token, words.body, reply.urgent))
    return tuple(handed)


def _due(clinic: Clinic, late: Late, now: datetime) -> datetime:
    """Return when an answer that comes late goes out: after half an hour nobody waits for it at night any more."""
    if now - late.came_at <= STILL_AWAITED:
        return now
    return next_allowed(now, ZoneInfo(clinic.time_zone), Hours(clinic.texts_from, clinic.texts_until))


def _as_late(line: Line, words: Rendered, voice: ClinicVoice, language: str, late: Late) -> Rendered:
    """Return an answer that says to which text it comes late. What an urgent text is answered stands alone, first."""
    when = line.words.voice(language).moment(late.came_at, voice.zone)
    said = line.words.system("late", voice, language, when=when).body
    return replace(words, body=f"{said} {words.body}")


def _rendered(
    line: Line, decision: Decision, clinic: Clinic, sender: Sender, language: str
) -> Iterator[tuple[Reply, Rendered]]:
    asked = next((effect.asked for effect in decision.effects if isinstance(effect, Remember)), sender.asked)
    asks = {ask.appointment_id: ask.digit for ask in asked.confirms if ask.appointment_id is not None}
    for reply in decision.replies:
        texts = render_reply(
            reply,
            line.words,
            voice_of(clinic),
            language,
            paged=sender.clinic_pages,
            visits=sender.visits,
            asks=asks,
            shared=sender.names_patients,
            link=staff_link(line),
        )
        yield from ((reply, text) for text in texts)


def _said_before(session: Session, provider_id: str) -> Received:
    row: Any = session.execute(
        select(InboundMessage.id, InboundMessage.trace).where(InboundMessage.provider_id == provider_id)
    ).one()
    ids = session.scalars(
        select(OutboundMessage.id).where(OutboundMessage.inbound_id == row.id, OutboundMessage.purpose == Purpose.REPLY)
    ).all()
    return Received(row.id, _handed(session, list(ids)), repeated=True, trace=_trace(row.trace))


def _trace(kept: str) -> tuple[str, ...]:
    return () if kept == UNREADABLE else tuple(json.loads(kept))


def _handed(session: Session, ids: list[int]) -> tuple[Handed, ...]:
    if not ids:
        return ()
    rows = session.execute(
        select(OutboundMessage.id, OutboundMessage.token, OutboundMessage.body, OutboundMessage.urgent)
        .where(OutboundMessage.id.in_(ids))
        .order_by(OutboundMessage.id)
    )
    return tuple(Handed(row.id, row.token, row.body, row.urgent) for row in rows)
