"""Import patients from a file: upload it, say which column is which, and look at what would happen."""

import csv
import re
import secrets
from io import StringIO

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.drop_import import drop_import
from app.actions.errors import Refused
from app.actions.import_batches import file_of, is_stuck
from app.actions.map_import import map_import, twice
from app.actions.upload_import import upload_import
from app.db.import_pages import ImportRow, import_row, imports_of
from app.db.imports import ImportState
from app.domain.csv_out import BOM
from app.domain.permissions import Permission
from app.integrations.csv_format import FormatError, template
from app.integrations.csv_headers import LONGEST_NAME, MOST_ROWS, read_header, what_lacks
from app.web import current
from app.web.console import bp
from app.web.console.entry import version_of
from app.web.console.gate import access_import, staff
from app.web.console.import_words import COLUMN_WORDS, GROUPS, KIND_WORDS, NEEDED, STATE_WORDS, in_words
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import tr

_FORM_KEY = re.compile(r"[0-9a-f]{16}")


@bp.get("/patients/import")
@needs(Permission.IMPORT_PATIENTS)
def imports() -> ResponseReturnValue:
    return _start()


@bp.get("/patients/import/template.csv")
@needs(Permission.IMPORT_PATIENTS)
def import_template() -> ResponseReturnValue:
    """Give a file to start from."""
    made = StringIO()
    today = current.now().astimezone(staff().clinic.zone).date()
    csv.writer(made, lineterminator="\r\n").writerows(template(today))
    headers = {"Content-Disposition": 'attachment; filename="patients-template.csv"'}
    return Response(BOM + made.getvalue(), mimetype="text/csv", headers=headers)


@bp.post("/patients/import")
@needs(Permission.IMPORT_PATIENTS)
def upload_file() -> ResponseReturnValue:
    signed, file = staff(), request.files.get("file")
    if file is None or not file.filename:
        return _start(_("Choose a file first.")), 422
    sent = request.form.get("form_id", "")
    key = f"{signed.id}:{sent}" if _FORM_KEY.fullmatch(sent) else secrets.token_hex(16)
    try:
        batch_id = upload_import(current.line(), signed.clinic.id, signed.id, key, file.read(), current.now())
    except (Refused, FormatError) as refusal:
        return _start(tr(str(refusal))), 422
    return redirect(url_for("console.import_columns", batch_id=batch_id))


@bp.get("/patients/import/<int:batch_id>/columns")
@needs(Permission.IMPORT_PATIENTS)
def import_columns(batch_id: int) -> ResponseReturnValue:
    batch = the_import(batch_id)
    if batch.state is not ImportState.WAITING:
        return redirect(url_for("console.import_batch", batch_id=batch_id))
    return _columns(batch, list(batch.columns or ()))


@bp.post("/patients/import/<int:batch_id>/columns")
@needs(Permission.IMPORT_PATIENTS)
def map_columns(batch_id: int) -> ResponseReturnValue:
    batch = the_import(batch_id)
    if batch.state is not ImportState.WAITING:
        return redirect(url_for("console.import_batch", batch_id=batch_id))
    places = range(len(batch.columns or ()))
    chosen = [request.form.get(f"column_{place}", "") for place in places]
    chosen = [name if name in COLUMN_WORDS else "" for name in chosen]
    if lacking := what_lacks(chosen):
        wrong = _("Every file needs these, and no column is chosen for them: %(names)s.", names=in_words(lacking))
        return _columns(batch, chosen, wrong), 422
    if several := twice(chosen):
        wrong = _("Chosen for more than one column: %(names)s. Keep one.", names=in_words(several))
        return _columns(batch, chosen, wrong, several), 422
    try:
        map_import(current.line(), batch_id, version_of(request.form), chosen, current.now())
    except (Refused, FormatError) as refusal:
        return _columns(the_import(batch_id), chosen, tr(str(refusal))), 422
    return redirect(url_for("console.import_batch", batch_id=batch_id))


@bp.post("/patients/import/<int:batch_id>/cancel")
@needs(Permission.IMPORT_PATIENTS)
def drop_import_form(batch_id: int) -> ResponseReturnValue:
    access_import(staff(), batch_id)
    try:
        drop_import(current.line(), batch_id, current.now(), staff().actor)
    except Refused as refusal:
        flash(_("Not cancelled: %(why)s", why=tr(str(refusal))), "failed")
        return redirect(url_for("console.import_batch", batch_id=batch_id))
    flash(_("Cancelled. The file is not kept, and nothing was written."))
    return redirect(url_for("console.imports"))


@bp.get("/patients/import/<int:batch_id>")
@needs(Permission.IMPORT_PATIENTS)
def import_batch(batch_id: int) -> ResponseReturnValue:
    batch = the_import(batch_id)
    if batch.state is ImportState.DROPPED:
        flash(_("This file is not kept any more, and nothing of it was written. Upload it again."), "failed")
        return redirect(url_for("console.imports"))
    if batch.state is ImportState.WAITING and batch.findings is None:
        return redirect(url_for("console.import_columns", batch_id=batch_id))
    return show_import(batch)


def the_import(batch_id: int) -> ImportRow:
    """Return an import that whoever is signed in may see; 404 for any other."""
    access_import(staff(), batch_id)
    with current.line().db.read() as session:
        return import_row(session, batch_id)


def show_import(batch: ImportRow, **more: object) -> str:
    """Return the page of one import: its dry run, or what became of it."""
    return render_template(
        "console/import_batch.html",
        batch=batch,
        stopped=batch.state is ImportState.STOPPED or is_stuck(batch, current.now()),
        kinds=KIND_WORDS,
        columns=COLUMN_WORDS,
        **{"blocked": (), "wrong": "", **more},
    )


def _start(wrong: str = "") -> str:
    signed = staff()
    with current.line().db.read() as session:
        rows = imports_of(session, signed.clinic.id, signed.id)
    return render_template("console/imports.html", rows=rows, wrong=wrong, states=STATE_WORDS, most_rows=MOST_ROWS)


def _columns(batch: ImportRow, chosen: list[str], wrong: str = "", several: tuple[str, ...] = ()) -> str:
    with current.line().db.read() as session:
        names = read_header(file_of(session, batch.id)).names
    return render_template(
        "console/import_columns.html",
        batch=batch,
        names=[name[:LONGEST_NAME] for name in names],
        chosen=chosen,
        wrong=wrong,
        several=several,
        groups=GROUPS,
        columns=COLUMN_WORDS,
        needed=NEEDED,
        known=sum(bool(name) for name in chosen),
    )
