"""The head of every page of one patient, and the drawing of the pump on the first of them."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.actions.set_patient_state import set_patient_state
from app.db.messages import OutboundMessage
from app.db.people import Patient, PatientState, Phone
from app.domain.delivery import DeliveryState
from app.domain.pump import Fill, Limits, Program, refill_dates
from app.web.pump_chart import Chart, pump_chart
from app.web.pump_curves import by_the_day, curves_of
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

PAGES = ("", "/timeline", "/contacts", "/pump", "/refill", "/access")
FACT = re.compile(r"<dt>([^<]*)</dt><dd[^>]*>\s*(.*?)\s*</dd>", re.S)


@pytest.fixture
def lead(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """Olu, a lead nurse: sees every page."""
    add_staff(line.db, "olu@clinic.example", "Olu Adeyemi", "lead_nurse", PASSWORD, clock())
    found = Visitor(app.test_client())
    assert found.sign_in("olu@clinic.example").status_code == 302
    return found


def facts(page: str) -> dict[str, str]:
    head = page[page.index('id="banner"') : page.index('class="patient-foot"')]
    return {name: " ".join(re.sub(r"<[^>]*>", "", said).split()) for name, said in FACT.findall(head)}


def test_every_page_begins_with_who_it_is(lead: Visitor, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    desk.books(maria, clock() + timedelta(days=3))
    for page in PAGES:
        told = facts(lead.page(f"/staff/patients/{maria.id}{page}"))
        assert told["Born"] == "14-Feb-1979 (47 y)", page
        assert told["MRN"] == "MRN Maria +16145550142"
        assert told["Pump"] == "SynchroMed II, 20 mL"
        assert told["Next refill"] == "Thu 26-Nov, 10:00"
        assert told["Phone"] == "614-555-0142, ok"
        assert told["Language"] == "English"
        assert told["Patient's time"] == "10:00 EST"


def test_what_is_not_known_says_so(lead: Visitor, maria: Someone, desk: Desk, line: Line) -> None:
    desk.change(Patient, maria.id, born_on=None)
    with line.db.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM contact")
        session.connection().exec_driver_sql("DELETE FROM pump")
    told = facts(lead.page(f"/staff/patients/{maria.id}/contacts"))
    assert (told["Born"], told["Pump"], told["Phone"]) == ("Not known", "Not known", "Not known")


@pytest.mark.parametrize("page", PAGES)
def test_who_died_changes_the_whole_head_of_every_page(
    lead: Visitor, maria: Someone, line: Line, clock: FrozenClock, page: str
) -> None:
    set_patient_state(line, maria.id, PatientState.DECEASED, clock(), "command")
    shown = lead.page(f"/staff/patients/{maria.id}{page}")
    assert 'class="patient patient-stopped"' in shown
    assert "Deceased. No text is sent." in shown


def test_who_opted_out_changes_it_too(lead: Visitor, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    desk.change(Phone, maria.phone_id, opted_out_at=clock())
    page = lead.page(f"/staff/patients/{maria.id}/timeline")
    assert 'class="patient patient-stopped"' in page
    assert facts(page)["Phone"] == "614-555-0142, opted out"


def test_a_landline_says_call(lead: Visitor, maria: Someone, desk: Desk, owed: Callable[..., int]) -> None:
    for code, said in ((30006, "landline: call"), (30003, "last text failed")):
        desk.change(OutboundMessage, owed(maria), state=DeliveryState.UNDELIVERED, error_code=code)
        assert facts(lead.page(f"/staff/patients/{maria.id}"))["Phone"] == f"614-555-0142, {said}"


def test_the_first_page_draws_the_pump_and_tells_the_same_as_a_table(
    lead: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, 60)
    desk.books(maria, clock() + timedelta(days=3))
    page = lead.page(f"/staff/patients/{maria.id}")
    supply = desk.supply(maria)
    assert supply.early_empty_on == date(2026, 12, 19)
    assert (
        "If the pump runs fast it is empty on Sat 19-Dec. The next visit is 23 days before that day: Thu 26-Nov."
        in page
    )
    assert '<polygon class="fan"' in page
    for mark in ("today", "plan", "visit"):
        assert f'class="mark mark-{mark}"' in page
    assert '<time datetime="2026-12-19" class="urgent-ink strong">19-Dec-2026</time>' in page
    drawing = page[page.index('<svg class="chart"') : page.index("</svg>", page.index('<svg class="chart"'))]
    assert " style=" not in drawing  # the CSP lets none in


def test_a_page_without_dates_says_why(lead: Visitor, maria: Someone, line: Line) -> None:
    page = lead.page(f"/staff/patients/{maria.id}")
    assert "No dates of the drug yet" in page
    assert '<svg class="chart"' not in page


def test_the_page_of_one_patient_asks_few_questions(lead: Visitor, maria: Someone, desk: Desk, line: Line) -> None:
    desk.fills(maria, 10)
    asked: list[object] = []

    def count(*args: object) -> None:
        if str(args[2]).startswith("SELECT"):
            asked.append(args)

    for page in PAGES:
        lead.get(f"/staff/patients/{maria.id}{page}")
        asked.clear()
        event.listen(line.db.engine, "before_cursor_execute", count)
        lead.get(f"/staff/patients/{maria.id}{page}")
        event.remove(line.db.engine, "before_cursor_execute", count)
        assert len(asked) <= 25, (page, len(asked))


def drawn(today: date, visit: date | None, *, bends: tuple[tuple[date, Decimal], ...] = ()) -> Chart:
    fill = Fill(date(2026, 9, 3), Decimal(20))
    dates = refill_dates(fill, Program(Decimal(2000), daily_dose_mcg=Decimal(400)), Limits(stability_days=180))
    return pump_chart(fill.filled_on, Decimal(20), Decimal(2), dates, bends, today, visit)


def corners(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (one.split(",") for one in points.split())]


def test_the_lines_run_from_full_to_empty_the_fast_one_first() -> None:
    chart = drawn(date(2026, 11, 23), None)
    fast, nominal, slow = corners(chart.fast), corners(chart.nominal), corners(chart.slow)
    assert fast[0] == nominal[0] == slow[0]
    assert fast[-1][0] < nominal[-1][0] < slow[-1][0]
    assert {line[-1][1] for line in (fast, nominal, slow)} == {234.0}
    assert chart.title.endswith("No visit is booked.")


def test_a_line_bends_where_the_dose_changed() -> None:
    chart = drawn(date(2026, 11, 23), None, bends=((date(2026, 10, 3), Decimal(17)),))
    assert len(corners(chart.nominal)) == 3


@pytest.mark.parametrize("days", range(0, 130, 7))
def test_no_words_lie_on_others(days: int) -> None:
    today = date(2026, 9, 3) + timedelta(days=days)
    chart = drawn(today, today + timedelta(days=2))
    spans = []
    for mark in chart.marks:
        at, wide = float(mark.label_x), len(mark.words) * 6
        spans.append((mark.label_y, *((at - wide, at) if mark.ends else (at, at + wide))))
    for n, (row, start, stop) in enumerate(spans):
        assert not any(row == r and start < b + 17 and a < stop + 17 for r, a, b in spans[n + 1 :])


@pytest.mark.parametrize(
    ("today", "said"), [(date(2026, 12, 30), "has been empty since"), (date(2026, 9, 4), "is empty on")]
)
def test_what_has_passed_is_said_as_past(today: date, said: str) -> None:
    assert said in drawn(today, None).title


def test_the_head_and_the_drawing_speak_spanish_and_keep_their_numbers(
    lead: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, 60)
    desk.books(maria, clock() + timedelta(days=3))
    lead.headers["Accept-Language"] = "es"
    page = lead.page(f"/staff/patients/{maria.id}")
    told = facts(page)
    assert told["Nacimiento"] == "14-feb-1979 (47 años)"
    assert told["Próxima recarga"] == "jue 26-nov, 10:00"
    assert told["Teléfono"] == "614-555-0142, bien"
    assert "Si la bomba va rápida, se vacía el sáb 19-dic. La próxima cita es 23 días antes: jue 26-nov." in page
    assert "alarma de reservorio bajo, 2 mL" in page


@pytest.mark.parametrize("days", range(0, 130, 7))
def test_no_words_lie_on_others_in_spanish(app: Flask, days: int) -> None:
    with app.test_request_context("/staff/patients", headers={"Accept-Language": "es"}):
        test_no_words_lie_on_others(days)


def test_the_numbers_behind_the_drawing_are_a_file(lead: Visitor, nurse: Visitor, maria: Someone, desk: Desk) -> None:
    address = f"/staff/patients/{maria.id}/drawing"
    assert address not in lead.page(f"/staff/patients/{maria.id}"), "nothing is drawn, so nothing is taken out"
    assert lead.post(address).status_code == 404
    desk.fills(maria, 60)
    assert address in lead.page(f"/staff/patients/{maria.id}")
    answer = lead.post(address)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="pump-2026-11-23.csv"'
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0] == ["day", "runs fast, mL", "nominal, mL", "runs slow, mL", "what"]
    assert rows[1] == ["2026-09-24", "20.0", "20.0", "20.0", "filled"]
    told = {words: row for row in rows[1:] for words in row[4].split("; ")}
    assert told["today"][0] == "2026-11-23"
    assert told["empty, runs fast"][1:4] == ["0.0", "2.8", told["empty, runs fast"][3]]
    assert told["empty, nominal"][2] == told["empty, runs slow"][3] == "0.0"
    assert nurse.post(address).status_code == 403, "who may not take lists out takes no drawing out either"


def test_a_dose_that_changed_is_told_in_the_file() -> None:
    fill = Fill(date(2026, 9, 3), Decimal(20))
    dates = refill_dates(fill, Program(Decimal(2000), daily_dose_mcg=Decimal(400)), Limits(stability_days=180))
    curves = curves_of(fill.filled_on, Decimal(20), dates, [(date(2026, 10, 3), Decimal(17))])
    rows = {row[0]: row for row in by_the_day(curves, dates, date(2026, 9, 13), date(2027, 6, 1))}
    assert rows["2026-10-03"][2:5:2] == (Decimal("17.0"), "dose changed")
    assert rows["2026-09-13"][2:5:2] == (Decimal("19.0"), "today")
    assert rows["2027-06-01"] == ("2027-06-01", Decimal("0.0"), Decimal("0.0"), Decimal("0.0"), "next visit")
