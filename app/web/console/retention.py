"""How long things are kept: periods, legal holds, and erasing a patient. Patients are named here by number alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.actions.erase_patient import erase_patient
from app.actions.errors import Refused
from app.actions.legal_hold import LONGEST_REASON, lift_hold, place_hold
from app.db.people import Staff
from app.db.retention import LegalHold
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.fresh import fresh
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import ngettext, tr


@dataclass(frozen=True)
class Held:
    id: int
    patient_id: int | None
    reason: str
    placed_at: datetime
    by: str | None


@bp.get("/retention")
@needs(Permission.HOLD_RECORDS)
def retention() -> ResponseReturnValue:
    return _page(patient=request.args.get("patient", ""))


@bp.post("/retention/hold")
@needs(Permission.HOLD_RECORDS)
def place_hold_form() -> ResponseReturnValue:
    signed, whole = staff(), request.form.get("whole") == "1"
    typed, reason = request.form.get("patient", "").strip(), request.form.get("reason", "")
    patient_id = None if whole else _number(typed)
    if patient_id is None and not whole:
        return _page(patient=typed, reason=reason, errors={"patient": _wrong_number()}), 422
    try:
        place_hold(current.line(), signed.clinic.id, patient_id, reason, current.now(), signed.actor, signed.id)
    except Refused as refusal:
        return _page(patient=typed, reason=reason, errors={"reason": tr(refusal)}), 422
    flash(_("The hold is placed. Nothing that it lies on is erased."))
    return redirect(url_for("console.retention"))


@bp.post("/retention/lift")
@needs(Permission.HOLD_RECORDS)
@fresh
def lift_hold_form() -> ResponseReturnValue:
    signed = staff()
    hold_id = _number(request.form.get("hold", ""))
    try:
        lift_hold(current.line(), hold_id or 0, current.now(), signed.actor, signed.id, signed.clinic.id)
        flash(_("The hold is lifted. What is past its period goes with the next nights."))
    except Refused as refusal:
        flash(_("Not changed: %(why)s", why=tr(refusal)), "failed")
    return redirect(url_for("console.retention"))


@bp.post("/retention/erase")
@needs(Permission.ERASE_PATIENTS)
@fresh
def erase_form() -> ResponseReturnValue:
    signed, typed = staff(), request.form.get("erase", "").strip()
    patient_id = _number(typed)
    if patient_id is None:
        return _page(erase=typed, errors={"erase": _wrong_number()}), 422
    if request.form.get("again", "").strip() != typed:
        return _page(erase=typed, errors={"again": _("Type the same number again.")}), 422
    try:
        known = request.form.get("pump_in_use") == "1"
        done = erase_patient(
            current.line(),
            patient_id,
            current.now(),
            signed.actor,
            pump_in_use_is_known=known,
            clinic_id=signed.clinic.id,
        )
    except Refused as refusal:
        return _page(erase=typed, errors={"erase": tr(refusal)}), 422
    said = ngettext("with %(num)d text", "with %(num)d texts", done.texts)
    flash(_("Patient %(number)s is erased, %(texts)s.", number=patient_id, texts=said))
    return redirect(url_for("console.retention"))


def _number(typed: str) -> int | None:
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 16 else None


def _span(period: timedelta) -> str:
    """Return how long that is as one says it: whole years (give or take leap days), else days."""
    years = round(period.days / 365.25)
    if years and abs(period.days - years * 365.25) <= 1:
        return ngettext("%(num)d year", "%(num)d years", years)
    return ngettext("%(num)d day", "%(num)d days", period.days)


def _wrong_number() -> str:
    return _("Give the patient's number, as it stands in the address of the patient's page.")


def _page(*, patient: str = "", reason: str = "", erase: str = "", errors: dict[str, str] | None = None) -> str:
    line = current.line()
    with line.db.read() as session:
        rows = session.execute(
            select(LegalHold.id, LegalHold.patient_id, LegalHold.reason, LegalHold.placed_at, Staff.name)
            .outerjoin(Staff, Staff.id == LegalHold.placed_by)
            .where(LegalHold.clinic_id == staff().clinic.id, LegalHold.lifted_at.is_(None))
            .order_by(LegalHold.id)
        )
        held = [Held(*row) for row in rows]
    periods = line.periods
    return render_template(
        "console/retention.html",
        held=held,
        kept=(
            (_("Texts, and how they were understood"), _span(periods.texts)),
            (_("Notes, calls and outcomes of tasks"), _span(periods.notes)),
            (_("Addresses of pictures"), _span(min(periods.pictures, periods.texts))),
            (_("Delivery reports"), _span(periods.deliveries)),
            (_("Sessions and failed sign-ins"), _span(periods.sign_ins)),
        ),
        patient=patient[:16],
        reason=reason[:LONGEST_REASON],
        erase=erase[:16],
        errors=errors or {},
        longest=LONGEST_REASON,
    )
