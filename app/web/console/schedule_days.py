"""Days and closures: visits a day, hours, slots, closed days. Who sees no patient may set them too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.change_schedule import ScheduleChange, change_schedule
from app.actions.close_days import DaysToClose, close_days
from app.actions.errors import Refused
from app.actions.reopen_days import reopen_days
from app.db.pages import VisitRow
from app.db.schedule_pages import last_change
from app.db.visit_hours import closures, on_closed_days, visit_hours
from app.domain.permissions import Permission
from app.domain.visit_hours import SLOT_MINUTES, WEEKDAYS
from app.web import current
from app.web.console import bp
from app.web.console.entry import NotUnderstood, clinic_day, time_of_day, version_of
from app.web.console.gate import access_closure, staff
from app.web.console.permits import may, needs
from app.web.console.reading import listed
from app.web.console.schedule import period_today
from app.web.language import gettext as _
from app.web.language import ngettext, tr
from app.web.wording import clock_time, since

LONGEST_LINES = 4_000


@dataclass
class DaysForm:
    """One of the page's forms as it was typed, and what is wrong with it."""

    name: str = ""  # days, close
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    @staticmethod
    def of(name: str, form: Mapping[str, str]) -> "DaysForm":
        return DaysForm(name, {key: value.replace("\0", "")[:LONGEST_LINES] for key, value in form.items()})

    def text(self, name: str) -> str:
        return self.typed.get(name, "").strip()


@bp.get("/schedule/days")
@needs(Permission.READ_FIGURES)
def schedule_days() -> ResponseReturnValue:
    return _page(DaysForm())


@bp.post("/schedule/days")
@needs(Permission.MANAGE_SCHEDULE)
def set_days() -> ResponseReturnValue:
    signed, form = staff(), DaysForm.of("days", request.form)
    change = _change(form)
    if form.errors or change is None:
        return _page(form), 422
    try:
        version = version_of(request.form)
        changed = change_schedule(current.line(), signed.clinic.id, change, current.now(), signed.actor, version)
    except Refused as refusal:
        form.refused = _who_was_faster() if refusal.kind == "conflict" else tr(refusal)
        return _page(form), 409 if refusal.kind == "conflict" else 422
    flash(_("Saved. Visits that are booked stay where they are.") if changed else _("Nothing was changed."))
    return redirect(url_for("console.schedule_days"))


@bp.post("/schedule/closures")
@needs(Permission.MANAGE_SCHEDULE)
def add_closures() -> ResponseReturnValue:
    signed, form = staff(), DaysForm.of("close", request.form)
    today = period_today(current.now())
    wanted = _several(form, today) if form.text("several") else _one(form, today)
    if form.errors:
        return _page(form), 422
    try:
        close_days(current.line(), signed.clinic.id, wanted, today, current.now(), signed.actor, signed.id)
    except Refused as refusal:
        form.refused = tr(refusal)
        return _page(form), 422
    days = sum((one.last - one.first).days + 1 for one in wanted)
    flash(
        ngettext(
            "%(num)d day closed. Visits that are booked there stay booked until somebody moves them.",
            "%(num)d days closed. Visits that are booked there stay booked until somebody moves them.",
            days,
        )
    )
    return redirect(url_for("console.schedule_days", _anchor="closures"))


@bp.post("/schedule/closures/<int:closure_id>/remove")
@needs(Permission.MANAGE_SCHEDULE)
def remove_closure(closure_id: int) -> ResponseReturnValue:
    signed = staff()
    access_closure(signed, closure_id)
    try:
        reopen_days(current.line(), closure_id, current.now(), signed.actor, version=version_of(request.form))
        flash(_("Opened again."))
    except Refused as refusal:
        flash(_("Not opened: %(why)s", why=tr(refusal)), "failed")
    return redirect(url_for("console.schedule_days", _anchor="closures"))


def _page(form: DaysForm) -> str:
    signed, now = staff(), current.now()
    clinic, today = signed.clinic, period_today(now)
    with current.line().db.read() as session:
        hours, version = visit_hours(session, clinic.id)
        closed = closures(session, clinic.id, today)
        stranded: tuple[VisitRow, ...] = ()
        count = 0
        if may(Permission.READ_PATIENTS):
            stranded, count = on_closed_days(session, clinic.id, clinic.zone, closed, now)
    listed(row.person.id for row in stranded)
    return render_template(
        "console/schedule_days.html",
        hours=hours,
        version=version,
        closed=closed,
        stranded=stranded,
        stranded_count=count,
        form=form,
        weekdays=WEEKDAYS,
        slot_choices=SLOT_MINUTES,
        today=today,
        clock_time=clock_time,
    )


def _change(form: DaysForm) -> ScheduleChange | None:
    places = []
    for n, name in enumerate(WEEKDAYS):
        said = form.text(f"places_{n}")
        if said.isascii() and said.isdecimal() and len(said) < 4:
            places.append(int(said))
        else:
            form.errors[f"places_{n}"] = _("Write a whole number for %(day)s, 0 for none.", day=tr(name))
    times = {}
    for name in ("opens", "closes"):
        try:
            times[name] = time_of_day(form.text(name))
        except NotUnderstood as refusal:
            form.errors[name] = tr(refusal)
    minutes = form.text("slot_minutes")
    if minutes not in map(str, SLOT_MINUTES):
        form.errors["slot_minutes"] = _("Choose one of these.")
    if form.errors:
        return None
    return ScheduleChange(tuple(places), times["opens"], times["closes"], int(minutes))


def _one(form: DaysForm, today: date) -> tuple[DaysToClose, ...]:
    days = {}
    for name, needed in (("first", True), ("last", False)):
        if not needed and not form.text(name):
            continue
        try:
            days[name] = clinic_day(form.text(name), today)
        except NotUnderstood as refusal:
            form.errors[name] = tr(refusal)
    if form.errors:
        return ()
    return (DaysToClose(days["first"], days.get("last", days["first"]), form.text("reason")),)


_TO = re.compile(r"\s(?:to|al?)\s", re.IGNORECASE)  # as English or Spanish says it


def _several(form: DaysForm, today: date) -> tuple[DaysToClose, ...]:
    """Read one closure a line: "26-Nov-2026, Thanksgiving" or "24-Dec-2026 to 26-Dec-2026, Christmas"."""
    found = []
    for number, line in enumerate(form.text("several").splitlines(), 1):
        if not line.strip():
            continue
        days, comma, reason = line.partition(",")
        first, *last = _TO.split(days, 1)
        try:
            begins = clinic_day(first, today)
            ends = clinic_day(last[0], today) if last and last[0].strip() else begins
        except NotUnderstood as refusal:
            form.errors["several"] = _("Line %(number)d: %(what)s", number=number, what=tr(refusal))
            return ()
        if not comma or not reason.strip():
            form.errors["several"] = _("Line %(number)d: write a comma and the reason after the day.", number=number)
            return ()
        found.append(DaysToClose(begins, ends, reason.strip()))
    return tuple(found)


def _who_was_faster() -> str:
    signed, now = staff(), current.now()
    with current.line().db.read() as session:
        last = last_change(session, f"clinic:{signed.clinic.id}", "schedule changed")
    if last is None:
        return _("Somebody changed the days meanwhile, and nothing of yours was saved. Your entries still stand below.")
    return _(
        "%(who)s changed the days meanwhile (%(at)s), and nothing of yours was saved. Your entries still stand below.",
        who=last.who or _("The command line"),
        at=since(last.at, now, signed.clinic.zone),
    )
