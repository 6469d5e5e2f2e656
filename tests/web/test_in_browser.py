"""The pages in Debian's Chromium: they refresh themselves without losing a draft, and break no rule of the CSP."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD
from app.web.live import Live
from tests.conftest import FrozenClock

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


@pytest.fixture
def address(simulator: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, simulator, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    simulator.extensions["live"].stop()
    server.shutdown()
    thread.join()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    """A page whose console must stay silent: a breach of the CSP is an error there. It closes before its server."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def says(simulator: Flask, clock: FrozenClock) -> Callable[[str, str], None]:
    """Somebody texts, away from this browser."""
    line: Line = simulator.extensions["line"]
    count = 0

    def say(sender: str, body: str) -> None:
        nonlocal count
        count += 1
        receive_text(line, InboundText(f"SM{count:032d}", sender, "", body, channel="simulator"), clock())

    return say


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/staff/")
    page.fill("#email", DEMO_EMAIL)
    page.fill("#password", DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("h1")).to_have_text("Today")


def test_a_text_arrives_on_the_phone_while_one_is_typing(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    page.goto(f"{address}/simulator")
    page.fill("#t", "half a tho")
    page.focus("#t")
    says("+16145550142", "TRAVEL")
    expect(page.locator("#said .bubble", has_text="TRAVEL")).to_be_visible(timeout=10_000)
    expect(page.locator("#did")).to_contain_text("TRAVEL")
    assert page.input_value("#t") == "half a tho"
    assert page.evaluate("document.activeElement.id") == "t"


def test_the_newest_text_is_in_view(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    for n in range(20):
        says("+16145550142", f"purple monkey dishwasher {n}")
    page.goto(f"{address}/simulator")
    expect(page.locator("#said .bubble").last).to_be_in_viewport()


def test_an_alert_appears_on_today_and_its_clock_counts_up(
    page: Page, address: str, says: Callable[[str, str], None], clock: FrozenClock
) -> None:
    sign_in(page, address)
    assert page.title() == "Today"
    says("+16145550142", "ALARM its beeping")
    expect(page.locator(".alarm-words")).to_contain_text("ALARM its beeping", timeout=15_000)
    expect(page).to_have_title("(1 urgent) Today")
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile("favicon-urgent"))
    expect(page.locator("#rail .n-urgent")).to_contain_text("1")
    expect(page.locator(".alarm .wait")).to_have_text("0:02", timeout=10_000)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".said")).to_contain_text("Acknowledged")


def test_an_open_form_on_today_survives_a_refresh(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    says("+16145550142", "purple monkey dishwasher")
    sign_in(page, address)
    page.locator("summary[title=Settle]").click()
    page.get_by_label("What came of it").select_option("Called, settled")
    page.get_by_label("Note, if any").fill("spoke to her sis")
    says("+16145550145", "a second purple monkey")
    waiting = page.get_by_role("button", name="1 new, show")  # no row jumps in under the hand
    expect(waiting).to_be_visible(timeout=15_000)
    expect(page.locator("#say")).to_have_text("1 new, show")
    waiting.click()
    expect(page.locator("#work")).to_contain_text("a second purple monkey")
    expect(waiting).to_have_count(0)
    assert page.get_by_label("Note, if any").first.input_value() == "spoke to her sis"
    assert page.get_by_label("What came of it").first.input_value() == "Called, settled"
    page.get_by_role("button", name="Resolve").first.click()
    expect(page.locator(".said")).to_contain_text("Resolved")


def test_a_reply_being_written_survives_a_text_that_comes_in(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    sign_in(page, address)
    page.goto(f"{address}/staff/patients")
    page.get_by_role("link", name="Hargreave").click()
    page.fill("#reply", "Dear Maeve, ple")
    page.focus("#reply")
    says("+16145550142", "one more thing")
    expect(page.locator("#thread")).to_contain_text("one more thing", timeout=15_000)
    assert page.input_value("#reply") == "Dear Maeve, ple"
    assert page.evaluate("document.activeElement.id") == "reply"


def test_a_session_that_ended_leads_to_the_door_by_itself(
    page: Page, address: str, clock: FrozenClock, complaints: list[str]
) -> None:
    sign_in(page, address)
    clock.forward(minutes=31)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=15_000)
    assert all("401" in said for said in complaints)  # none where the stream said so first
    complaints.clear()


def test_a_page_says_when_it_can_no_longer_refresh(
    page: Page, address: str, simulator: Flask, complaints: list[str]
) -> None:
    sign_in(page, address)
    expect(page.locator("[data-live]")).to_have_text("Live")
    live: Live = simulator.extensions["live"]
    page.context.set_offline(True)
    live.stop()  # a browser that is offline keeps the stream it has
    expect(page.locator("[data-live]")).to_have_text("Reconnecting", timeout=15_000)
    simulator.extensions["live"] = Live(simulator.extensions["line"].db)
    page.context.set_offline(False)
    expect(page.locator("[data-live]")).to_have_text("Live", timeout=15_000)
    complaints.clear()  # a browser that is offline complains of it


def test_an_alert_sounds_once_armed_and_again_until_somebody_acknowledges(
    page: Page, address: str, says: Callable[[str, str], None], complaints: list[str]
) -> None:
    sounded = "Number(document.documentElement.dataset.sounded ?? 0)"
    page.clock.install()
    sign_in(page, address)
    says("+16145550142", "ALARM its beeping")
    expect(page.locator(".alarm-words")).to_contain_text("ALARM its beeping", timeout=15_000)
    expect(page.locator("#say-urgent")).to_have_text("1 urgent alert waits for somebody")
    assert page.evaluate(sounded) == 0
    page.locator("[data-sound] > summary").click()
    page.get_by_role("button", name="Test sound and switch on").click()
    expect(page.locator("[data-sound-said]")).to_have_text("Urgent sound is on")
    once = page.evaluate(sounded)
    assert once >= 1
    page.clock.run_for(31_000)
    page.wait_for_function(f"{sounded} > {once}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".said")).to_contain_text("Acknowledged")
    before = page.evaluate(sounded)
    page.clock.run_for(65_000)
    assert page.evaluate(sounded) == before
    complaints.clear()  # a clock that jumps half a minute also jumps over answers that were on their way


def test_a_text_appears_within_two_seconds_also_in_a_tab_that_nobody_looks_at(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    sign_in(page, address)
    expect(page.locator("[data-live]")).to_have_text("Live")
    front = page.context.new_page()
    front.goto(address)
    front.bring_to_front()
    says("+16145550142", "my pump is alarming")
    expect(page).to_have_title("(1 urgent) Today", timeout=4_000)
    front.close()


def test_the_theme_is_kept(page: Page, address: str) -> None:
    page.goto(address)
    button = page.locator("[data-theme-button]")
    button.click()  # from "as the computer" to light
    button.click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_no_page_scrolls_sideways(page: Page, address: str, says: Callable[[str, str], None], width: int) -> None:
    says("+16145550142", "w" * 300)
    says("+16145550145", "ALARM " + "w" * 150)
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, address)
    record = page.locator(".alarm .name").get_attribute("href") or ""
    staff = ("/staff/", "/staff/refills", "/staff/patients", record, f"{record}/pump", "/staff/content")
    for path in ("/", "/simulator", *staff, "/staff/sign-in"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_everything_works_without_scripts(browser: Browser, address: str, says: Callable[[str, str], None]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/simulator")
    page.get_by_role("button", name="ALARM").click()
    expect(page.locator("#said .bubble").first).to_have_text("ALARM")
    sign_in(page, address)
    page.get_by_role("button", name="Acknowledge").click()
    page.locator(".alarm select").select_option("Advised by phone")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("body")).to_contain_text("No urgent alerts")
    context.close()
