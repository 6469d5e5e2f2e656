"""The runner writes what `make bench` promises. Nothing here is timed."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.results import TARGETS, Measured, table, write


def test_a_chosen_part_writes_its_figures_and_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "latest.json"
    assert main(["understanding", "--quick", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    assert set(written["understand_us"]) == {"value", "unit", "runs", "min", "max"}
    assert written["understand_us"]["unit"] == "us"
    assert "understand_us" in capsys.readouterr().out


def test_a_part_run_alone_keeps_the_other_figures(tmp_path: Path) -> None:
    out = tmp_path / "latest.json"
    write({"start_to_answer_s": Measured.of([2.0], "s")}, out, keep=False)
    write({"understand_us": Measured.of([90.0], "us")}, out, keep=True)
    assert set(json.loads(out.read_text())) == {"start_to_answer_s", "understand_us"}


def test_a_missed_target_is_said() -> None:
    said = table({"lost_after_kill": Measured.of([1, 0, 2], "reminders")})
    assert "NOT MET" in said
    assert "met" in table({"lost_after_kill": Measured.of([0], "reminders")})


def test_the_value_is_the_median_and_min_and_max_its_range() -> None:
    assert Measured.of([3, 1, 9], "ms") == Measured(3, "ms", 3, 1, 9)


def test_every_target_has_a_side() -> None:
    assert all(target.at_least is not None or target.at_most is not None for target in TARGETS.values())
