"""A sender is never faster than it may be; urgent texts leave first; no clinic starves another."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.channels.base import Channel
from app.db.messages import OutboundMessage
from app.db.people import Clinic
from app.domain.delivery import DeliveryState, failure, wait_before
from app.domain.rate import LATE, Rates, take_turn
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
Owed = Callable[..., int]


class Seconds:
    """Seconds that pass only while somebody waits for a turn."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed

    def pause(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def sends(line: Line, channel: Channel, clock: FrozenClock, seconds: Seconds) -> Callable[..., int]:
    """One beat of sending, with so many segments a second from a long code."""

    def send(per_second: float) -> int:
        limited = replace(line, rates=Rates(long_code=per_second))
        return send_outbox(limited, channel, clock(), senders=1, steady=seconds, pause=seconds.pause)

    return send


@pytest.mark.parametrize(("sender", "per_second"), [
    ("+16145550100", 1), ("+18005550100", 3), ("+18885550100", 3), ("24273", 100), ("MG" + "0" * 32, 4),
    ("+18095550100", 1), ("+447700900100", 1),
])  # fmt: skip
def test_each_kind_of_sender_has_its_pace(sender: str, per_second: float) -> None:
    assert Rates(1, 3, 100, 4).of(sender) == per_second


def test_a_sender_is_free_again_after_the_time_of_its_segments() -> None:
    free_at = take_turn(None, NOW, 2, 10)
    assert free_at == NOW + timedelta(seconds=0.2)
    assert take_turn(free_at, NOW + timedelta(seconds=0.1), 1, 10) is None
    assert take_turn(free_at, NOW + timedelta(seconds=0.3), 1, 10) == NOW + timedelta(seconds=0.3)
    assert take_turn(free_at, free_at + 2 * LATE, 1, 10) == free_at + 2 * LATE + timedelta(seconds=0.1)  # nothing saved


def test_a_limited_sender_reaches_its_pace_and_never_exceeds_it(
    owed: Owed, maria: Someone, sends: Callable[..., int], seconds: Seconds, twilio: FakeTwilio
) -> None:
    for _ in range(60):
        owed(maria)
    left: list[float] = []
    twilio.on_accept = lambda _: left.append(seconds())
    assert sends(10) == 60
    assert 0.95 <= (len(left) - 1) / (left[-1] - left[0]) / 10 <= 1.0001
    for first, last in zip(left, left[10:], strict=False):
        assert last - first >= 1 - LATE.total_seconds()


def test_a_text_of_two_segments_takes_the_time_of_two(
    owed: Owed, maria: Someone, sends: Callable[..., int], seconds: Seconds
) -> None:
    owed(maria, "x" * 200)
    owed(maria)
    sends(1)
    assert seconds() == pytest.approx(2, rel=0.02)


def test_what_does_not_fit_into_one_beat_goes_on_with_the_next(
    owed: Owed, maria: Someone, sends: Callable[..., int], clock: FrozenClock, seconds: Seconds
) -> None:
    for _ in range(40):
        owed(maria)
    first = sends(1)
    assert 29 <= first <= 31
    clock.at += timedelta(seconds=seconds())
    assert first + sends(1) == 40


def test_an_urgent_text_takes_the_next_turn(
    owed: Owed, maria: Someone, sends: Callable[..., int], twilio: FakeTwilio
) -> None:
    for _ in range(5):
        owed(maria)
    owed(maria, "Call 911.", urgent=True)
    sends(1)
    assert twilio.accepted[0].body == "Call 911."


@pytest.mark.parametrize("sender", [None, "+16145550177"])
def test_a_clinic_with_many_texts_does_not_hold_up_another(
    sender: str | None, owed: Owed, maria: Someone, sends: Callable[..., int], desk: Desk, line: Line, clinic: Clinic,
    twilio: FakeTwilio,
) -> None:  # fmt: skip
    for _ in range(50):
        owed(maria)
    with line.db.begin() as session:
        values = {
            c.key: getattr(clinic, c.key) for c in Clinic.__mapper__.column_attrs if c.key not in ("id", "sender")
        }
        other = Clinic(**values, sender=sender)
        session.add(other)
        session.flush()
        other_id = other.id
    for n in range(3):
        text = owed(maria, f"From the other clinic, {n}.")
        desk.change(OutboundMessage, text, clinic_id=other_id)
    assert sends(1) >= 29

    def of_other(message: Message) -> bool:
        return message.body.startswith("From the other")

    assert sum(of_other(message) for message in twilio.accepted[:8]) == 3


def test_without_limits_everything_leaves_at_once(
    owed: Owed, maria: Someone, sends: Callable[..., int], seconds: Seconds
) -> None:
    for _ in range(60):
        owed(maria)
    assert sends(0) == 60
    assert seconds() == 0


def test_a_clock_that_stands_still_ends_the_beat(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, desk: Desk
) -> None:
    owed(maria)
    owed(maria)
    limited = replace(line, rates=Rates(long_code=1))
    assert send_outbox(limited, channel, clock(), steady=lambda: 0.0, pause=lambda _: None) == 1
    assert [text.state for text in desk.messages()] == [DeliveryState.ACCEPTED, DeliveryState.QUEUED]


def test_texts_refused_together_do_not_come_back_together(
    owed: Owed, maria: Someone, line: Line, channel: Channel, clock: FrozenClock, desk: Desk, twilio: FakeTwilio
) -> None:
    twilio.refuse(429, 20429, times=3)
    for _ in range(3):
        owed(maria)
    numbers = iter((0.0, 0.5, 1.0))
    send_outbox(line, channel, clock(), senders=1, jitter=lambda: next(numbers))
    first, second, third = sorted((text.due_at - text.state_at).total_seconds() for text in desk.messages())
    assert (first, second, third) == (60, 67.5, 75)
    assert wait_before(2, failure(429, None), 1) == timedelta(minutes=2.5)
