"""The audit log at a terminal: a chain that is whole, one that is not, and who read or changed a record."""

import csv
import io
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from app.actions.seal_audit import seal_audit
from app.commands.house import opened
from tests.cli.conftest import Terminal

MRN = "1"


def seal() -> None:
    with opened() as house:
        seal_audit(house.line, datetime.now(UTC))


def database(terminal: Terminal) -> Path:
    [file] = terminal.folder.rglob("pumpline.db")
    return file


def test_a_whole_chain_is_told_with_its_head(terminal: Terminal) -> None:
    assert "not sealed yet" in terminal.does("audit", "verify")
    seal()
    said = terminal.does("audit", "verify")
    chain = terminal.tells("audit", "verify")
    assert said.startswith(f"{chain['events']} events in the chain, ")
    assert f"head {chain['head']}" in said
    assert "not sealed yet" not in said
    terminal.does("audit", "verify", "--head", chain["head"])
    assert "not in the chain" in terminal.refuses("audit", "verify", "--head", "a" * 64)
    assert "64 characters" in terminal.refuses("audit", "verify", "--head", "abc", code=2)


def test_a_broken_chain_names_its_first_event_and_fails(terminal: Terminal) -> None:
    seal()
    with sqlite3.connect(database(terminal)) as connection:
        connection.execute("DROP TRIGGER audit_event_no_change")
        connection.execute("UPDATE audit_event SET actor = 'staff:9' WHERE id = 1")
    connection.close()
    assert "the chain is broken at event 1: it was changed" in terminal.refuses("audit", "verify")


def test_a_report_tells_who_changed_a_record_and_is_recorded_itself(terminal: Terminal) -> None:
    terminal.does("patients", "state", "1", "paused")
    said = terminal.does("audit", "report", "--patient", MRN)
    assert "State set (state paused)".lower() in said.lower()
    assert "Ruiz" not in said
    again = terminal.does("audit", "report", "--patient", MRN, "--csv")
    rows = list(csv.DictReader(io.StringIO(again)))
    assert rows[0]["what"].startswith("exported an access report (rows ")
    assert terminal.tells("audit", "report", "--patient", MRN)[0]["verb"] == "exported an access report"
    assert "no patient has" in terminal.refuses("audit", "report", "--patient", "nobody")


def test_roles_are_given_changed_and_listed(terminal: Terminal) -> None:
    add = ("staff", "add", "vera@clinic.example", "--name", "Vera", "--password-stdin")
    terminal.does(*add, "--role", "auditor", typed="four quiet words here\n")
    terminal.does("staff", "role", "vera@clinic.example", "read_only")
    assert {"vera@clinic.example": "read_only"}.items() <= {
        one["email"]: one["role"] for one in terminal.tells("staff", "list")
    }.items()
    terminal.does("text", "ALARM", "--from", "+16145550123")
    said = terminal.refuses("tasks", "acknowledge", "1", "--by", "vera@clinic.example")
    assert said.strip() == "that account's role is read only: name a nurse"
    assert "no account" in terminal.refuses("staff", "role", "nobody@clinic.example", "nurse")
    terminal.refuses("staff", "role", "vera@clinic.example", "king", code=2)
