"""The schedule as nurses use it: what is refused says why, keeps what was typed, and changes nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.actions.add_staff import add_staff
from app.actions.close_days import DaysToClose, close_days
from app.actions.line import Line
from app.db.care import Appointment, AppointmentState
from app.db.people import Clinic, Patient, PatientState
from app.db.visit_hours import Closure, closures, visit_hours
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

SCHEDULE = "/staff/schedule"
WEDNESDAY = datetime(2026, 12, 2, 15, 0, tzinfo=UTC)  # 10:00 in New York
FRIDAY = "4-Dec-2026"


@pytest.fixture
def lead(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    add_staff(line.db, "lea@clinic.example", "Lea Lead", "lead_nurse", PASSWORD, clock())
    lea = Visitor(app.test_client())
    assert lea.sign_in("lea@clinic.example").status_code == 302
    return lea


@pytest.fixture
def thanksgiving(line: Line, clinic: Clinic, clock: FrozenClock) -> int:
    day = date(2026, 11, 26)
    [made] = close_days(line, clinic.id, (DaysToClose(day, day, "Thanksgiving"),), clock().date(), clock(), "test")
    return made


# ── booking: what is refused says why, keeps what was typed, and books nothing ────────────────────────


def booked(desk: Desk, who: Someone) -> list[datetime]:
    rows = desk.rows(Appointment, Appointment.patient_id == who.id, Appointment.state == AppointmentState.BOOKED)
    return [row.starts_at for row in rows]


def books(visitor: Visitor, who: Someone, on: str, at: str = "10:00", **why: str) -> TestResponse:
    return visitor.post(f"{SCHEDULE}/book/{who.id}", seen_on=SCHEDULE, on=on, at=at, **why)


def alert(answer: TestResponse) -> str:
    """Return what the panel or form says in red."""
    found = re.search(r'<p class="field-error" role="alert"><svg.*?</svg>(.*?)</p>', answer.text, re.DOTALL)
    assert found, "nothing is said"
    return unescape(found[1])


def value(answer: TestResponse, name: str) -> str:
    """Return what stands in a field that a person may type into."""
    found = re.search(rf'<input class="form-control"[^>]* name="{name}"[^>]*>', answer.text)
    assert found, f"no field {name}"
    held = re.search(r'value="([^"]*)"', found[0])
    return unescape(held[1]) if held else ""


def test_a_visit_is_booked(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = books(nurse, maria, FRIDAY)
    assert answer.status_code == 302
    assert "Booked for Fri 4-Dec, 10:00 EST." in nurse.page(answer.location)
    assert booked(desk, maria) == [datetime(2026, 12, 4, 15, tzinfo=UTC)]


def test_nobody_is_booked_into_the_past(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = books(nurse, maria, "20-Nov-2026", "09:30")
    assert answer.status_code == 422
    assert alert(answer) == "A visit must lie in the future: check day and hour"
    assert (value(answer, "on"), value(answer, "at")) == ("20-Nov-2026", "09:30")
    assert booked(desk, maria) == []


def test_what_is_no_day_or_hour_is_told_under_its_field(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = books(nurse, maria, "someday", "25:00")
    assert answer.status_code == 422
    assert "Write a day like 27-Nov-2026" in answer.text
    assert "Write the time in 24 hours" in answer.text
    assert (value(answer, "on"), value(answer, "at")) == ("someday", "25:00")
    assert booked(desk, maria) == []


def test_an_hour_that_the_clocks_skip_is_told_under_its_field(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = books(nurse, maria, "14-Mar-2027", "02:30")
    assert answer.status_code == 422
    assert "02:30 does not exist. Choose 03:00 or later." in unescape(answer.text)
    assert booked(desk, maria) == []


def test_a_visit_beyond_the_plan_by_date_asks_for_a_reason(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    desk.fills(maria, days_ago=75)  # the low reservoir alarm may sound in three days
    answer = books(nurse, maria, FRIDAY)
    assert answer.status_code == 422
    assert "after the plan-by date" in alert(answer)
    assert "choose an earlier day, or give a reason" in alert(answer)
    assert value(answer, "late_reason") == ""
    assert booked(desk, maria) == []
    assert books(nurse, maria, FRIDAY, late_reason=" in hospital  until then ").status_code == 302
    assert [row.late_reason for row in desk.rows(Appointment)] == ["in hospital until then"]


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("26-Nov-2026", "The clinic is closed on Thu 26-Nov-2026 (Thanksgiving): choose another day, or give a reason"),
        ("28-Nov-2026", "No visits are planned on Saturdays: choose another day, or give a reason"),
    ],
)
def test_a_closed_day_asks_for_a_reason(
    nurse: Visitor, maria: Someone, thanksgiving: int, desk: Desk, on: str, said: str
) -> None:
    answer = books(nurse, maria, on)
    assert answer.status_code == 422
    assert alert(answer) == said
    assert value(answer, "room_reason") == ""
    assert booked(desk, maria) == []
    assert books(nurse, maria, on, room_reason="pump near empty").status_code == 302
    page = nurse.page(f"{SCHEDULE}?view=list&day={on}")
    assert "beyond the day's places" in page
    assert [row.room_reason for row in desk.rows(Appointment)] == ["pump near empty"]


def test_a_patient_who_left_is_not_booked(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    desk.change(Patient, maria.id, state=PatientState.PAUSED)
    answer = books(nurse, maria, FRIDAY)
    assert answer.status_code == 409
    assert "set the state to active before booking" in alert(answer)
    assert booked(desk, maria) == []


def test_a_search_for_nobody_asks_for_words(nurse: Visitor) -> None:
    answer = nurse.post(f"{SCHEDULE}/book", seen_on=SCHEDULE, query="  ", on=FRIDAY, at="10:00")
    assert answer.status_code == 422
    assert alert(answer) == "Type a name, a phone or a record number."


# ── moving: whoever comes second is told, and keeps what was typed ────────────────────────────────────


def moves(visitor: Visitor, visit: int, on: str, at: str, version: int | str, **why: str) -> TestResponse:
    return visitor.post(f"{SCHEDULE}/visits/{visit}/move", seen_on=SCHEDULE, on=on, at=at, version=version, **why)


def test_a_visit_is_moved(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, WEDNESDAY)
    answer = moves(nurse, visit, FRIDAY, "11:15", desk.visit(visit).version)
    assert answer.status_code == 302
    assert "Moved to Fri 4-Dec, 11:15 EST." in nurse.page(answer.location)
    assert booked(desk, maria) == [datetime(2026, 12, 4, 16, 15, tzinfo=UTC)]


def test_a_visit_moved_meanwhile_stays_where_it_is(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, WEDNESDAY)
    seen = desk.visit(visit).version
    assert moves(nurse, visit, "3-Dec-2026", "09:00", seen).status_code == 302
    answer = moves(nurse, visit, FRIDAY, "11:15", seen)
    assert answer.status_code == 409
    said = alert(answer)
    assert said.startswith("Ana Lindqvist changed this visit (moved, 10:00) meanwhile, and nothing of yours was saved.")
    assert "It is booked for Thu 3-Dec, 09:00. Your day and time still stand below." in said
    assert (value(answer, "on"), value(answer, "at")) == ("4-Dec-2026", "11:15")
    assert f'name="version" value="{desk.visit(visit).version}"' in answer.text, "saving again is meant"
    assert booked(desk, maria) == [datetime(2026, 12, 3, 14, tzinfo=UTC)]


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999"])
def test_a_version_that_no_page_held_moves_nothing(nurse: Visitor, maria: Someone, desk: Desk, version: str) -> None:
    visit = desk.books(maria, WEDNESDAY)
    assert moves(nurse, visit, FRIDAY, "11:15", version).status_code == 409
    assert booked(desk, maria) == [WEDNESDAY]


def test_a_visit_cancelled_meanwhile_is_not_moved(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, WEDNESDAY)
    seen = desk.visit(visit).version
    desk.cancels(visit)
    answer = moves(nurse, visit, FRIDAY, "11:15", seen)
    assert answer.status_code == 409
    assert "It is cancelled: it was for Wed 2-Dec, 10:00." in alert(answer)
    answer = moves(nurse, visit, FRIDAY, "11:15", desk.visit(visit).version)
    assert answer.status_code == 409
    assert alert(answer) == "This visit is cancelled: book a new one"
    assert booked(desk, maria) == []


def test_a_patient_has_one_visit_at_a_time(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, WEDNESDAY)
    desk.books(maria, WEDNESDAY + timedelta(days=2))
    answer = moves(nurse, visit, FRIDAY, "10:00", desk.visit(visit).version)
    assert answer.status_code == 409
    assert alert(answer) == "This patient has another visit at that time: cancel one of them"


def test_a_move_into_the_past_or_onto_a_closed_day_is_refused(
    nurse: Visitor, maria: Someone, thanksgiving: int, desk: Desk
) -> None:
    visit = desk.books(maria, WEDNESDAY)
    version = desk.visit(visit).version
    past = moves(nurse, visit, "20-Nov-2026", "10:00", version)
    closed = moves(nurse, visit, "26-Nov-2026", "10:00", version)
    assert (past.status_code, closed.status_code) == (422, 422)
    assert "in the future" in alert(past)
    assert "closed on Thu 26-Nov-2026 (Thanksgiving)" in alert(closed)
    assert moves(nurse, visit, "", "", version).status_code == 422
    assert booked(desk, maria) == [WEDNESDAY]


# ── days and closures ────────────────────────────────────────────────────────────────────────────────

DAYS = f"{SCHEDULE}/days"
USUAL = {f"places_{n}": "8" for n in range(5)} | {"places_5": "0", "places_6": "0"}
USUAL |= {"opens": "08:00", "closes": "16:00", "slot_minutes": "30"}


def sets_days(visitor: Visitor, **changed: str) -> TestResponse:
    return visitor.post(DAYS, seen_on=DAYS, **(USUAL | {"version": "0"} | changed))


def hours(line: Line, clinic: Clinic) -> tuple[tuple[int, ...], str, int]:
    with line.db.read() as session:
        found, version = visit_hours(session, clinic.id)
    return found.places, f"{found.opens:%H:%M}-{found.closes:%H:%M}", version


def test_a_lead_nurse_sets_the_days(lead: Visitor, line: Line, clinic: Clinic) -> None:
    answer = sets_days(lead, places_0="3", places_5="2", opens="9", closes="17.30")
    assert answer.status_code == 302
    assert "Saved. Visits that are booked stay where they are." in lead.page(answer.location)
    assert hours(line, clinic) == ((3, 8, 8, 8, 8, 2, 0), "09:00-17:30", 1)


def test_the_same_days_again_change_nothing(lead: Visitor, line: Line, clinic: Clinic) -> None:
    assert "Nothing was changed." in lead.page(sets_days(lead).location)
    assert hours(line, clinic)[0] == (8, 8, 8, 8, 8, 0, 0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"places_0": "some"}, "Write a whole number for Monday, 0 for none."),
        ({"places_6": "-1"}, "Write a whole number for Sunday, 0 for none."),
        ({"places_6": "½"}, "Write a whole number for Sunday, 0 for none."),
        ({"places_0": "201"}, "Places must be from 0 to 200 a day"),
        ({"opens": "dawn"}, "Write the time in 24 hours"),
        ({"slot_minutes": "7"}, "Choose one of these."),
        ({"opens": "16:00", "closes": "08:00"}, "Closing must come at least one slot after opening"),
    ],
)
def test_days_that_cannot_be_are_refused_and_kept_in_the_form(
    lead: Visitor, line: Line, clinic: Clinic, changed: dict[str, str], said: str
) -> None:
    answer = sets_days(lead, **changed, places_1="5")
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert value(answer, "places_1") == "5"
    assert all(value(answer, name) == typed for name, typed in changed.items() if name != "slot_minutes")
    assert hours(line, clinic)[0] == (8, 8, 8, 8, 8, 0, 0)


def test_days_changed_meanwhile_stay_and_what_was_typed_too(lead: Visitor, line: Line, clinic: Clinic) -> None:
    assert sets_days(lead, places_0="3").status_code == 302
    answer = sets_days(lead, places_0="5")
    assert answer.status_code == 409
    assert alert(answer) == (
        "Lea Lead changed the days meanwhile (10:00), and nothing of yours was saved. Your entries still stand below."
    )
    assert value(answer, "places_0") == "5"
    assert hours(line, clinic) == ((3, 8, 8, 8, 8, 0, 0), "08:00-16:00", 1)


def test_a_nurse_sees_the_days_and_sets_none(nurse: Visitor, line: Line, clinic: Clinic) -> None:
    page = nurse.page(DAYS)
    assert "08:00 to 16:00, 30 min" in page
    assert "Save days" not in page
    assert nurse.post(DAYS, seen_on=SCHEDULE, **USUAL, version="0").status_code == 403
    assert hours(line, clinic)[2] == 0


def closed(line: Line, clinic: Clinic) -> list[tuple[str, str, str]]:
    with line.db.read() as session:
        found = [row.days for row in closures(session, clinic.id, date(2026, 1, 1))]
    return [(days.first.isoformat(), days.last.isoformat(), days.reason) for days in found]


def closes(visitor: Visitor, **typed: str) -> TestResponse:
    return visitor.post(f"{SCHEDULE}/closures", seen_on=DAYS, **typed)


def test_days_are_closed_one_after_another_or_several_at_once(lead: Visitor, line: Line, clinic: Clinic) -> None:
    one = closes(lead, first="26-Nov-2026", last="", reason="Thanksgiving")
    assert "1 day closed. Visits that are booked there stay booked" in lead.page(one.location)
    several = closes(lead, several="24-Dec-2026 to 25-Dec-2026, Christmas\n\n 1-Jan-2027 , New Year, and so on\n")
    assert "3 days closed." in lead.page(several.location)
    assert closed(line, clinic) == [
        ("2026-11-26", "2026-11-26", "Thanksgiving"),
        ("2026-12-24", "2026-12-25", "Christmas"),
        ("2027-01-01", "2027-01-01", "New Year, and so on"),
    ]
    page = lead.page(DAYS)
    assert "Thu 24-Dec-2026</time> to <time" in page
    assert "New Year, and so on" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"first": "someday", "last": "", "reason": "Fair"}, "Write a day like"),
        ({"first": "26-Nov-2026", "last": "later", "reason": "Fair"}, "Write a day like"),
        ({"first": "26-Nov-2026", "last": "25-Nov-2026", "reason": "Fair"}, "The last day must not come before"),
        ({"first": "1-Nov-2026", "last": "", "reason": "Fair"}, "These days have passed: check them"),
        ({"first": "26-Nov-2026", "last": "", "reason": " "}, "Say why the clinic is closed"),
        ({"several": "26-Nov-2026, Fair\nsomeday, Fair"}, "Line 2: Write a day like"),
        ({"several": "26-Nov-2026 Fair"}, "Line 1: "),
        ({"several": "26-Nov-2026"}, "Line 1: write a comma and the reason after the day."),
    ],
)
def test_days_that_cannot_be_closed_are_refused_and_kept(
    lead: Visitor, line: Line, clinic: Clinic, typed: dict[str, str], said: str
) -> None:
    answer = closes(lead, **typed)
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    if "several" in typed:
        assert f">{typed['several']}</textarea>" in unescape(answer.text)
        assert '<details class="more" open>' in answer.text
    else:
        assert value(answer, "first") == typed["first"]
    assert closed(line, clinic) == []


def version_of(page: str, closure: int) -> str:
    found = re.search(rf'/closures/{closure}/remove".*?name="version" value="(\d+)"', page, re.DOTALL)
    assert found
    return found[1]


def test_a_closure_is_taken_away_once(lead: Visitor, line: Line, clinic: Clinic, thanksgiving: int) -> None:
    seen = version_of(lead.page(DAYS), thanksgiving)
    away = lead.post(f"{SCHEDULE}/closures/{thanksgiving}/remove", seen_on=DAYS, version=seen)
    assert "Opened again." in lead.page(away.location)
    assert closed(line, clinic) == []
    assert lead.post(f"{SCHEDULE}/closures/{thanksgiving}/remove", seen_on=DAYS, version=seen).status_code == 404


def test_a_closure_changed_meanwhile_stays(
    lead: Visitor, line: Line, clinic: Clinic, thanksgiving: int, desk: Desk
) -> None:
    seen = version_of(lead.page(DAYS), thanksgiving)
    desk.change(Closure, thanksgiving, last_on=date(2026, 11, 27), version=int(seen) + 1)
    answer = lead.post(f"{SCHEDULE}/closures/{thanksgiving}/remove", seen_on=DAYS, version=seen)
    page = lead.page(answer.location)
    assert "Not opened: someone changed this closure meanwhile: look at it again, nothing was changed" in page
    assert closed(line, clinic) == [("2026-11-26", "2026-11-27", "Thanksgiving")]


def test_visits_on_a_day_that_closes_are_listed_until_they_move(
    lead: Visitor, maria: Someone, thanksgiving: int, desk: Desk
) -> None:
    desk.books(maria, datetime(2026, 11, 26, 15, tzinfo=UTC))
    for page in (lead.page(DAYS), lead.page(SCHEDULE)):
        stranded = page[page.index("Booked on closed days") :].partition("</section>")[0]
        assert "Thu 26-Nov, 10:00" in stranded
        assert "Lopez" in stranded
