"""What a nurse does to a thread: take it, close it, put it off, pause the assistant, mark it read, undo."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import flash, request
from flask.typing import ResponseReturnValue

from app.actions.assign_thread import assign_thread
from app.actions.errors import Refused
from app.actions.mark_read import mark_read, mark_unread
from app.actions.pause_assistant import pause_assistant, resume_assistant
from app.actions.settle_thread import Act, settle_thread
from app.actions.undo_thread import undo_thread
from app.db.inbox import staff_of, threads
from app.db.inbox_thread import head, last_change
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import NotUnderstood, clinic_time, version_of
from app.web.console.gate import Signed, access_phone, staff
from app.web.console.inbox import MORNING, Typed, back_to, inbox_page, number_in, wanted
from app.web.console.inbox_words import ago, did_words
from app.web.console.permits import needs
from app.web.console.reading import nothing_shown
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import sentence, since
from scheduler.quiet_hours import local_instant


@bp.post("/inbox/<int:phone_id>/assign")
@needs(Permission.WRITE_PATIENTS)
def inbox_assign(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    to = signed.id if request.form.get("to") == "me" else number_in(request.form, "to") or None
    seen = number_in(request.form, "seen") or None
    try:
        change = assign_thread(current.line(), phone_id, to, seen, current.now(), signed.id)
    except Refused as refusal:
        return too_late(signed, phone_id, refusal, _("Not assigned"))
    return back_to(phone_id, undo=change)


@bp.post("/inbox/<int:phone_id>/close")
@needs(Permission.WRITE_PATIENTS)
def inbox_close(phone_id: int) -> ResponseReturnValue:
    return _settle(phone_id, "closed", _("Not closed"))


@bp.post("/inbox/<int:phone_id>/reopen")
@needs(Permission.WRITE_PATIENTS)
def inbox_reopen(phone_id: int) -> ResponseReturnValue:
    return _settle(phone_id, "reopened", _("Not reopened"))


@bp.post("/inbox/<int:phone_id>/snooze")
@needs(Permission.WRITE_PATIENTS)
def inbox_snooze(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    at = request.form.get("at", "").replace("\0", "")[:40]
    try:
        until = snooze_until(request.form.get("until", ""), at, current.now(), signed.clinic.zone)
    except NotUnderstood as problem:
        return inbox_page(signed, phone_id, Typed("snooze", error=tr(problem), values={"at": at})), 422
    return _settle(phone_id, "snoozed", _("Not snoozed"), until, at)


def snooze_until(which: str, at: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return until when a thread is put off. Raises NotUnderstood for an own day and hour that is none."""
    today = now.astimezone(zone).date()
    match which:
        case "hour":
            return now + timedelta(hours=1)
        case "tomorrow":
            return local_instant(today + timedelta(days=1), MORNING, zone)
        case "monday":
            return local_instant(today + timedelta(days=7 - today.weekday()), MORNING, zone)
        case _:
            return clinic_time(at, zone)


def _settle(
    phone_id: int, act: Act, failed: str, until: datetime | None = None, typed_at: str = ""
) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    following = _next_thread(signed, phone_id) if request.form.get("then") == "next" else None
    version = version_of(request.form)
    try:
        change = settle_thread(current.line(), phone_id, act, current.now(), signed.id, version, until)
    except Refused as refusal:
        return too_late(signed, phone_id, refusal, failed, typed_at)
    if act == "reopened":
        return back_to(phone_id, undo=change)
    return back_to(following, undo=change)


def _next_thread(signed: Signed, phone_id: int) -> int | None:
    """Return the thread behind this one in the list that is looked at."""
    with current.line().db.read() as session:
        rows, _more = threads(session, signed.clinic.id, signed.id, wanted())
    ids = [row.phone_id for row in rows]
    place = ids.index(phone_id) + 1 if phone_id in ids else 0
    return next((other for other in ids[place:] if other != phone_id), None)


@bp.post("/inbox/<int:phone_id>/pause")
@needs(Permission.WRITE_PATIENTS)
def inbox_pause(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    until = pause_assistant(current.line(), phone_id, current.now(), signed.id)
    when = since(until, current.now(), signed.clinic.zone)
    flash(_("The assistant is paused until %(when)s. Emergencies are answered.", when=when))
    return back_to(phone_id)


@bp.post("/inbox/<int:phone_id>/resume")
@needs(Permission.WRITE_PATIENTS)
def inbox_resume(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    resumed = resume_assistant(current.line(), phone_id, current.now(), signed.id)
    flash(_("The assistant answers again.") if resumed else _("The assistant was not paused."))
    return back_to(phone_id)


@bp.post("/inbox/<int:phone_id>/read")
@needs(Permission.READ_PATIENTS)
def inbox_read(phone_id: int) -> ResponseReturnValue:
    """Mark the texts read that were shown. A script asks for it after two seconds, a button without one."""
    signed = staff()
    access_phone(signed, phone_id)
    mark_read(current.line(), phone_id, signed.id, number_in(request.form, "seen"))
    if "X-Pumpline-Script" not in request.headers:
        return back_to(phone_id)
    nothing_shown()
    return "", 204


@bp.post("/inbox/<int:phone_id>/unread")
@needs(Permission.READ_PATIENTS)
def inbox_unread(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    if not mark_unread(current.line(), phone_id, signed.id):
        flash(_("Nobody has texted from this phone yet."), "failed")
    return back_to(None)


@bp.post("/inbox/<int:phone_id>/undo")
@needs(Permission.WRITE_PATIENTS)
def inbox_undo(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    try:
        undo_thread(current.line(), phone_id, number_in(request.form, "change"), current.now(), signed.id)
    except Refused as refusal:
        return too_late(signed, phone_id, refusal, _("Not undone"))
    flash(_("Undone: it is as it was before."))
    return back_to(phone_id)


def too_late(signed: Signed, phone_id: int, refusal: Refused, failed: str, typed_at: str = "") -> ResponseReturnValue:
    """Show the thread as it is now, and who was faster where somebody was."""
    words = f"{failed}: {tr(refusal)}"
    if refusal.kind == "conflict" and "alert" not in str(refusal) and (who := who_was_faster(signed, phone_id)):
        words = f"{failed}. {sentence(who)}."
    typed = Typed("snooze" if typed_at else "state", error=words, values={"at": typed_at})
    return inbox_page(signed, phone_id, typed), 409 if refusal.kind == "conflict" else 422


def who_was_faster(signed: Signed, phone_id: int) -> str:
    """Say what happened to a thread last: "Ana claimed this 3 s ago", or that a text came."""
    now = current.now()
    with current.line().db.read() as session:
        change, top = last_change(session, phone_id), head(session, phone_id, signed.id)
        names = {staff_id: name for staff_id, (name, _active) in staff_of(session, signed.clinic.id).items()}
    came_at = top.last_in_at
    if came_at is not None and (change is None or came_at > change.at):
        return _("a new text came %(ago)s", ago=ago(came_at, now))
    return f"{did_words(change, names, now, signed.clinic.zone)} {ago(change.at, now)}" if change else ""
