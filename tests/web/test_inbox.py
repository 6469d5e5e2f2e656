"""The inbox: who waits, in order; a thread with its head, its texts and its patient; every act on it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.actions.line import Line
from app.actions.receive_text import Received
from app.actions.sign_in import add_staff
from app.db.messages import OutboundMessage, Purpose
from app.db.threads import PhoneThread, ThreadChange, ThreadNote, ThreadState
from app.db.work import AuditEvent, Task, TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

Text = Callable[..., Received]
Add = Callable[..., Someone]
NONSENSE = "purple monkey dishwasher"


def rows(page: str) -> list[str]:
    """Return each thread of the list as a reader sees it."""
    found = re.findall(r'<li id="row-\d+".*?</li>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


def spoken(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def ben(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """A colleague, signed in."""
    add_staff(line.db, "ben@clinic.example", "Ben Osei", "nurse", PASSWORD, clock())
    visitor = Visitor(app.test_client())
    assert visitor.sign_in("ben@clinic.example").status_code == 302
    return visitor


@pytest.fixture
def thread(desk: Desk, maria: Someone) -> Callable[[], PhoneThread]:
    return lambda: desk.rows(PhoneThread, PhoneThread.phone_id == maria.phone_id)[0]


def test_x(nurse: Visitor, maria: Someone, texts: Text, clock: FrozenClock, desk: Desk) -> None:
    desk.fills(maria, days_ago=60)
    texts(maria.phone, NONSENSE)
    texts(maria.phone, "can i fly")
    page = nurse.page("/staff/inbox")
    print(rows(page))
    page = nurse.page(f"/staff/inbox/{maria.phone_id}")
    print(spoken(page)[:6000])
    assert nurse.get("/staff/urgent").status_code == 200
    assert 0
