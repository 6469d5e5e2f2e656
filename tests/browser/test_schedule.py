"""The schedule in Debian's Chromium: a click on a free slot, a visit dragged, the same by keyboard, and no script."""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, Page, expect
from sqlalchemy import select, update

from app.actions.book_appointment import book_appointment
from app.actions.change_preferences import change_preferences
from app.actions.line import Line
from app.actions.move_appointment import move_appointment
from app.actions.sign_in import DEMO_EMAIL
from app.db.care import Appointment
from app.db.people import Patient, Staff
from app.db.supply import Supply
from app.web.console import schedule
from tests.browser.conftest import Desk
from tests.conftest import FrozenClock


def starts(line: Line, visit_id: int) -> str:
    with line.db.read() as session:
        at = session.get_one(Appointment, visit_id).starts_at
    return f"{at:%Y-%m-%dT%H:%M}"


def how_many(line: Line) -> int:
    with line.db.read() as session:
        return len(session.scalars(select(Appointment.id)).all())


def box_of(block: Locator) -> dict[str, float]:
    """Return where a block is; a calendar that draws itself anew has none for a moment."""
    for _ in range(50):
        with suppress(Error):  # it was drawn anew meanwhile
            block.scroll_into_view_if_needed()
            if box := block.bounding_box():
                return dict(box)
        block.page.wait_for_timeout(100)
    raise AssertionError(f"{block} is not drawn")


def drag(page: Page, block: Locator, to: Locator) -> None:
    """As a hand does it: press, move in steps, let go."""
    place, box = box_of(to), box_of(block)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 12, box["y"] + 20, steps=4)
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 8, steps=12)
    page.mouse.up()


def open_week(desk: Desk, page: Page) -> None:
    desk.signs_in(page)
    page.goto("/staff/schedule")
    expect(page.locator("#calendar .visit").first).to_be_visible()


def test_a_click_on_a_free_slot_books_it(desk: Desk, simulated_line: Line, clock: FrozenClock) -> None:
    before = how_many(simulated_line)
    with desk.opens() as page:
        open_week(desk, page)
        page.locator("#calendar a.visit-free").last.click()
        expect(page.locator("#panel-title")).to_have_text("Book a visit")
        page.fill("#who", "odu")
        page.get_by_role("button", name="Find", exact=True).click()
        assert "odu" not in page.url.lower().split("schedule")[-1], "a name stands in no address"
        page.locator("#panel .finds a").click()
        expect(page.locator("#texts-that-change li").first).to_be_visible()
        page.locator("#panel").get_by_role("button", name=re.compile("^Book")).click()
        expect(page.locator(".said")).to_contain_text("Booked for")
        expect(page.locator("#calendar .visit", has_text="Oduya")).to_be_visible()
    assert how_many(simulated_line) == before + 1


def test_a_visit_is_dragged_its_texts_are_shown_and_only_saving_moves_it(
    desk: Desk, simulated_line: Line, clock: FrozenClock
) -> None:
    with simulated_line.db.read() as session:
        visit = session.scalars(
            select(Appointment).where(Appointment.starts_at > clock()).order_by(Appointment.starts_at)
        ).first()
        assert visit
        visit_id = visit.id
    was = starts(simulated_line, visit_id)
    with desk.opens(viewport={"width": 1440, "height": 1300}) as page:
        open_week(desk, page)
        block = page.locator(f'#calendar a.visit[href*="/visits/{visit_id}"]')
        to = page.locator("#calendar a.visit-free").last
        drag(page, block, to)
        expect(page.locator("#panel-title")).to_have_text("Move visit")
        expect(page.locator("#calendar .visit-target")).to_be_visible()
        expect(page.locator("#calendar .visit-ghost")).to_be_visible()
        expect(page.locator("#texts-that-change li").first).to_be_visible()
        assert starts(simulated_line, visit_id) == was
        page.locator("#panel").get_by_role("button", name=re.compile("^Save move")).click()
        expect(page.locator(".said")).to_contain_text("Moved to")
    assert starts(simulated_line, visit_id) != was


def test_a_crowded_hour_shows_whose_visit_is_late_and_counts_the_others(
    desk: Desk, simulated_line: Line, clock: FrozenClock
) -> None:
    at = clock() + timedelta(days=1, hours=2)
    with simulated_line.db.read() as session:
        patients = sorted(session.scalars(select(Patient)), key=lambda one: one.family_name, reverse=True)
        everybody = [patient.id for patient in patients]
    booked = [book_appointment(simulated_line, who, at, clock(), "command") for who in everybody[:5]]
    with simulated_line.db.begin() as session:  # who comes last by name is late
        session.execute(
            update(Supply).where(Supply.patient_id == everybody[0]).values(plan_by=clock().date() - timedelta(days=3))
        )
    with desk.opens(viewport={"width": 1440, "height": 1300}) as page:
        open_week(desk, page)
        expect(page.locator("#calendar .cal-more").first).to_have_text(re.compile(r"^\+[2-9]"))
        expect(page.locator(f'#calendar a.visit[href*="/visits/{booked[0]}"]')).to_be_visible()
        page.locator("#calendar .cal-more").first.click()
        page.wait_for_url("**view=list**")
        for visit_id in booked:
            expect(page.locator(f'#list a[href*="/visits/{visit_id}"]').first).to_be_visible()


def test_the_same_move_by_keyboard_alone(desk: Desk, simulated_line: Line, morning: dict[str, Any]) -> None:
    visit_id = morning["visit_id"]
    was = starts(simulated_line, visit_id)
    with desk.opens() as page:
        open_week(desk, page)
        link = page.locator(f'#list a[href*="/visits/{visit_id}?"]')
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#panel")).to_be_focused()
        day = page.locator("#on")
        while not day.evaluate("field => field === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("+3w")
        page.keyboard.press("Enter")
        expect(page.locator("#texts-that-change")).to_be_visible()
        save = page.locator("#panel").get_by_role("button", name=re.compile("^Save move"))
        for _ in range(30):
            if save.evaluate("button => button === document.activeElement"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".said")).to_contain_text("Moved to")
    assert starts(simulated_line, visit_id) != was


def test_a_move_without_a_script(desk: Desk, simulated_line: Line, morning: dict[str, Any]) -> None:
    visit_id = morning["visit_id"]
    was = starts(simulated_line, visit_id)
    with desk.opens(java_script_enabled=False) as page:
        desk.signs_in(page)
        page.goto("/staff/schedule?view=list")
        page.locator(f'#list a[href*="/visits/{visit_id}?"]').click()
        page.fill("#on", "+2w")
        page.fill("#at", "11:15")
        page.get_by_role("button", name="Show what changes").click()
        expect(page.locator("#texts-that-change")).to_be_visible()
        page.get_by_role("button", name=re.compile("^Save move")).click()
        expect(page.locator(".said")).to_contain_text("Moved to")
    assert starts(simulated_line, visit_id) != was


def test_who_is_second_is_told_and_keeps_what_they_typed(
    desk: Desk, simulated_line: Line, morning: dict[str, Any], clock: FrozenClock
) -> None:
    visit_id = morning["visit_id"]
    with desk.opens() as page:
        desk.signs_in(page)
        page.goto(f"/staff/schedule/visits/{visit_id}?on=%2B2w&at=11:15")
        elsewhere = clock() + timedelta(days=20)
        move_appointment(simulated_line, visit_id, elsewhere, clock(), "command")
        page.locator("#panel").get_by_role("button", name=re.compile("^Save move")).click()
        expect(page.locator("#panel [role=alert]")).to_contain_text("meanwhile, and nothing of yours was saved")
        expect(page.locator("#at")).to_have_value("11:15")
        expect(page.locator(".said")).to_have_count(0)
    desk.complaints[:] = [said for said in desk.complaints if "409" not in said]
    assert starts(simulated_line, visit_id) == f"{elsewhere:%Y-%m-%dT%H:%M}"


def test_a_month_that_does_not_fit_says_so_and_leads_to_the_week(
    desk: Desk, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FED", 2)
    with desk.opens() as page:
        desk.signs_in(page)
        page.goto("/staff/schedule?view=month")
        notice = page.locator("#calendar-left-out")
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("Not all visits of this month fit: some from ")
        monkeypatch.setattr(schedule, "FED", 2000)
        day = page.evaluate("new URL(document.querySelector('#calendar-left-out a').href).searchParams.get('day')")
        notice.get_by_role("link", name="Open the week").click()
        expect(page.locator("#calendar[data-view=week] .visit").first).to_be_visible()
        expect(page.locator("#calendar-left-out")).to_be_hidden()
        assert page.locator("#calendar").get_attribute("data-day") == day


def test_a_visit_booked_meanwhile_outside_hours_and_on_a_hidden_day_is_drawn(
    desk: Desk, simulated_line: Line, morning: dict[str, Any], clock: FrozenClock
) -> None:
    with desk.opens() as page:
        open_week(desk, page)
        sunday = clock().replace(hour=11, minute=0) + timedelta(days=6)  # six in the morning in New York
        visit = book_appointment(simulated_line, morning["patient_id"], sunday, clock(), "command")
        days = page.locator("#calendar .day-head").count()
        assert days < 7
        page.evaluate("document.dispatchEvent(new Event('htmx:after:swap'))")
        expect(page.locator(f'#calendar a.visit[href*="/visits/{visit}"]')).to_be_visible()
        expect(page.locator("#calendar .day-head")).to_have_count(days + 1)


def test_the_calendar_speaks_spanish_in_hours_of_twelve(desk: Desk, simulated_line: Line, clock: FrozenClock) -> None:
    with simulated_line.db.read() as session:
        staff_id = session.scalars(select(Staff.id).where(Staff.email == DEMO_EMAIL)).one()
        patient_id = session.scalars(select(Appointment.patient_id)).first()
    assert patient_id
    with desk.opens(viewport={"width": 1440, "height": 1300}) as page:
        desk.signs_in(page)
        change_preferences(simulated_line.db, staff_id, "es", twelve_hours=True)
        page.goto("/staff/schedule")
        expect(page.locator("#calendar .visit").first).to_be_visible()
        expect(page.locator("#calendar .day-head b").first).to_have_text("lun 23")
        expect(page.locator("#calendar .cal-hour").filter(has_text="8:00 AM")).to_be_visible()
        expect(page.locator("#calendar .cal-hour").filter(has_text="1:00 PM")).to_be_visible()
        page.locator("#calendar a.visit-free", has_text="1:30 PM libre").first.click()
        expect(page.locator("#panel-title")).to_have_text("Dar una cita")
        expect(page.locator("#panel")).to_contain_text("13:30")
        page.goto(f"/staff/schedule/book/{patient_id}")
        page.locator("#panel [data-today=on]").click()
        expect(page.locator("#on")).to_have_value("23-Nov-2026")
        page.goto("/staff/schedule?view=month")
        expect(page.locator("#calendar .visit").first).to_be_visible()
        assert page.locator("#calendar .cal-head").all_inner_texts() == [
            "lun",
            "mar",
            "mié",
            "jue",
            "vie",
            "sáb",
            "dom",
        ]
