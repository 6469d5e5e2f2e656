"""The page on which an administrator holds and erases records, and a held patient's details: axe-core finds nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from app.actions.legal_hold import place_hold
from app.actions.line import Line
from app.db.people import Patient
from app.domain.permissions import Role
from tests.browser.conftest import Desk
from tests.browser.test_accessible import faults
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD


@pytest.mark.parametrize(("theme", "width", "language"), [("light", 390, "es"), ("dark", 1440, "en")])
def test_nothing_is_found_where_records_are_held_and_erased(
    theme: Any,
    width: int,
    language: str,
    desk: Desk,
    morning: dict[str, Any],
    simulated_line: Line,
    clock: FrozenClock,
    colleague: Callable[[Role, str], str],
) -> None:
    patient_id = morning["patient_id"]
    with simulated_line.db.read() as session:
        clinic_id = session.get_one(Patient, patient_id).clinic_id
    place_hold(simulated_line, clinic_id, patient_id, "Letter of 3 May", clock(), "command")
    look: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": theme, "locale": language}
    with desk.opens(**look) as page:
        desk.signs_in(page, colleague(Role.ADMINISTRATOR, "Ada Somebody"), PASSWORD)
        page.goto("/staff/retention")
        expect(page.locator("#erase")).to_be_visible()
        assert faults(page) == []
    with desk.opens(**look) as page:
        desk.signs_in(page, colleague(Role.LEAD_NURSE, "Lea Somebody"), PASSWORD)
        page.goto(f"/staff/patients/{patient_id}/details")
        expect(page.locator("#hold")).to_be_visible()
        assert faults(page) == []
