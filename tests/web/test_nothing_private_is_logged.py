"""A day of the demo clinic, faults and all, at the most talkative level: then everything that was said is searched."""

import io
import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select, text

from app.actions.add_staff import add_staff
from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.actions.seed_demo import seed_demo
from app.cli import cli
from app.db.care import Appointment
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Contact, Patient, Phone, Staff
from app.db.work import Task
from app.logs import configure_logging
from app.settings import Settings, variable_of
from tests.conftest import FrozenClock
from tests.fakes.twilio_server import FakeTwilio
from tests.web.conftest import PASSWORD, Visitor
from tests.web.test_authorisation import path_of, staff_routes

TOKEN = "a-token-for-prometheus"
STRANGER = "+16145550177"
SAID = "zanzibar"  # a word of every text that comes in
TEXTS = ("ALARM", "so itchy n twitchy", "refill", "can i fly", "1", "2", "wrong number", "HELP", "my nurse is", "STOP")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything that any library or part of ours says, as it would be written to the log."""
    root, server = logging.getLogger(), logging.getLogger("gunicorn.error")
    kept = root.handlers[:], root.level, server.handlers[:], server.propagate, server.level
    configure_logging("debug", as_json=True)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    out = io.StringIO()
    handler.setStream(out)
    yield out.getvalue
    root.handlers[:], root.level, server.handlers[:], server.propagate, server.level = kept


def secrets_of(line: Line) -> dict[str, re.Pattern[str]]:
    """Return what must stand nowhere, each with what finds it in any spelling."""
    found: set[str] = {SAID}
    numbers = {STRANGER}
    with line.db.read() as session:
        for patient in session.scalars(select(Patient)):
            found |= {patient.given_name, *patient.family_name.split(), patient.mrn, patient.born_on or ""}
        for contact in session.scalars(select(Contact)):
            found |= set((contact.name or "").split())
        numbers |= set(session.scalars(select(Phone.number)).all())
        for account in session.scalars(select(Staff)):
            found.add(account.email)
        for body in session.scalars(select(OutboundMessage.body)):
            found |= {part for part in re.split(r"(?<=[.:?!])\s", body) if len(part) > 12}
    names = {word: re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE) for word in found if word}
    spelt = {}
    for number in numbers:
        digits = re.sub(r"\D", "", number).removeprefix("1")
        assert len(digits) == 10
        spelt[number] = re.compile(rf"{digits[:3]}\D{{0,3}}{digits[3:6]}\D{{0,3}}{digits[6:]}")
    return names | spelt


def a_day(
    app: Flask, line: Line, twilio: FakeTwilio, clock: FrozenClock, beat: Callable[[], None], phones: list[str]
) -> None:
    """Texts, answers, reminders, pages, and each kind of fault at Twilio."""
    client = app.test_client()
    for n, phone in enumerate([*phones, STRANGER]):
        for m in range(3):
            twilio.deliver(client, phone, f"{TEXTS[(n + m) % len(TEXTS)]} {SAID}")
        twilio.deliver(client, phone, f"see this {SAID}", media=[("https://api.twilio.com/x", "image/png")])
    twilio.deliver(client, phones[0], "STOP")
    for message in twilio.held():
        twilio.report(message, "delivered", None, client)  # else each beat asks about each of them
    form = {"MessageSid": "SMx", "From": phones[0], "Body": SAID}
    for signature in (None, "wrong"):
        headers = {"X-Twilio-Signature": signature} if signature else {}
        assert client.post("/twilio/sms", data=form, headers=headers).status_code == 403
    faults = [lambda: twilio.refuse(400, 21211), lambda: twilio.refuse(429, 20429), lambda: twilio.refuse(400, 21610)]
    faults += [lambda: twilio.hang_up(after_accepting=True), lambda: twilio.hang_up(after_accepting=False)]
    faults += [twilio.garbage, lambda: twilio.refuse(500, None)]
    for day in range(8):
        faults[day % len(faults)]()
        beat()
        for message in list(twilio.held())[-5:]:
            twilio.report(
                message, ("delivered", "undelivered", "failed")[day % 3], (None, 30003, 30006)[day % 3], client
            )
        clock.forward(hours=12)
    twilio.no_more_faults()
    beat()


def every_page(app: Flask, line: Line, clock: FrozenClock, lead: Visitor, auditor: Visitor) -> int:
    with line.db.read() as session:
        patient = session.scalars(select(Patient)).first()
        assert patient is not None
        rows = {
            "patient_id": patient.id,
            "phone_id": session.scalars(select(Contact.phone_id).where(Contact.patient_id == patient.id)).first(),
            "visit_id": session.scalars(select(Appointment.id)).first(),
            "task_id": session.scalars(select(Task.id)).first(),
            "inbound_id": session.scalars(select(InboundMessage.id)).first(),
            "staff_id": session.scalars(select(Staff.id)).first(),
        }
        name, number = patient.family_name, "+16145550142"
    opened = 0
    for visitor in (lead, auditor):
        for route in staff_routes(app):
            if route.method == "GET" and route.rule.arguments <= rows.keys() and route.rule.endpoint != "console.live":
                opened += visitor.get(path_of(route, rows)).status_code == 200
    for query in (name, number, "40-0917"):
        lead.post("/staff/patients/search", seen_on="/staff/", query=query)
    at = f"/staff/patients/{rows['patient_id']}/contacts"
    lead.post(at, seen_on=at, kind="carer", name=name, number=f"{number}99", way="by_phone")
    lead.post(f"/staff/inbox/{rows['phone_id']}/reply", seen_on="/staff/", body=f"Hello {name} {SAID}")
    lead.get(f"/staff/no/such/{name}")
    return opened


def break_it(app: Flask, line: Line, twilio: FakeTwilio, lead: Visitor, beat: Callable[[], None], phone: str) -> None:
    """Errors in the middle of things: columns that are gone, under pages, texts, reports and jobs."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with line.db.engine.begin() as connection:
        for table in ("inbound_message", "appointment", "task"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    client = app.test_client()
    assert twilio.deliver(client, phone, f"ALARM {SAID}").status == 200
    assert twilio.deliver(client, phone, f"question {SAID}").status == 200
    broken = lead.get("/staff/")
    assert (broken.status_code, "Something went wrong here" in broken.text) == (500, True)
    assert lead.client.post("/staff/patients/search", data={"query": SAID}, headers=lead.headers).status_code in (
        400,
        500,
    )
    try:
        beat()
    except Exception as error:
        logging.getLogger("app.jobs").exception("a beat failed: %s", type(error).__name__)
    with line.db.engine.begin() as connection:
        for table in ("inbound_message", "appointment", "task"):
            connection.execute(text(f"ALTER TABLE {table}_gone RENAME TO {table}"))


def test_no_name_number_or_text_of_the_demo_stands_in_log_metrics_or_doctor(
    app: Flask,
    line: Line,
    settings: Settings,
    twilio: FakeTwilio,
    clock: FrozenClock,
    beat: Callable[[], None],
    logged: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed_demo(line, clock())
    visitors = []
    for role in ("lead_nurse", "auditor"):
        add_staff(line.db, f"{role}@hospital.example", "Philippa Quennell", role, PASSWORD, clock())
        visitors.append(Visitor(app.test_client()))
        assert visitors[-1].sign_in(f"{role}@hospital.example").status_code == 302
    visitors[0].sign_in("lead_nurse@hospital.example", f"wrong {SAID}")
    visitors[0].sign_in("lead_nurse@hospital.example")
    with line.db.read() as session:
        patients = list(session.scalars(select(Patient.id)))
        phones = [number for number in session.scalars(select(Phone.number).order_by(Phone.id)) if number]
    for n, patient_id in enumerate(patients):
        book_appointment(line, patient_id, clock() + timedelta(days=2 + n), clock(), "test", late_reason="asked for it")
    a_day(app, line, twilio, clock, beat, phones)
    for visitor, role in zip(visitors, ("lead_nurse", "auditor"), strict=True):
        visitor.sign_in(f"{role}@hospital.example")  # the sessions of days ago are over
    assert every_page(app, line, clock, *visitors) > 40
    metrics = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    wanted = secrets_of(line)
    assert len(wanted) > 60
    break_it(app, line, twilio, visitors[0], beat, phones[1])
    after = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    for name, value in settings.model_dump().items():
        if value not in (None, ""):
            said = value.get_secret_value() if isinstance(value, SecretStr) else value
            monkeypatch.setenv(variable_of(name), str(said).lower() if isinstance(said, bool) else str(said))
    doctor = CliRunner().invoke(cli, ["doctor"])
    assert "database" in doctor.output
    log = logged()
    assert log.count("\n") > 100
    assert '"level": "error"' in log
    assert "raised_at" in log
    for where, said in {"log": log, "metrics": metrics + after, "doctor": doctor.output}.items():
        clear = [(what, line_) for what, found in wanted.items() for line_ in said.splitlines() if found.search(line_)]
        assert clear == [], where
    for secret in (settings.twilio_auth_token, settings.data_keys, settings.secret_key):
        assert secret
        assert secret.get_secret_value() not in log + metrics + after + doctor.output
