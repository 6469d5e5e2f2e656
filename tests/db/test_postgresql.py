"""The same stories on PostgreSQL. PUMPLINE_TEST_POSTGRESQL_URL names a server where a database may be made.

Without it these are left out, and say so; the full check sets it.
"""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import create_engine, func, make_url, select, text

from app import create_app
from app.actions.acknowledge_task import acknowledge_task
from app.actions.book_appointment import book_appointment
from app.actions.label_text import label_text
from app.actions.learned import TopicFigures, candidates, figures
from app.actions.line import Line
from app.actions.plan_care import plan_care
from app.actions.prepare import DEMO_SIGN_IN, prepare
from app.actions.receive_text import InboundText, Received, receive_text
from app.actions.record_helped import record_helped
from app.actions.record_refill import RefillEntry, record_refill
from app.actions.seed_demo import seed_demo
from app.db.base import Base
from app.db.care import Reminder, ReminderState
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.migrate import migrate
from app.db.people import Patient, Phone, Staff
from app.db.work import Task, TaskKind, TaskState
from app.settings import Settings
from app.wiring import first_clinic
from tests.web.conftest import Visitor

SERVER = os.environ.get("PUMPLINE_TEST_POSTGRESQL_URL", "")
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MAEVE = "+16145550142"

pytestmark = pytest.mark.skipif(not SERVER, reason="PUMPLINE_TEST_POSTGRESQL_URL is not set: no PostgreSQL to try")


@pytest.fixture
def url() -> Iterator[str]:
    name = f"pumpline_{secrets.token_hex(6)}"
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def app(url: str, tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(
        instance_dir=tmp_path,
        database_url=url,
        secret_key=SecretStr("s" * 32),
        data_keys=SecretStr(Fernet.generate_key().decode()),
        scheduler=False,
    )
    flask = create_app(settings, clock=lambda: MONDAY)
    line: Line = flask.extensions["line"]
    migrate(line.db)
    prepare(line.db, first_clinic(settings), MONDAY)
    seed_demo(line, MONDAY)
    yield flask
    line.db.close()


@pytest.fixture
def line(app: Flask) -> Line:
    line: Line = app.extensions["line"]
    return line


def says(line: Line, body: str, sid: str, sender: str = MAEVE) -> Received:
    return receive_text(line, InboundText(sid, sender, "", body, channel="simulator"), MONDAY)


def test_the_history_runs_up_down_and_up_again(line: Line) -> None:
    migrate(line.db, "base")
    migrate(line.db)
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 0


def test_texts_are_answered_and_an_alert_pages(app: Flask, line: Line) -> None:
    for n, body in enumerate(("TRAVLE", "MORE", "MENU", "HELP", "what about my dog", "i am so itchy", "STOP", "START")):
        assert says(line, body, f"SM{n}").replies
    app.extensions["run_due"](MONDAY)
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(InboundMessage)) == 8
        pages = session.scalars(select(OutboundMessage).where(OutboundMessage.purpose == Purpose.PAGE)).all()
        assert [page.state for page in pages] == ["delivered"]


def test_labels_and_replies_are_kept_and_counted(line: Line) -> None:
    texts = [says(line, body, f"SM{n}").inbound_id for n, body in enumerate(("striped umbrella", "TRAVEL"))]
    with line.db.read() as session:
        nurse = session.scalars(select(Staff.id).order_by(Staff.id)).first()
    assert nurse
    for topic in ("noise", "mri"):
        for inbound_id in texts:
            label_text(line, inbound_id, topic, MONDAY, nurse)
    with line.db.begin() as session:
        phone = session.scalars(select(Phone)).first()
        assert phone
        record_helped(session, MONDAY, phone.clinic_id, phone.id, "mri", "en", 1, helped=True)
    with line.db.read() as session:
        assert figures(session) == (TopicFigures("travel", 0, 0, 1), TopicFigures("mri", 1, 0, 0))
        written = candidates(session, line.words.library, since=MONDAY).examples
        assert [(example.topic, example.text) for example in written] == [
            ("mri", "striped umbrella"),
            ("mri", "TRAVEL"),
        ]


def test_a_booking_reminds_and_a_miss_is_noticed(app: Flask, line: Line) -> None:
    visit = book_appointment(line, 4, MONDAY + timedelta(days=8), MONDAY, "command")
    for hours in range(24 * 10):
        app.extensions["run_due"](MONDAY + timedelta(hours=hours))
    with line.db.read() as session:
        reminders = session.scalars(select(Reminder).where(Reminder.appointment_id == visit)).all()
        assert {reminder.step for reminder in reminders} == {"ladder:7", "ladder:2", "ladder:1", "missed:1", "missed:2"}
        assert {reminder.state for reminder in reminders} == {ReminderState.QUEUED}
        tasks = session.scalars(select(Task).where(Task.subject == f"appointment:{visit}").order_by(Task.id)).all()
        assert [(task.kind, task.state) for task in tasks] == [
            (TaskKind.UNCONFIRMED, TaskState.RESOLVED),
            (TaskKind.MISSED_REFILL, TaskState.OPEN),
        ]


def test_the_drug_runs_low_until_somebody_is_paged_and_a_refill_ends_it(app: Flask, line: Line) -> None:
    record_refill(line, 4, RefillEntry(MONDAY.date(), Decimal(6)), MONDAY, "command")  # 86 days, by the early edge
    for days in range(70, 84):
        app.extensions["run_due"](MONDAY + timedelta(days=days))
    plan_care(line, MONDAY + timedelta(days=83))
    with line.db.read() as session:
        mine = select(Task).where(Task.patient_id == 4, Task.state != TaskState.RESOLVED)
        assert {task.kind for task in session.scalars(mine)} == {TaskKind.SUPPLY, TaskKind.ALERT}
    later = MONDAY + timedelta(days=83)
    record_refill(line, 4, RefillEntry(later.date(), Decimal(20), Decimal(1)), later, "command")
    with line.db.read() as session:
        assert session.scalars(mine).all() == []


def test_copies_at_the_same_instant_are_one_text(line: Line) -> None:
    start = Barrier(6)

    def copy(_: int) -> tuple[str, ...]:
        start.wait(10)
        return tuple(reply.body for reply in says(line, "my pump is beeping", "SM1").replies)

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(copy, range(6)))
    assert len(answers) == 1
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(InboundMessage)) == 1
        assert session.scalar(select(func.count()).select_from(Task)) == 1


def test_an_urgent_text_beside_an_acknowledgement_always_ends_open_and_paged(line: Line) -> None:
    says(line, "ALARM", "SM0")
    for n in range(1, 9):
        start = Barrier(2)

        def take(start: Barrier = start) -> None:
            start.wait(10)
            acknowledge_task(line, 1, MONDAY, None)

        def text_again(n: int = n, start: Barrier = start) -> None:
            start.wait(10)
            says(line, "cant breathe now", f"SM{n}")

        with ThreadPoolExecutor(2) as pool:
            taken, texted = pool.submit(take), pool.submit(text_again)
            texted.result()
            taken.result()
        says(line, "it beeps again", f"SM{n}x")
        with line.db.read() as session:
            [task] = session.scalars(select(Task)).all()
            assert (task.state, task.next_page_at is not None) == (TaskState.OPEN, True)


def test_every_staff_page_opens(app: Flask, line: Line) -> None:
    says(line, "ALARM", "SM1")
    nurse = Visitor(app.test_client())
    assert nurse.sign_in(*DEMO_SIGN_IN).status_code == 302
    for page in ("/staff/", "/staff/patients", "/staff/patients/1", "/staff/content", "/simulator"):
        assert nurse.get(page).status_code == 200, page


def test_the_models_know_every_table(line: Line) -> None:
    with line.db.engine.connect() as connection:
        found = set(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
    of_the_engine = {name for name in found if name.startswith("procrastinate_")}
    assert found - of_the_engine == {table.name for table in Base.metadata.sorted_tables} | {"alembic_version"}
