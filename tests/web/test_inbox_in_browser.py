"""The inbox in Debian's Chromium: its keys, its composer, what refreshes itself, and without a script."""

import random
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD
from app.web.composer import PLAIN, cost_of, written_plainly
from faq.segments import GSM7_BASIC, GSM7_EXTENSION, measure, not_gsm7
from tests.conftest import FrozenClock

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: apt-get install chromium"),
]
MAEVE = "+16145550142"
NONSENSE = "purple monkey dishwasher"


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
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose console must stay silent: a breach of the CSP is an error there."""
    complaints: list[str] = []
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


def open_thread(page: Page, address: str) -> None:
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    page.locator(".thread-row").first.click()
    expect(page.locator("#reply")).to_be_visible()


def strings() -> list[str]:
    """Texts of every kind that segments are counted of, the same at each run."""
    chance = random.Random(7)
    pools = (
        sorted(GSM7_BASIC),
        sorted(GSM7_EXTENSION),
        sorted(GSM7_BASIC)[:40] + sorted(GSM7_EXTENSION),
        [*"abc ", "á", "í", "’"],
        [*"abc ", "😀", "👩", "\u200d", "漢"],
    )
    found = [
        "",
        "\n",
        "\r\n",
        "é" * 160,
        "á",
        "{" * 80,
        "{" * 81,
        "a" * 152 + "{" + "b" * 7,
        "😀" * 35,
        "a" + "😀" * 35,
    ]
    lengths = (1, 66, 67, 68, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 305, 306, 307, 459, 460, 612)
    for length in lengths:
        found += ["".join(chance.choice(pool) for _ in range(length)) for pool in pools]
        found += [chance.choice(pools[1]) + "".join(chance.choice(pools[0]) for _ in range(length - 1))]
    return found


def test_the_script_counts_as_the_server_does(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    texts = strings()
    assert len(texts) > 140
    counted = page.evaluate(
        "texts => texts.map(t => { const c = window.pumplineComposer; const m = c.measure(t);"
        " return [m.encoding, m.units, m.count, c.notGsm7(t), c.plainly(t)] })",
        texts,
    )
    for text, said in zip(texts, counted, strict=True):
        found = measure(text)
        assert said == [found.encoding, found.units, found.count, list(not_gsm7(text)), written_plainly(text)], text
    every = "".join(PLAIN)
    assert page.evaluate("t => window.pumplineComposer.plainly(t)", every) == written_plainly(every)
    prices = page.evaluate("[1,2,3,7].map(n => window.pumplineComposer.cost(n, 0.0083))")
    assert prices == ["$0.01", "$0.02", "$0.02", "$0.06"]
    assert prices == [cost_of(n, Decimal("0.0083")) for n in (1, 2, 3, 7)]


def test_the_composer_tells_length_cost_and_which_character_makes_it_long(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    page.fill("#reply", "a" * 161)
    expect(page.locator("[data-meter-said]")).to_have_text("161 characters, GSM-7, about 2 segments, $0.02")
    page.fill("#reply", "Le esperamos aquí")
    expect(page.locator("[data-strange-said]")).to_have_text("í makes this 1 segment of 70 characters. Without it: 1.")
    page.get_by_role("button", name="Write it plainly").click()
    assert page.input_value("#reply") == "Le esperamos aqui"
    expect(page.locator("[data-strange]")).to_be_hidden()


def test_a_slash_opens_saved_replies_and_the_first_open_place_is_selected(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says("+16145550177", NONSENSE)  # a number nobody knows: nothing is known of a name
    open_thread(page, address)
    page.focus("#reply")
    page.keyboard.press("/")
    expect(page.locator(".saved-panel")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.input_value("#reply").startswith("Hello {given_name}, this is ")
    chosen = page.evaluate(
        "(() => { const field = document.getElementById('reply');"
        " return field.value.slice(field.selectionStart, field.selectionEnd) })()"
    )
    assert chosen == "{given_name}"
    expect(page.locator("[data-places]")).to_contain_text("please check")
    page.fill("#reply", "and/or")
    assert page.locator(".saved-panel").is_hidden()


def test_ctrl_enter_sends_and_undo_brings_the_words_back(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    page.fill("#reply", "Plese call us")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-pending")).to_contain_text("Sending in 10 s")
    page.get_by_role("button", name="Undo: do not send this text").click()
    expect(page.locator(".said")).to_contain_text("Taken back")
    assert page.input_value("#reply") == "Plese call us"


def test_enter_sends_only_where_one_chose_so(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    page.fill("#reply", "One")
    page.keyboard.press("Enter")
    assert page.input_value("#reply") == "One\n"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_label("Enter sends").check()
    page.get_by_role("button", name="Close this list").click()
    expect(page.locator("[data-send-key]")).to_have_text("Enter")
    page.fill("#reply", "Two")
    page.keyboard.press("Enter")
    expect(page.locator(".msg-pending")).to_contain_text("Two")


def test_reading_for_two_seconds_marks_read(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    says(MAEVE, NONSENSE)
    page.clock.install()
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    expect(page.locator(".thread-row")).to_contain_text("1 unread")
    page.locator(".thread-row").click()
    page.clock.run_for(1500)
    expect(page.locator(".thread-row")).to_contain_text("1 unread")
    page.clock.run_for(1500)
    expect(page.locator(".thread-row")).not_to_contain_text("unread")


def test_keys_move_open_go_back_and_never_act_where_one_types(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    says("+16145550145", NONSENSE)
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    assert first != second
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(first) + "$"))
    page.wait_for_load_state()  # its keys are there
    page.keyboard.press("Alt+l")
    page.keyboard.type("jak/?")
    assert page.input_value("#reply") == "jak/?"
    page.keyboard.press("Alt+p")
    assert page.evaluate("document.activeElement.id") == "note"
    page.keyboard.press("Alt+l")
    assert page.input_value("#reply") == "jak/?"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/staff/inbox$"))


def test_a_assigns_alt_e_closes_and_the_next_one_opens(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    says("+16145550145", NONSENSE)
    open_thread(page, address)
    page.keyboard.press("a")
    expect(page.locator("#thread-head")).to_contain_text("Yours")
    expect(page.locator(".undo")).to_contain_text("You claimed this")
    before = page.url.split("?")[0]
    page.keyboard.press("Control+Alt+e")
    expect(page.locator(".undo")).to_contain_text("You closed this")
    assert page.url.split("?")[0] != before
    page.keyboard.press("Alt+e")
    expect(page.locator(".thread-none")).to_be_visible()
    expect(page.locator(".threads-list")).to_contain_text("No open conversation")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said")).to_contain_text("Undone")


def test_keys_of_one_letter_can_be_switched_off(page: Page, address: str, says: Callable[[str, str], None]) -> None:
    says(MAEVE, NONSENSE)
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("[data-single-keys]").uncheck()
    page.get_by_role("button", name="Close this list").click()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.className") != "thread-row"
    page.keyboard.press("Alt+j")
    assert "thread-row" in page.evaluate("document.activeElement.className")


def test_a_text_that_comes_appears_in_list_and_thread_and_a_draft_stays(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    page.fill("#reply", "Dear Maeve, ple")
    page.focus("#reply")
    says(MAEVE, "one more thing")
    expect(page.locator("#thread")).to_contain_text("one more thing", timeout=15_000)
    expect(page.locator("#threads-list")).to_contain_text("one more thing")
    assert page.input_value("#reply") == "Dear Maeve, ple"
    assert page.evaluate("document.activeElement.id") == "reply"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-pending")).to_contain_text("Dear Maeve, ple")


def test_closing_after_a_refresh_counts_with_what_is_seen_now(
    page: Page, address: str, says: Callable[[str, str], None]
) -> None:
    says(MAEVE, NONSENSE)
    open_thread(page, address)
    says(MAEVE, "one more thing")
    expect(page.locator("#thread")).to_contain_text("one more thing", timeout=15_000)
    page.keyboard.press("Alt+m")
    page.get_by_role("button", name="Tomorrow 08:00").click()
    expect(page.locator(".undo")).to_contain_text("You snoozed this until")


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_nothing_scrolls_sideways_and_one_region_shows_on_a_phone(
    page: Page, address: str, says: Callable[[str, str], None], width: int
) -> None:
    says(MAEVE, "w" * 300)
    says("+16145550145", "ALARM " + "w" * 150)
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    record = page.locator(".thread-row").last.get_attribute("href")
    for path in ("/staff/inbox", f"{record}", f"{record}?compose=note", "/staff/urgent", "/staff/inbox?status=closed"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    if width == 390:
        page.goto(f"{address}{record}")
        expect(page.locator(".threads")).to_be_hidden()
        page.get_by_role("link", name="Inbox", exact=True).click()
        expect(page.locator(".threads")).to_be_visible()
        expect(page.locator(".thread")).to_be_hidden()


def test_everything_works_without_scripts(browser: Browser, address: str, says: Callable[[str, str], None]) -> None:
    says(MAEVE, NONSENSE)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.goto(f"{address}/staff/inbox")
    page.locator(".thread-row").click()
    page.get_by_role("button", name="Mark read").click()
    page.locator("#saved > summary").click()
    page.locator(".saved-reply").first.click()
    assert page.input_value("#reply").startswith("Hello Maeve")
    page.get_by_role("button", name="Count").click()
    expect(page.locator(".meter")).to_contain_text("about 1 segment")
    page.locator("[data-send]").click()
    expect(page.locator(".msg-pending")).to_contain_text("Sending in 10 s")
    page.get_by_role("button", name="Undo: do not send this text").click()
    assert page.input_value("#reply").startswith("Hello Maeve")
    page.get_by_role("link", name="Private note").first.click()
    page.fill("#note", "Her son drives.")
    page.get_by_role("button", name="Keep note").click()
    expect(page.locator(".msg-note")).to_contain_text("Her son drives.")
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said")).to_contain_text("Undone")
    context.close()
