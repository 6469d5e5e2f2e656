"""The runbooks for bad nights: every alert leads to one, each is whole, and what it says to run can be run."""

import re
from pathlib import Path

import click
import pytest
import yaml

from app.cli import cli
from app.settings import Settings, variable_of
from tools.check_docs import _anchors

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
RULES = yaml.safe_load((ROOT / "deploy" / "monitoring" / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
NIGHTS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
COMMANDS = sorted({words for words in re.findall(r"`pumpline ([a-z][^`]*)`", TEXT) if not words.startswith("-")})


def test_there_are_ten_and_each_tells_what_whom_when_and_until_when() -> None:
    assert [night.split(".")[0] for night in NIGHTS] == [str(n) for n in range(1, 11)]
    for night in NIGHTS:
        for part in ("**You see** ", "**For patients** ", "**First five minutes**", "**Then** ", "**Over when** "):
            assert part in night, (night[:40], part)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_names_a_runbook_that_names_it(rule: dict[str, dict[str, str]]) -> None:
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in _anchors((ROOT / path).read_text("utf-8"))
    [night] = [night for night in NIGHTS if anchor in _anchors(f"## {night}")]
    assert f"`{rule['alert']}`" in night


def test_it_names_no_alert_metric_or_setting_that_is_not_there() -> None:
    assert {*re.findall(r"`(Pumpline[A-Z]\w+)`", TEXT)} == {rule["alert"] for rule in RULES}
    assert {*re.findall(r"\bPUMPLINE_[A-Z_]+", TEXT)} <= {variable_of(field) for field in Settings.model_fields}
    described = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert all(f"`{name}" in described for name in re.findall(r"\bpumpline_[a-z_]+", TEXT))


@pytest.mark.parametrize("words", COMMANDS)
def test_what_it_says_to_run_can_be_run(words: str) -> None:
    parts = words.split()
    context, command = click.Context(cli), cli.get_command(click.Context(cli), parts[0])
    assert command is not None, words
    rest = parts[1:]
    if isinstance(command, click.Group):
        command = command.get_command(context, rest[0])
        assert command is not None, words
        rest = rest[1:]
    known = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}
    assert {part for part in rest if part.startswith("--")} <= known, words


def test_words_it_quotes_from_log_and_pages_are_those_that_are_said() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py"))
    for said in (
        "text taken in that the provider had",
        "a text waits for the database",
        "text not sent: ",
        "webhook refused: ",
        "Reminders and pages have stopped",
        "The line does not answer its own texts",
        "nothing waits",
        "a text did not arrive",
    ):
        assert said in TEXT
        assert said in code
