"""Backing up, restoring, rehearsing and moving as an operator meets them."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.db.backup_keys import BackupKeys, new_backup_key
from app.db.crypto import Keyring
from app.db.spool import Spool
from tests.actions.test_back_up import full_disk
from tests.cli.conftest import Terminal

ANA = "Ana Ruiz"
PASSWORD = "open-sesame"


@pytest.fixture
def key(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> str:
    made = new_backup_key()
    monkeypatch.setenv("PUMPLINE_BACKUP_KEY", made)
    return made


def execute(terminal: Terminal, statement: str, *values: str | bytes) -> None:
    with sqlite3.connect(terminal.folder / "instance" / "pumpline.db") as connection:
        connection.execute(statement, values)
    connection.close()


def spool_of(terminal: Terminal) -> Spool:
    instance = terminal.folder / "instance"
    return Spool(instance / "spool", Keyring(json.loads((instance / "keys.json").read_text())["data_keys"]))


def test_a_backup_is_checked_and_restored_beside_and_names_nobody(terminal: Terminal, key: str) -> None:
    said = terminal.does("backup")
    file = Path(said.splitlines()[0])
    assert file.parent == terminal.folder / "instance" / "backups"
    assert "1 patients" in said
    assert "is whole" in terminal.does("restore", str(file), "--verify")
    to = f"sqlite:///{terminal.folder}/beside.db"
    restored = terminal.does("restore", str(file), "--to", to)
    for words in ("all values compared and equal", "point of restore", "everybody is signed out", "pumpline run"):
        assert words in restored
    for text in (said, restored):
        assert "Ana" not in text
        assert "5550123" not in text
    assert "holds rows already" in terminal.refuses("restore", str(file), "--to", to)


def test_after_the_instance_is_lost_its_backup_makes_it_anew(
    terminal: Terminal, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = terminal.folder / "instance"
    made = terminal.tells("backup", "--to", str(terminal.folder / "elsewhere"))
    kept = json.loads((instance / "keys.json").read_text())
    for name in ("pumpline.db", "pumpline.db.lock", "keys.json"):
        (instance / name).unlink()
    assert "does not hold" in terminal.refuses("restore", made["path"])
    (instance / "keys.json").unlink()
    monkeypatch.setenv("PUMPLINE_DATA_KEYS", kept["data_keys"][0])
    terminal.does("restore", made["path"])
    assert ANA in terminal.does("patients", "list")


def test_what_waited_in_the_spool_is_in_it_and_comes_back(terminal: Terminal, key: str) -> None:
    spool = spool_of(terminal)
    spool.keep("sms", {"Body": "ALARM"}, datetime(2026, 11, 23, 15, tzinfo=UTC))
    file = terminal.tells("backup")["path"]
    [waits] = spool.waiting()
    spool.drop(waits)
    terminal.does("restore", file, "--to", f"sqlite:///{terminal.folder}/beside.db")
    assert spool.waiting() == [waits]
    found = spool.read(waits)
    assert found is not None
    assert found.form == {"Body": "ALARM"}


def test_without_its_key_nothing_is_made_or_opened(
    terminal: Terminal, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = terminal.tells("backup")["path"]
    monkeypatch.setenv("PUMPLINE_BACKUP_KEY", new_backup_key())
    assert "written for another key" in terminal.refuses("restore", file, "--verify")
    monkeypatch.setenv("PUMPLINE_BACKUP_KEY", str(BackupKeys.of([key]).recipients[0]))
    assert "AGE-SECRET-KEY-1" in terminal.refuses("restore", file, "--verify")
    terminal.does("backup", "--to", str(terminal.folder / "elsewhere"))
    monkeypatch.setenv("PUMPLINE_BACKUP_KEY", key[:-1])
    assert key[:-1] not in terminal.refuses("backup", code=2)
    monkeypatch.delenv("PUMPLINE_BACKUP_KEY")
    assert "pumpline keys new" in terminal.refuses("backup")


def fails(terminal: Terminal, *words: str) -> str:
    """Return the last line of what is said about a command that fails after it began."""
    result = terminal(*words)
    assert result.exit_code == 1, result.output
    return result.stderr.splitlines()[-1]


def test_a_full_disk_is_told_as_one_and_leaves_nothing(terminal: Terminal, key: str) -> None:
    spool_of(terminal).keep("sms", {"Body": "x" * 300_000}, datetime(2026, 11, 23, 15, tzinfo=UTC))
    with full_disk(60_000):
        said = fails(terminal, "backup", "--to", str(terminal.folder / "elsewhere"))
    assert "make room" in said
    assert list((terminal.folder / "elsewhere").iterdir()) == []


def test_backups_that_keep_failing_are_told_like_a_failing_job(terminal: Terminal, key: str) -> None:
    (terminal.folder / "file").write_text("no folder")
    for _ in range(3):
        assert "no backup was made" in fails(terminal, "backup", "--to", str(terminal.folder / "file" / "backups"))
    told = {check["name"]: check for check in json.loads(terminal("doctor", "--json").stdout)}
    assert told["jobs"]["what"] == "backup failed 3 times in a row (NotADirectoryError)"


def test_doctor_asks_a_live_line_for_a_backup_of_the_last_day(
    terminal: Terminal, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[str, str]:
        found = {check["name"]: check for check in json.loads(terminal("doctor", "--json").stdout)}
        return found["backup"]["result"], found["backup"]["what"]

    live = {
        "CHANNEL": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "TWILIO_SENDER": "+16145550100",
        "TWILIO_API_URL": "http://127.0.0.1:1",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    for name, value in live.items():
        monkeypatch.setenv(f"PUMPLINE_{name}", value)
    assert told() == ("warn", "none was made of this database")
    terminal.does("backup")
    assert told() == ("ok", "the newest is 0 hours old")
    yesterday = datetime.now(UTC) - timedelta(hours=50)
    execute(terminal, "UPDATE job_health SET ok_at = ? WHERE name = 'backup'", f"{yesterday:%Y-%m-%d %H:%M:%S.%f}")
    assert told() == ("warn", "the newest is 50 hours old")


def test_the_drill_says_that_the_backup_restores_and_leaves_no_trace(terminal: Terminal) -> None:
    before = sorted(path.name for path in (terminal.folder / "instance").iterdir())
    said = terminal.does("drill", "restore")
    assert "verdict     this backup restores" in said
    assert "all values compared and equal" in said
    found = terminal.tells("drill", "restore")
    assert found["opened"] >= 2
    assert found["audit_broken"] is None
    assert sorted(path.name for path in (terminal.folder / "instance").iterdir()) == before


def test_the_drill_empties_the_database_it_was_given_and_refuses_one_that_holds_rows(
    terminal: Terminal, key: str
) -> None:
    to = f"sqlite:///{terminal.folder}/given.db"
    terminal.does("drill", "restore", "--to", to)
    terminal.does("move-database", "--to", to)
    assert "holds rows already" in terminal.refuses("drill", "restore", "--to", to)
    assert ANA in Terminal(terminal.folder)("patients", "list").stdout
    with sqlite3.connect(terminal.folder / "given.db") as connection:
        assert connection.execute("SELECT count(*) FROM patient").fetchone() == (1,)


def test_moving_says_what_to_set_and_the_line_goes_on_there(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = f"sqlite:///{terminal.folder}/moved.db"
    said = terminal.does("move-database", "--to", "-", typed=f"{to}\n")
    assert f"PUMPLINE_DATABASE_URL={to}" in said
    assert "all values compared and equal" in said
    monkeypatch.setenv("PUMPLINE_DATABASE_URL", to)
    assert ANA in terminal.does("patients", "list")
    assert "that is the database in use" in terminal.refuses("move-database", "--to", to)


def test_a_running_line_is_not_moved_unless_it_is_said_to_be_stopped(terminal: Terminal) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    execute(terminal, "INSERT INTO job_health (name, failures, ok_at) VALUES ('send_outbox', 0, ?)", now)
    to = f"sqlite:///{terminal.folder}/moved.db"
    assert "the line seems to run" in terminal.refuses("move-database", "--to", to)
    assert "moved" in terminal.does("move-database", "--to", to, "--stopped")


def test_a_password_is_never_printed(terminal: Terminal) -> None:
    for url in (f"postgresql://nurse:{PASSWORD}@127.0.0.1:1/pumpline", f"mysql://nurse:{PASSWORD}@127.0.0.1/pumpline"):
        result = terminal("move-database", "--to", url)
        assert result.exit_code in (1, 2)
        assert PASSWORD not in result.output
