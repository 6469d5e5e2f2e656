"""Old advice never arrives late: every kind of text has an end, and a person is told of what came too late."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.actions.line import Line
from app.actions.outbox import owe
from app.actions.send_outbox import send_outbox
from app.channels.base import Channel
from app.db.messages import OutboundMessage, Purpose
from app.db.work import Task, TaskKind
from app.domain.delivery import DeliveryState
from app.domain.texts import Rendered
from app.domain.validity import HELPS, helps_for
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("urgent", [False, True])
def test_every_kind_of_text_ends_unsent_once_it_no_longer_helps(
    purpose: Purpose, urgent: bool, line: Line, maria: Someone, channel: Channel, clock: FrozenClock, desk: Desk,
    twilio: FakeTwilio,
) -> None:  # fmt: skip
    with line.db.begin() as session:
        words = Rendered("Please call us.", "text:test", 1, draft=False)
        owe(
            session,
            clinic_id=1,
            phone_id=maria.phone_id,
            words=words,
            purpose=purpose,
            dedupe_key="test",
            now=clock(),
            urgent=urgent,
            patient_id=maria.id,
        )
    clock.forward(seconds=helps_for(purpose, urgent=urgent).total_seconds())
    assert send_outbox(line, channel, clock()) == 0
    assert not twilio.accepted
    [text] = desk.messages()
    assert (text.state, text.reason) == (DeliveryState.EXPIRED, "too late to help")
    with line.db.read() as session:
        kinds = [task.kind for task in session.query(Task)]
    assert (TaskKind.UNDELIVERED in kinds) == (purpose is not Purpose.PAGE), "a page comes again by itself"


def test_there_is_a_period_for_every_purpose_and_safety_texts_have_a_day() -> None:
    assert HELPS.keys() == set(Purpose)
    for purpose in set(Purpose) - {Purpose.PAGE}:
        assert helps_for(purpose, urgent=True) >= timedelta(days=1)


def test_twilio_is_told_how_long_a_text_written_by_hand_helps(
    line: Line, maria: Someone, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, owed: Callable[..., int]
) -> None:
    message_id = owed(maria)
    with line.db.read() as session:
        text = session.get_one(OutboundMessage, message_id)
        assert text.expires_at is not None
        left = (text.expires_at - clock()).total_seconds()
    send_outbox(line, channel, clock())
    [message] = twilio.accepted
    assert message.validity_period == min(left, 36_000)
