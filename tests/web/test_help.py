"""The page of help: at one place on every page, for every role, in the reader's language."""

import re

import pytest
from flask import Flask

from app.actions.add_staff import add_staff
from app.actions.line import Line
from tests.conftest import FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

LINK = re.compile(r'<a class="icon-btn" href="/staff/help" aria-label="(?:Help|Ayuda)"')


def test_it_stands_at_the_same_place_on_every_page(nurse: Visitor, maria: Someone) -> None:
    for page in (
        "",
        "urgent",
        "inbox",
        "patients",
        f"patients/{maria.id}",
        "schedule",
        "refills",
        "account",
        "help",
    ):
        bar = nurse.page(f"/staff/{page}").split('<div class="topbar-end">')[1].split("</header>")[0]
        assert len(LINK.findall(bar)) == 1, page


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        ("nurse", "drag or use Move to", "invite colleagues"),
        ("administrator", "invite colleagues", "drag or use Move to"),
        ("auditor", "in a chain that shows any later change", "invite colleagues"),
    ],
)
def test_it_tells_each_role_of_its_own_pages_and_whom_to_call(
    app: Flask, line: Line, clock: FrozenClock, role: str, shown: str, hidden: str
) -> None:
    add_staff(line.db, "kim@clinic.example", "Kim Duarte", role, PASSWORD, clock())
    add_staff(line.db, "olu@clinic.example", "Olu Adeyemi", "lead_nurse", PASSWORD, clock())
    kim = Visitor(app.test_client())
    kim.sign_in("kim@clinic.example")
    page = kim.page("/staff/help")
    assert shown in page
    assert hidden not in page
    assert "<dd>614-555-0100</dd>" in page
    assert "<dt>Olu Adeyemi</dt><dd>lead nurse</dd>" in page
