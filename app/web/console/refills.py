"""Refills due: everybody on the line by days of drug left, at the early edge."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.db.worklist import DueRow, refills_due
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import N_, tr

SHOWN = 100


@dataclass(frozen=True)
class Shown:
    """One line of the list."""

    row: DueRow
    left: DrugLeft | None


def _late(row: DueRow, today: date) -> bool:
    """Whether the visit lies after the plan-by date, or that has passed without one. Who was seen since is not late:
    the dates are those of the filling before."""
    if row.seen_on is not None:
        return False
    if row.visit is not None:
        return row.visit.days_late > 0
    return row.plan_by is not None and row.plan_by < today


def _not_booked(row: DueRow, _: date) -> bool:
    return row.visit is None


def _anybody(_: DueRow, __: date) -> bool:
    return True


FILTERS: dict[str, tuple[str, Callable[[DueRow, date], bool]]] = {
    "all": (N_("All"), _anybody),
    "not-booked": (N_("Not booked"), _not_booked),
    "late": (N_("Late"), _late),
}


def _left(row: DueRow, today: date) -> DrugLeft | None:
    return drug_left(today, row.filled_on, row.early_empty_on, row.empty_on, row.plan_by)


@bp.get("/refills")
@needs(Permission.READ_PATIENTS)
def refills() -> ResponseReturnValue:
    clinic, now = staff().clinic, current.now()
    today = now.astimezone(clinic.zone).date()
    show = request.args.get("show", "all")
    show = show if show in FILTERS else "all"
    everybody = request.args.get("everybody") == "1"
    with current.line().db.read() as session:
        rows = refills_due(session, clinic.id, now, clinic.zone)
    chosen = [row for row in rows if FILTERS[show][1](row, today)]
    shown = chosen if everybody else chosen[:SHOWN]
    listed(row.patient_id for row in shown)
    return render_template(
        "console/refills.html",
        rows=[Shown(row, _left(row, today)) for row in shown],
        total=len(chosen),
        filters=[(key, tr(label), sum(fits(row, today) for row in rows)) for key, (label, fits) in FILTERS.items()],
        show=show,
        everybody=everybody,
        today=today,
    )
