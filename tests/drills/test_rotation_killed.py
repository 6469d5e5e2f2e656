"""`pumpline keys rotate` dies again and again while a line runs and texts come in: nothing is unreadable afterwards."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from app.actions.outbox import owe
from app.actions.prepare import FirstClinic, prepare
from app.clock import system_clock
from app.db.crypto import Keyring
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.migrate import migrate
from app.domain.texts import Rendered
from tests.drills.real_process import PUMPLINE, Running
from tests.fakes.twilio_server import FakeTwilio

TEXTS = 3_000  # long enough to be killed half-way
DEATHS = 5


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def running(tmp_path: Path, twilio: FakeTwilio) -> Iterator[Running]:
    """A line with many sealed texts; its settings hold a new data key in front of the one that sealed them."""
    made = Running(tmp_path, twilio)
    old, new = made.environ["PUMPLINE_DATA_KEYS"], Fernet.generate_key().decode()
    _fill(made.environ["PUMPLINE_DATABASE_URL"], old)
    made.environ["PUMPLINE_DATA_KEYS"] = f"{new},{old}"
    twilio.public_url = made.url
    made.start()
    yield made
    made.kill()


def _fill(url: str, key: str) -> None:
    db, now = Database(url, Keyring([key])), system_clock()
    migrate(db)
    prepare(db, FirstClinic("Drill", "+16145550100", "+16145550101", None, "911", "America/New_York", None), now)
    with db.begin() as session:
        phones = [phone_named(db, session, 1, f"+1614556{n:04d}", now) for n in range(100)]
        for n in range(TEXTS):
            owe(
                session,
                clinic_id=1,
                phone_id=phones[n % len(phones)],
                words=Rendered(f"Said long ago, {n}.", "by hand", 1, draft=False),
                purpose=Purpose.STAFF,
                dedupe_key=f"drill:{n}",
                now=now,
            )
        session.execute(OutboundMessage.__table__.update().values(state="delivered"))
    db.close()


def _keys(running: Running, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PUMPLINE, "keys", *words],
        env=running.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def test_a_rotation_that_is_killed_again_and_again_ends_with_everything_under_the_new_key(
    running: Running, twilio: FakeTwilio
) -> None:
    chance, came = Random(5), 0
    for _ in range(DEATHS):
        rotating = _keys(running, "rotate")
        until = time.monotonic() + chance.uniform(0.6, 2.0)
        while time.monotonic() < until:
            came += 1
            assert twilio.deliver(running.url, f"+1614557{came:04d}", "TRAVEL").replies
        os.killpg(rotating.pid, signal.SIGKILL)
        rotating.wait()
    done = _keys(running, "rotate")
    assert done.wait(120) == 0
    retiring = _keys(running, "retire", "--check")
    assert retiring.wait(120) == 0, "an old key is still needed"
    new = running.environ["PUMPLINE_DATA_KEYS"].split(",")[0]
    db = Database(running.environ["PUMPLINE_DATABASE_URL"], Keyring([new]))  # the old key is gone
    with db.read() as session:
        bodies = session.scalars(select(OutboundMessage.body).where(OutboundMessage.purpose == Purpose.STAFF)).all()
        assert sorted(bodies) == sorted(f"Said long ago, {n}." for n in range(TEXTS))
        assert set(session.scalars(select(InboundMessage.body))) == {"TRAVEL"}
        assert session.scalar(select(func.count()).select_from(InboundMessage)) == came
    db.close()
    listed = _keys(running, "list", "--json")
    said, _ = listed.communicate(timeout=60)
    assert [one["seals"] for one in json.loads(said)] == [True, False]
