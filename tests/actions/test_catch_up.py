"""Texts whose webhook never came: the provider is asked, and each is taken in once, late, with its alert."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.actions.catch_up import catch_up
from app.actions.line import Line
from app.channels.base import Channel, Unknown
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Clinic
from app.db.work import JobHealth, Task, TaskKind
from tests.conftest import FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio


@pytest.fixture
def channel(app: Flask) -> Channel:
    found: Channel = app.extensions["channel"]
    return found


@pytest.fixture(autouse=True)
def _the_clinic_is_old(line: Line, clock: FrozenClock) -> None:
    made_at = clock()
    clock.forward(days=3)
    with line.db.begin() as session:
        session.execute(update(Clinic).values(created_at=made_at))


def bodies(line: Line) -> list[str]:
    with line.db.read() as session:
        return list(session.scalars(select(InboundMessage.body).order_by(InboundMessage.id)))


def test_what_was_missed_is_taken_in_once_and_in_order(
    line: Line,
    channel: Channel,
    twilio: FakeTwilio,
    client: FlaskClient,
    maria: Someone,
    clock: FrozenClock,
    beat: Callable[[], None],
) -> None:
    twilio.deliver(client, maria.phone, "MENU", sid="SMheard")
    twilio.miss(maria.phone, "MENU", sid="SMheard")
    clock.forward(minutes=1)
    came_at = clock()
    twilio.miss(maria.phone, "TRAVEL")
    clock.forward(minutes=5)
    twilio.miss(maria.phone, "my pump is beeping, im itchy and hot")
    clock.forward(minutes=3)
    assert catch_up(line, channel, clock()) == 2
    assert catch_up(line, channel, clock()) == 0
    assert bodies(line) == ["MENU", "TRAVEL", "my pump is beeping, im itchy and hot"]
    with line.db.read() as session:
        assert session.scalars(select(InboundMessage.received_at).order_by(InboundMessage.id)).all()[1] == came_at
        late, urgent = session.scalars(
            select(OutboundMessage.body)
            .where(OutboundMessage.purpose == Purpose.REPLY)
            .order_by(OutboundMessage.id.desc())
            .limit(2)
        ).all()[::-1]
        [alerted] = session.scalars(select(Task.patient_id).where(Task.kind == TaskKind.ALERT))
    assert late.startswith("This answers your text of ")
    assert not urgent.startswith("This answers")
    assert alerted == maria.id
    beat()
    sent = [message.body for message in twilio.held() if message.to == maria.phone and message.direction != "inbound"]
    assert {late, urgent} <= set(sent)
    assert [message for message in twilio.held() if message.to == "+16145550190"], "the on-call phone is paged"


def test_one_that_may_still_be_on_its_way_is_left_alone(
    line: Line, channel: Channel, twilio: FakeTwilio, maria: Someone, clock: FrozenClock
) -> None:
    twilio.miss(maria.phone, "TRAVEL")
    clock.forward(minutes=1)
    assert catch_up(line, channel, clock()) == 0
    clock.forward(minutes=1)
    assert catch_up(line, channel, clock()) == 1


def test_nothing_from_before_the_clinic_or_from_long_ago(
    line: Line, channel: Channel, twilio: FakeTwilio, maria: Someone, clock: FrozenClock
) -> None:
    twilio.miss(maria.phone, "TRAVEL")
    clock.forward(hours=25)
    assert catch_up(line, channel, clock()) == 0
    with line.db.begin() as session:
        session.execute(update(Clinic).values(created_at=clock()))
    twilio.miss(maria.phone, "MENU")
    clock.forward(minutes=3)
    assert catch_up(line, channel, clock()) == 1


def test_a_provider_that_cannot_be_asked_is_asked_as_far_back_again(
    line: Line, channel: Channel, twilio: FakeTwilio, maria: Someone, clock: FrozenClock
) -> None:
    with line.db.begin() as session:
        session.add(JobHealth(name="catch_up", ok_at=clock(), failures=0))
    twilio.miss(maria.phone, "TRAVEL")
    clock.forward(minutes=10)
    known, twilio.auth_token = twilio.auth_token, "another"
    with pytest.raises(Unknown, match="could not be asked"):
        catch_up(line, channel, clock())
    twilio.auth_token = known
    clock.forward(hours=3)
    assert catch_up(line, channel, clock()) == 1


def test_a_landline_of_somebody_else_is_a_text_like_any_other(
    line: Line, channel: Channel, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    for body in ("", "STOP", "🙂", "x" * 1600):
        twilio.miss("+16145550177", body)
    clock.forward(minutes=3)
    assert catch_up(line, channel, clock()) == 4
    assert sorted(bodies(line)) == sorted(["", "STOP", "🙂", "x" * 1600])


def test_a_late_answer_keeps_quiet_hours_and_emergency_words_do_not(
    line: Line, channel: Channel, twilio: FakeTwilio, maria: Someone, clock: FrozenClock, beat: Callable[[], None]
) -> None:
    evening = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # 20:00 at the clinic
    clock.to(evening)
    twilio.miss(maria.phone, "TRAVEL")
    twilio.miss("+16145550177", "the pump is beeping")
    clock.to(evening + timedelta(hours=3))
    assert catch_up(line, channel, clock()) == 2
    beat()
    sent = {message.to: message.body for message in twilio.held() if message.direction != "inbound"}
    assert maria.phone not in sent
    assert sent["+16145550177"].startswith("Call us now")
    clock.to(evening + timedelta(hours=12))  # 08:00
    beat()
    assert any(
        message.to == maria.phone and message.body.startswith("This answers your text of ") for message in twilio.held()
    )
