"""One patient: the record with the conversation."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.errors import Refused
from app.actions.reply_by_hand import reply_by_hand
from app.db.patient_pages import PumpFacts, patient_record
from app.db.thread import TextOut, thread
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import NotUnderstood, field_time, reply_of, suggested
from app.web.console.gate import Signed, access_patient, staff
from app.web.console.learning import asked_to_label, readings
from app.web.console.patient_chart import chart_of
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import plural
from faq.segments import measure

SHOWN = 60
MOST_SHOWN = 1000


@dataclass(frozen=True)
class Typed:
    """What somebody typed into one form, and what was wrong with it: shown again rather than lost."""

    form: str = ""  # book, move:12, reply
    values: dict[str, str] = field(default_factory=dict)
    error: str = ""
    asks_why: bool = False  # a visit after the plan-by date can be saved with a reason


@bp.get("/patients/<int:patient_id>")
@needs(Permission.READ_PATIENTS)
def patient(patient_id: int) -> ResponseReturnValue:
    return patient_page(staff(), access_patient(staff(), patient_id))


@bp.post("/patients/<int:patient_id>/reply")
@needs(Permission.WRITE_PATIENTS)
def reply_to_patient(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    phone_id = request.form.get("phone", 0, type=int)
    with current.line().db.read() as session:
        if phone_id not in patient_record(session, patient_id, _today(signed)).phone_ids:
            abort(404)
        no_text = head_of(session, patient_id)["stopped"]
    if error := no_text or send_reply(signed, phone_id, patient_id):
        values = {"body": request.form.get("body", ""), "phone": str(phone_id)}
        return patient_page(signed, patient_id, Typed("reply", values, error)), 422
    return redirect(url_for("console.patient", patient_id=patient_id, _anchor="conversation"))


def send_reply(signed: Signed, phone_id: int, patient_id: int | None) -> str:
    """Send what was typed; return what is wrong, empty when it is on its way."""
    try:
        body = reply_of(request.form)
        form_id = request.form.get("form_id", "").replace("\0", "")[:32] or None
        reply_by_hand(current.line(), phone_id, patient_id, body, current.now(), signed.id, form_id)
    except (NotUnderstood, Refused) as refusal:
        return tr(refusal)
    measured = measure(body)
    segments = plural(measured.count, "segment")
    if measured.encoding == "GSM-7":
        flash(_("Your text is on its way: %(segments)s.", segments=segments))
    else:
        said = _(
            "Your text is on its way: %(segments)s, because a character in it is not in the plain SMS alphabet.",
            segments=segments,
        )
        flash(said)
    return ""


def patient_page(signed: Signed, patient_id: int, typed: Typed | None = None) -> str:
    now, zone = current.now(), signed.clinic.zone
    shown = min(request.args.get("texts", SHOWN, type=int) or SHOWN, MOST_SHOWN)
    with current.line().db.read() as session:
        record = patient_record(session, patient_id, _today(signed))
        head = head_of(session, patient_id)
        drawing = chart_of(session, signed, record.pump_record, head["banner"], _today(signed))
        said = thread(session, record.phone_ids, max(shown, 1))
        page = url_for("console.patient", patient_id=patient_id, texts=shown if shown != SHOWN else None)
        read = readings(session, said, page)
    return render_template(
        "console/patient.html",
        record=record,
        thread=said,
        readings=read,
        to_label=asked_to_label(said, read),
        shown=shown,
        **head,
        drawing=drawing,
        failed=last_failure(said.texts),
        left=drug_of(record.pump, _today(signed)),
        typed=typed or Typed(),
        suggested=suggested(now, zone),
        field_time=field_time,
    )


def _today(signed: Signed) -> date:
    return current.now().astimezone(signed.clinic.zone).date()


def drug_of(pump: PumpFacts | None, today: date) -> DrugLeft | None:
    if pump is None:
        return None
    return drug_left(today, pump.filled_on, pump.early_empty_on, pump.empty_on, pump.plan_by)


def last_failure(texts: tuple[Any, ...]) -> dict[int, datetime]:
    """Return, by phone, when our newest text to it failed."""
    newest = {text.phone_id: text for text in texts if isinstance(text, TextOut)}
    return {phone: text.state_at for phone, text in newest.items() if text.state.value in ("undelivered", "failed")}
