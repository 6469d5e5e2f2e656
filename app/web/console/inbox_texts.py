"""What a nurse writes: a reply, a note; and what becomes of a text that waits or failed."""

from datetime import datetime, timedelta

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from app.actions.assign_thread import assign_thread
from app.actions.errors import Refused
from app.actions.owed_by_hand import retry_text, send_now, take_back
from app.actions.reply_by_hand import reply_by_hand
from app.actions.write_note import LONGEST as LONGEST_NOTE
from app.actions.write_note import write_note
from app.db.inbox import voices
from app.db.inbox_thread import head, pumps_of
from app.domain.permissions import Permission
from app.domain.replies import filled
from app.web import current
from app.web.composer import Recipient, allowed_at, places, recipient
from app.web.console import bp
from app.web.console.entry import NotUnderstood, reply_of
from app.web.console.gate import Signed, access_phone, staff
from app.web.console.inbox import Typed, back_to, inbox_page, number_in, voice_of_clinic
from app.web.console.inbox_acts import who_was_faster
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import first_name, sentence

UNDO_FOR = timedelta(seconds=10)


@bp.post("/inbox/<int:phone_id>/reply")
@needs(Permission.WRITE_PATIENTS)
def inbox_reply(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    body = request.form.get("body", "").replace("\r\n", "\n").replace("\0", "")
    if "use" in request.form:
        return _use_saved(signed, phone_id, request.form["use"], body)
    if "count" in request.form:
        return inbox_page(signed, phone_id, Typed("reply", body[:20_000], counted=True))
    try:
        return _send(signed, phone_id)
    except (NotUnderstood, Refused) as refusal:
        conflict = isinstance(refusal, Refused) and refusal.kind == "conflict"
        typed = Typed("reply", body[:20_000], tr(refusal), counted=True)
        return inbox_page(signed, phone_id, typed), 409 if conflict else 422


def _send(signed: Signed, phone_id: int) -> ResponseReturnValue:
    """Send, now or when quiet hours end. Into quiet hours only after having asked."""
    line, now, when = current.line(), current.now(), request.form.get("when", "")
    body = reply_of(request.form)
    to, patient_id, allowed = _to(signed, phone_id, now)
    if to.stopped:
        raise Refused(to.stopped, "conflict")
    if allowed > now and when not in ("now", "morning"):
        return inbox_page(signed, phone_id, Typed("reply", body, counted=True, asks_hour=True)), 422
    if "claim" in request.form:
        seen = number_in(request.form, "seen") or None
        try:
            assign_thread(line, phone_id, signed.id, seen, now, signed.id)
        except Refused:
            faster = sentence(who_was_faster(signed, phone_id))
            asks = _("%(faster)s. Send it all the same?", faster=faster)
            typed = Typed("reply", body, asks, counted=True, asks_claim=True)
            return inbox_page(signed, phone_id, typed), 409
    due_at = allowed if when == "morning" and allowed > now else now + UNDO_FOR
    form_id = request.form.get("form_id", "").replace("\0", "")[:32] or None
    reply_by_hand(line, phone_id, patient_id, body, now, signed.id, form_id, due_at)
    return back_to(phone_id)


def _to(signed: Signed, phone_id: int, now: datetime) -> tuple[Recipient, int | None, datetime]:
    """Return to whom a reply goes, about which patient where there is only one, and from when it may."""
    with current.line().db.read() as session:
        top = head(session, phone_id, signed.id)
        speakers = voices(session, [phone_id]).get(phone_id, ())
    to = recipient(top, speakers, signed.clinic.zone, signed.clinic.country)
    patient_id = speakers[0].person.id if len(speakers) == 1 else None
    return to, patient_id, allowed_at(top, to.zone, now)


def _use_saved(signed: Signed, phone_id: int, reply_id: str, body: str) -> ResponseReturnValue:
    """Put a saved reply into the composer, behind what stands there. Without a script; with one it is done in place."""
    line, now = current.line(), current.now()
    with line.db.read() as session:
        top = head(session, phone_id, signed.id)
        speakers = voices(session, [phone_id]).get(phone_id, ())
        pumps = pumps_of(session, [speaker.person.id for speaker in speakers], now)
    saved = line.words.replies.get(top.language) or line.words.replies.get("en")
    reply = saved.replies.get(reply_id) if saved else None
    if reply is None:
        abort(404)
    values = places(
        line.words, voice_of_clinic(signed), first_name(signed.name), speakers, pumps, saved.language if saved else "en"
    )
    text = filled(reply.text, values)
    used = tuple(values[name] for name in reply.places if values.get(name))
    whole = f"{body.rstrip()} {text}".strip() if body.strip() else text
    return inbox_page(signed, phone_id, Typed("reply", whole[:20_000], counted=True, places=used))


@bp.post("/inbox/<int:phone_id>/note")
@needs(Permission.WRITE_PATIENTS)
def inbox_note(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    body = request.form.get("body", "").replace("\0", "")
    form_id = request.form.get("form_id", "").replace("\0", "")[:32] or None
    try:
        write_note(current.line(), phone_id, body, current.now(), signed.id, form_id)
    except Refused as refusal:
        return inbox_page(signed, phone_id, Typed("note", body[: LONGEST_NOTE * 5], tr(refusal))), 422
    return back_to(phone_id)


@bp.post("/inbox/<int:phone_id>/take-back")
@needs(Permission.WRITE_PATIENTS)
def inbox_take_back(phone_id: int) -> ResponseReturnValue:
    """Take a text back while it waits: its words stand in the composer again."""
    signed = staff()
    access_phone(signed, phone_id)
    try:
        body = take_back(current.line(), phone_id, number_in(request.form, "message"), current.now(), signed.id)
    except Refused as refusal:
        return _refused(phone_id, refusal)
    flash(_("Taken back: it was not sent. The words are in the composer."))
    return inbox_page(signed, phone_id, Typed("reply", body, counted=True))


@bp.post("/inbox/<int:phone_id>/send-now")
@needs(Permission.WRITE_PATIENTS)
def inbox_send_now(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    try:
        send_now(current.line(), phone_id, number_in(request.form, "message"), current.now(), signed.id)
    except Refused as refusal:
        return _refused(phone_id, refusal)
    return back_to(phone_id)


@bp.post("/inbox/<int:phone_id>/retry")
@needs(Permission.WRITE_PATIENTS)
def inbox_retry(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    try:
        retry_text(current.line(), phone_id, number_in(request.form, "message"), current.now(), signed.id)
        flash(_("Sent again: the same words to the same phone."))
    except Refused as refusal:
        return _refused(phone_id, refusal)
    return back_to(phone_id)


def _refused(phone_id: int, refusal: Refused) -> ResponseReturnValue:
    if refusal.kind == "missing":
        abort(404)
    flash(f"{sentence(tr(refusal))}.", "failed")
    return back_to(phone_id)
