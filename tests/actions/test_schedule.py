"""A clinic's days, and what they ask of a booking."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.actions.book_appointment import book_appointment
from app.actions.change_schedule import ScheduleChange, change_schedule
from app.actions.close_days import DaysToClose, close_days
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.move_appointment import move_appointment
from app.actions.preview_visit import Preview, preview_booking, preview_move
from app.actions.reopen_days import reopen_days
from app.db.care import Reminder, ReminderState
from app.db.people import Clinic
from app.db.supply import CareStep, StepState
from app.db.visit_hours import closures, on_closed_days, visit_hours
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone

WEDNESDAY = datetime(2026, 12, 2, 15, 0, tzinfo=UTC)  # 10:00 in New York
TODAY = date(2026, 11, 23)


@pytest.fixture
def one_place(line: Line, clinic: Clinic, clock: FrozenClock) -> None:
    change_schedule(line, clinic.id, ScheduleChange(places=(1, 1, 1, 1, 1, 0, 0)), clock(), "test")


def books(line: Line, who: Someone, at: datetime, clock: FrozenClock, why: str = "") -> int:
    return book_appointment(line, who.id, at, clock(), "test", room_reason=why)


def test_a_clinic_that_chose_nothing_has_the_usual_days(line: Line, clinic: Clinic) -> None:
    with line.db.read() as session:
        hours, version = visit_hours(session, clinic.id)
    assert (hours.places, hours.opens, hours.closes, hours.slot_minutes) == ((8,) * 5 + (0, 0), time(8), time(16), 30)
    assert version == 0


def test_a_clinic_changes_what_is_named_and_nothing_else(line: Line, clinic: Clinic, clock: FrozenClock) -> None:
    changed = change_schedule(line, clinic.id, ScheduleChange(slot_minutes=45, opens=time(8)), clock(), "test")
    assert changed == ("slot_minutes",)
    with line.db.read() as session:
        hours, version = visit_hours(session, clinic.id)
    assert (hours.slot_minutes, hours.places[0], version) == (45, 8, 1)


def test_days_that_someone_else_changed_meanwhile_stay(line: Line, clinic: Clinic, clock: FrozenClock) -> None:
    change_schedule(line, clinic.id, ScheduleChange(slot_minutes=45), clock(), "test", version=0)
    with pytest.raises(Refused, match="meanwhile"):
        change_schedule(line, clinic.id, ScheduleChange(slot_minutes=60), clock(), "test", version=0)
    with line.db.read() as session:
        assert visit_hours(session, clinic.id)[0].slot_minutes == 45


def test_values_that_give_no_schedule_change_nothing(line: Line, clinic: Clinic, clock: FrozenClock) -> None:
    with pytest.raises(Refused, match="after opening"):
        change_schedule(line, clinic.id, ScheduleChange(closes=time(7)), clock(), "test")
    with line.db.read() as session:
        assert visit_hours(session, clinic.id)[1] == 0


def test_a_full_day_asks_for_a_reason_and_keeps_it(
    line: Line, maria: Someone, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock, one_place: None
) -> None:
    books(line, maria, WEDNESDAY, clock)
    other = add_patient("Noel", "+16145550143")
    with pytest.raises(Refused, match="is full, with 1 of 1") as refusal:
        books(line, other, WEDNESDAY + timedelta(hours=1), clock)
    assert refusal.value.kind == "room"
    visit = books(line, other, WEDNESDAY + timedelta(hours=1), clock, "  his pump is  near empty ")
    assert desk.visit(visit).room_reason == "his pump is near empty"
    event = desk.rows(AuditEvent, AuditEvent.subject == f"appointment:{visit}", AuditEvent.verb == "booked")[0]
    assert event.detail == {"state": "booked", "room": "full"}, "a flag, never the words"


def test_a_day_with_room_keeps_no_reason(line: Line, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    visit = books(line, maria, WEDNESDAY, clock, "just in case")
    assert desk.visit(visit).room_reason is None


def test_weekends_and_closed_days_ask_too(line: Line, maria: Someone, clinic: Clinic, clock: FrozenClock) -> None:
    with pytest.raises(Refused, match="no visits are planned on Saturdays"):
        books(line, maria, WEDNESDAY + timedelta(days=3), clock)
    wanted = DaysToClose(date(2026, 12, 2), date(2026, 12, 2), "Inventory")
    close_days(line, clinic.id, (wanted,), TODAY, clock(), "test")
    with pytest.raises(Refused, match=r"closed on Wed 2-Dec-2026 \(Inventory\)"):
        books(line, maria, WEDNESDAY, clock)


def test_an_import_or_a_command_is_not_asked(line: Line, maria: Someone, clock: FrozenClock, one_place: None) -> None:
    saturday = WEDNESDAY + timedelta(days=3)
    assert book_appointment(line, maria.id, saturday, clock(), "command")


def test_a_visit_that_stays_on_its_full_day_is_not_asked_and_one_that_leaves_forgets_why(
    line: Line, maria: Someone, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock, one_place: None
) -> None:
    books(line, maria, WEDNESDAY, clock)
    visit = books(line, add_patient("Noel", "+16145550143"), WEDNESDAY + timedelta(hours=1), clock, "near empty")
    move_appointment(line, visit, WEDNESDAY + timedelta(hours=3), clock(), "test", room_reason="")
    assert desk.visit(visit).room_reason == "near empty"
    move_appointment(line, visit, WEDNESDAY + timedelta(days=1), clock(), "test", room_reason="")
    assert desk.visit(visit).room_reason is None


def test_closures_are_added_all_or_none_and_taken_away(line: Line, clinic: Clinic, clock: FrozenClock) -> None:
    good = DaysToClose(date(2026, 12, 24), date(2026, 12, 25), "Christmas")
    for bad, named in (
        (DaysToClose(date(2026, 12, 25), date(2026, 12, 24), "x"), "before the first"),
        (DaysToClose(date(2026, 11, 1), date(2026, 11, 2), "x"), "have passed"),
        (DaysToClose(date(2026, 12, 25), date(2026, 12, 25), " "), "say why"),
        (DaysToClose(date(2126, 12, 25), date(2126, 12, 25), "x"), "three years"),
        (DaysToClose(date(2026, 12, 25), date(2028, 12, 25), "x"), "at most a year"),
    ):
        with pytest.raises(Refused, match=named):
            close_days(line, clinic.id, (good, bad), TODAY, clock(), "test")
    with line.db.read() as session:
        assert closures(session, clinic.id, TODAY) == ()
    [made] = close_days(line, clinic.id, (good,), TODAY, clock(), "test")
    reopen_days(line, made, clock(), "test", version=1)
    with pytest.raises(Refused, match="meanwhile"):
        reopen_days(line, made, clock(), "test", version=1)


def on_closed(line: Line, clinic: Clinic, clock: FrozenClock) -> tuple[list[int], int]:
    with line.db.read() as session:
        closed = closures(session, clinic.id, TODAY)
        visits, total = on_closed_days(session, clinic.id, ZoneInfo("America/New_York"), closed, clock())
    return [visit.id for visit in visits], total


def test_visits_on_days_that_close_are_found_until_they_move(
    line: Line, maria: Someone, clinic: Clinic, desk: Desk, clock: FrozenClock
) -> None:
    late_evening = datetime(2026, 12, 3, 4, 30, tzinfo=UTC)  # still Wednesday in New York
    visit, other = desk.books(maria, late_evening), desk.books(maria, WEDNESDAY + timedelta(days=1))
    day = date(2026, 12, 2)
    close_days(line, clinic.id, (DaysToClose(day, day, "Inventory"),), TODAY, clock(), "test")
    assert on_closed(line, clinic, clock) == ([visit], 1)
    desk.moves(visit, WEDNESDAY + timedelta(days=5))
    assert on_closed(line, clinic, clock) == ([], 0)
    assert other


# ── what a preview says is what then happens ─────────────────────────────────────────────────────────


def planned(desk: Desk) -> set[tuple[str, datetime]]:
    """Return every text and nurse's call that is planned, but for looking whether somebody came."""
    reminders = desk.rows(Reminder, Reminder.state == ReminderState.PLANNED)
    steps = desk.rows(CareStep, CareStep.state == StepState.PLANNED, CareStep.ladder.like("visit:%"))
    found = [(row.step, row.due_at) for row in reminders] + [(row.step, row.due_at) for row in steps]
    return {(step, at) for step, at in found if not step.startswith("arrive")}


def said(preview: Preview, *, planned: bool) -> set[tuple[str, datetime]]:
    return {(one.step, one.at) for one in preview.changes if one.planned is planned and not one.waiting}


def test_a_booking_plans_what_its_preview_says(line: Line, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    preview = preview_booking(line, maria.id, WEDNESDAY, clock())
    assert [one.step for one in preview.texts] == ["ladder:7", "ladder:2", "ladder:1"]
    assert [one.step for one in preview.for_staff] == ["call:1"]
    desk.books(maria, WEDNESDAY)
    assert planned(desk) == said(preview, planned=True)


@pytest.mark.parametrize("days", [-5, -1, 1, 7, 60])
def test_a_move_changes_what_its_preview_says(
    line: Line, maria: Someone, desk: Desk, clock: FrozenClock, days: int
) -> None:
    visit = desk.books(maria, WEDNESDAY)
    before = planned(desk)
    preview = preview_move(line, visit, WEDNESDAY + timedelta(days=days), clock())
    assert planned(desk) == before, "a preview writes nothing"
    desk.moves(visit, WEDNESDAY + timedelta(days=days))
    assert before - planned(desk) == said(preview, planned=False)
    assert planned(desk) - before == said(preview, planned=True)


def test_there_and_back_again_brings_the_old_texts_back(
    line: Line, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, WEDNESDAY)
    before = planned(desk)
    desk.moves(visit, WEDNESDAY + timedelta(days=1))
    away = planned(desk)
    preview = preview_move(line, visit, WEDNESDAY, clock())
    desk.moves(visit, WEDNESDAY)
    assert planned(desk) == before == (away - said(preview, planned=False)) | said(preview, planned=True)


def test_moving_a_missed_visit_takes_back_what_follows_a_miss(
    line: Line, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, clock() + timedelta(minutes=30))
    clock.forward(minutes=40)
    desk.misses(visit)
    before = planned(desk)
    preview = preview_move(line, visit, WEDNESDAY, clock())
    assert {"missed:1", "missed:2", "why:1"} <= {step for step, _ in said(preview, planned=False)}
    desk.moves(visit, WEDNESDAY)
    assert before - planned(desk) == said(preview, planned=False)
    assert planned(desk) - before == said(preview, planned=True)


def test_booking_again_after_a_miss_takes_back_what_follows_it(
    line: Line, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, clock() + timedelta(minutes=30))
    clock.forward(minutes=40)
    desk.misses(visit)
    before = planned(desk)
    preview = preview_booking(line, maria.id, WEDNESDAY, clock())
    desk.books(maria, WEDNESDAY)
    assert before - planned(desk) == said(preview, planned=False)
    assert planned(desk) - before == said(preview, planned=True)


def test_a_preview_says_what_needs_a_reason(line: Line, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    desk.fills(maria, days_ago=75)  # the low reservoir alarm may sound in three days
    late = preview_booking(line, maria.id, WEDNESDAY + timedelta(days=3), clock())
    assert late.days_late > 0
    assert "after the plan-by date" in late.late_asks
    assert (late.room, late.room_asks) == ("no places", "no visits are planned on Saturdays")
    in_time = preview_booking(line, maria.id, clock() + timedelta(days=1), clock())
    assert (in_time.days_late, in_time.late_asks, in_time.room_asks) == (0, "", "")


def test_a_preview_says_who_is_not_reached_and_what_cannot_be(
    line: Line,
    maria: Someone,
    add_patient: Callable[..., Someone],
    desk: Desk,
    clock: FrozenClock,
    texts: Callable[..., Any],
) -> None:
    desk.books(maria, WEDNESDAY)
    noel = add_patient("Noel", "+16145550143")
    assert preview_booking(line, noel.id, WEDNESDAY, clock()).at_once == 1
    texts(noel.phone, "STOP")
    assert preview_booking(line, noel.id, WEDNESDAY, clock()).reached == 0
    assert "another visit at that time" in preview_booking(line, maria.id, WEDNESDAY, clock()).problem
    assert "in the future" in preview_booking(line, maria.id, clock() - timedelta(days=1), clock()).problem
