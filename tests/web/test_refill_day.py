"""The form at the bedside: what was, what it becomes before anything is saved, and a second person who did not look."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from app.actions.add_staff import add_staff
from app.db.care import EntryState, Pump, Refill
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

MARK = re.compile(r'name="mark" value="([^"]+)"')


def path(someone: Someone) -> str:
    return f"/staff/patients/{someone.id}/refill"


def entry(clock: FrozenClock, **other: str) -> dict[str, str]:
    typed = {
        "filled_on": clock().date().isoformat(),
        "aspirated_ml": "8",
        "reservoir_volume_ml": "20",
        "concentration": "2000",
        "week": "same",
        "daily_dose_mcg": "400",
        "alarm_volume_ml": "2",
    }
    return typed | other


@pytest.fixture
def filled(desk: Desk, maria: Someone) -> Someone:
    """60 days ago, 20 mL at 0.2 mL a day: 8 mL should be left."""
    desk.fills(maria, days_ago=60)
    return maria


def saved(nurse: Visitor, someone: Someone, typed: dict[str, str]) -> str:
    """Check, then save what was shown; return the page that follows."""
    shown = nurse.post(path(someone), seen_on=path(someone), do="check", **typed)
    assert shown.status_code == 200, shown.text
    mark = MARK.search(shown.text)
    assert mark
    done = nurse.post(path(someone), seen_on=path(someone), do="save", mark=mark[1], **typed)
    assert done.status_code == 302, done.text
    return nurse.page(path(someone))


def test_under_each_field_stands_what_it_was(nurse: Visitor, filled: Someone) -> None:
    page = nurse.page(path(filled))
    assert "expected 8 mL today" in page
    assert "was 20, holds 40" in page or "was 20, holds" in page
    assert "was 2,000" in page
    assert "was 400 mcg a day" in page
    assert "Save refill" not in page


def test_old_and_new_dates_stand_side_by_side_and_nothing_is_saved_by_looking(
    nurse: Visitor, filled: Someone, desk: Desk, clock: FrozenClock
) -> None:
    shown = nurse.post(path(filled), seen_on=path(filled), do="check", **entry(clock))
    assert re.search(r"Plan-by moves from .*11-Dec-2026 to .*9-Feb-2027", shown.text)
    assert "Save refill for Maria LOPEZ" in shown.text
    assert len(desk.rows(Refill)) == 1


def test_what_was_shown_is_what_is_saved(nurse: Visitor, filled: Someone, desk: Desk, clock: FrozenClock) -> None:
    visit = desk.books(filled, clock() + timedelta(hours=1))
    page = saved(nurse, filled, entry(clock))
    assert "The refill is recorded. Plan the next refill by" in page
    newest = desk.rows(Refill)[-1]
    assert (newest.aspirated_ml, newest.state) == (Decimal(8), EntryState.EFFECTIVE)
    assert desk.visit(visit).attended_at is not None
    changed = nurse.post(
        path(filled), seen_on=path(filled), do="save", mark="another", **entry(clock, aspirated_ml="3")
    )
    assert changed.status_code == 409
    assert "Something has changed since it was checked" in changed.text


def test_a_slip_is_told_under_its_field_and_nothing_typed_is_lost(
    nurse: Visitor, filled: Someone, clock: FrozenClock
) -> None:
    shown = nurse.post(path(filled), seen_on=path(filled), do="check", **entry(clock, aspirated_ml="8,5"))
    assert shown.status_code == 422
    assert "Write it with a point" in shown.text
    assert 'value="8,5"' in shown.text
    refused = nurse.post(path(filled), seen_on=path(filled), do="check", **entry(clock, reservoir_volume_ml="90"))
    assert refused.status_code == 422
    assert 'value="90"' in refused.text


def test_volumes_that_do_not_agree_are_told_before_saving_and_open_a_task(
    nurse: Visitor, filled: Someone, desk: Desk, clock: FrozenClock
) -> None:
    page = saved(nurse, filled, entry(clock, aspirated_ml="14"))
    assert "6 mL more" in page
    assert [task.kind for task in desk.tasks(TaskKind.CHECK_PUMP)] == [TaskKind.CHECK_PUMP]


# ── the second person ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def marcus(desk: Desk, clock: FrozenClock) -> int:
    return add_staff(desk.line.db, "marcus@clinic.example", "Marcus Webb", "nurse", PASSWORD, clock())


@pytest.fixture
def waits(nurse: Visitor, filled: Someone, desk: Desk, clock: FrozenClock, marcus: int) -> Refill:
    page = saved(nurse, filled, entry(clock, daily_dose_mcg="800"))
    assert "It waits for a second person" in page
    [row] = desk.rows(Refill, Refill.state == EntryState.WAITING)
    return row


def vouch(nurse: Visitor, filled: Someone, row: Refill, who: int, **other: str) -> tuple[int, str]:
    typed = {"read_concentration": "2000", "read_dose": "800", "password": PASSWORD} | other
    done = nurse.post(f"{path(filled)}/second", seen_on=path(filled), entry=row.id, who=who, **typed)
    return done.status_code, done.text


def test_a_second_person_confirms_with_what_they_read_and_their_own_password(
    nurse: Visitor, filled: Someone, desk: Desk, waits: Refill, marcus: int
) -> None:
    page = nurse.page(path(filled))
    assert "800" not in page.split('id="main"')[1]  # they read it off the programmer, not off the screen
    form = page.split('id="second"')[1].split("</form>")[0]
    assert "Marcus Webb" in form
    assert "Ana Lindqvist" not in form
    assert vouch(nurse, filled, waits, marcus)[0] == 302
    row = desk.rows(Refill, Refill.id == waits.id)[0]
    assert (row.state, row.confirmed_by) == (EntryState.EFFECTIVE, marcus)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"read_dose": "400"}, "what you read is not what was entered"),
        ({"read_concentration": "500"}, "what you read is not what was entered"),
        ({"password": "not the password"}, "the password is not right"),
        ({"read_dose": ""}, "Give the dose that you read"),
        ({"read_dose": "lots"}, "Write a plain number"),
    ],
)
def test_another_reading_or_a_wrong_password_confirms_nothing_and_tells_nothing(
    nurse: Visitor, filled: Someone, desk: Desk, waits: Refill, marcus: int, other: dict[str, str], said: str
) -> None:
    status, text = vouch(nurse, filled, waits, marcus, **other)
    assert status in (409, 422)
    assert said in text
    assert PASSWORD not in text
    assert "not the password" not in text
    assert desk.rows(Refill, Refill.id == waits.id)[0].state is EntryState.WAITING


def test_nobody_confirms_their_own_entry_and_nobody_of_another_clinic_does(
    nurse: Visitor, filled: Someone, desk: Desk, waits: Refill, staff_id: int, stranger_nurse: Visitor
) -> None:
    status, text = vouch(nurse, filled, waits, staff_id)
    assert status == 409
    assert "you entered this yourself" in text
    assert vouch(nurse, filled, waits, 3)[0] == 422  # of another clinic
    assert stranger_nurse.get(path(filled)).status_code == 404
    assert desk.rows(Refill, Refill.id == waits.id)[0].state is EntryState.WAITING


def test_the_list_of_the_day_says_who_is_recorded(
    nurse: Visitor, filled: Someone, desk: Desk, clock: FrozenClock
) -> None:
    assert "No visit is booked for today" in nurse.page("/staff/refill-day")
    desk.books(filled, clock() + timedelta(hours=1))
    assert "1 visit, 1 not recorded" in nurse.page("/staff/refill-day")
    saved(nurse, filled, entry(clock))
    page = nurse.page("/staff/refill-day")
    assert "1 visit, 0 not recorded" in page
    assert "refill recorded" in page


def test_a_patient_without_a_pump_is_led_to_recording_it(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    with desk.line.db.begin() as session:
        for pump in session.query(Pump).all():
            session.delete(pump)
    assert "Record the pump first" in nurse.page(path(maria))
