"""The console by keyboard alone, without a script, on a phone, and with two nurses at the same row."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from app.actions.line import Line
from app.db.messages import OutboundMessage
from app.db.threads import PhoneThread, ThreadState
from app.db.work import Task, TaskKind, TaskState
from app.domain.permissions import Role
from tests.browser.conftest import RUTH, Desk
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD

FINGER = 44  # px, on touch


def tab_to(page: Page, wanted: Locator, most: int = 120) -> None:
    """Press Tab until something has the focus, as somebody without a mouse does; it must then be seen to have it."""
    for _ in range(most):
        if wanted.evaluate("one => one === document.activeElement"):
            ring = wanted.evaluate("one => getComputedStyle(one).outlineStyle + getComputedStyle(one).boxShadow")
            assert ring != "nonenone", "nobody sees where the focus is"
            covered = wanted.evaluate(
                """one => { const box = one.getBoundingClientRect();
                const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return !(top && (one.contains(top) || top.contains(one))); }"""
            )
            assert not covered, "the focus is behind something"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {wanted}")


def alerts(line: Line) -> list[TaskState]:
    with line.db.read() as session:
        return list(session.scalars(select(Task.state).where(Task.kind == TaskKind.ALERT).order_by(Task.id)))


def by_hand(line: Line) -> list[str]:
    with line.db.read() as session:
        return [text.body for text in session.scalars(select(OutboundMessage)) if text.staff_id is not None]


def test_by_keyboard_alone(desk: Desk, simulated_line: Line, morning: dict[str, Any]) -> None:
    """Sign in, skip to the work, acknowledge, resolve, open a conversation and answer it: no mouse anywhere."""
    with desk.opens() as page:
        page.goto("/staff/")
        page.keyboard.type("nurse@northgate.example")  # the field has the focus
        page.keyboard.press("Tab")
        page.keyboard.type("northgate demo nurse")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Today")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#main$"))
        tab_to(page, page.locator("#urgent").get_by_role("button", name="Acknowledge").first)
        page.keyboard.press("Enter")
        expect(page.locator(".said")).to_contain_text("Acknowledged")
        assert alerts(simulated_line).count(TaskState.ACKNOWLEDGED) == 1
        tab_to(page, page.locator("#urgent select").first)
        page.keyboard.type("Advised")
        tab_to(page, page.locator("#urgent").get_by_role("button", name="Resolve").first)
        page.keyboard.press("Enter")
        expect(page.locator(".said")).to_contain_text("Resolved")
        assert alerts(simulated_line).count(TaskState.RESOLVED) == 1
        page.goto("/staff/inbox")
        expect(page.locator(".thread-row").first).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#reply")).to_be_visible()
        page.keyboard.press("Alt+l")
        expect(page.locator("#reply")).to_be_focused()
        page.keyboard.type("We are looking into it. Ana")
        page.keyboard.press("ControlOrMeta+Enter")
        expect(page.locator("#thread .bubble", has_text="looking into it")).to_be_visible()
    assert by_hand(simulated_line) == ["We are looking into it. Ana"]


def test_without_a_script_one_reads_replies_and_acknowledges(
    desk: Desk, simulated_line: Line, morning: dict[str, Any], beats: Callable[[], None], clock: FrozenClock
) -> None:
    with desk.opens(java_script_enabled=False) as page:
        desk.signs_in(page)
        expect(page.locator(".alarm-words").first).to_be_visible()
        page.locator("#urgent").get_by_role("button", name="Acknowledge").first.click()
        expect(page.locator(".said")).to_contain_text("Acknowledged")
        assert TaskState.ACKNOWLEDGED in alerts(simulated_line)
        page.goto("/staff/inbox")
        page.locator(".thread-row", has_text="HARGREAVE").click()
        expect(page.locator("#thread .bubble", has_text="hot tub").first).to_be_visible()
        page.fill("#reply", "Yes, up to 39 C is on your card. Ana")
        page.get_by_role("button", name="Send", exact=False).last.click()
        expect(page.locator("#thread .bubble", has_text="on your card")).to_be_visible()
        page.get_by_role("button", name="Undo").first.click()
        expect(page.locator("#reply")).to_have_value("Yes, up to 39 C is on your card. Ana")
        page.fill("#reply", "Please call the desk. Ana")
        page.get_by_role("button", name="Send", exact=False).last.click()
        clock.forward(seconds=11)
        beats()
        page.goto("/staff/patients")
        page.locator(".search [name=query]").fill("harg")
        page.locator(".search [name=query]").press("Enter")
        expect(page.locator("main")).to_contain_text("Maeve")
        assert "harg" not in page.url
    assert by_hand(simulated_line)[-1] == "Please call the desk. Ana"


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone(desk: Desk, simulated_line: Line, morning: dict[str, Any], width: int) -> None:
    """One region at a time with a way back, nothing sideways, and what is touched is as large as a finger."""
    phone: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "has_touch": True, "is_mobile": True}
    with desk.opens(**phone) as page:
        desk.signs_in(page)
        ack = page.locator("#urgent").get_by_role("button", name="Acknowledge").first
        expect(ack).to_be_visible()
        small = page.evaluate(
            """least => [...document.querySelectorAll("main button, nav a, main a.btn")]
            .filter(one => one.checkVisibility()).map(one => [one.innerText, one.getBoundingClientRect().height])
            .filter(([, height]) => height < least - 0.5)""",
            FINGER,
        )
        assert small == []
        ack.tap()
        expect(page.locator(".said")).to_contain_text("Acknowledged")
        page.get_by_role("link", name="Inbox").first.tap()
        expect(page.locator(".threads")).to_be_visible()
        expect(page.locator(".thread")).to_be_hidden()
        page.locator(".thread-row", has_text="HARGREAVE").tap()
        expect(page.locator("#reply")).to_be_visible()
        expect(page.locator(".threads")).to_be_hidden()
        assert page.locator("#reply").evaluate("field => parseFloat(getComputedStyle(field).fontSize)") >= 16
        page.locator(".thread .back, .thread a[aria-label*=Back], .thread-back").first.tap()
        expect(page.locator(".threads")).to_be_visible()


def stale(route: Route) -> None:
    """A page that does not hear of what others do: its refreshes get no answer."""
    if "hx-request" in route.request.headers or route.request.url.endswith("/live"):
        route.abort()
    else:
        route.continue_()


def test_two_nurses_at_once_the_second_is_told_and_nothing_is_lost(
    desk: Desk,
    simulated_line: Line,
    morning: dict[str, Any],
    colleague: Callable[[Role, str], str],
    clock: FrozenClock,
) -> None:
    marcus = colleague(Role.NURSE, "Marcus Webb")
    with simulated_line.db.read() as session:
        thread = session.scalars(
            select(PhoneThread.phone_id).where(
                PhoneThread.state == ThreadState.OPEN, PhoneThread.urgent_since.is_(None)
            )
        ).first()
    with desk.opens() as first, desk.opens() as other:
        desk.signs_in(first)
        desk.signs_in(other, marcus, PASSWORD)
        for page in (first, other):
            page.goto(f"/staff/inbox/{thread}")
        other.route("**/staff/**", stale)
        first.get_by_role("button", name="Assign to me").first.click()
        expect(first.locator(".thread-head")).to_contain_text("Yours")
        clock.forward(seconds=3)
        other.get_by_role("button", name="Assign to me").first.click()
        expect(other.locator("[role=alert]").first).to_contain_text("claimed this 3 s ago")
        # an alert that both see waiting: the second press changes nothing and says who has it
        for page in (first, other):
            page.goto("/staff/urgent")
        first.locator(".alarm").get_by_role("button", name="Acknowledge").first.click()
        expect(first.locator(".said")).to_contain_text("Acknowledged")
        clock.forward(seconds=2)
        other.locator(".alarm").get_by_role("button", name="Acknowledge").first.click()
        expect(other.locator(".said")).to_contain_text("Ana Lindqvist, RN acknowledged this 2 s ago")
        assert alerts(simulated_line).count(TaskState.ACKNOWLEDGED) == 1
    quiet = ("Failed to load", "ERR_FAILED", "fetch")  # what the second browser was kept from
    desk.complaints[:] = [said for said in desk.complaints if not any(words in said for words in quiet)]
    with simulated_line.db.read() as session:
        assert session.get_one(PhoneThread, thread).assignee_id is not None


def test_what_came_between_a_page_and_its_stream_is_shown_all_the_same(desk: Desk, says: Callable[..., None]) -> None:
    """The page that a browser got is fetched again only where something changed since; here something did."""
    with desk.opens() as page:
        desk.signs_in(page)
        page.goto("/staff/")  # somebody has looked by now: nothing but the text makes the difference

        def late(route: Route) -> None:
            says(RUTH, "its doing the 2 beeps over and over")
            route.continue_()

        page.route("**/staff/live", late, times=1)
        page.goto("/staff/")
        expect(page.locator("#urgent")).to_contain_text("2 beeps")
