"""Take a task, and say how it ended."""

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.actions.acknowledge_task import acknowledge_task
from app.actions.errors import Refused
from app.actions.resolve_task import resolve_task
from app.db.people import Staff
from app.db.work import Task
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import version_of
from app.web.console.gate import access_task, staff
from app.web.console.inbox_words import ago
from app.web.console.permits import needs
from app.web.console.sign_in import own_page
from app.web.language import gettext as _
from app.web.language import tr

LONGEST_OUTCOME = 500


@bp.post("/tasks/<int:task_id>/acknowledge")
@needs(Permission.WRITE_PATIENTS)
def acknowledge(task_id: int) -> ResponseReturnValue:
    signed = staff()
    access_task(signed, task_id)
    try:
        acknowledge_task(current.line(), task_id, current.now(), signed.id, version=version_of(request.form))
        flash(_("Acknowledged. The on-call phone is not texted again about it."))
    except Refused as refusal:
        flash(_("Not acknowledged: %(why)s", why=_who_was_faster(task_id, refusal)), "failed")
    return _back()


@bp.post("/tasks/<int:task_id>/resolve")
@needs(Permission.WRITE_PATIENTS)
def resolve(task_id: int) -> ResponseReturnValue:
    signed = staff()
    access_task(signed, task_id)
    outcome = ": ".join(part for name in ("outcome", "note") if (part := request.form.get(name, "").strip()))
    if not outcome:
        flash(_("Not resolved: choose an outcome first."), "failed")
        return _back()
    try:
        resolve_task(
            current.line(),
            task_id,
            outcome[:LONGEST_OUTCOME],
            current.now(),
            signed.id,
            version=version_of(request.form),
        )
        flash(_("Resolved."))
    except Refused as refusal:
        flash(_("Not resolved: %(why)s", why=_who_was_faster(task_id, refusal)), "failed")
    return _back()


def _who_was_faster(task_id: int, refusal: Refused) -> str:
    """Say who took or settled a task meanwhile, and when; what else was wrong, in its own words."""
    if refusal.kind != "conflict":
        return tr(refusal)
    with current.line().db.read() as session:
        task = session.get_one(Task, task_id)
        by, at = task.acknowledged_by, task.acknowledged_at
        resolved = task.resolved_at is not None
        if resolved:
            by, at = task.resolved_by, task.resolved_at
        name = session.scalar(select(Staff.name).where(Staff.id == by)) if by else None
    if at is None:
        return tr(refusal)
    who, when = name or _("The on-call phone"), ago(at, current.now())
    if resolved:
        return _("%(who)s resolved this %(when)s. Nothing of yours was changed", who=who, when=when)
    return _("%(who)s acknowledged this %(when)s. Nothing of yours was changed", who=who, when=when)


def _back() -> ResponseReturnValue:
    return redirect(own_page(request.form.get("back", "")))
