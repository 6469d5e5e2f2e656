"""The list of patients: filters and sorting in the address, searches by POST, views kept under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.remove_view import remove_view
from app.actions.rename_view import rename_view
from app.actions.save_view import save_view
from app.actions.search_patients import keep_search
from app.db.patient_list import PAGE, Found, Listed, NoSuchPlace, Place, conditions, find, rows_of
from app.db.patient_search import found_by, search_words
from app.db.saved_views import views_for
from app.domain.patient_filters import FACETS, LANGUAGE, SORTS, Filters
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import row_id, version_of
from app.web.console.gate import Signed, staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import language, lower_first, sentence
from faq.languages import languages

FARTHEST_PAGE = 100_000
LONGEST_QUERY = 100


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    listed: Listed
    left: DrugLeft | None


@dataclass(frozen=True)
class Facet:
    """One thing to filter by, as a field."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class ViewForm:
    """What somebody typed about a saved view, and why it was not taken."""

    view_id: int = 0  # 0: a new one
    name: str = ""
    shared: bool = False
    error: str = ""


@dataclass(frozen=True)
class Asked:
    """Everything a page of the list is asked for."""

    filters: Filters
    place: Place = field(default_factory=Place)
    number: int = 1
    query: str = ""
    ended: bool = False  # the search that the address names is over, or was another's


@bp.get("/patients")
@needs(Permission.READ_PATIENTS)
def patients() -> ResponseReturnValue:
    filters = Filters.of(request.args)
    if "" in request.args.values():  # the form sends its empty fields too; an address without them is shorter
        return redirect(to_list(filters))
    number = request.args.get("page", 1, type=int)
    if not 1 <= number <= FARTHEST_PAGE:
        abort(404)
    return _page(asked_for(staff(), filters, number))


@bp.post("/patients/search")
@needs(Permission.READ_PATIENTS)
def search() -> ResponseReturnValue:
    """Search by POST: a name or number never stands in an address. What is found has one, by a token."""
    query = request.form.get("query", "").replace("\0", "").strip()[:LONGEST_QUERY]
    if not query:
        return redirect(url_for("console.patients"))
    line, signed, filters = current.line(), staff(), Filters()
    with line.db.read() as session:
        wanted = whom(session, signed, Asked(filters, query=query))
        found = find(session, signed.clinic.id, wanted, filters, Place())
    if found.total == 1:
        return redirect(url_for("console.patient", patient_id=found.ids[0]))
    if found.total:
        filters = replace(filters, found=keep_search(line, signed.id, query, current.now()))
    return _page(Asked(filters, query=query), found=found)


@bp.post("/patients/views")
@needs(Permission.WRITE_PATIENTS)
def save_view_form() -> ResponseReturnValue:
    signed, filters = staff(), Filters.of(request.form).keepable
    form = ViewForm(0, request.form.get("name", "").replace("\0", ""), request.form.get("shared") == "1")
    try:
        if not filters.address:
            raise Refused(N_("choose a filter or a sorting first: the whole list needs no view"))
        kept = urlencode(filters.address)
        save_view(current.line(), signed.clinic.id, signed.id, form.name, kept, current.now(), shared=form.shared)
    except Refused as refusal:
        return _page(asked_for(signed, Filters.of(request.form)), replace(form, error=tr(refusal))), 422
    flash(_("The view is saved. It stands above the list."))
    return redirect(to_list(filters))


@bp.post("/patients/views/change")
@needs(Permission.WRITE_PATIENTS)
def change_view_form() -> ResponseReturnValue:
    """Rename a view of one's own, share it or no longer, or remove it."""
    signed, filters, line, now = staff(), Filters.of(request.form), current.line(), current.now()
    view_id = version_of({"version": request.form.get("view", "")})
    form = ViewForm(view_id, request.form.get("name", "").replace("\0", ""), request.form.get("shared") == "1")
    version = version_of(request.form)
    try:
        if request.form.get("do") == "remove":
            remove_view(line, view_id, signed.id, now, version)
            flash(_("The view is removed. No patient was changed."))
        else:
            rename_view(line, view_id, signed.id, form.name, now, shared=form.shared, version=version)
            flash(_("The view is changed."))
    except Refused as refusal:
        if refusal.kind == "missing":
            abort(404)
        status = 409 if refusal.kind == "conflict" else 422
        return _page(asked_for(signed, filters), replace(form, error=tr(refusal))), status
    return redirect(to_list(filters))


def asked_for(signed: Signed, filters: Filters, number: int = 1) -> Asked:
    """Return what an address asks for, with the words of the search that it names."""
    query, ended = "", False
    if filters.found:
        with current.line().db.read() as session:
            said = search_words(session, signed.id, filters.found, current.now())
        query, ended = said or "", said is None
    after, before = request.args.get("after", type=row_id), request.args.get("before", type=row_id)
    number = 1 if after is None and before is None else number
    return Asked(filters, Place(after, before), number, query, ended)


def to_list(filters: Filters) -> str:
    """Return the address of the list so narrowed."""
    asked = urlencode(filters.address)
    return f"{url_for('console.patients')}{'?' if asked else ''}{asked}"


def whom(session: Session, signed: Signed, asked: Asked) -> list[ColumnElement[bool]]:
    """Return the condition of this list: for its pages and for a file of all of it."""
    line, clinic = current.line(), signed.clinic
    found: ColumnElement[bool] | None = None
    if asked.ended:
        found = false()
    elif asked.query:
        found = found_by(line.db, session, clinic.id, clinic.country, asked.query)
    return conditions(session, clinic, asked.filters, current.now().astimezone(clinic.zone).date(), found)


def _page(asked: Asked, form: ViewForm | None = None, found: Found | None = None) -> str:
    signed = staff()
    clinic, filters = signed.clinic, asked.filters
    today = current.now().astimezone(clinic.zone).date()
    with current.line().db.read() as session:
        try:
            found = found or find(session, signed.clinic.id, whom(session, signed, asked), filters, asked.place)
        except NoSuchPlace:
            abort(404)
        rows = [Row(row, _left(row, today)) for row in rows_of(session, clinic, found.ids)]
        views = views_for(session, clinic.id, signed.id)
    listed(found.ids)
    own = urlencode(filters.keepable.address)
    return render_template(
        "console/patients.html",
        rows=rows,
        found=found,
        number=asked.number if found.back else 1,
        pages=max(1, -(-found.total // PAGE)),
        query=asked.query,
        ended=asked.ended,
        filters=filters,
        address=filters.address,
        facets=_facets(filters),
        sorts=SORTS,
        chips=_chips(filters, asked.query),
        views=views,
        own=own,
        form=form or ViewForm(),
        saved=any(view.filters == own and view.owner is None for view in views),
        around=_around(found),
    )


def _around(found: Found) -> Mapping[str, int]:
    """Return where the pages before and after this one begin."""
    if not found.ids:
        return {}
    back = {"before": found.ids[0]} if found.back else {}
    return back | ({"after": found.ids[-1]} if found.further else {})


def _left(row: Listed, today: date) -> DrugLeft | None:
    return drug_left(today, row.filled_on, row.early_empty_on, row.empty_on, row.plan_by)


def _facets(filters: Filters) -> list[Facet]:
    found = [
        Facet(name, tr(title), tuple((value, tr(said)) for value, said in options.items()), getattr(filters, name))
        for name, (title, options) in FACETS.items()
    ]
    spoken = tuple((code, sentence(language(code))) for code in languages())
    if filters.language and filters.language not in dict(spoken):
        spoken += ((filters.language, filters.language),)
    found.insert(3, Facet(LANGUAGE, _("Language"), spoken, filters.language))
    return found


def _chips(filters: Filters, query: str) -> list[tuple[str, str]]:
    """Return what is filtered by, each with the address without it."""
    chips = [(_("Search: %(query)s", query=query), filters.without("found"))] if query else []
    for name, value in filters.chosen.items():
        title, options = FACETS.get(name, ("Language", {}))
        said = lower_first(tr(options[value])) if options else language(value)
        chips.append((f"{tr(title)}: {said}", filters.without(name)))
    return [(said, to_list(rest)) for said, rest in chips]
