"""Status callbacks: recorded as they come; a text's state only moves forward."""

from collections.abc import Callable
from itertools import permutations

import pytest

from app.actions.record_status import StatusReport, record_status
from app.actions.send_outbox import send_outbox
from app.channels.base import Channel
from app.db.messages import DeliveryEvent, OutboundMessage, Purpose
from app.db.work import TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone


@pytest.fixture
def sent(owed: Callable[..., int], maria: Someone, desk: Desk, channel: Channel, clock: FrozenClock) -> OutboundMessage:
    """One routine text that the provider has taken."""
    owed(maria)
    send_outbox(desk.line, channel, clock())
    return desk.messages()[0]


@pytest.fixture
def hear(desk: Desk, clock: FrozenClock) -> Callable[..., bool]:
    return lambda status, **more: record_status(desk.line, StatusReport(status, **more), clock())


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
def test_in_whatever_order_reports_come_a_delivered_text_ends_as_delivered(
    order: tuple[str, ...], sent: OutboundMessage, hear: Callable[..., bool], desk: Desk
) -> None:
    for status in order:
        hear(status, token=sent.token, provider_id=sent.provider_id)
    assert desk.messages()[0].state is DeliveryState.DELIVERED
    assert [event.status for event in desk.rows(DeliveryEvent)] == list(order)


def test_the_same_report_twice_is_one(sent: OutboundMessage, hear: Callable[..., bool], desk: Desk) -> None:
    assert [hear("undelivered", token=sent.token, error_code=30005) for _ in range(2)] == [True, False]
    assert len(desk.rows(DeliveryEvent)) == 1
    assert [task.version for task in desk.tasks()] == [1]


@pytest.mark.parametrize("late", ["sent", "queued", "undelivered", "failed", "canceled"])
def test_nothing_moves_a_delivered_text(
    late: str, sent: OutboundMessage, hear: Callable[..., bool], desk: Desk
) -> None:
    hear("delivered", token=sent.token)
    assert not hear(late, token=sent.token, error_code=30003)
    assert desk.messages()[0].state is DeliveryState.DELIVERED
    assert desk.tasks() == []


@pytest.mark.parametrize("status", ["partially_delivered", "", "DELIVERED?"])
def test_a_word_we_do_not_know_is_kept_and_changes_nothing(
    status: str, sent: OutboundMessage, hear: Callable[..., bool], desk: Desk
) -> None:
    assert not hear(status, token=sent.token)
    assert [(event.status, event.moved) for event in desk.rows(DeliveryEvent)] == [(status, False)]
    assert desk.messages()[0].state is DeliveryState.ACCEPTED


@pytest.mark.parametrize("where", [{"token": "nobody's"}, {"provider_id": "SM404"}, {}])
def test_a_report_about_a_text_we_do_not_know_is_kept(
    where: dict[str, str], hear: Callable[..., bool], desk: Desk
) -> None:
    assert not hear("delivered", **where)
    assert [event.message_id for event in desk.rows(DeliveryEvent)] == [None]


def test_a_report_tells_us_the_providers_id_of_a_reply(
    texts: Callable[..., object], maria: Someone, hear: Callable[..., bool], desk: Desk
) -> None:
    texts(maria.phone, "TRAVEL")
    hear("sent", token=desk.messages()[0].token, provider_id="SM9")
    hear("delivered", provider_id="SM9")
    assert desk.messages()[0].state is DeliveryState.DELIVERED


def test_a_routine_text_that_was_not_delivered_is_a_nurses_task(
    sent: OutboundMessage, maria: Someone, hear: Callable[..., bool], desk: Desk
) -> None:
    hear("undelivered", token=sent.token, error_code=30006)
    [task] = desk.tasks()
    assert (task.kind, task.patient_id) == (TaskKind.UNDELIVERED, maria.id)
    assert task.reason == "a text did not arrive: a landline, or the carrier cannot be reached: call instead"


@pytest.mark.parametrize("purpose", [Purpose.MISSED, Purpose.PAGE])
def test_a_safety_text_that_was_not_delivered_is_a_nurses_task_at_once(
    purpose: Purpose,
    owed: Callable[..., int],
    maria: Someone,
    hear: Callable[..., bool],
    desk: Desk,
    channel: Channel,
    clock: FrozenClock,
) -> None:
    owed(maria, purpose=purpose, urgent=purpose is Purpose.PAGE)
    send_outbox(desk.line, channel, clock())
    hear("undelivered", token=desk.messages()[0].token, error_code=30003)
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]


def test_a_report_about_a_text_whose_fate_was_unknown_settles_it(
    owed: Callable[..., int], maria: Someone, hear: Callable[..., bool], desk: Desk
) -> None:
    text = owed(maria)
    desk.change(OutboundMessage, text, state=DeliveryState.UNKNOWN)
    hear("sent", token=desk.messages()[0].token, provider_id="SM7")
    row = desk.messages()[0]
    assert (row.state, row.provider_id) == (DeliveryState.SENT, "SM7")
