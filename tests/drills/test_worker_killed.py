"""Two workers, as operators start them; the one that is sending is killed -9. The other goes on, nothing is lost."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url, select

from app.actions.outbox import owe
from app.actions.prepare import prepare
from app.db.crypto import Keyring
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.migrate import migrate
from app.db.people import Clinic
from app.domain.delivery import DeliveryState
from app.domain.texts import Rendered
from tests.db.conftest import CLINIC
from tests.db.test_postgresql import pytestmark, url
from tests.drills.real_process import PUMPLINE, Running
from tests.fakes.twilio_server import FakeTwilio

__all__ = ["pytestmark", "url"]

TEXTS = 30
SENDERS = 16
CLAIMED = 24  # at once: those being sent, and eight ahead


def test_the_other_worker_takes_over_and_every_text_is_accounted_for(url: str, tmp_path: Path) -> None:
    with FakeTwilio() as twilio:
        web = Running(tmp_path, twilio, "web", "--workers", "1")
        twilio.public_url = web.url
        web.environ |= {"PUMPLINE_DATABASE_URL": url, "PUMPLINE_WORKER_DEAD_AFTER_SECONDS": "2"}
        environ = web.environ
        db = Database(url, Keyring([environ["PUMPLINE_DATA_KEYS"]]))
        migrate(db)
        prepare(db, CLINIC, datetime.now(UTC))

        def texts(*states: DeliveryState) -> int:
            with db.read() as session:
                return len(session.scalars(select(OutboundMessage).where(OutboundMessage.state.in_(states))).all())

        with workers(environ, tmp_path) as start, psycopg.connect(_plain(url), autocommit=True) as database:
            by_id = {start("first", database): "first", start("second", database): "second"}
            for _ in range(SENDERS):
                twilio.delay(5)  # it takes the text at once, and answers late
            _owe(db, TEXTS)
            _wait_for(lambda: len(twilio.accepted) >= SENDERS)
            [(sender,)] = database.execute(
                "SELECT worker_id FROM procrastinate_jobs WHERE task_name = 'send_outbox' AND status = 'doing'"
            ).fetchall()
            start.kill(by_id[sender])
            _wait_for(lambda: len(twilio.accepted) == SENDERS + TEXTS - CLAIMED)
            _wait_for(lambda: texts(DeliveryState.QUEUED, DeliveryState.SENDING) == 0)
            with web:  # a text comes in on one machine, and the page goes out from another
                assert twilio.deliver(web.url, "+16145550142", "my pump is beeping").status == 200
                _wait_for(lambda: [text for text in twilio.accepted if text.to == "+16145550190"])
        assert texts(DeliveryState.ACCEPTED) == TEXTS - CLAIMED + 1
        assert texts(DeliveryState.UNKNOWN) == CLAIMED, "in the dead worker's hands: the provider is asked about each"
        assert set(Counter(message.body for message in twilio.accepted).values()) == {1}
        db.close()


class Start:
    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ, self._folder = environ, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __call__(self, name: str, database: "psycopg.Connection[Any]") -> int:
        """Start a worker; return its number in the database once it is at work."""
        before = _workers(database)
        log = (self._folder / f"{name}.log").open("ab")
        command = [*PUMPLINE, "worker", "--name", name, "--wait", "0"]
        self._running[name] = subprocess.Popen(command, env=self._environ, stdout=log, stderr=log)
        _wait_for(lambda: _workers(database) - before, self._said(name))
        return (_workers(database) - before).pop()

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self._running.items():
            assert process.wait(30) == 0, self._said(name)()

    def _said(self, name: str) -> Callable[[], str]:
        return lambda: (self._folder / f"{name}.log").read_text()[-2000:]


@contextmanager
def workers(environ: dict[str, str], folder: Path) -> Iterator[Start]:
    start = Start(environ, folder)
    yield start
    start.stop()


def _workers(database: "psycopg.Connection[Any]") -> set[int]:
    return {number for (number,) in database.execute("SELECT id FROM procrastinate_workers").fetchall()}


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _owe(db: Database, count: int) -> None:
    now = datetime.now(UTC) - timedelta(seconds=1)
    with db.begin() as session:
        clinic = session.scalars(select(Clinic.id)).one()
        for n in range(count):
            owe(
                session,
                clinic_id=clinic,
                phone_id=phone_named(db, session, clinic, f"+1614555{1000 + n}", now),
                words=Rendered(f"Please call us about text {n}.", "by hand", 1, draft=False),
                purpose=Purpose.STAFF,
                dedupe_key=f"test:{n}",
                now=now,
            )


def _wait_for(true: Callable[[], object], said: Callable[[], str] = lambda: "", seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"it did not come about in time: {said()}"
        time.sleep(0.05)
