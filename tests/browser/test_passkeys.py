"""Passkeys with a virtual authenticator of Chromium, and sign-in pages as people use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.actions.sign_in import DEMO_EMAIL
from tests.browser.conftest import Desk
from tests.web.conftest import PASSWORD


@pytest.fixture
def by_name(desk: Desk, simulator: Flask) -> Desk:
    """The same server opened by a name: passkeys belong to one."""
    desk.address = desk.address.replace("127.0.0.1", "localhost")
    settings = simulator.extensions["settings"]
    simulator.extensions["settings"] = settings.model_copy(update={"public_url": desk.address})
    return desk


@contextmanager
def with_authenticator(desk: Desk, **more: Any) -> Iterator[Page]:
    """A browser whose device keeps passkeys, and whose owner's finger is always right."""
    with desk.opens() as page:
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        } | more
        device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page


def test_a_passkey_is_added_signs_in_and_is_removed(by_name: Desk) -> None:
    with with_authenticator(by_name) as page:
        by_name.signs_in(page)
        page.goto("/staff/account")
        page.get_by_label("Name of this device").fill("Ward PC")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator(".said")).to_contain_text("The passkey is added")
        expect(page.locator("#passkeys")).to_contain_text("Ward PC")
        page.get_by_role("button", name="Sign out").first.click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("h1")).to_have_text("Today")
        page.goto("/staff/account")
        page.get_by_role("button", name="Remove Ward PC").click()
        expect(page.locator(".said")).to_contain_text("removed")
        page.get_by_role("button", name="Sign out").first.click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator(".said")).to_contain_text("nobody here has this passkey")


def test_with_a_passkey_the_password_alone_opens_nothing(by_name: Desk) -> None:
    with with_authenticator(by_name) as page:
        by_name.signs_in(page)
        page.goto("/staff/account")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator(".said")).to_contain_text("added")
        page.get_by_role("button", name="Sign out").first.click()
        page.goto("/staff/")
        page.fill("#email", DEMO_EMAIL)
        page.fill("#password", "northgate demo nurse")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("h1")).to_have_text("Second step")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("h1")).to_have_text("Today")


def test_a_device_that_asks_nobody_is_not_taken(by_name: Desk) -> None:
    with with_authenticator(by_name, hasUserVerification=False, isUserVerified=False) as page:
        by_name.signs_in(page)
        page.goto("/staff/account")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("[data-passkey-failed]")).to_contain_text("was not used")


def test_a_password_can_be_shown_and_an_invitation_fills_itself_in(by_name: Desk) -> None:
    with by_name.opens() as page:
        page.goto("/staff/sign-in")
        page.fill("#password", PASSWORD)
        field, show = (page.locator(one).bounding_box() for one in ("#password", "[data-show-secret]"))
        assert field is not None
        assert show is not None
        assert field["width"] > 2 * show["width"], "there is room to read what is typed"
        page.get_by_role("button", name="Show").click()
        assert page.locator("#password").get_attribute("type") == "text"
        page.goto("/staff/invitation#a-token-of-a-link")
        expect(page.locator("#token")).to_have_value("a-token-of-a-link")
        assert "token" not in page.url, "it stays in no history"
