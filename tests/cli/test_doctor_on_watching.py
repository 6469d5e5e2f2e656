"""What `pumpline doctor` says of the line's own texts and of its sign of life: the leg that is missing."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from app.actions.line import Line
from app.actions.line_check import BACK, CAME, SENT
from app.commands.checkup import _own_texts, _sign_of_life
from app.commands.findings import Check
from app.db.heartbeat import MUST_BEAT, PING, WEBHOOK, note
from app.settings import Settings
from tests.conftest import FrozenClock


@pytest.fixture
def settings(settings: Settings) -> Settings:
    chosen = {"check_phone": "+16145550180", "ping_url": SecretStr("https://switch.example/secret")}
    return settings.model_copy(update=chosen)


def say(line: Line, clock: FrozenClock, **minutes_ago: int) -> None:
    with line.db.begin() as session:
        for name, minutes in minutes_ago.items():
            note(session, name, clock() - timedelta(minutes=minutes))


def own_texts(line: Line, settings: Settings, clock: FrozenClock) -> Check:
    with line.db.read() as session:
        return _own_texts(session, clock(), settings)


def sign_of_life(line: Line, settings: Settings, clock: FrozenClock) -> Check:
    with line.db.read() as session:
        return _sign_of_life(session, clock(), settings)


@pytest.mark.parametrize(
    ("rows", "result", "what"),
    [
        ({}, "warn", "none was sent yet"),
        ({SENT: 3, CAME: 3, BACK: 2}, "ok", "an answer was seen back 2 minutes ago"),
        ({SENT: 40, CAME: 40, BACK: 40}, "fail", "none is sent any more"),
        ({SENT: 11, CAME: 26, BACK: 26}, "fail", "the last was sent, and it never came in"),
        ({SENT: 11, CAME: 10, BACK: 26}, "fail", "the last came in, and its answer did not get back"),
    ],
)
def test_own_texts_are_told_by_the_first_leg_that_is_missing(
    line: Line, settings: Settings, clock: FrozenClock, rows: dict[str, int], result: str, what: str
) -> None:
    say(line, clock, **rows)
    found = own_texts(line, settings, clock)
    assert (found.result, found.what.startswith(what)) == (result, True), found


def test_a_sign_of_life_that_is_not_sent_says_what_lacks(line: Line, settings: Settings, clock: FrozenClock) -> None:
    say(line, clock, **dict.fromkeys(MUST_BEAT, 1), **{WEBHOOK: 50, PING: 40})
    found = sign_of_life(line, settings, clock)
    assert (found.result, found.what) == ("warn", "not sent lately: no webhook came in")
    say(line, clock, **{WEBHOOK: 1})
    assert "the address does not take it" in sign_of_life(line, settings, clock).what
    say(line, clock, **{PING: 1})
    assert sign_of_life(line, settings, clock) == Check("sign of life", "ok", "sent 1 minutes ago")


def test_whoever_set_neither_is_told_that_there_is_such_a_thing(
    line: Line, settings: Settings, clock: FrozenClock
) -> None:
    bare = settings.model_copy(update={"check_phone": None, "ping_url": None})
    for found in (own_texts(line, bare, clock), sign_of_life(line, bare, clock)):
        assert found.result == "warn"
        assert "set PUMPLINE_" in (found.remedy or "")
