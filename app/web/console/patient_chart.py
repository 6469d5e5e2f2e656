"""The drawing of one pump, from what stands on record; and the same as a file."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.actions.export_patients import export_drawing
from app.actions.supply import changes_of, dates_of, filling, program_of
from app.db.patient_banner import Banner
from app.db.patient_pages import patient_record
from app.db.pump_records import PumpRecord
from app.domain.csv_out import BOM, csv_text
from app.domain.permissions import Permission
from app.domain.pump import RefillDates, expected_volume_ml
from app.web import current
from app.web.console import bp
from app.web.console.fresh import fresh
from app.web.console.gate import Signed, access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.console.pumps import policy_of
from app.web.pump_chart import Chart, pump_chart
from app.web.pump_curves import HEADINGS, by_the_day, curves_of


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a pump. Volumes in mL; `bends` as in pump_chart."""

    filled_on: date
    volume_ml: Decimal
    alarm_ml: Decimal
    dates: RefillDates
    bends: list[tuple[date, Decimal]]
    visit: date | None


def chart_of(
    session: Session, signed: Signed, record: PumpRecord | None, banner: Banner, today: date
) -> tuple[Chart, RefillDates, date] | None:
    """Return the drawing, its dates and the day of the refill; None where nothing is known to draw."""
    drawn = _drawn(session, signed, record, banner)
    if drawn is None:
        return None
    chart = pump_chart(drawn.filled_on, drawn.volume_ml, drawn.alarm_ml, drawn.dates, drawn.bends, today, drawn.visit)
    return chart, drawn.dates, drawn.filled_on


@bp.post("/patients/<int:patient_id>/drawing")
@needs(Permission.EXPORT)
@fresh
def export_drawing_form(patient_id: int) -> ResponseReturnValue:
    """Give the numbers behind the drawing as a file."""
    signed, now, line = staff(), current.now(), current.line()
    access_patient(signed, patient_id)
    today = now.astimezone(signed.clinic.zone).date()
    with line.db.read() as session:
        record = patient_record(session, patient_id, today).pump_record
        drawn = _drawn(session, signed, record, head_of(session, patient_id)["banner"])
    if drawn is None:
        abort(404)
    export_drawing(line, patient_id, now, signed.actor)
    curves = curves_of(drawn.filled_on, drawn.volume_ml, drawn.dates, drawn.bends)
    body = BOM + csv_text(HEADINGS, by_the_day(curves, drawn.dates, today, drawn.visit))
    headers = {"Content-Disposition": f'attachment; filename="pump-{today.isoformat()}.csv"'}
    return Response(body, mimetype="text/csv", headers=headers)


def _drawn(session: Session, signed: Signed, record: PumpRecord | None, banner: Banner) -> Drawn | None:
    if record is None:
        return None
    found, (dates, _) = filling(record), dates_of(record, policy_of(session, signed.clinic.id))
    if found is None or dates is None:
        return None
    fill, first, since = found
    program = program_of(first)
    bends = [
        (row.effective_on, expected_volume_ml(fill, program, changes_of(since), row.effective_on)) for row in since
    ]
    visit = banner.next_visit.astimezone(signed.clinic.zone).date() if banner.next_visit else None
    return Drawn(fill.filled_on, fill.reservoir_volume_ml, first.alarm_volume_ml, dates, bends, visit)
