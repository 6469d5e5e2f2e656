"""The refills due, page by page: everybody once, in the order of the whole list, whichever way one turns the pages."""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.actions.line import Line
from app.db.care import Appointment, AppointmentState, Pump
from app.db.people import Clinic, Patient
from app.db.refill_pages import PAGE, Show, refill_page
from app.db.supply import Supply
from app.db.worklist import DueRow, refills_due
from tests.conftest import FrozenClock, Someone

MANY = 2 * PAGE + 7


def crowd(line: Line, clock: FrozenClock, chance: random.Random) -> None:
    """Give everybody dates, or none, and a visit that is to come, missed, attended, or none."""
    now = clock()
    with line.db.begin() as session:
        for patient in session.scalars(select(Patient)):
            pump = Pump(patient_id=patient.id, model="SynchroMed II", reservoir_size_ml=Decimal(20), created_at=now)
            session.add(pump)
            session.flush()
            near = now.date() + timedelta(days=chance.randrange(-4, 30))
            if chance.random() < 0.9:
                session.add(
                    Supply(
                        patient_id=patient.id,
                        clinic_id=patient.clinic_id,
                        pump_id=pump.id,
                        filled_on=near - timedelta(days=60),
                        early_empty_on=near + timedelta(days=7),
                        empty_on=near + timedelta(days=9),
                        plan_by=near if chance.random() < 0.95 else None,
                        computed_at=now,
                    )
                )
            for days in chance.sample(range(-20, 40), chance.randrange(3)):
                at = datetime.combine(now.date() + timedelta(days=days), time(chance.randrange(24)), now.tzinfo)
                past = AppointmentState(chance.choice(("attended", "missed", "booked")))
                session.add(
                    Appointment(
                        clinic_id=patient.clinic_id,
                        patient_id=patient.id,
                        starts_at=at,
                        state=past if at < now else AppointmentState.BOOKED,
                        created_at=now,
                    )
                )


def is_late(row: DueRow, today: date) -> bool:
    if row.seen_on is not None:
        return False
    return row.visit.days_late > 0 if row.visit else row.plan_by is not None and row.plan_by < today


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("show", ["all", "not-booked", "late"])
def test_turning_the_pages_shows_everybody_once_and_in_order(
    seed: int,
    show: Show,
    line: Line,
    clinic: Clinic,
    clock: FrozenClock,
    add_patient: Callable[..., Someone],
) -> None:
    for number in range(MANY):
        add_patient(f"Pat{number}", f"+1614555{1000 + number}")
    crowd(line, clock, random.Random(seed))
    zone = ZoneInfo(clinic.time_zone)
    today = clock().astimezone(zone).date()
    with line.db.read() as session:
        everybody = refills_due(session, clinic.id, clock(), zone)
        wanted = {
            "all": list(everybody),
            "not-booked": [row for row in everybody if row.visit is None],
            "late": [row for row in everybody if is_late(row, today)],
        }
        there, back = [], []
        page = refill_page(session, clinic.id, clock(), zone, show)
        assert page.totals == {name: len(rows) for name, rows in wanted.items()}
        assert page.before is None
        there += page.rows
        while page.after is not None:
            page = refill_page(session, clinic.id, clock(), zone, show, after=page.after)
            there += page.rows
        back = list(page.rows)
        while page.before is not None:
            page = refill_page(session, clinic.id, clock(), zone, show, before=page.before)
            back = [*page.rows, *back]
    assert wanted[show], "there is something to look at"
    assert there == wanted[show]
    assert back == wanted[show]


def test_a_page_after_somebody_who_is_gone_is_the_first(
    line: Line, clinic: Clinic, clock: FrozenClock, add_patient: Callable[..., Someone]
) -> None:
    maria = add_patient("Maria", "+16145550142")
    with line.db.read() as session:
        page = refill_page(session, clinic.id, clock(), ZoneInfo(clinic.time_zone), after=10**15)
    assert [row.patient_id for row in page.rows] == [maria.id]
