"""A clinic with two nurses at a terminal: Ana has a pump that was filled sixty days ago."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from app.cli import cli

EVA, BEN = "eva@clinic.example", "ben@clinic.example"
ZONE = ZoneInfo("America/New_York")
HEADER = (
    "mrn,given_name,family_name,phone,consent,pump_model,reservoir_size_ml,implanted_on,concentration_mcg_per_ml,"
    "daily_dose_mcg,alarm_volume_ml,last_filled_on,reservoir_volume_ml"
)


@dataclass(frozen=True)
class Terminal:
    """`pumpline` as a nurse types it."""

    folder: Path

    def __call__(self, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(cli, words, input=typed)

    def does(self, *words: str, typed: str | None = None) -> str:
        """Return what is printed for a command that succeeds."""
        result = self(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def tells(self, *words: str) -> Any:
        """Return what `--json` prints."""
        return json.loads(self.does(*words, "--json"))

    def refuses(self, *words: str, code: int = 1) -> str:
        """Return what is said about a command that is refused, in one line where the usage is right."""
        result = self(*words)
        assert result.exit_code == code, result.output
        assert code != 1 or len(result.stderr.splitlines()) == 1, result.stderr
        return result.stderr

    def imports(self, *rows: str, header: str = HEADER) -> str:
        file = self.folder / "patients.csv"
        file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        return self.does("import", str(file))


@pytest.fixture
def today() -> date:
    """The day at the clinic."""
    return datetime.now(UTC).astimezone(ZONE).date()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, today: date) -> Terminal:
    """A migrated simulator with Eva and Ben, nurses, and Ana: 20 mL of 2000 mcg/mL, 400 mcg a day, 60 days ago.

    By the early edge her drug is enough for 86 days from the refill; the plan-by date is on its 78th.
    """
    for name in [name for name in os.environ if name.startswith("PUMPLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PUMPLINE_INSTANCE_DIR", str(tmp_path / "instance"))
    terminal = Terminal(tmp_path)
    terminal.does("migrate")
    for email, name in ((EVA, "Eva Lindqvist"), (BEN, "Ben Ito")):
        terminal.does("staff", "add", email, "--name", name, "--password-stdin", typed="four quiet words\n")
    filled, implanted = today - timedelta(days=60), today - timedelta(days=900)
    terminal.imports(f"1,Ana,Ruiz,+16145550123,yes,SynchroMed II,20,{implanted},2000,400,2,{filled},20")
    return terminal
