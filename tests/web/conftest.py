"""Visitors of the pages: nobody yet, a nurse, a nurse of another clinic, a newcomer at the simulator."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from app import create_app
from app.actions.add_staff import add_staff
from app.actions.advance_clock import simulated_clock
from app.actions.line import Line
from app.actions.prepare import prepare
from app.actions.seed_demo import seed_demo
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate
from app.db.people import Clinic
from app.keys import keys_for
from app.settings import Settings
from app.wiring import first_clinic
from tests.conftest import FrozenClock

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser without scripts: follows links, fills forms, sends what hidden fields it finds."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: str) -> TestResponse:
        return self.client.get(path, headers=self.headers | more)

    def page(self, path: str) -> str:
        """Open a page and read it as a person would: with entities undone."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return unescape(answer.text)

    def post(self, path: str, *, seen_on: str = "/staff/sign-in", **fields: str | int) -> TestResponse:
        token = TOKEN.search(self.get(seen_on).text)
        assert token, f"no form on {seen_on}"
        data = {"csrf_token": token[1]} | {name.rstrip("_"): str(value) for name, value in fields.items()}
        return self.client.post(path, data=data, headers=self.headers)

    def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
        return self.post("/staff/sign-in", email=email, password=password, **more)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def staff_id(line: Line, clock: FrozenClock) -> int:
    return add_staff(line.db, "ana@clinic.example", "Ana Lindqvist", "nurse", PASSWORD, clock())


@pytest.fixture
def nurse(app: Flask, staff_id: int) -> Visitor:
    """Ana, signed in."""
    ana = Visitor(app.test_client())
    assert ana.sign_in("ana@clinic.example").status_code == 302
    return ana


@pytest.fixture
def stranger_nurse(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """A nurse of another clinic on the same installation, signed in."""
    with line.db.begin() as session:
        other = Clinic(
            name="Southgate Pump Clinic",
            phone="+16145550110",
            after_hours_phone="+16145550111",
            time_zone="America/Chicago",
            created_at=clock(),
        )
        session.add(other)
        session.flush()
        clinic_id = other.id
    add_staff(line.db, "bea@other.example", "Bea Stranger", "nurse", PASSWORD, clock(), clinic_id)
    bea = Visitor(app.test_client())
    assert bea.sign_in("bea@other.example").status_code == 302
    return bea


@pytest.fixture
def simulator(tmp_path: Path, clock: FrozenClock) -> Iterator[Flask]:
    """The demo clinic on the simulator, its clock standing still unless jumped."""
    settings = Settings(
        channel="simulator",
        instance_dir=tmp_path / "simulator",
        secret_key=SecretStr("s" * 32),
        data_keys=SecretStr(Fernet.generate_key().decode()),
        scheduler=False,
    )
    database = Database(settings.database_url, Keyring(keys_for(settings).data_keys))
    flask = create_app(settings, clock=simulated_clock(database, clock))
    line = flask.extensions["line"]
    migrate(line.db)
    prepare(line.db, first_clinic(settings), clock())
    seed_demo(line, clock())
    flask.extensions["session_clock"] = clock
    yield flask
    line.db.close()
    database.close()


@pytest.fixture
def newcomer(simulator: Flask) -> Visitor:
    return Visitor(simulator.test_client())
