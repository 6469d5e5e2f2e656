"""Markup in whatever a person outside can write: on every page it is read, in no browser is it run."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.actions.line import Line
from app.actions.save_view import save_view
from app.actions.write_note import write_note
from app.db.people import Contact, Patient, Staff
from app.domain.permissions import Role
from tests.browser.conftest import MAEVE, ROSA, Desk
from tests.browser.test_accessible import pages
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD
from tests.web.test_authorisation import path_of

# each mark would be an element, or an attribute of one: whether a script of it runs is the policy's matter
ATTACKS = (
    "<script data-pwned>window.pwned=1</script>",
    "\"' data-pwned=1 autofocus onfocus=window.pwned=1 x=\"'>",
    "<img data-pwned src=/nothing onerror=window.pwned=1>",
    "</textarea></title></option></style><svg data-pwned onload=window.pwned=1>",
    "--><a data-pwned href=javascript:window.pwned=1>x</a>",
    "</script><script data-pwned>window.pwned=1</script>",
    "{{7*7}}${7*7}\\u003cb data-pwned\\u003e&lt;b data-pwned&gt;",
)
ATTACK = "".join(ATTACKS)
FOUND = """() => [...document.querySelectorAll("*")].filter(one =>
  one.hasAttribute("data-pwned") || one.tagName.toLowerCase() == "svg" && one.onload ||
  [...one.attributes].some(a => a.name.startsWith("on") || /^\\s*javascript:/i.test(a.value) && a.name == "href")
).map(one => one.outerHTML.slice(0, 200))"""


@pytest.fixture
def attacked(
    morning: dict[str, Any], simulated_line: Line, says: Callable[..., None], clock: FrozenClock
) -> dict[str, Any]:
    """The morning, after somebody put markup wherever words go in."""
    line = simulated_line
    for attack in (*ATTACKS, ATTACK, f"ALARM {ATTACK}"):
        says(MAEVE, attack)
        says("+16145550178", attack)
    says(ROSA, f"STOP {ATTACK}")
    with line.db.begin() as session:
        maeve = session.get_one(Patient, morning["patient_id"])
        maeve.given_name, maeve.family_name, maeve.mrn = ATTACK, ATTACK, ATTACKS[1]
        contact = session.get_one(Contact, morning.get("contact_id") or 1)
        contact.name = contact.relation = ATTACK
        session.get_one(Staff, morning["staff_id"]).name = ATTACKS[1] + ATTACKS[2]
    write_note(line, morning["phone_id"], ATTACK, clock(), morning["staff_id"])
    save_view(line, maeve.clinic_id, morning["staff_id"], "<b data-pwned>" + ATTACKS[1][:20], "", clock(), shared=True)
    return morning


def hurt(page: Page) -> list[str]:
    expect(page.locator("#calendar [role=columnheader][aria-label]")).to_have_count(0, timeout=15_000)  # it is drawn
    found: list[str] = page.evaluate(FOUND)
    return [*found, *(["a script of it ran"] if page.evaluate("window.pwned") else [])]


def test_markup_in_names_texts_and_notes_is_an_element_on_no_page(
    desk: Desk, simulator: Flask, attacked: dict[str, Any], colleague: Callable[[Role, str], str]
) -> None:
    found: dict[str, list[str]] = {}
    shown = 0
    for role, routes in pages(simulator).items():
        with desk.opens() as page:
            page.on("dialog", lambda dialog: dialog.dismiss())
            desk.signs_in(page, colleague(role, f"{role.name.title()} Somebody"), PASSWORD)
            for route in routes:
                address = path_of(route, attacked)
                if page.request.get(address).headers["content-type"].startswith("text/html"):
                    page.goto(address)
                    found[address] = hurt(page)
                    shown += "window.pwned=1" in page.locator("body").inner_text()
    with desk.opens() as page:
        page.goto("/simulator")
        found["/simulator"] = hurt(page)
    assert {address: said for address, said in found.items() if said} == {}
    assert shown >= 5, "nothing of it was shown anywhere: this proved nothing"


def test_what_is_typed_is_not_given_back_as_markup(desk: Desk, attacked: dict[str, Any]) -> None:
    with desk.opens() as page:
        for path in ("/staff/sign-in?next=", "/staff/", "/no/such/page/"):
            page.goto(path + "%22%3E%3Cb%20data-pwned%3E")
            assert hurt(page) == [], path
        desk.complaints[:] = [said for said in desk.complaints if "404" not in said]
        desk.signs_in(page)
        page.locator("input[name=query]").first.fill(ATTACKS[1])
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        assert hurt(page) == []


def test_what_scripts_are_given_is_data_and_says_so(desk: Desk, attacked: dict[str, Any], clock: FrozenClock) -> None:
    with desk.opens() as page:
        desk.signs_in(page)
        days = f"start={clock().date()}&end={clock().date() + timedelta(days=28)}"
        feed = page.request.get(f"/staff/schedule/visits.json?{days}")
        assert feed.headers["content-type"].startswith("application/json")
        assert feed.headers["x-content-type-options"] == "nosniff"
        assert isinstance(json.loads(feed.text()), list | dict)
        live = page.evaluate("""async () => {
          const answer = await fetch("/staff/live"), reader = answer.body.getReader();
          const part = new TextDecoder().decode((await reader.read()).value); reader.cancel();
          return [answer.headers.get("content-type"), part]; }""")
        assert live[0].startswith("text/event-stream")
        assert "pwned" not in live[1]
