"""A clinic on the simulator with a morning behind it, served on loopback, and browsers signed in to it."""

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from app.actions.add_staff import add_staff
from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD
from app.db.care import Appointment
from app.db.messages import InboundMessage
from app.db.people import Contact, Patient, Phone, Staff
from app.db.work import Task
from app.domain.permissions import Role
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD
from tests.web.conftest import simulator as simulator
from tests.web.test_authorisation import imported

CHROMIUM = shutil.which("chromium")
MAEVE, ROSA, DANA, RUTH = "+16145550142", "+16145550143", "+16145550186", "+16145550198"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no chromium here: apt-get install chromium"))


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
def simulated_line(simulator: Flask) -> Line:
    line: Line = simulator.extensions["line"]
    return line


@pytest.fixture
def says(simulated_line: Line, clock: FrozenClock) -> Callable[..., None]:
    """Somebody texts, away from this browser: `says(MAEVE, "TRAVEL")`."""
    count = 0

    def say(sender: str, body: str) -> None:
        nonlocal count
        count += 1
        receive_text(simulated_line, InboundText(f"SM{count:032d}", sender, "", body, channel="simulator"), clock())

    return say


@pytest.fixture
def beats(simulator: Flask, clock: FrozenClock) -> Callable[[], None]:
    """Do once what the heartbeat does all the time."""
    return lambda: simulator.extensions["run_due"](clock())


@pytest.fixture
def morning(
    simulated_line: Line, says: Callable[..., None], beats: Callable[[], None], clock: FrozenClock
) -> dict[str, Any]:
    """A morning of texts; return one row's id for every name that an address may hold."""
    says(DANA, "hes super itchy n twitchy since last nite")
    says(RUTH, "its doing the 2 beeps over and over")
    says(MAEVE, "can i go in the hot tub at the Y")
    says(ROSA, "no puedo ir el miercoles, no tengo quien me lleve")
    says("+16145550177", "is this the pump people")
    says(MAEVE, "i need to talk to a nurse about my bill")
    clock.forward(minutes=4)
    beats()
    clock.forward(minutes=1)
    with simulated_line.db.begin() as session:
        maeve = session.scalars(select(Patient).where(Patient.mrn_hash == simulated_line.db.hash_of("40-0917"))).one()
        rows = {
            "patient_id": maeve.id,
            "phone_id": session.scalars(
                select(Contact.phone_id).where(Contact.patient_id == maeve.id).order_by(Contact.id)
            ).first(),
            "visit_id": session.scalars(select(Appointment.id).where(Appointment.patient_id == maeve.id)).first(),
            "task_id": session.scalars(select(Task.id)).first(),
            "inbound_id": session.scalars(
                select(InboundMessage.id)
                .join(Phone, Phone.id == InboundMessage.phone_id)
                .where(Phone.number_hash == simulated_line.db.hash_of(MAEVE))
            ).first(),
            "staff_id": session.scalars(select(Staff.id)).first(),
        }
        clinic_id = maeve.clinic_id
    rows["batch_id"] = imported(simulated_line, clinic_id, rows["staff_id"] or 0, clock())
    book_appointment(simulated_line, rows["patient_id"], clock() + timedelta(days=60), clock(), "command")
    return rows


@dataclass
class Desk:
    """Somebody at a browser. What its console complains of, a breach of the CSP among it, fails the story."""

    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def opens(self, **how: Any) -> Iterator[Page]:
        settings: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "base_url": self.address} | how
        context: BrowserContext = self.browser.new_context(**settings)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        try:
            yield page
        finally:
            context.close()

    def _heard(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def signs_in(self, page: Page, email: str = DEMO_EMAIL, password: str = DEMO_PASSWORD) -> None:
        page.goto("/staff/")
        page.fill("#email", email)
        page.fill("#password", password)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_be_attached()
        expect(page.locator(".rail")).to_be_attached()


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Desk]:
    made = Desk(browser, address)
    yield made
    assert made.complaints == []


@pytest.fixture
def colleague(simulated_line: Line, clock: FrozenClock) -> Callable[[Role, str], str]:
    """Another member of staff; return the email address that signs in with PASSWORD."""

    def make(role: Role, name: str) -> str:
        email = f"{name.split()[0].lower()}.{random.Random(name).randrange(1000)}@clinic.example"
        add_staff(simulated_line.db, email, name, role.value, PASSWORD, clock())
        return email

    return make
