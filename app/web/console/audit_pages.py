"""The audit log for those who may read it: all that was done, and who read or changed one patient's record."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.actions.errors import Refused
from app.actions.export_audit import export_access, export_audit
from app.db.audit_log import (
    PAGE,
    Line,
    Wanted,
    about_patient,
    audit_page,
    only_clinic,
    recent_verbs,
    staff_of_clinic,
)
from app.db.pages import person_of
from app.db.people import Patient
from app.domain.audit_words import about, did, who
from app.domain.csv_out import csv_text
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.audit_said import about_said, clock_said, did_said, verb_said, who_said
from app.web.console.fresh import fresh
from app.web.console.gate import access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import tr
from scheduler.quiet_hours import local_instant

HEADINGS = ("event", "when (UTC)", "who", "actor", "what", "about", "sealed")
OTHERS = "others"
LONGEST_VERB = 60


@dataclass(frozen=True)
class Row:
    """One event in words."""

    line: Line
    who: str
    did: str
    about: str

    @property
    def patient_id(self) -> int | None:
        kind, _colon, row_id = self.line.subject.partition(":")
        return int(row_id) if kind == "patient" and row_id.isdecimal() else None

    def clock(self, zone: ZoneInfo) -> str:
        return clock_said(self.line.at, zone)


@dataclass(frozen=True)
class Filters:
    """What the address asks for: ids, verbs and days, never a name."""

    who: str
    verb: str
    since: date | None
    until: date | None

    def as_address(self) -> dict[str, str]:
        since, until = (day.isoformat() if day else "" for day in (self.since, self.until))
        asked = {"who": self.who, "verb": self.verb, "from": since, "to": until}
        return {name: value for name, value in asked.items() if value}


@bp.get("/audit")
@needs(Permission.READ_AUDIT)
def audit_log() -> ResponseReturnValue:
    signed = staff()
    filters, before = _filters(request.args), request.args.get("before", type=int)
    with current.line().db.read() as session:
        people, alone = staff_of_clinic(session, signed.clinic.id), only_clinic(session)
        wanted = _wanted(filters, [person_id for person_id, _name, _active in people], signed.clinic.zone, alone=alone)
        found = audit_page(session, wanted, before=before, limit=PAGE + 1)
        verbs = {*recent_verbs(session), *([filters.verb] if filters.verb else [])}
    return render_template(
        "console/audit.html",
        rows=_shown(found[:PAGE]),
        earlier=found[PAGE - 1].id if len(found) > PAGE else None,
        later=before is not None,
        filters=filters,
        asked=filters.as_address(),
        people=people,
        verbs=sorted(((verb, verb_said(verb)) for verb in verbs), key=lambda pair: pair[1].casefold()),
        alone=alone,
    )


@bp.post("/audit/export")
@needs(Permission.READ_AUDIT)
@fresh
def audit_export() -> ResponseReturnValue:
    """Give what the filters show as a file; that it left is an event itself."""
    signed, filters = staff(), _filters(request.form)
    with current.line().db.read() as session:
        people, alone = staff_of_clinic(session, signed.clinic.id), only_clinic(session)
    wanted = _wanted(filters, [person_id for person_id, _name, _active in people], signed.clinic.zone, alone=alone)
    try:
        found = export_audit(current.line().db, wanted, signed.actor, signed.clinic.id, current.now())
    except Refused as refusal:
        flash(_("Not exported: %(why)s.", why=tr(refusal)), "failed")
        return redirect(f"{url_for('console.audit_log')}?{urlencode(filters.as_address())}")
    return _file(found, "audit.csv")


@bp.get("/patients/<int:patient_id>/access")
@needs(Permission.READ_ACCESS)
def access(patient_id: int) -> ResponseReturnValue:
    """Who read or changed this patient's record, newest first; made to be printed."""
    access_patient(staff(), patient_id)
    before = request.args.get("before", type=int)
    with current.line().db.read() as session:
        person = person_of(session.get_one(Patient, patient_id))
        head = head_of(session, patient_id)
        found = about_patient(session, patient_id, before=before, limit=PAGE + 1)
    return render_template(
        "console/access.html",
        **head,
        person=person,
        rows=_shown(found[:PAGE]),
        earlier=found[PAGE - 1].id if len(found) > PAGE else None,
        later=before is not None,
    )


@bp.post("/patients/<int:patient_id>/access/export")
@needs(Permission.READ_ACCESS)
@fresh
def access_export(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    return _file(export_access(current.line().db, patient_id, signed.actor, current.now()), "access.csv")


def _filters(asked: MultiDict[str, str]) -> Filters:
    return Filters(
        asked.get("who", "")[:20],
        asked.get("verb", "").replace("\0", "")[:LONGEST_VERB],
        _day(asked.get("from", "")),
        _day(asked.get("to", "")),
    )


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2200 else None


def _wanted(filters: Filters, people: list[int], zone: ZoneInfo, *, alone: bool) -> Wanted:
    """Return the query. Where several clinics share an installation, only deeds of one's own staff are shown."""
    actors: list[str] | None = None if alone else [f"staff:{one}" for one in people]
    if filters.who.isascii() and filters.who.isdecimal():
        if int(filters.who) not in people:
            abort(404)
        actors = [f"staff:{int(filters.who)}"]
    return Wanted(
        actors,
        filters.who == OTHERS and alone,
        filters.verb or None,
        _start(filters.since, zone),
        _start(filters.until + timedelta(days=1), zone) if filters.until else None,
    )


def _start(day: date | None, zone: ZoneInfo) -> datetime | None:
    return local_instant(day, time(0), zone) if day else None


def _shown(lines: list[Line]) -> list[Row]:
    """Return events as pages show them; the words of a file stay English, whoever takes it out."""
    return [
        Row(one, who_said(one.actor, one.who), did_said(one.verb, one.detail), about_said(one.subject)) for one in lines
    ]


def _rows(lines: list[Line]) -> list[Row]:
    return [Row(one, who(one.actor, one.who), did(one.verb, one.detail), about(one.subject)) for one in lines]


def _file(lines: list[Line], name: str) -> Response:
    rows = (
        (
            row.line.id,
            row.line.at.isoformat(),
            row.who,
            row.line.actor,
            row.did,
            row.about,
            "yes" if row.line.sealed else "not yet",
        )
        for row in _rows(lines)
    )
    return Response(
        csv_text(HEADINGS, rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
