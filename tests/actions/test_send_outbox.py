"""What is owed is sent once, whatever the provider says or does not say."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import settle_unknown
from app.channels.base import Accepted, Channel, Outgoing
from app.channels.twilio_sms import TwilioSms
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Phone
from app.db.work import TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)
EVENING = datetime(2026, 12, 4, 1, 30, tzinfo=UTC)  # 20:30 in New York

Owed = Callable[..., int]


def message(desk: Desk, message_id: int) -> OutboundMessage:
    return desk.rows(OutboundMessage, OutboundMessage.id == message_id)[0]


@pytest.fixture
def sweep(desk: Desk, channel: Channel, clock: FrozenClock) -> Callable[[], int]:
    return lambda: send_outbox(desk.line, channel, clock(), steady=lambda: 0.0)  # no second passes, however busy we are


@pytest.fixture
def settle(desk: Desk, channel: Channel, clock: FrozenClock) -> Callable[[], int]:
    return lambda: settle_unknown(desk.line, channel, clock())


@pytest.fixture
def reminder(maria: Someone, desk: Desk, clock: FrozenClock, beat: Callable[[], None]) -> Callable[[], OutboundMessage]:
    """Queue Maria's first reminder and hand it over; return its row, newest state."""
    desk.books(maria, VISIT)

    def handed_over() -> OutboundMessage:
        clock.to(FIRST)
        beat()
        return desk.messages(Purpose.REMINDER)[0]

    return handed_over


def test_a_text_that_is_owed_goes_out_once_and_is_recorded(
    owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk
) -> None:
    text = owed(maria, "Please call us.")
    assert [sweep(), sweep()] == [1, 0]
    [sent] = twilio.accepted
    row = message(desk, text)
    assert (sent.to, sent.body, sent.from_) == (maria.phone, "Please call us.", twilio.number)
    assert (row.state, row.provider_id, row.attempts) == (DeliveryState.ACCEPTED, sent.sid, 1)
    assert sent.status_callback == f"https://pumpline.test/twilio/status?m={row.token}"


def test_a_text_that_is_not_due_waits(
    owed: Owed, sweep: Callable[[], int], maria: Someone, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    owed(maria, due_at=clock() + timedelta(minutes=1))
    assert sweep() == 0
    clock.forward(minutes=1)
    assert sweep() == 1


def test_urgent_texts_leave_before_the_others(
    owed: Owed, desk: Desk, channel: Channel, maria: Someone, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    owed(maria, "routine")
    owed(maria, "urgent", urgent=True)
    send_outbox(desk.line, channel, clock(), senders=1)
    assert [sent.body for sent in twilio.accepted] == ["urgent", "routine"]


@pytest.mark.parametrize(
    ("status", "code"), [(429, 20429), (429, None), (401, 20003), (400, 21611), (400, 30001), (400, 30008)]
)
def test_what_may_pass_is_tried_again_with_growing_waits(
    status: int, code: int | None, reminder: Callable[[], OutboundMessage], twilio: FakeTwilio, desk: Desk,
    clock: FrozenClock, sweep: Callable[[], int],
) -> None:  # fmt: skip
    twilio.refuse(status, code, times=3)
    first = reminder()
    waits = [first.due_at - clock()]
    for _ in range(2):
        clock.to(message(desk, first.id).due_at)
        sweep()
        waits.append(message(desk, first.id).due_at - clock())
    assert waits[1] == waits[0] * 2
    assert waits[2] == waits[0] * 4
    clock.to(message(desk, first.id).due_at)
    assert sweep() == 1
    assert len(twilio.accepted) == 1


def test_after_three_tries_a_nurse_knows_and_the_text_is_still_tried(
    reminder: Callable[[], OutboundMessage],
    twilio: FakeTwilio,
    desk: Desk,
    clock: FrozenClock,
    sweep: Callable[[], int],
) -> None:
    twilio.refuse(429, 20429, times=3)
    first = reminder()
    tasks = []
    for _ in range(3):
        tasks.append(len(desk.tasks(TaskKind.UNDELIVERED)))
        clock.to(message(desk, first.id).due_at)
        sweep()
    assert tasks == [0, 0, 1]
    assert len(twilio.accepted) == 1


def test_a_retry_keeps_to_texting_hours(
    reminder: Callable[[], OutboundMessage], maria: Someone, twilio: FakeTwilio, desk: Desk, clock: FrozenClock,
    beat: Callable[[], None],
) -> None:  # fmt: skip
    clock.to(EVENING)
    twilio.refuse(400, 30003)
    beat()
    assert desk.messages(Purpose.REMINDER)[0].due_at == datetime(2026, 12, 4, 13, 0, tzinfo=UTC)  # 8:00


@pytest.mark.parametrize("code", [21211, 21614, 21617, 30004, 30005, 30006, 30007, 30019, 30034, 99999])
def test_what_will_not_pass_is_never_repeated_and_is_a_nurses_task(
    code: int,
    owed: Owed,
    sweep: Callable[[], int],
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    twilio.refuse(400, code)
    text = owed(maria)
    for _ in range(3):
        sweep()
        clock.forward(hours=2)
    row = message(desk, text)
    assert (row.state, row.error_code) == (DeliveryState.REFUSED, code)
    assert twilio.requests == ["POST Messages.json"]
    [task] = desk.tasks()
    assert (task.kind, task.patient_id) == (TaskKind.UNDELIVERED, maria.id)
    assert row.reason in task.reason


@pytest.mark.parametrize("code", [21610, 63014])
def test_a_refusal_as_opted_out_is_recorded_and_never_repeated(
    code: int, owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk
) -> None:
    twilio.refuse(400, code)
    owed(maria)
    sweep()
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == 1


LOST = {
    "hangs up before it took it": (lambda twilio: twilio.hang_up(after_accepting=False), False),
    "hangs up after it took it": (lambda twilio: twilio.hang_up(after_accepting=True), True),
    "answers 500": (lambda twilio: twilio.refuse(500, None), False),
    "answers 503 with a code": (lambda twilio: twilio.refuse(503, 20503), False),
    "answers 500 and has it": (lambda twilio: twilio.garbage(status=500), True),
    "answers nonsense and has it": (lambda twilio: twilio.garbage(), True),
    "answers too late and has it": (lambda twilio: twilio.delay(3), True),
    "answers too late and has it not": (lambda twilio: twilio.delay(3, accepts=False), False),
}


@pytest.fixture
def hasty(twilio: FakeTwilio) -> TwilioSms:
    """Gives up before the fake's delayed answers."""
    return TwilioSms(twilio.account_sid, twilio.auth_token, twilio.number, twilio.url, timeout_seconds=0.3)


@pytest.mark.parametrize("how", LOST)
def test_a_lost_answer_is_asked_about_and_the_text_arrives_exactly_once(
    how: str, owed: Owed, hasty: TwilioSms, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    loses, has_it = LOST[how]
    loses(twilio)
    text = owed(maria)
    send_outbox(desk.line, hasty, clock())
    assert message(desk, text).state is DeliveryState.UNKNOWN
    clock.forward(seconds=61)
    assert settle_unknown(desk.line, hasty, clock()) == 1
    assert message(desk, text).state is (DeliveryState.ACCEPTED if has_it else DeliveryState.QUEUED)
    for _ in range(3):
        send_outbox(desk.line, hasty, clock())
        clock.forward(minutes=2)
    assert len(twilio.accepted) == 1
    assert message(desk, text).provider_id == twilio.accepted[0].sid


def test_the_provider_is_not_asked_before_its_list_can_know(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone,
    clock: FrozenClock,
) -> None:  # fmt: skip
    twilio.hang_up(after_accepting=False)
    owed(maria)
    sweep()
    clock.forward(seconds=44)
    assert settle() == 0
    assert twilio.requests == ["POST Messages.json"]


def test_the_same_words_sent_before_are_not_taken_for_the_lost_text(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone,
    clock: FrozenClock,
) -> None:  # fmt: skip
    owed(maria, "Please call us.")
    sweep()
    twilio.hang_up(after_accepting=False)
    owed(maria, "Please call us.")
    sweep()
    clock.forward(seconds=61)
    settle()
    sweep()
    assert len(twilio.accepted) == 2


def test_the_same_words_of_long_ago_are_not_taken_for_the_lost_text(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone,
    clock: FrozenClock,
) -> None:  # fmt: skip
    twilio.hold({"To": maria.phone, "Body": "Please call us."})  # by whatever used this account before
    clock.forward(hours=2)
    twilio.hang_up(after_accepting=False)
    owed(maria, "Please call us.")
    sweep()
    clock.forward(seconds=61)
    settle()
    sweep()
    assert len(twilio.accepted) == 2


def test_a_text_the_provider_keeps_losing_is_sent_ever_more_slowly_and_a_nurse_knows(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk,
    clock: FrozenClock,
) -> None:  # fmt: skip
    twilio.refuse(500, None, times=6)
    text = owed(maria)
    tries = []
    for _ in range(40):
        sweep()
        clock.forward(minutes=1)
        settle()
        tries.append(twilio.requests.count("POST Messages.json"))
    assert tries[-1] <= 7
    assert message(desk, text).attempts >= 4
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]


def test_while_the_provider_cannot_be_asked_nothing_is_repeated_and_a_nurse_is_told_once(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk,
    clock: FrozenClock,
) -> None:  # fmt: skip
    twilio.hang_up(after_accepting=False)
    owed(maria)
    sweep()
    token, twilio.auth_token = twilio.auth_token, "changed meanwhile"
    for _ in range(4):
        clock.forward(minutes=6)
        settle()
        sweep()
    [task] = desk.tasks()
    assert (task.kind, task.version) == (TaskKind.UNDELIVERED, 1)
    assert twilio.requests.count("POST Messages.json") == 1
    twilio.auth_token = token
    settle()
    sweep()
    assert len(twilio.accepted) == 1


class PoweredOff(BaseException):
    """What a killed process looks like from inside."""


class DyingChannel:
    """The real channel, in a process that dies beside the call."""

    name = "twilio"

    def __init__(self, channel: Channel, *, after_sending: bool) -> None:
        self._channel = channel
        self._after_sending = after_sending

    def send(self, message: Outgoing) -> Accepted:
        if self._after_sending:
            self._channel.send(message)
        raise PoweredOff

    def find(self, recipient: str, body: str, made_at: datetime, but: Collection[str] = ()) -> str | None:
        return self._channel.find(recipient, body, made_at, but)


@pytest.mark.parametrize("after_sending", [False, True])
def test_a_crash_between_claim_and_record_loses_nothing_and_repeats_nothing(
    after_sending: bool,
    owed: Owed,
    channel: Channel,
    sweep: Callable[[], int],
    settle: Callable[[], int],
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    texts = [owed(maria) for _ in range(3)]
    with pytest.raises(PoweredOff):
        send_outbox(desk.line, DyingChannel(channel, after_sending=after_sending), clock())
    assert {message(desk, text).state for text in texts} == {DeliveryState.SENDING}
    for _ in range(6):
        clock.forward(seconds=61)
        settle()
        sweep()
    assert sorted(sent.body for sent in twilio.accepted) == sorted(message(desk, text).body for text in texts)


def test_a_claim_is_not_taken_for_lost_while_its_call_may_still_last(
    owed: Owed, channel: Channel, settle: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk,
    clock: FrozenClock,
) -> None:  # fmt: skip
    text = owed(maria)
    with pytest.raises(PoweredOff):
        send_outbox(desk.line, DyingChannel(channel, after_sending=False), clock())
    clock.forward(seconds=119)
    settle()
    assert message(desk, text).state is DeliveryState.SENDING


def test_a_text_past_its_use_expires_unsent_and_a_nurse_calls(
    owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    text = owed(maria, expires_at=clock() + timedelta(minutes=10))
    clock.forward(minutes=10)
    assert sweep() == 0
    assert message(desk, text).state is DeliveryState.EXPIRED
    assert [task.reason for task in desk.tasks()] == ["a text did not arrive: a text could not be sent in time"]
    assert twilio.requests == []


def test_an_unknown_text_past_its_use_is_not_sent_again(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk,
    clock: FrozenClock,
) -> None:  # fmt: skip
    text = owed(maria, expires_at=clock() + timedelta(minutes=1))
    twilio.hang_up(after_accepting=False)
    sweep()
    clock.forward(minutes=2)
    settle()
    sweep()
    assert message(desk, text).state is DeliveryState.EXPIRED
    assert twilio.accepted == []
    assert len(desk.tasks()) == 1


def test_the_provider_is_told_when_a_text_stops_being_useful(
    owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, maria: Someone, clock: FrozenClock
) -> None:
    owed(maria, expires_at=clock() + timedelta(minutes=10))
    sweep()
    assert twilio.accepted[0].validity_period == 600


def test_a_lost_safety_text_is_a_nurses_task_as_soon_as_it_is_known_to_be_lost(
    owed: Owed, sweep: Callable[[], int], settle: Callable[[], int], twilio: FakeTwilio, maria: Someone, desk: Desk,
    clock: FrozenClock,
) -> None:  # fmt: skip
    twilio.hang_up(after_accepting=False)
    owed(maria, urgent=True)
    sweep()
    clock.forward(minutes=2)
    settle()
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]


def test_sweeps_at_the_same_time_send_everything_once(
    owed: Owed, channel: Channel, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    texts = [owed(maria) for _ in range(60)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: send_outbox(desk.line, channel, clock()), range(4)))
    assert sum(sent) == len(texts)
    assert sorted(sent.body for sent in twilio.accepted) == sorted(message(desk, text).body for text in texts)


def test_heartbeats_at_the_same_time_queue_and_send_each_reminder_once(
    add_patient: Callable[..., Someone], twilio: FakeTwilio, desk: Desk, clock: FrozenClock, app: object
) -> None:
    people = [add_patient("Ana", f"+1614555{n:04}") for n in range(1000, 1020)]
    for person in people:
        desk.books(person, VISIT)
    clock.to(FIRST)
    beat = app.extensions["run_due"]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: beat(clock()), range(2)))
    beat(clock())
    assert sorted(sent.to for sent in twilio.accepted) == sorted(person.phone for person in people)


def test_a_status_that_was_faster_than_our_record_is_not_undone(
    owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, client: object, maria: Someone, desk: Desk
) -> None:
    twilio.on_accept = lambda sent: twilio.report(sent, "delivered", app=client)
    text = owed(maria)
    sweep()
    row = message(desk, text)
    assert (row.state, row.provider_id) == (DeliveryState.DELIVERED, twilio.accepted[0].sid)


def test_a_status_outweighs_a_refusal_that_comes_after_it(
    owed: Owed, sweep: Callable[[], int], twilio: FakeTwilio, client: object, maria: Someone, desk: Desk
) -> None:
    twilio.on_accept = lambda sent: twilio.report(sent, "delivered", app=client)
    twilio.garbage(status=429)
    text = owed(maria)
    sweep()
    assert message(desk, text).state is DeliveryState.DELIVERED
