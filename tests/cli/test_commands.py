"""The command line as an operator meets it: exit codes, one-line errors, tables and JSON."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli import COMMANDS, cli
from app.db.heartbeat import SILENT_AFTER

Pumpline = Callable[..., Result]
PHONE = "+16145550123"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pumpline:
    """`pumpline` on a machine where nothing was set up yet."""
    for name in [name for name in os.environ if name.startswith("PUMPLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PUMPLINE_INSTANCE_DIR", str(tmp_path / "instance"))

    def run(*args: str, typed: str | bytes | None = None, **environ: str) -> Result:
        return CliRunner().invoke(cli, args, input=typed, env={f"PUMPLINE_{k}": v for k, v in environ.items()})

    return run


@pytest.fixture
def pumpline(bare: Pumpline, tmp_path: Path) -> Pumpline:
    """`pumpline` on a migrated simulator with one patient."""
    assert bare("migrate").exit_code == 0
    file = tmp_path / "ana.csv"
    file.write_text(f"mrn,given_name,family_name,phone,consent\n1,Ana,Ruiz,{PHONE},yes\n")
    assert bare("import", str(file)).exit_code == 0
    return bare


def test_help_is_quick_because_it_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'flask', 'twilio', 'pydantic', 'alembic', 'phonenumbers', 'requests'} & set(sys.modules)"
    code = f"import sys; from app.cli import cli; cli(['--help'], standalone_mode=False); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_the_overview_says_what_each_command_says_of_itself() -> None:
    for name, (_, short) in COMMANDS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert (command.help or "").startswith(short.removesuffix(".")), name
        assert all(sub.help for sub in getattr(command, "commands", {}).values()), name


def test_wrong_settings_are_usage_errors(bare: Pumpline) -> None:
    result = bare("patients", "list", TIME_ZONE="Mars/Base", PRT="1")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["PUMPLINE_PRT", "PUMPLINE_TIME_ZONE"]


def test_before_migrating_every_command_says_so(bare: Pumpline) -> None:
    result = bare("patients", "list")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "pumpline migrate" in result.stderr


def test_migrating_twice_is_fine_and_check_tells(bare: Pumpline) -> None:
    assert bare("migrate", "--check").exit_code == 1
    assert bare("migrate").exit_code == 0
    assert bare("migrate").exit_code == 0
    assert bare("migrate", "--check").exit_code == 0
    assert bare("migrate", "--to", "nowhere").exit_code == 1


def test_going_back_is_refused_where_there_are_patients_unless_it_is_meant(pumpline: Pumpline) -> None:
    for revision in ("base", "0020"):
        result = pumpline("migrate", "--to", revision)
        assert result.exit_code == 1
        assert "nothing was changed" in result.stderr
        assert "--drop-rows" in result.stderr
    assert "Ana Ruiz" in pumpline("patients", "list").stdout
    assert pumpline("migrate", "--to", "0020", "--drop-rows").exit_code == 0
    assert pumpline("migrate", "--check").exit_code == 1
    assert pumpline("migrate").exit_code == 0
    assert "Ana Ruiz" in pumpline("patients", "list").stdout


def test_an_empty_database_goes_back_as_it_came(bare: Pumpline) -> None:
    assert bare("migrate").exit_code == 0
    assert bare("migrate", "--to", "base").exit_code == 0


def test_other_keys_are_told_in_one_line(bare: Pumpline, tmp_path: Path) -> None:
    bare("migrate")
    (tmp_path / "instance" / "keys.json").unlink()
    result = bare("patients", "list")
    assert result.exit_code == 1
    assert "PUMPLINE_DATA_KEYS" in result.stderr
    assert bare("doctor").exit_code == 1


def test_a_text_is_answered_with_the_reasons(pumpline: Pumpline) -> None:
    result = pumpline("text", "ALARM", "--from", PHONE)
    assert result.exit_code == 0
    assert "911" in result.stdout
    assert "\nwhy: " in result.stdout
    told = json.loads(pumpline("text", "TRAVLE", "--from", PHONE, "--json").stdout)
    assert told["replies"]
    assert told["why"]
    assert pumpline("text", "ALARM", "--from", "nobody").exit_code == 2


def test_the_simulators_tools_refuse_a_live_line(pumpline: Pumpline) -> None:
    live = {
        "CHANNEL": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "TWILIO_SENDER": "+16145550100",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    for words in (("text", "ALARM", "--from", PHONE), ("clock", "jump", "--days", "1")):
        result = pumpline(*words, **live)
        assert result.exit_code == 1
        assert "simulator" in result.stderr


def test_a_visit_from_booking_to_attended(pumpline: Pumpline) -> None:
    year = datetime.now(UTC).year + 1
    assert "visit 1 booked" in pumpline("appointments", "book", "1", f"{year}-03-03 10:30").stdout
    moved = pumpline("appointments", "move", "1", f"{year}-03-04 10:30")
    assert f"visit 1 moved to {year}-03-04 10:30 EST" in moved.stdout
    days = ("--from", f"{year}-03-04", "--to", f"{year}-03-04")
    [visit] = json.loads(pumpline("appointments", "list", *days, "--json").stdout)
    assert (visit["starts_at"], visit["state"]) == (f"{year}-03-04T15:30:00Z", "booked")
    assert json.loads(pumpline("appointments", "list", "--to", f"{year}-03-03", "--json").stdout) == []
    planned = json.loads(pumpline("reminders", "list", "--patient", "1", "--json").stdout)
    assert [r["step"] for r in planned if r["state"] == "planned"] == ["ladder:14", "ladder:7", "ladder:2", "ladder:1"]
    assert "0 reminders would be added" in pumpline("reminders", "plan", "--dry-run").stdout
    assert pumpline("appointments", "attended", "1").exit_code == 0
    assert pumpline("appointments", "move", "1", f"{year}-03-05 10:30").exit_code == 1
    assert pumpline("appointments", "cancel", "99").exit_code == 1
    assert pumpline("appointments", "book", "1", "tomorrow").exit_code == 2


def test_the_clock_jumps_to_the_next_text(pumpline: Pumpline) -> None:
    assert pumpline("clock", "jump", "--next").exit_code == 1
    assert pumpline("clock", "jump").exit_code == 2
    pumpline("text", "hello", "--from", PHONE)
    now = json.loads(pumpline("clock", "show", "--json").stdout)["now"]
    visit_day = f"{int(now[:4]) + 1}-02-02 10:30"
    assert pumpline("appointments", "book", "1", visit_day).exit_code == 0
    result = pumpline("clock", "jump", "--next")
    assert result.exit_code == 0, result.output
    sent = [m for m in json.loads(pumpline("messages", "list", "--json").stdout) if m["purpose"] == "reminder"]
    assert [m["number"] for m in sent] == [PHONE]


def test_lists_show_people_and_json(pumpline: Pumpline) -> None:
    assert "Ana Ruiz" in pumpline("patients", "list").stdout
    assert json.loads(pumpline("patients", "show", "1", "--json").stdout)["contacts"][0]["number"] == PHONE
    assert PHONE in pumpline("patients", "show", "1").stdout
    assert pumpline("patients", "show", "99").exit_code == 1
    pumpline("text", "ALARM", "--from", PHONE)
    [task] = json.loads(pumpline("tasks", "list", "--json").stdout)
    assert (task["kind"], task["state"]) == ("alert", "open")
    assert pumpline("tasks", "acknowledge", "1").exit_code == 0
    assert pumpline("tasks", "resolve", "1", "--outcome", "called back").exit_code == 0
    assert json.loads(pumpline("tasks", "list", "--json").stdout) == []
    assert len(json.loads(pumpline("messages", "list", "--patient", "1", "--limit", "1", "--json").stdout)) == 1
    assert json.loads(pumpline("messages", "list", "--failed", "--json").stdout) == []


def test_an_account_is_added(pumpline: Pumpline) -> None:
    add = ("staff", "add", "ana@clinic.example", "--name", "Ana", "--password-stdin")
    assert pumpline(*add, typed="short\n").exit_code == 1
    assert pumpline(*add, typed="four quiet words here\n").exit_code == 0
    assert pumpline(*add, typed="four quiet words here\n").exit_code == 1
    [account] = json.loads(pumpline("staff", "list", "--json").stdout)
    assert account["role"] == "nurse"


def test_understanding_goes_on_after_a_bad_line(bare: Pumpline) -> None:
    lines = [
        b'{"id": "a", "text": "ALARM"}',
        b"not json",
        b'{"text": "no id"}',
        b'{"id": 4, "text": "ok", "context": "after_reminder"}',
        b'\xff{"id": 5}',
        b'{"id": 6, "text": "\\ud800", "lang": "es"}',
        b'{"id": 7, "text": "x", "context": "other"}',
    ]
    result = bare("understand", typed=b"\n".join(lines))
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["line 2", "line 3", "line 5", "line 7"]
    said = {line["id"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert (said["a"]["kind"], said["a"]["category"]) == ("urgent", "alarm")
    assert said[4]["intent"] == "confirm"
    assert said[6]["kind"] == "unknown"


def test_the_template_is_a_file_that_imports(bare: Pumpline, tmp_path: Path) -> None:
    bare("migrate")
    file = tmp_path / "template.csv"
    file.write_text(bare("import", "--template").stdout)
    assert bare("import", str(file), "--dry-run").exit_code == 0
    assert "1 created" in bare("import", str(file)).stdout
    file.write_text(file.read_text().replace("2000", "2,"))
    failed = bare("import", str(file))
    assert failed.exit_code == 1
    assert "nothing was written" in failed.stderr
    assert bare("import").exit_code == 2
    assert bare("import", str(tmp_path / "none.csv")).exit_code == 2


def test_doctor_passes_on_a_fresh_simulator(pumpline: Pumpline) -> None:
    result = pumpline("doctor")
    assert result.exit_code == 0, result.output
    checks = json.loads(pumpline("doctor", "--json").stdout)
    assert {check["name"] for check in checks} >= {"settings", "content", "database", "keys", "on-call phone", "staff"}


def test_doctor_names_wrong_settings_and_a_line_nobody_reaches(pumpline: Pumpline) -> None:
    assert pumpline("doctor", CHANNEL="sms").exit_code == 1
    live = {
        "CHANNEL": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "very-secret",
        "TWILIO_SENDER": "+16145550100",
        "TWILIO_API_URL": "http://127.0.0.1:1",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    result = pumpline("doctor", "--json", **live)
    assert result.exit_code == 1
    failed = {check["name"] for check in json.loads(result.stdout) if check["result"] == "fail"}
    assert failed >= {"twilio", "public address", "clinic"}
    assert "very-secret" not in result.output


def test_doctor_tells_a_line_whose_heartbeat_ended(pumpline: Pumpline, tmp_path: Path) -> None:
    live = {
        "CHANNEL": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "TWILIO_SENDER": "+16145550100",
        "TWILIO_API_URL": "http://127.0.0.1:1",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }

    def jobs(**environ: str) -> tuple[str, str]:
        found = json.loads(pumpline("doctor", "--json", **environ).stdout)
        [told] = [(check["result"], check["what"]) for check in found if check["name"] == "jobs"]
        return told

    def write(sql: str, at: datetime) -> None:
        with sqlite3.connect(tmp_path / "instance" / "pumpline.db") as connection:
            connection.execute(sql, (f"{at:%Y-%m-%d %H:%M:%S.%f}",))

    now = datetime.now(UTC)
    assert jobs(**live) == ("warn", "none has run yet")
    write("UPDATE installation SET created_at = ?", now - timedelta(hours=1))
    assert jobs(**live)[0] == "fail"
    assert jobs()[0] == "ok"  # a simulator need not run
    for name in SILENT_AFTER:
        write(f"INSERT INTO job_health (name, failures, ok_at) VALUES ('{name}', 0, ?)", now)
    assert jobs(**live)[0] == "ok"
    write("UPDATE job_health SET ok_at = ? WHERE name = 'raise_pages'", now - timedelta(minutes=6))
    assert jobs(**live) == ("fail", "not run lately: raise_pages; reminders and pages wait")


def test_new_keys_are_accepted_as_settings(bare: Pumpline) -> None:
    made = dict(line.removeprefix("PUMPLINE_").split("=", 1) for line in bare("keys", "new").stdout.splitlines())
    assert bare("migrate", **made).exit_code == 0
    assert bare("patients", "list", **made).exit_code == 0


def test_the_content_is_checked(bare: Pumpline) -> None:
    result = bare("check-content", "--json")
    assert isinstance(json.loads(result.stdout), list)


def test_what_is_stuck_is_told_by_ids_alone_and_by_the_exit_code(pumpline: Pumpline, tmp_path: Path) -> None:
    assert pumpline("messages", "stuck").output == "nothing is stuck\n"
    pumpline("text", "my pump is beeping", "--from", PHONE)
    with sqlite3.connect(tmp_path / "instance" / "pumpline.db") as database:
        database.execute("UPDATE outbound_message SET state = 'queued', due_at = '2026-01-01 00:00:00.000000'")
    database.close()
    stuck = pumpline("messages", "stuck")
    assert stuck.exit_code == 1
    assert "queued" in stuck.output
    assert PHONE not in stuck.output
    assert "Call" not in stuck.output
