"""A provider that asks us to slow down: the whole sender waits, on every machine; then safety texts go first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import settle_unknown
from app.channels.base import Channel
from app.channels.twilio_http import wait_told
from app.db.messages import OutboundMessage
from app.db.turns import slow_down
from app.domain.delivery import DeliveryState
from app.domain.rate import SLOWED_AFRESH, slowed_for
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
Owed = Callable[..., int]


def beat(line: Line, channel: Channel, clock: FrozenClock) -> int:
    return send_outbox(line, channel, clock(), senders=1, steady=lambda: 0.0, pause=lambda _: None)


def test_one_refusal_holds_every_text_of_the_sender_and_then_the_urgent_one_goes_first(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    twilio.refuse(429, 20429, retry_after="30")
    owed(maria, "The first.")
    assert beat(line, channel, clock) == 0
    owed(maria, "An ordinary one.")
    owed(maria, "Call 911.", urgent=True)
    for _ in range(29):
        clock.forward(seconds=1)
        assert beat(line, channel, clock) == 0, "nothing is handed over while the provider wants to be left alone"
    clock.forward(seconds=2)
    assert beat(line, channel, clock) == 2
    assert [message.body for message in twilio.accepted] == ["Call 911.", "An ordinary one."]
    clock.forward(minutes=2)
    assert beat(line, channel, clock) == 1, "what was refused comes again, once"
    assert [message.body for message in twilio.accepted].count("The first.") == 1


def test_an_urgent_text_that_was_refused_goes_as_soon_as_anything_does(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    twilio.refuse(429, 20429)
    owed(maria, "Call 911.", urgent=True)
    assert beat(line, channel, clock) == 0
    clock.forward(seconds=2)
    assert beat(line, channel, clock) == 1


def test_a_refusal_of_one_text_holds_no_other(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, desk: Desk
) -> None:
    twilio.refuse(400, 21211)
    owed(maria, "The first.")
    owed(maria, "The second.")
    beat(line, channel, clock)
    assert [text.state for text in desk.messages()] == [DeliveryState.REFUSED, DeliveryState.ACCEPTED]


def test_waits_double_up_to_a_minute_with_jitter_and_begin_again_after_a_while(line: Line) -> None:
    assert [slowed_for(n, None).total_seconds() for n in (1, 2, 3, 7, 50)] == [1, 2, 4, 60, 60]
    assert slowed_for(1, timedelta(seconds=9)) == timedelta(seconds=9)
    assert slowed_for(1, timedelta(hours=2)) == timedelta(minutes=1), "safety texts may be among what waits"
    assert slowed_for(1, None, 1) == timedelta(seconds=1.25)
    at = NOW
    with line.db.begin() as session:
        first = slow_down(session, "+16145550100", at, None, 0)
        assert slow_down(session, "+16145550100", at, None, 0) == first, "refused together: one refusal"
        at = first + timedelta(seconds=1)
        assert slow_down(session, "+16145550100", at, None, 0) - at == timedelta(seconds=2)
        at += SLOWED_AFRESH
        assert slow_down(session, "+16145550100", at, None, 0) - at == timedelta(seconds=1)


@pytest.mark.parametrize(("words", "date", "seconds"), [
    ("7", None, 7), (" 0 ", None, 0), (None, None, None), ("soon", None, None), ("-3", None, None),
    ("Mon, 23 Nov 2026 15:01:00 GMT", "Mon, 23 Nov 2026 15:00:30 GMT", 30),
    ("Mon, 23 Nov 2026 15:00:00 GMT", "Mon, 23 Nov 2026 15:00:30 GMT", 0),
    ("Mon, 23 Nov 2026 15:01:00 GMT", None, None), ("9" * 40, None, None),
])  # fmt: skip
def test_how_long_to_wait_is_read_as_http_says_it(words: str | None, date: str | None, seconds: int | None) -> None:
    assert wait_told(words, date) == (None if seconds is None else timedelta(seconds=seconds))


def test_a_text_says_when_it_may_go_again(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    twilio.refuse(429, 20429)
    message_id = owed(maria)
    beat(line, channel, clock)
    with line.db.read() as session:
        text = session.get_one(OutboundMessage, message_id)
        assert (text.state, text.due_at) == (DeliveryState.QUEUED, clock() + timedelta(minutes=1))


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 120), (1.0, 150)])
def test_what_was_lost_together_is_not_sent_again_together(
    chance: float, seconds: int, owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock,
    twilio: FakeTwilio,
) -> None:  # fmt: skip
    twilio.refuse(503, None, times=2)
    message_id = owed(maria)
    for _ in range(2):
        beat(line, channel, clock)
        clock.forward(minutes=3)
        settle_unknown(line, channel, clock(), lambda: chance)
    with line.db.read() as session:
        text = session.get_one(OutboundMessage, message_id)
        assert (text.state, text.attempts) == (DeliveryState.QUEUED, 2)
        assert text.due_at - clock() == timedelta(seconds=seconds)
