"""The time line of one patient: everything that happened, newest first; and the form that adds a phone call."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.errors import Refused
from app.actions.record_call import record_call
from app.db import patient_timeline as tl
from app.db.pages import Person
from app.db.patient_contacts import voices
from app.domain.calls import OUTCOME_WORDS
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import Signed, access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.language import N_, tr
from app.web.language import gettext as _

SHOW = {
    "texts": N_("Texts"),
    "calls": N_("Calls"),
    "visits": N_("Visits and refills"),
    "alerts": N_("Alerts and tasks"),
    "consent": N_("Consent"),
}
ZONES = {"clinic": N_("Clinic"), "patient": N_("Patient"), "utc": "UTC"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TypedCall:
    """A call as somebody typed it, and why it was not taken."""

    outcome: str = ""
    note: str = ""
    error: str = ""


@bp.get("/patients/<int:patient_id>/timeline")
@needs(Permission.READ_PATIENTS)
def timeline(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    return _page(signed, access_patient(signed, patient_id))


@bp.post("/patients/<int:patient_id>/calls")
@needs(Permission.WRITE_PATIENTS)
def record_call_form(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    outcome, note = (request.form.get(name, "").replace("\0", "") for name in ("outcome", "note"))
    form_id = request.form.get("form_id", "").replace("\0", "")[:32] or None
    try:
        record_call(current.line(), patient_id, outcome, note, current.now(), signed.id, form_id)
    except Refused as refusal:
        return _page(signed, patient_id, TypedCall(outcome, note, tr(refusal))), 422
    flash(_("The call is recorded."))
    return redirect(url_for("console.timeline", patient_id=patient_id))


def _page(signed: Signed, patient_id: int, typed: TypedCall | None = None) -> str:
    show = next((kind for kind in tl.KINDS if kind == request.args.get("show")), None)
    zone_name = request.args.get("zone", "clinic")
    zone_name = zone_name if zone_name in ZONES else "clinic"
    before = _key(request.args.get("before", ""))
    with current.line().db.read() as session:
        head = head_of(session, patient_id)
        found = tl.timeline(session, patient_id, signed.clinic.zone, show, before)
        kept = {name: value for name, value in (("show", show), ("zone", zone_name)) if value and value != "clinic"}
        return render_template(  # while the session is open: the page shows rows
            "console/timeline.html",
            **head,
            found=found,
            tl=tl,
            show=show,
            shows=SHOW,
            zones=ZONES,
            zone_name=zone_name,
            in_zone=_zone(zone_name, head["banner"].person, signed),
            kept=kept,
            earlier=_token(found.earlier) if found.earlier else "",
            later=before is not None,
            names=voices(session, patient_id),
            outcomes=OUTCOME_WORDS,
            typed=typed or TypedCall(),
        )


def _zone(name: str, person: Person, signed: Signed) -> ZoneInfo:
    return {"patient": person.zone, "utc": ZoneInfo("UTC")}.get(name, signed.clinic.zone)


def _token(key: tl.Key) -> str:
    at, rank, row_id = key
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{rank}-{row_id}"


def _key(token: str) -> tl.Key | None:
    """Read where a page begins. An address that names no place is not found."""
    if not token:
        return None
    parts = token.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 18 for part in parts):
        abort(404)
    micros, rank, row_id = map(int, parts)
    at = _EPOCH + timedelta(microseconds=micros)
    return (at, rank, row_id) if at.year < 2200 else abort(404)
