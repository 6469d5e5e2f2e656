"""Importing in a browser: the way through, and nothing that a machine finds wrong with its pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.domain.permissions import Role
from tests.browser.conftest import Desk
from tests.browser.test_accessible import LOOKS, faults
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD

HEADER = "Patient ID,First name,Last name,Mobile,Next visit,Ward"


def uploads(page: Page, content: str) -> None:
    page.goto("/staff/patients/import")
    page.set_input_files("#file", {"name": "p.csv", "mimeType": "text/csv", "buffer": content.encode()})
    page.get_by_role("button", name="Upload", exact=True).click()


@pytest.mark.parametrize(("theme", "width", "_language"), LOOKS, ids=["-".join(map(str, look)) for look in LOOKS])
def test_a_file_goes_its_way_and_nothing_is_found_on_it(
    theme: Any, width: int, _language: str, desk: Desk, colleague: Callable[[Role, str], str], clock: FrozenClock
) -> None:
    found: dict[str, list[str]] = {}
    visit = f"{clock() + timedelta(days=40):%Y-%m-%d} 10:30"
    bad = f"{HEADER}\nZ1,Ana,Ruiz,12,{visit},7\nZ2,Ben,Ito,+16145557125,soon,8\nZ3,Cy,Oh,+16145557126,,\n"
    with desk.opens(viewport={"width": width, "height": 900}, color_scheme=theme) as page:
        desk.signs_in(page, colleague(Role.LEAD_NURSE, "Lea Lead"), PASSWORD)
        uploads(page, "\0")
        expect(page.get_by_text("The file is no CSV")).to_be_visible()
        found["refused"] = faults(page)
        uploads(page, bad.replace("Mobile", "Number"))
        expect(page.get_by_label("Last name")).to_have_value("family_name")
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("alert").filter(has_text="no column is chosen")).to_be_visible()
        found["columns"] = faults(page)
        page.get_by_label("Number").select_option("phone")
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_text("Is not a complete phone number")).to_be_visible()
        found["dry run"] = faults(page)
        page.get_by_role("button", name="Import only this 1 patient").click()
        expect(page.get_by_role("heading", name="Imported", exact=True)).to_be_visible()
        found["imported"] = faults(page)
        page.get_by_role("button", name="Undo this import").click()
        expect(page.get_by_text("The import is undone.")).to_be_visible()
        found["undone"] = faults(page)
        page.goto("/staff/patients/import")
        found["list"] = faults(page)
    desk.complaints[:] = [said for said in desk.complaints if "422" not in said]
    assert {name: said for name, said in found.items() if said} == {}
