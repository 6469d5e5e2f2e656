"""axe-core finds nothing on any page: WCAG 2.2 A and AA and its best practices, both themes, desktop and phone, both
languages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.domain.permissions import Permission, Role, may
from tests.browser.conftest import Desk
from tests.web.conftest import PASSWORD
from tests.web.test_authorisation import Route, open_to_all, path_of, permission_of, staff_routes

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text()
LOOKS = [("light", 1440, "en"), ("light", 390, "es"), ("dark", 1440, "es"), ("dark", 390, "en")]
RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a",
    "wcag21aa", "wcag22aa", "best-practice"]});
  return found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ") + " (" +
    n.failureSummary.split("\\n").slice(1, 2).join("").trim() + ")").join(" | ")}`);
}"""
NARROWEST = 320  # what 1280 px are at 400 % zoom, and half a desktop's width is what it is at 200 %
NOT_PAGES = {"console.live", "static"}  # a stream
WHO = (Role.LEAD_NURSE, Role.AUDITOR, Role.ADMINISTRATOR)
STATES = {  # what a click opens, on the page that it is on
    "inbox note": ("/staff/inbox/{phone_id}?compose=note", ""),
    "inbox menu": ("/staff/inbox/{phone_id}", "#thread-menu > summary"),
    "saved replies": ("/staff/inbox/{phone_id}", "#saved > summary"),
    "sound": ("/staff/", "[data-sound] > summary"),
    "keys": ("/staff/inbox", "keyboard ?"),
}


def pages(app: Flask) -> dict[Role, list[Route]]:
    """Return every page by the first role that may open it."""
    found: dict[Role, list[Route]] = {}
    for route in staff_routes(app):
        if route.method != "GET" or open_to_all(route) or route.rule.endpoint in NOT_PAGES:
            continue
        needed = permission_of(app, route)
        role = next((who for who in WHO if needed and may(who, needed)), None)
        assert role, f"nobody of {WHO} may open {route.name}"
        found.setdefault(role, []).append(route)
    return found


def faults(page: Page) -> list[str]:
    """Look at a page from its top. One that was opened at a part of it ("...#hold") may still scroll there meanwhile,
    and what is half under the banner then counts as too small."""
    expect(page.locator("#calendar [role=columnheader][aria-label]")).to_have_count(0, timeout=15_000)  # it is drawn
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN)
    size = page.viewport_size
    assert size
    for width in (size["width"], NARROWEST) if size["width"] < 900 else (size["width"], size["width"] // 2):
        page.set_viewport_size({"width": width, "height": size["height"]})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"it scrolls sideways at {width} px")
    page.set_viewport_size(size)
    return found


@pytest.mark.parametrize(("theme", "width", "language"), LOOKS, ids=["-".join(map(str, look)) for look in LOOKS])
def test_nothing_is_found_on_any_page(
    theme: Any,
    width: int,
    language: str,
    desk: Desk,
    simulator: Flask,
    morning: dict[str, Any],
    colleague: Callable[[Role, str], str],
) -> None:
    found: dict[str, list[str]] = {}
    look: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": theme, "locale": language}
    with desk.opens(**look) as page:
        for address in ("/", "/simulator", "/staff/sign-in", "/nothing-here"):
            page.goto(address)
            found[address] = faults(page)
    desk.complaints[:] = [said for said in desk.complaints if "404" not in said]
    for role, routes in pages(simulator).items():
        with desk.opens(**look) as page:
            desk.signs_in(page, colleague(role, f"{role.name.title()} Somebody"), PASSWORD)
            for route in routes:
                address = path_of(route, morning)
                if page.request.get(address).headers["content-type"].startswith("text/html"):  # no download
                    page.goto(address)
                    found[address] = faults(page)
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize(("theme", "width", "language"), LOOKS, ids=["-".join(map(str, look)) for look in LOOKS])
def test_nothing_is_found_in_what_a_click_opens(
    theme: Any, width: int, language: str, desk: Desk, morning: dict[str, Any]
) -> None:
    found = {}
    with desk.opens(viewport={"width": width, "height": 900}, color_scheme=theme, locale=language) as page:
        desk.signs_in(page)
        for name, (address, opens) in STATES.items():
            page.goto(address.format(**morning))
            if opens.startswith("keyboard "):
                page.keyboard.press(opens.removeprefix("keyboard "))
            elif opens:
                page.locator(opens).first.click()
            found[name] = faults(page)
    assert {name: said for name, said in found.items() if said} == {}


def test_every_permission_of_a_page_is_held_by_somebody_who_looks() -> None:
    assert all(any(may(who, permission) for who in WHO) for permission in Permission)
