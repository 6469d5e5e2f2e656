"""The drawing of one pump, from what stands on record."""

from datetime import date

from sqlalchemy.orm import Session

from app.actions.supply import changes_of, dates_of, filling, program_of
from app.db.patient_banner import Banner
from app.db.pump_records import PumpRecord
from app.domain.pump import RefillDates, expected_volume_ml
from app.web.console.gate import Signed
from app.web.console.pumps import policy_of
from app.web.pump_chart import Chart, pump_chart


def chart_of(
    session: Session, signed: Signed, record: PumpRecord | None, banner: Banner, today: date
) -> tuple[Chart, RefillDates, date] | None:
    """Return the drawing, its dates and the day of the refill; None where nothing is known to draw."""
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
    chart = pump_chart(fill.filled_on, fill.reservoir_volume_ml, first.alarm_volume_ml, dates, bends, today, visit)
    return chart, dates, fill.filled_on
