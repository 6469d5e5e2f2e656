"""Keys change as an operator changes them: in keys.json, or in the settings."""

import json
from pathlib import Path

import pytest

from app.db.crypto import Keyring, key_id
from tests.cli.conftest import Terminal
from tests.cli.test_backup import execute

ANA = "Ana Ruiz"


def kept(terminal: Terminal) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((terminal.folder / "instance" / "keys.json").read_text())
    return found


def refused(terminal: Terminal, *words: str) -> str:
    """Return what is said in the end about a command that looked at everything before it refused."""
    result = terminal(*words)
    assert result.exit_code == 1, result.output
    return result.stderr.splitlines()[-1]


def test_a_key_of_the_file_is_added_put_in_front_used_and_the_old_one_taken_out(terminal: Terminal) -> None:
    [old] = kept(terminal)["data_keys"]
    terminal.does("keys", "add")
    assert kept(terminal)["data_keys"][0] == old
    terminal.does("keys", "front")
    new, behind = kept(terminal)["data_keys"]
    assert behind == old
    assert "still need an old key" in refused(terminal, "keys", "retire")
    assert "values sealed anew" in terminal.does("keys", "rotate")
    assert "needs" in terminal.does("keys", "retire", "--check")
    assert kept(terminal)["data_keys"] == [new, old]
    said = terminal.does("keys", "retire")
    assert "Backups made until now need them" in said
    assert kept(terminal)["data_keys"] == [new]
    assert ANA in terminal.does("patients", "list")
    assert terminal.tells("keys", "list") == [{"key": key_id(new), "seals": True}]
    terminal.does("audit", "verify")


def test_keys_of_the_settings_are_printed_and_never_written(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    [old] = kept(terminal)["data_keys"]
    monkeypatch.setenv("PUMPLINE_DATA_KEYS", old)
    new = terminal.does("keys", "add").strip()
    monkeypatch.setenv("PUMPLINE_DATA_KEYS", f"{new},{old}")
    assert terminal.tells("keys", "rotate")["resealed"] > 0
    assert f"Take {key_id(old)} out of PUMPLINE_DATA_KEYS" in terminal.does("keys", "retire")
    monkeypatch.setenv("PUMPLINE_DATA_KEYS", new)
    assert ANA in terminal.does("patients", "list")
    assert kept(terminal)["data_keys"] == [old]


def test_a_value_that_no_key_opens_keeps_every_key(terminal: Terminal) -> None:
    execute(terminal, "UPDATE contact SET relation = ?", Keyring([Keyring.new_key()]).seal("?"))
    terminal.does("keys", "add", "--front")
    assert "no data key opens 1 values (contact.relation of 1)" in refused(terminal, "keys", "rotate")
    assert "no data key opens" in refused(terminal, "keys", "retire")
    assert len(kept(terminal)["data_keys"]) == 2


def test_what_is_printed_shows_no_key_and_nobody(terminal: Terminal) -> None:
    [old] = kept(terminal)["data_keys"]
    said = "".join(terminal.does("keys", *words) for words in (("add", "--front"), ("rotate",), ("list",), ("retire",)))
    assert not any(secret in said for secret in (old, *kept(terminal)["data_keys"], "Ana", "5550123"))


def test_a_new_secret_key_leaves_the_old_one_accepted_until_it_is_retired(terminal: Terminal) -> None:
    before = kept(terminal)["secret_key"]
    terminal.does("keys", "secret")
    assert kept(terminal)["old_secret_keys"] == [before]
    assert kept(terminal)["secret_key"] != before
    terminal.does("keys", "secret", "--retire")
    assert "old_secret_keys" not in kept(terminal)


def test_a_file_that_cannot_be_written_keeps_its_keys(terminal: Terminal) -> None:
    before = kept(terminal)
    Path(terminal.folder / "instance" / "keys.part").mkdir()
    assert "nothing was changed" in terminal.refuses("keys", "add")
    assert kept(terminal) == before
