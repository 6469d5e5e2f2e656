"""One phone's conversation: a number we do not know, or one that serves several patients."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db.patient_pages import phone_record
from app.db.thread import thread
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import Signed, access_phone, staff
from app.web.console.learning import asked_to_label, readings
from app.web.console.patients import MOST_SHOWN, SHOWN, Typed, send_reply
from app.web.console.permits import needs
from app.web.language import tr


@bp.get("/phones/<int:phone_id>")
@needs(Permission.READ_PATIENTS)
def phone(phone_id: int) -> ResponseReturnValue:
    return _phone_page(staff(), access_phone(staff(), phone_id))


@bp.post("/phones/<int:phone_id>/reply")
@needs(Permission.WRITE_PATIENTS)
def reply_to_phone(phone_id: int) -> ResponseReturnValue:
    signed = staff()
    access_phone(signed, phone_id)
    if error := send_reply(signed, phone_id, None):
        return _phone_page(signed, phone_id, Typed("reply", {"body": request.form.get("body", "")}, tr(error))), 422
    return redirect(url_for("console.phone", phone_id=phone_id, _anchor="conversation"))


def _phone_page(signed: Signed, phone_id: int, typed: Typed | None = None) -> str:
    shown = min(request.args.get("texts", SHOWN, type=int) or SHOWN, MOST_SHOWN)
    with current.line().db.read() as session:
        record = phone_record(session, phone_id)
        said = thread(session, [phone_id], max(shown, 1))
        page = url_for("console.phone", phone_id=phone_id, texts=shown if shown != SHOWN else None)
        read = readings(session, said, page)
    return render_template(
        "console/phone.html",
        record=record,
        thread=said,
        readings=read,
        to_label=asked_to_label(said, read),
        shown=shown,
        typed=typed or Typed(),
        is_on_call=record.number == signed.clinic.on_call_phone,
    )
