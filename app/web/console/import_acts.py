"""Write an import that was looked at, and undo one; both ask first whether it is still the same person."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.commit_import import commit_import
from app.actions.errors import Refused
from app.actions.undo_import import CannotUndo, undo_import
from app.db.import_pages import Name, names_of
from app.db.import_undo import Blocked
from app.domain.import_undo import Why
from app.domain.permissions import Permission
from app.integrations.csv_format import FormatError
from app.web import current
from app.web.console import bp
from app.web.console.entry import version_of
from app.web.console.fresh import fresh
from app.web.console.gate import access_import, staff
from app.web.console.import_words import WHY_NOT
from app.web.console.imports import show_import, the_import
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.language import gettext as _
from app.web.language import tr


@bp.post("/patients/import/<int:batch_id>/commit")
@needs(Permission.IMPORT_PATIENTS)
@fresh
def commit_import_form(batch_id: int) -> ResponseReturnValue:
    access_import(staff(), batch_id)
    valid_only = request.form.get("which") == "valid"
    version = version_of(request.form)
    try:
        commit_import(current.line(), batch_id, version, current.now(), staff().id, valid_only=valid_only)
    except (Refused, FormatError) as refusal:
        flash(_("Not imported: %(why)s", why=tr(str(refusal))), "failed")
    else:
        flash(_("Imported. The dates of the pumps are worked out within a minute."))
    return redirect(url_for("console.import_batch", batch_id=batch_id))


@bp.post("/patients/import/<int:batch_id>/undo")
@needs(Permission.IMPORT_PATIENTS)
@fresh
def undo_import_form(batch_id: int) -> ResponseReturnValue:
    access_import(staff(), batch_id)
    try:
        undo_import(current.line(), batch_id, version_of(request.form), current.now(), staff().id)
    except CannotUndo as refusal:
        return show_import(the_import(batch_id), blocked=_in_words(refusal.found)), 409
    except Refused as refusal:
        flash(_("Not undone: %(why)s", why=tr(str(refusal))), "failed")
    else:
        flash(_("The import is undone."))
    return redirect(url_for("console.import_batch", batch_id=batch_id))


def _in_words(found: Blocked) -> list[tuple[str, int, list[Name]]]:
    """Return each reason with the number of patients and the first of their names."""
    rows = []
    with current.line().db.read() as session:
        for why in Why:
            if patients := found.by_why.get(why):
                names = names_of(session, patients)
                listed(name.id for name in names)
                rows.append((_(WHY_NOT[why]), len(patients), names))
    return rows
