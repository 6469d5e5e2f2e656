"""Refills due: everybody on the line by days of drug left, at the early edge, fifty at a time."""

from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.db.refill_pages import Show, refill_page
from app.db.worklist import DueRow
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import row_id
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import N_, tr

SHOWN: dict[Show, str] = {"all": N_("All"), "not-booked": N_("Not booked"), "late": N_("Late")}


@dataclass(frozen=True)
class Shown:
    """One line of the list."""

    row: DueRow
    left: DrugLeft | None


def _left(row: DueRow, today: date) -> DrugLeft | None:
    return drug_left(today, row.filled_on, row.early_empty_on, row.empty_on, row.plan_by)


@bp.get("/refills")
@needs(Permission.READ_PATIENTS)
def refills() -> ResponseReturnValue:
    clinic, now = staff().clinic, current.now()
    today = now.astimezone(clinic.zone).date()
    show: Show = next((key for key in SHOWN if key == request.args.get("show")), "all")
    after, before = request.args.get("after", type=row_id), request.args.get("before", type=row_id)
    with current.line().db.read() as session:
        page = refill_page(session, clinic.id, now, clinic.zone, show, after=after, before=before)
    listed(row.patient_id for row in page.rows)
    return render_template(
        "console/refills.html",
        rows=[Shown(row, _left(row, today)) for row in page.rows],
        page=page,
        filters=[(key, tr(label), page.totals[key]) for key, label in SHOWN.items()],
        show=show,
        today=today,
        here_at={"after": after} if after else {"before": before} if before else {},
    )
