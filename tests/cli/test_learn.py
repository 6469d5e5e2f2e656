"""`pumpline learn`: what operators get out of labels and replies, and what never leaves the clinic."""

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from app.actions.label_text import label_text
from app.actions.record_helped import record_helped
from app.cli import cli
from app.commands.house import opened
from app.db.messages import InboundMessage
from app.db.people import Phone, Staff

Pumpline = Callable[..., Result]
PHONE = "+16145550123"
PRIVATE = ("Ana", "Ruiz", "614", "0123", "ana.ruiz", "Lindqvist")


@pytest.fixture
def pumpline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pumpline:
    """`pumpline` on a migrated simulator with one patient, Ana Ruiz, and one nurse."""
    for name in [name for name in os.environ if name.startswith("PUMPLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PUMPLINE_INSTANCE_DIR", str(tmp_path / "instance"))

    def run(*args: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(cli, args, input=typed)

    file = tmp_path / "ana.csv"
    file.write_text(f"mrn,given_name,family_name,phone,consent\n1,Ana,Ruiz,{PHONE},yes\n")
    add = ("staff", "add", "eva@clinic.example", "--name", "Eva Lindqvist", "--password-stdin")
    assert run("migrate").exit_code == 0
    assert run("import", str(file)).exit_code == 0
    assert run(*add, typed="a long enough password\n").exit_code == 0
    return run


@pytest.fixture
def labels(pumpline: Pumpline) -> Callable[..., None]:
    """Ana texts, and the nurse says what it asked for."""

    def label(body: str, topic: str, *, days_ago: int = 0) -> None:
        assert pumpline("text", body, "--from", PHONE).exit_code == 0
        with opened() as house:
            with house.db.begin() as session:
                nurse = session.scalars(select(Staff.id)).one()
                newest = session.scalars(select(InboundMessage.id).order_by(InboundMessage.id.desc()).limit(1)).one()
                changed = {"kind": "topic", "topic": "travel"}
                session.execute(update(InboundMessage).where(InboundMessage.id == newest).values(**changed))
            label_text(house.line, newest, topic, house.now - timedelta(days=days_ago), nurse)

    return label


def test_an_export_is_json_lines_that_name_nobody(pumpline: Pumpline, labels: Callable[..., None]) -> None:
    labels("is the big tube ok, ana ruiz, 614-555-0123, ana.ruiz@example.com", "mri")
    labels("what about the tube, says my neighbour Bartholomew", "mri")
    labels("who won the game, Lindqvist?", "none_of_these")
    result = pumpline("learn", "export")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"topic": "mri", "language": "en", "text": "is the big tube ok, NAME, NUMBER, EMAIL", "was": "topic travel"},
        {"topic": "none_of_these", "language": "en", "text": "who won the game, NAME?", "was": "topic travel"},
    ]
    assert result.stderr == "2 written; 1 left out: something in them still looks like an identifier\n"
    for private in (*PRIVATE, "Bartholomew"):
        assert private.lower() not in result.output.lower()


def test_a_file_is_written_anew_for_its_owner_alone(
    pumpline: Pumpline, labels: Callable[..., None], tmp_path: Path
) -> None:
    out = tmp_path / "examples.jsonl"
    out.write_text("old\n" * 100)
    out.chmod(0o644)
    labels("¿puedo entrar en el tubo grande con imán?", "mri")
    result = pumpline("learn", "export", "--out", str(out))
    assert result.stdout == ""
    [line] = out.read_text("utf-8").splitlines()
    assert json.loads(line)["text"] == "¿puedo entrar en el tubo grande con imán?"
    assert "imán" in line  # as a person reads it
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_since_is_a_day_at_the_clinic(pumpline: Pumpline, labels: Callable[..., None]) -> None:
    labels("is the big tube ok", "mri", days_ago=9)
    labels("may i sit in the plane", "travel")
    week = f"{datetime.now(UTC) - timedelta(days=5):%Y-%m-%d}"
    written = pumpline("learn", "export", "--since", week).stdout.splitlines()
    assert [json.loads(line)["topic"] for line in written] == ["travel"]
    assert pumpline("learn", "export", "--since", "last week").exit_code == 2


def test_a_clinic_that_is_not_there_is_said_not_to(pumpline: Pumpline, labels: Callable[..., None]) -> None:
    labels("is the big tube ok", "mri")
    assert len(pumpline("learn", "export", "--clinic", "1").stdout.splitlines()) == 1
    for words in (("export",), ("figures",)):
        result = pumpline("learn", *words, "--clinic", "7")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "there is no clinic 7" in result.stderr


def test_figures_as_a_table_and_as_json(pumpline: Pumpline, labels: Callable[..., None]) -> None:
    empty = pumpline("learn", "figures")
    assert (empty.exit_code, empty.stdout) == (0, "")
    labels("is the big tube ok", "mri")
    with opened() as house, house.db.begin() as session:
        phone = session.scalars(select(Phone)).first()
        assert phone
        for yes in (True, True, False):
            record_helped(session, house.now, phone.clinic_id, phone.id, "mri", "en", 1, yes)
    lines = [line.split() for line in pumpline("learn", "figures").stdout.splitlines()]
    assert lines == [
        ["TOPIC", "HELPED", "DID", "NOT", "SHARE", "LABELLED", "WRONG"],
        ["mri", "2", "1", "67%", "0"],
        ["travel", "0", "0", "-", "1"],
    ]
    told = json.loads(pumpline("learn", "figures", "--json").stdout)
    assert told[1] == {"topic": "travel", "helped": 0, "not_helped": 0, "wrong": 1, "share": None}
