"""Holding and erasing records as an operator does it; a backup and a move carry both along."""

import pytest

from app.db.backup_keys import new_backup_key
from tests.cli.conftest import Terminal

ANA = "Ana Ruiz"


def test_a_record_is_held_then_freed_then_erased(terminal: Terminal) -> None:
    terminal.does("holds", "place", "1", "--reason", "Letter of 3 May")
    [hold] = terminal.tells("holds", "list")
    assert (hold["patient"], hold["reason"]) == (1, "Letter of 3 May")
    assert "Letter of 3 May" in terminal.does("holds", "list")
    assert "legal hold keeps" in terminal.refuses("patients", "erase", "1", "--yes", "--pump-in-use")
    terminal.does("holds", "lift", str(hold["id"]))
    assert "not taken out" in terminal.refuses("patients", "erase", "1", "--yes")
    assert "is erased" in terminal.does("patients", "erase", "1", "--pump-in-use", typed="y\n")
    assert ANA not in terminal.does("patients", "list")
    terminal.does("audit", "verify")
    assert "was erased" in terminal.refuses("patients", "state", "1", "active")


def test_whoever_is_asked_and_says_no_erases_nobody(terminal: Terminal) -> None:
    assert terminal("patients", "erase", "1", "--pump-in-use", typed="n\n").exit_code == 1
    assert ANA in terminal.does("patients", "list")


def test_a_hold_on_the_clinic_holds_everybody(terminal: Terminal) -> None:
    terminal.does("holds", "place", "--clinic", "--reason", "An inquiry")
    assert "legal hold keeps" in terminal.refuses("patients", "erase", "1", "--yes", "--pump-in-use")
    assert "name one patient" in terminal.refuses("holds", "place", "--reason", "x", code=2)


def test_a_backup_and_a_move_carry_holds_and_what_was_erased(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.does("holds", "place", "--clinic", "--reason", "An inquiry")
    terminal.does("holds", "lift", "1")
    terminal.does("patients", "erase", "1", "--yes", "--pump-in-use")
    terminal.does("holds", "place", "--clinic", "--reason", "Another")
    monkeypatch.setenv("PUMPLINE_BACKUP_KEY", new_backup_key())
    file = terminal.tells("backup")["path"]
    restored, moved = (f"sqlite:///{terminal.folder}/{name}.db" for name in ("restored", "moved"))
    terminal.does("restore", file, "--to", restored)
    terminal.does("move-database", "--to", moved, "--stopped")
    for url in (restored, moved):
        monkeypatch.setenv("PUMPLINE_DATABASE_URL", url)
        assert [hold["reason"] for hold in terminal.tells("holds", "list")] == ["Another"]
        assert "was erased" in terminal.refuses("patients", "state", "1", "active")


def test_what_is_kept_how_long_is_shown_and_can_be_put_out_at_once(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUMPLINE_KEEP_TEXTS_DAYS", "399")
    kinds = {row["kind"]: row for row in terminal.tells("retention", "show")}
    assert (kinds["texts in"]["days"], kinds["notes"]["days"]) == (399, 3653)
    terminal.does("text", "TRAVEL", "--from", "+16145550123")
    terminal.does("clock", "jump", "--days", "400")
    said = terminal.does("retention", "run", "--yes")
    assert "texts in: 1" in said
    assert "texts out:" in said
    assert {row["kind"]: row["erased"] for row in terminal.tells("retention", "show")}["texts in"] == 1
    assert "texts in" in terminal.does("retention", "show")
    assert "[...]" in terminal.does("messages", "list")
