"""A small clinic for some weeks: nobody is forgotten, the same seed says the same, and every check can fail."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands.printing import plain
from app.commands.simulate import simulate as command
from app.domain.texts import Words, load_words
from app.simulation import parameters as chosen
from app.simulation import report
from app.simulation.checks import Findings
from app.simulation.parameters import SWITCHES, Parameters, shards_of
from app.simulation.run import run_shard, simulate

WEEKS = Parameters(patients=12, days=30, seed=7)
TROUBLE = Parameters(patients=6, days=16, seed=7, no_shows=0.3, trouble=40)  # emergencies, refusals, lost answers
DRY = Parameters(patients=6, days=75, seed=3, no_shows=0.9, unreachable=1)  # hardly anybody comes
Run = Callable[[Parameters], Findings]


@pytest.fixture(scope="module")
def words() -> Words:
    return load_words()


@pytest.fixture(scope="module")
def run(words: Words, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Simulate: `run(parameters)`."""

    def simulated(parameters: Parameters) -> Findings:
        (shard,) = shards_of(parameters)
        return run_shard(shard, words, tmp_path_factory.mktemp("clinic"), lambda _: None)

    return simulated


@pytest.fixture(scope="module")
def in_trouble(run: Run) -> Findings:
    return run(TROUBLE)


def as_bytes(parameters: Parameters, found: Findings) -> str:
    return json.dumps(report.as_json(parameters, found), default=plain)


def test_nobody_is_forgotten_and_the_same_seed_gives_the_same_report(run: Run) -> None:
    found = run(WEEKS)
    assert report.passed(found), list(report.as_text(WEEKS, found))
    assert found.counts["visits had"] >= 5
    assert found.counts["texts in"] >= 10
    assert not found.refused, "a nurse tried what a verb refuses"
    assert as_bytes(WEEKS, found) == as_bytes(WEEKS, run(WEEKS))


@pytest.mark.parametrize(
    ("parameters", "switch", "figure"),
    [
        (DRY, "escalation", "empty_without_task"),
        (TROUBLE, "quiet-hours", "texts_outside_hours"),
        (TROUBLE, "settling", "duplicate_messages"),
        (TROUBLE, "reminders", "reminders_lost"),
        (TROUBLE, "acknowledging", "urgent_unacknowledged"),
    ],
)
def test_each_check_finds_what_is_switched_off(run: Run, parameters: Parameters, switch: str, figure: str) -> None:
    assert f"({figure})" in SWITCHES[switch]
    found = run(replace(parameters, without=frozenset({switch})))
    assert report.zeros(found)[figure] > 0
    assert not report.passed(found)


def test_hard_times_by_themselves_leave_every_check_at_zero(run: Run, in_trouble: Findings) -> None:
    assert report.passed(in_trouble), list(report.as_text(TROUBLE, in_trouble))
    dry = run(DRY)
    assert report.passed(dry), list(report.as_text(DRY, dry))
    assert dry.empties, "nobody ran empty: this shows nothing"


def test_without_pages_an_alert_waits_for_office_hours(run: Run, in_trouble: Findings) -> None:
    without = run(replace(TROUBLE, without=frozenset({"pages"})))
    assert max(in_trouble.minutes_to_human) < 60 < max(without.minutes_to_human)
    assert report.passed(without)


def test_the_report_does_not_hang_on_the_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen, "PATIENTS_A_CLINIC", 2)
    few = Parameters(patients=4, days=2, seed=7)
    assert len(shards_of(few)) == 2
    days: list[int] = []
    alone, together = simulate(few, processes=1), simulate(few, days.append, processes=2)
    assert as_bytes(few, alone) == as_bytes(few, together)
    assert 0 < sum(days) <= 2 * few.days


def test_the_command_prints_the_figures_and_writes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    words = ["--patients", "2", "--days", "3", "--seed", "7", "--json", "--page", str(page)]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert [figures[name] for name in report.ZEROS] == [0] * 5
    assert set(figures["minutes_to_human"]) == {"median", "p95", "max"}
    assert {"texts_per_patient_month", "calls", "counts", "tasks_by_kind", "missed"} <= set(figures)
    html = page.read_text("utf-8")
    assert "This is a simulation" in html
    assert "<script" not in html
    assert html.count("<svg") == html.count("<figure>") >= 6


def test_it_exits_with_1_where_a_figure_is_not_0() -> None:
    words = ["--patients", "8", "--days", "40", "--seed", "7", "--without", "reminders"]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 1
    assert "reminders and steps neither sent nor given a reason" in done.stdout
    assert "Switched off: reminders" in done.stdout
