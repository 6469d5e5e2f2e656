"""What reaches the log, whoever says it: no number, no address, no words of an error."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.commands.server import Server
from app.db.crypto import Keyring
from app.db.engine import Database
from app.logs import configure_logging, following, tell
from app.settings import Settings

NUMBER = "+16145550142"
ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, server = logging.getLogger(), logging.getLogger("gunicorn.error")
    kept = root.handlers[:], root.level, server.handlers[:], server.propagate, server.level
    yield
    root.handlers[:], root.level, server.handlers[:], server.propagate, server.level = kept


def fails(log: Callable[..., None]) -> None:
    try:
        raise RuntimeError(f"Maria {NUMBER}")
    except RuntimeError:
        log("Error handling request from %s", NUMBER)


def test_a_server_that_logged_before_us_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """As under `gunicorn app.wsgi:app`: its logger stands before the application is loaded."""
    server = Logger(Config())
    configure_logging(as_json=True)
    fails(server.exception)
    said = capsys.readouterr().err
    assert said.count("Error handling request") == 1
    assert '"error": "RuntimeError"' in said
    assert "Maria" not in said
    assert NUMBER not in said


def test_our_own_server_logs_through_us_from_the_start(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    configure_logging(as_json=True)
    config = Server(settings, workers=1).cfg
    server = config.logger_class(config)
    server.setup(config)  # again, as on a reload
    fails(server.exception)
    said = capsys.readouterr().err
    assert said.count("Error handling request") == 1
    assert "Maria" not in said
    assert NUMBER not in said


def test_the_application_for_another_server_sets_logging_up(tmp_path: Path) -> None:
    code = (
        "import app.wsgi, logging, structlog; root = logging.getLogger();"
        "print(type(root.handlers[0].formatter).__name__, logging.getLevelName(root.level))"
    )
    environ = {"PUMPLINE_INSTANCE_DIR": str(tmp_path), "PUMPLINE_SCHEDULER": "no", "PUMPLINE_LOG_LEVEL": "error"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ, cwd=ROOT
    )
    assert done.stdout.split() == ["ProcessorFormatter", "ERROR"], done.stderr


def test_an_error_of_the_database_does_not_quote_what_was_sent_to_it(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/p.db", Keyring([Keyring.new_key()]))
    with pytest.raises(OperationalError) as raised, db.begin() as session:
        session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Maria"})
    db.close()
    assert "Maria" not in str(raised.value)


def test_postgresql_is_asked_the_same_way() -> None:
    db = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", Keyring([Keyring.new_key()]))
    assert db.engine.hide_parameters
    db.close()


def test_the_short_way_to_the_log_says_what_the_long_one_says(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)
    log = logging.getLogger("app.web.twilio")
    ids = {"inbound_id": 7, "kind": "urgent", "repeated": False}
    with following("0123456789abcdef"):
        log.info("text received", extra=ids)
        logging.root.handlers[:] = logging.root.handlers[:1]  # as a server has it
        tell(log, "text received", **ids)
        log.setLevel("WARNING")
        tell(log, "nothing", inbound_id=8)
        log.setLevel("NOTSET")
    long, short = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert datetime.fromisoformat(short.pop("timestamp")) >= datetime.fromisoformat(long.pop("timestamp"))
    assert short == long


def test_what_a_library_hangs_on_a_line_stays_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)
    logging.getLogger("somebody").warning("slow", extra={"body": "Maria", "code": 5})
    line = json.loads(capsys.readouterr().err)
    assert line["code"] == 5
    assert "Maria" not in line.values()
