"""The rehearsal of an account that fails is a real one: it counts at the carriers, and can go wrong."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.simulation import failover
from app.simulation.carrier import Carrier, Held, Mood

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def test_the_second_account_takes_over_and_hands_back_and_each_text_goes_once() -> None:
    answer = CliRunner().invoke(cli, ["drill", "failover", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    assert (found["lost"], found["twice"], found["unsettled"], found["kept"]) == (0, 0, 0, True)
    well, revoked, back, *_ = found["scenes"]
    assert (well["by_first"], well["by_second"]) == (failover.TEXTS, 0)
    assert (revoked["by_first"], revoked["by_second"]) == (0, failover.TEXTS)
    assert revoked["urgent_waited"] <= 2
    assert back["by_first"] >= 1
    assert not back["fails_at_end"]
    fails = [scene["fails_at_end"] for scene in found["scenes"]]
    assert fails == [False, True, False, True, False, True, False, True, False]


def test_a_text_that_a_carrier_holds_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A carrier that takes each text twice stands for a line that sends twice."""

    def take(self: Carrier, form: dict[str, str]) -> Held:
        taken = Held(f"SM{self.sid[2:26]}{len(self.held):08}", form["To"], form["Body"], self.now)
        with self.lock:
            self.held += [taken, taken]
        return taken

    monkeypatch.setattr(Carrier, "take", take)
    found = failover.rehearse(NOW, lambda _: None)
    assert found.twice > 0
    assert not found.kept


def test_an_account_that_never_comes_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "LONGEST", failover.LONGEST / 10)
    set_mood = Carrier.set_mood
    monkeypatch.setattr(Carrier, "set_mood", lambda self, mood: set_mood(self, Mood.REVOKED))
    found = failover.rehearse(NOW, lambda _: None)
    assert not found.handed_back
    assert not found.kept
