"""What a story about alerts and consent needs besides the common stage."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.actions.acknowledge_task import acknowledge_task
from app.actions.add_staff import add_staff
from app.actions.line import Line
from tests.conftest import Desk, FrozenClock
from tests.fakes.twilio_server import FakeTwilio, Message

ON_CALL = "+16145550190"


@pytest.fixture
def pages(twilio: FakeTwilio) -> Callable[[], list[Message]]:
    """What the on-call phone was sent through the provider."""
    return lambda: [message for message in twilio.accepted if message.to == ON_CALL]


@pytest.fixture
def nurse(app: Flask, desk: Desk, clock: FrozenClock) -> FlaskClient:
    """A nurse's browser, signed in."""
    return signed_in(app, desk.line, clock(), "ana@clinic.example")


def signed_in(app: Flask, line: Line, now: datetime, email: str, clinic_id: int | None = None) -> FlaskClient:
    """Return a new nurse's browser, signed in."""
    add_staff(line.db, email, "Ana", "nurse", "a long enough password", now, clinic_id)
    browser = app.test_client()
    page = browser.get("/staff/sign-in", base_url="https://pumpline.test").text
    form = {"csrf_token": token_in(page), "email": email, "password": "a long enough password"}
    answer = browser.post("/staff/sign-in", data=form, base_url="https://pumpline.test", headers=OURS)
    assert answer.status_code == 302
    return browser


OURS = {"Origin": "https://pumpline.test"}


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "no form on this page"
    return found.group(1)


@pytest.fixture
def acknowledges(nurse: FlaskClient) -> Callable[[int], None]:
    """Press Acknowledge on the page Today, beside the alert."""

    def press(task_id: int) -> None:
        page = nurse.get("/staff/", base_url="https://pumpline.test").text
        address = f"/staff/tasks/{task_id}/acknowledge"
        form = page[page.index(address) :].split("</form>")[0]
        version = re.search(r'name="version" value="(\d+)"', form)
        assert version
        data = {"csrf_token": token_in(form), "version": version.group(1)}
        answer = nurse.post(address, data=data, base_url="https://pumpline.test", headers=OURS)
        assert answer.status_code == 302

    return press


@pytest.fixture
def nurse_takes(desk: Desk) -> Callable[[int], None]:
    """Somebody takes a task on."""
    return lambda task_id: acknowledge_task(desk.line, task_id, desk.clock(), None)
