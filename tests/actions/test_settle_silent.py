"""A text of which nobody reports anything still comes to an end, and is never sent twice for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.actions.send_outbox import send_outbox
from app.actions.settle_silent import settle_silent
from app.actions.settle_unknown import settle_unknown
from app.channels.base import Channel
from app.db.messages import OutboundMessage, Purpose
from app.db.stuck import list_stuck
from app.db.work import TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

Texts = Callable[..., object]
Settle = Callable[[], int]


@pytest.fixture
def settle(line: Line, channel: Channel, clock: FrozenClock) -> Settle:
    """What the heartbeat does about silence, and then what it sends."""

    def run() -> int:
        settled = settle_silent(line, channel, clock())
        send_outbox(line, channel, clock())
        return settled

    return run


@pytest.fixture
def lost(texts: Texts, twilio: FakeTwilio) -> Callable[[str, str], None]:
    """Somebody texts us, and the connection breaks before Twilio has our answer."""

    def text(sender: str, words: str) -> None:
        texts(sender, words)
        del twilio._held[:]
        twilio.replied.clear()

    return text


def reply(desk: Desk) -> OutboundMessage:
    return desk.messages(Purpose.REPLY)[0]


def test_an_answer_that_never_arrived_goes_out_once_as_a_text_of_its_own(
    lost: Callable[[str, str], None], settle: Settle, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    lost(maria.phone, "TRAVEL")
    clock.forward(seconds=59)
    assert (settle(), twilio.requests) == (0, []), "a report may still come"
    clock.forward(seconds=1)
    settle()
    clock.forward(minutes=5)
    settle()
    assert [sent.body for sent in twilio.accepted] == [reply(desk).body]
    assert reply(desk).state is DeliveryState.SENT
    validity = twilio.accepted[0].validity_period
    assert validity is not None
    assert validity <= 3600, "it does not say to which text it comes, and after an hour it would surprise"


def test_an_answer_that_two_beats_find_lost_at_once_goes_out_once(
    lost: Callable[[str, str], None],
    settle: Settle,
    twilio: FakeTwilio,
    maria: Someone,
    line: Line,
    channel: Channel,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was taken for dead still asks while another has settled and sent."""
    lost(maria.phone, "TRAVEL")
    clock.forward(minutes=1)
    ask = channel.find
    asked: list[None] = []

    def slow(*about: Any) -> str | None:
        if asked:
            return ask(*about)
        asked.append(None)
        answer = ask(*about)
        settle()
        return answer

    monkeypatch.setattr(channel, "find", slow)
    settle_silent(line, channel, clock())
    send_outbox(line, channel, clock())
    assert len(twilio.accepted) == 1


def test_an_answer_that_twilio_has_is_not_sent_again(
    texts: Texts, settle: Settle, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    clock.forward(minutes=1)
    settle()
    [held] = twilio.replied
    assert (reply(desk).provider_id, reply(desk).state, twilio.accepted) == (held.sid, DeliveryState.SENT, [])


def test_of_two_equal_answers_only_the_lost_one_is_sent_again(
    texts: Texts, settle: Settle, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    for _ in range(3):  # the first also asks whether that helped
        texts(maria.phone, "TRAVEL")
    other, first, second = twilio.replied
    assert other.body != first.body == second.body
    twilio._held.remove(second)
    clock.forward(minutes=1)
    settle()
    assert [sent.body for sent in twilio.accepted] == [first.body]
    ids = {message.provider_id for message in desk.messages(Purpose.REPLY)}
    assert ids == {other.sid, first.sid, twilio.accepted[0].sid}


@pytest.mark.parametrize(("words", "sent"), [("TRAVEL", 0), ("my pump is beeping", 1)])
def test_hours_later_only_an_emergencys_answer_still_goes_and_the_rest_is_a_nurses_call(
    words: str,
    sent: int,
    lost: Callable[[str, str], None],
    settle: Settle,
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    lost(maria.phone, words)
    clock.forward(hours=3)
    settle()
    assert len([text for text in twilio.accepted if text.to == maria.phone]) == sent
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == 1 - sent


@pytest.fixture
def taken(
    owed: Callable[..., int], line: Line, channel: Channel, clock: FrozenClock, maria: Someone, twilio: FakeTwilio
) -> Callable[..., tuple[int, Message]]:
    """A text that Twilio took and of which no report comes."""

    def make(**more: object) -> tuple[int, Message]:
        text = owed(maria, "Please call us.", **more)
        send_outbox(line, channel, clock())
        return text, twilio.accepted[-1]

    return make


def row(desk: Desk, message_id: int) -> OutboundMessage:
    return desk.rows(OutboundMessage, OutboundMessage.id == message_id)[0]


@pytest.mark.parametrize(
    ("status", "code", "state", "tasks"),
    [("delivered", None, DeliveryState.DELIVERED, 0), ("undelivered", 30005, DeliveryState.UNDELIVERED, 1)],
)
def test_a_report_that_was_lost_is_asked_for(
    status: str,
    code: int | None,
    state: DeliveryState,
    tasks: int,
    taken: Callable[..., tuple[int, Message]],
    settle: Settle,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    text, held = taken()
    held.status, held.error_code = status, code
    clock.forward(minutes=1)
    settle()
    assert (row(desk, text).state, len(desk.tasks(TaskKind.UNDELIVERED))) == (state, tasks)


def test_a_carrier_that_never_says_is_asked_ever_more_rarely_and_then_no_more(
    taken: Callable[..., tuple[int, Message]],
    settle: Settle,
    twilio: FakeTwilio,
    line: Line,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    text, _ = taken()
    for _ in range(26 * 60):
        clock.forward(minutes=1)
        settle()
    assert row(desk, text).state is DeliveryState.UNCONFIRMED
    assert twilio.requests.count("GET " + twilio.accepted[0].sid + ".json") <= 32
    assert desk.tasks(TaskKind.UNDELIVERED) == []
    with line.db.read() as session:
        assert list_stuck(session, clock()) == []


def test_a_report_that_comes_after_all_still_counts(
    taken: Callable[..., tuple[int, Message]], settle: Settle, line: Line, desk: Desk, clock: FrozenClock
) -> None:
    text, held = taken()
    clock.forward(hours=25)
    settle()
    assert row(desk, text).state is DeliveryState.UNCONFIRMED
    assert record_status(line, StatusReport("delivered", provider_id=held.sid), clock())
    assert row(desk, text).state is DeliveryState.DELIVERED


def test_a_text_that_twilio_denies_is_a_nurses_call(
    taken: Callable[..., tuple[int, Message]], settle: Settle, twilio: FakeTwilio, desk: Desk, clock: FrozenClock
) -> None:
    text, held = taken()
    twilio._held.remove(held)
    clock.forward(minutes=1)
    settle()
    assert row(desk, text).state is DeliveryState.UNCONFIRMED
    assert [task.reason for task in desk.tasks(TaskKind.UNDELIVERED)] == [
        "a text did not arrive: the provider knows nothing of it"
    ]


def test_while_twilio_cannot_be_asked_nothing_is_repeated_and_a_nurse_is_told_once(
    lost: Callable[[str, str], None],
    settle: Settle,
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
) -> None:
    lost(maria.phone, "TRAVEL")
    token, twilio.auth_token = twilio.auth_token, "changed"
    for _ in range(40):
        clock.forward(minutes=1)
        settle()
    assert (twilio.accepted, len(desk.tasks(TaskKind.UNDELIVERED))) == ([], 1)
    twilio.auth_token = token
    clock.forward(minutes=15)
    settle()
    assert len(twilio.accepted) == 1


def test_what_stays_too_long_is_listed(
    owed: Callable[..., int], line: Line, maria: Someone, clock: FrozenClock, settle: Settle
) -> None:
    owed(maria, "Please call us.")
    with line.db.read() as session:
        assert list_stuck(session, clock() + timedelta(minutes=9)) == []
        assert [stuck.state for stuck in list_stuck(session, clock() + timedelta(minutes=11))] == ["queued"]


def test_while_twilio_does_not_answer_a_beat_asks_three_times_and_no_more(
    owed: Callable[..., int], settle: Settle, maria: Someone, twilio: FakeTwilio, line: Line, channel: Channel,
    clock: FrozenClock,
) -> None:  # fmt: skip
    for _ in range(8):
        owed(maria)
    send_outbox(line, channel, clock())
    asked = len(twilio.requests)
    token, twilio.auth_token = twilio.auth_token, "changed meanwhile"
    clock.forward(minutes=1)
    settle()
    assert len(twilio.requests) - asked == 3
    twilio.auth_token = token
    for message in twilio.accepted:
        message.status = "delivered"
    clock.forward(hours=1)
    assert settle() == 8


def test_an_unknown_text_that_cannot_be_asked_about_for_a_day_ends_with_a_nurses_call(
    owed: Callable[..., int], maria: Someone, twilio: FakeTwilio, desk: Desk, channel: Channel, clock: FrozenClock
) -> None:
    twilio.hang_up(after_accepting=False)
    owed(maria)
    send_outbox(desk.line, channel, clock())
    token, twilio.auth_token = twilio.auth_token, "changed meanwhile"
    clock.forward(hours=24)
    settle_unknown(desk.line, channel, clock())
    twilio.auth_token = token
    assert desk.messages(Purpose.STAFF)[0].state is DeliveryState.UNCONFIRMED
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == 1
    with desk.line.db.read() as session:
        assert list_stuck(session, clock()) == []


def test_a_report_takes_its_id_from_the_text_that_words_alone_had_matched(
    owed: Callable[..., int], maria: Someone, twilio: FakeTwilio, desk: Desk, channel: Channel, clock: FrozenClock
) -> None:
    for has_it in (True, False):
        twilio.hang_up(after_accepting=has_it)
        owed(maria, "Please call us.")
        send_outbox(desk.line, channel, clock())
    clock.forward(minutes=1)
    settle_unknown(desk.line, channel, clock())
    matched, other = sorted(desk.messages(Purpose.STAFF), key=lambda row: row.provider_id is None)
    record_status(desk.line, StatusReport("delivered", other.token, twilio.accepted[0].sid), clock())
    rows = {row.id: row for row in desk.messages(Purpose.STAFF)}
    assert rows[other.id].state is DeliveryState.DELIVERED
    assert (rows[matched.id].state, rows[matched.id].provider_id) == (DeliveryState.UNKNOWN, None)


def test_an_answer_taken_for_a_later_one_with_the_same_words_is_sent_after_all(
    texts: Texts,
    lost: Callable[[str, str], None],
    settle: Settle,
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    channel: Channel,
    clock: FrozenClock,
) -> None:
    lost(maria.phone, "TRAVEL")  # this one also asks whether that helped
    lost(maria.phone, "TRAVEL")
    early = desk.messages(Purpose.REPLY)[1].id
    clock.forward(seconds=30)
    texts(maria.phone, "TRAVEL")
    [later] = twilio.replied
    later.status = "delivered"  # and the report of it is slow
    clock.forward(seconds=30)
    settle()
    believed = {row.id: row for row in desk.messages(Purpose.REPLY)}[early]
    assert (believed.provider_id, believed.state) == (later.sid, DeliveryState.DELIVERED)
    token = desk.messages(Purpose.REPLY)[2].token
    for status in ("sent", "delivered"):
        record_status(desk.line, StatusReport(status, token, later.sid), clock())
    clock.forward(seconds=45)
    settle_unknown(desk.line, channel, clock())
    send_outbox(desk.line, channel, clock())
    again = twilio.accepted[-1]
    assert again.body == later.body
    record_status(desk.line, StatusReport("delivered", believed.token, again.sid), clock())
    rows = {row.id: row for row in desk.messages(Purpose.REPLY)}
    assert (rows[early].provider_id, rows[early].state) == (again.sid, DeliveryState.DELIVERED)
    assert [row.state for row in rows.values() if row.provider_id == later.sid] == [DeliveryState.DELIVERED]


def test_a_report_that_names_its_text_corrects_what_words_had_found(
    texts: Texts, settle: Settle, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    """Twilio's list lags: only a later answer with the same words stands in it when the first one is asked about."""
    for _ in range(2):  # the first also asks whether that helped
        texts(maria.phone, "TRAVEL")
    mine = twilio.replied[1]
    twilio._held.remove(mine)
    clock.forward(seconds=30)
    texts(maria.phone, "TRAVEL")
    later = twilio.replied[2]
    later.status = "delivered"
    clock.forward(seconds=30)
    settle()
    early, newest = desk.messages(Purpose.REPLY)[1:]
    assert early.provider_id == later.sid, "wrongly"
    record_status(desk.line, StatusReport("undelivered", early.token, mine.sid, 30003), clock())
    record_status(desk.line, StatusReport("delivered", newest.token, later.sid), clock())
    rows = {row.id: row for row in desk.messages(Purpose.REPLY)}
    assert (rows[early.id].provider_id, rows[early.id].state) == (mine.sid, DeliveryState.UNDELIVERED)
    assert (rows[newest.id].provider_id, rows[newest.id].state) == (later.sid, DeliveryState.DELIVERED)


def test_an_answer_is_found_though_our_clock_was_an_hour_ahead_when_it_was_made(
    texts: Texts, settle: Settle, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    clock.forward(hours=1)
    texts(maria.phone, "TRAVEL")
    clock.forward(hours=-1)
    twilio.replied[0].made_at = clock().replace(microsecond=0)
    clock.forward(hours=1, minutes=1)
    settle()
    assert (reply(desk).provider_id, twilio.accepted) == (twilio.replied[0].sid, [])


def test_what_was_found_by_its_words_does_not_take_the_id_of_a_text_that_was_reported(
    owed: Callable[..., int], maria: Someone, desk: Desk, channel: Channel, clock: FrozenClock
) -> None:
    for _ in range(2):
        owed(maria, "Please call us.")
    send_outbox(desk.line, channel, clock(), senders=1)
    told, other = desk.messages(Purpose.STAFF)
    desk.change(OutboundMessage, other.id, provider_id=None, state=DeliveryState.UNKNOWN)
    found = StatusReport("delivered", other.token, told.provider_id, by_words=True)
    assert not record_status(desk.line, found, clock())
    rows = {row.id: row for row in desk.messages(Purpose.STAFF)}
    assert rows[told.id].provider_id == told.provider_id
    assert (rows[other.id].state, rows[other.id].provider_id) == (DeliveryState.UNKNOWN, None)
