"""One day of a lead nurse in a browser, from the second factor in the morning to signing out."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.actions.line import Line
from app.db.care import EntryState, Pump, Refill
from app.db.messages import OutboundMessage
from app.db.people import Patient
from app.db.work import AuditEvent, Task, TaskKind, TaskState
from app.domain.permissions import Role
from tests.browser.conftest import ROSA, Desk
from tests.browser.test_schedule import drag
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD

SPANISH = "Sí, Rosa. ¿Le sirve el jueves a las 10? Ana"


def texts_as(page: Page, name: str, words: str) -> None:
    """Somebody else, at the simulator's phone."""
    page.goto("/simulator")
    page.locator(".pick", has_text=name).first.click()
    page.fill("#t", words)
    page.press("#t", "Enter")
    expect(page.locator("#said .bubble", has_text=words)).to_be_visible()


def test_a_nurses_day(
    desk: Desk,
    simulated_line: Line,
    colleague: Callable[[Role, str], str],
    says: Callable[..., None],
    beats: Callable[[], None],
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    line = simulated_line
    email = colleague(Role.LEAD_NURSE, "Marta Solis, RN")
    colleague(Role.NURSE, "Marcus Webb")
    with desk.opens(accept_downloads=True) as page, desk.opens() as phone:
        # a second factor: set up once, asked for from then on
        desk.signs_in(page, email, PASSWORD)
        page.goto("/staff/account")
        page.get_by_role("link", name="Set up an authenticator").click()
        secret = page.locator(".typed-code").inner_text().replace(" ", "")
        page.get_by_label("Six digits").fill(pyotp.TOTP(secret).at(clock()))
        page.get_by_role("button", name="Use it from now on").click()
        expect(page.locator(".codes li")).to_have_count(10)
        page.get_by_role("button", name="Sign out").first.click()
        clock.forward(minutes=1)
        desk_sign_in(page, email)
        page.get_by_label("Code of your authenticator").fill(pyotp.TOTP(secret).at(clock()))
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("h1")).to_have_text("Today")

        # an urgent alert arrives from the simulator, without a reload
        texts_as(phone, "Dana Brandvold", "hes super itchy n twitchy since last nite")
        expect(page.locator(".alarm-words")).to_contain_text("super itchy", timeout=10_000)
        expect(page).to_have_title("(1 urgent) Today")
        page.locator("#urgent").get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".said")).to_contain_text("Acknowledged")
        assert alert_of(line) is TaskState.ACKNOWLEDGED

        # a question in Spanish, answered in Spanish
        says(ROSA, "¿puedo cambiar la hora?")
        page.goto("/staff/inbox")
        page.locator(".thread-row", has_text="QUISPE MAMANI").click()
        page.fill("#reply", SPANISH)
        expect(page.locator("[data-meter-said]")).to_contain_text("UCS-2")
        page.keyboard.press("ControlOrMeta+Enter")
        expect(page.locator("#thread .bubble", has_text="jueves")).to_be_visible()
        assert page.locator("#thread .bubble", has_text="jueves").evaluate("b => b.closest('[lang]').lang") == "es"
        clock.forward(seconds=11)
        beats()
        clock.forward(seconds=5)
        beats()
        assert sent(line) == SPANISH

        # book by a click, move by a drag
        page.goto("/staff/schedule")
        page.locator("#calendar a.visit-free").last.click()
        page.fill("#who", "oduya")
        page.get_by_role("button", name="Find", exact=True).click()
        page.locator("#panel .finds a").click()
        page.locator("#panel").get_by_role("button", name=re.compile("^Book")).click()
        expect(page.locator(".said")).to_contain_text("Booked for")
        block = page.locator("#calendar .visit", has_text="Oduya")
        drag(page, block, page.locator("#calendar a.visit-free").last)
        expect(page.locator("#texts-that-change li").first).to_be_visible()
        page.locator("#panel").get_by_role("button", name=re.compile("^Save move")).click()
        expect(page.locator(".said")).to_contain_text("Moved to")

        # a refill, with a second person because the dose doubles
        theodore = patient(line, "40-0718")
        page.goto(f"/staff/patients/{theodore}/refill")
        page.get_by_label("Volume aspirated").fill("8")
        page.get_by_label("Reservoir volume now").fill("20")
        page.get_by_label("Concentration", exact=True).select_option(index=1)
        page.get_by_label("Daily dose", exact=True).fill("800")
        page.get_by_label("Alarm volume").fill("2")
        concentration = page.get_by_label("Concentration", exact=True).input_value()
        page.get_by_role("button", name="Check", exact=True).click()
        page.get_by_role("button", name=re.compile("^Save refill for Theodore NAKAGAWA")).click()
        expect(page.locator("#second")).to_be_visible()
        page.get_by_label("Concentration on the vial").fill(concentration)
        page.get_by_label("Daily dose in the programmer").fill("800")
        page.get_by_label("Who are you").select_option(label="Marcus Webb")
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name=re.compile("^Confirm refill of Theodore")).click()
        expect(page.locator("#second")).to_have_count(0)
        assert refill_of(line, theodore) is EntryState.EFFECTIVE

        # a list leaves as a file: prove again who asks
        clock.forward(minutes=6)
        page.goto("/staff/patients?visit=none")
        page.get_by_role("button", name=re.compile("^Export")).click()
        expect(page.locator("h1")).to_have_text("Is it still you?")
        page.get_by_label("Your password, or a code").fill(PASSWORD)
        with page.expect_download() as download:
            page.get_by_role("button", name="Go on").click()
        file = tmp_path / "patients.csv"
        download.value.save_as(file)
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
        assert rows
        assert not any(row["next visit"] for row in rows)

        page.goto("/staff/")
        page.get_by_role("button", name="Sign out").first.click()
        expect(page.locator("h1")).to_have_text("Sign in")
        page.goto("/staff/patients")
        expect(page.locator("h1")).to_have_text("Sign in")
    verbs = {event.verb for event in events(line)}
    told = {"signed in", "signed out", "authenticator added", "booked", "exported patients"}
    assert told <= verbs, verbs


def desk_sign_in(page: Page, email: str) -> None:
    page.goto("/staff/")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def alert_of(line: Line) -> TaskState:
    with line.db.read() as session:
        return session.scalars(select(Task.state).where(Task.kind == TaskKind.ALERT)).one()


def sent(line: Line) -> str:
    with line.db.read() as session:
        found = session.scalars(
            select(OutboundMessage).where(OutboundMessage.staff_id.is_not(None)).order_by(OutboundMessage.id.desc())
        ).first()
        assert found
        assert found.state in ("delivered", "sent", "accepted"), found.state
        return found.body


def patient(line: Line, mrn: str) -> int:
    with line.db.read() as session:
        return session.scalars(select(Patient.id).where(Patient.mrn_hash == line.db.hash_of(mrn))).one()


def refill_of(line: Line, patient_id: int) -> EntryState:
    with line.db.read() as session:
        of_patient = select(Refill.state).join(Pump).where(Pump.patient_id == patient_id).order_by(Refill.id.desc())
        return session.scalars(of_patient).first() or EntryState.WAITING


def events(line: Line) -> list[Any]:
    with line.db.read() as session:
        found = list(session.scalars(select(AuditEvent)))
        session.expunge_all()
        return found
