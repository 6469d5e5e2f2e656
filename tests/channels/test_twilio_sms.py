import dataclasses
import logging
import socket
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.channels.base import Accepted, ChannelError, NotSent, OptedOut, Outgoing, Rejected, Unknown
from app.channels.twilio_sms import TwilioSms
from app.domain.delivery import Next
from tests.channels.conftest import MARIA, NOW, REMINDER
from tests.fakes.twilio_server import FakeTwilio

# messaging-rules section 7, as docs/messaging.md repeats it
REFUSALS = [
    (400, 21610, OptedOut),
    (400, 63014, OptedOut),
    (400, 21211, Rejected),
    (400, 21614, Rejected),
    (400, 21617, Rejected),
    (400, 30004, Rejected),
    (400, 30005, Rejected),
    (400, 30006, Rejected),
    (400, 30007, Rejected),
    (400, 30019, Rejected),
    (400, 30034, Rejected),
    (400, 29999, Rejected),  # unknown to us: permanent until somebody looks
    (404, 20404, Rejected),
    (429, 20429, NotSent),
    (429, None, NotSent),
    (400, 21611, NotSent),
    (400, 30001, NotSent),
    (400, 30003, NotSent),
    (400, 30008, NotSent),
    (401, 20003, NotSent),
    (401, None, NotSent),
    (403, None, NotSent),
    (500, 20500, Unknown),
    (500, None, Unknown),
    (502, None, Unknown),
    (503, 20503, Unknown),
    (400, None, Unknown),  # no word of Twilio's: something in between
    (408, None, Unknown),
    (307, None, Unknown),
]


def test_an_accepted_text_comes_back_with_its_id_and_segments(
    channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    accepted = channel.send(reminder)
    (held,) = twilio.accepted
    assert accepted == Accepted(held.sid, segments=1)
    assert (held.to, held.body, held.from_, held.messaging_service_sid) == (MARIA, REMINDER, twilio.number, None)
    assert (held.status_callback, held.validity_period) == (reminder.status_callback, 3600)


def test_a_long_text_in_any_alphabet_arrives_whole(channel: TwilioSms, twilio: FakeTwilio) -> None:
    body = "Grüße, señora & <b>\u201cthanks\u201d</b> 100% + 🙂 " * 30
    assert channel.send(Outgoing(MARIA, body)).segments > 1
    assert twilio.accepted[0].body == body
    assert (twilio.accepted[0].status_callback, twilio.accepted[0].validity_period) == (None, None)


@pytest.mark.parametrize(("seconds", "asked_for"), [(-5, 1), (0, 1), (600, 600), (10**6, 36_000)])
def test_the_validity_stays_within_what_twilio_takes(
    seconds: int, asked_for: int, channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    channel.send(dataclasses.replace(reminder, validity_seconds=seconds))
    assert twilio.accepted[0].validity_period == asked_for


@pytest.mark.parametrize(("status", "code", "error"), REFUSALS)
def test_a_refusal_says_what_may_be_done_next(
    status: int, code: int | None, error: type[ChannelError], channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.refuse(status, code)
    with pytest.raises(error) as raised:
        channel.send(reminder)
    assert raised.value.code == code
    assert str(raised.value) == raised.value.failure.reason
    assert twilio.accepted == []
    assert len(twilio.requests) == 1, "nothing is repeated behind our back"


def test_no_error_repeats_the_number_or_the_text(channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing) -> None:
    twilio.refuse(400, 21211)  # Twilio's own sentence has the number in it
    with pytest.raises(Rejected) as raised:
        channel.send(reminder)
    whole = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(reminder)
    assert raised.value.__context__ is None
    assert MARIA.removeprefix("+") not in whole
    assert REMINDER not in whole


def test_an_opted_out_phone_is_refused_by_the_carrier(
    channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.opted_out.add(MARIA)
    with pytest.raises(OptedOut) as raised:
        channel.send(reminder)
    assert raised.value.failure.next is Next.OPTED_OUT


@pytest.mark.parametrize("accepts", [True, False])
def test_an_answer_that_comes_too_late_is_unknown(
    accepts: bool, hasty: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.delay(seconds=5, accepts=accepts)
    with pytest.raises(Unknown):
        hasty.send(reminder)
    assert len(twilio.accepted) == accepts


@pytest.mark.parametrize("after_accepting", [True, False])
def test_a_lost_connection_is_unknown_and_asking_tells(
    after_accepting: bool, channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.hang_up(after_accepting)
    with pytest.raises(Unknown):
        channel.send(reminder)
    found = channel.find(MARIA, REMINDER, made_at=NOW)
    assert found == (twilio.accepted[0].sid if after_accepting else None)


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>so sorry</html>",
        b"",
        b"[]",
        b"null",
        b"{}",
        b'"SM1"',
        b'{"sid": null}',
        b'{"sid": 7}',
        b'{"sid": ""}',
        b'{"sid": "SM',
        b"\xff\xfe",
    ],
)
def test_an_unreadable_answer_is_unknown(
    answer: bytes, channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.garbage(answer)
    with pytest.raises(Unknown):
        channel.send(reminder)


@pytest.mark.parametrize("answer", [b'{"code": "21610", "message": 1}', b'{"code": {}}', b"[]", b'{"message": "no"}'])
def test_an_unreadable_refusal_is_unknown(
    answer: bytes, channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.garbage(answer, status=400, accepts=False)
    with pytest.raises(Unknown):
        channel.send(reminder)


def test_a_refusal_in_the_newer_problem_format_is_read_too(
    channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    twilio.garbage(b'{"type": "t", "title": "t", "status": 400, "code": 21610}', status=400, accepts=False)
    with pytest.raises(OptedOut):
        channel.send(reminder)


def test_odd_segment_counts_do_not_lose_an_accepted_text(
    channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    for count in (b"null", b'"0"', b'"many"', b"{}"):
        twilio.garbage(b'{"sid": "SM1", "num_segments": %s}' % count)
        assert channel.send(reminder) == Accepted("SM1", segments=1)


def test_a_refused_connection_is_safe_to_repeat(reminder: Outgoing) -> None:
    with socket.socket() as nobody:  # bound and not listening: this port answers no one
        nobody.bind(("127.0.0.1", 0))
        channel = TwilioSms("AC1", "token", "+16145550100", f"http://127.0.0.1:{nobody.getsockname()[1]}", 5)
        with pytest.raises(NotSent):
            channel.send(reminder)
        with pytest.raises(Unknown):
            channel.find(MARIA, REMINDER, made_at=NOW)
        with pytest.raises(NotSent, match="no connection"):
            channel.check_credentials()


def test_a_connection_nobody_takes_is_safe_to_repeat(reminder: Outgoing) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # the kernel queues one or two; the next gets no answer at all
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        channel = TwilioSms("AC1", "token", "+16145550100", f"http://127.0.0.1:{full.getsockname()[1]}", 0.2)
        with pytest.raises(NotSent):
            channel.send(reminder)


def test_a_failed_handshake_is_unknown_not_sent_again_blindly(twilio: FakeTwilio, reminder: Outgoing) -> None:
    channel = TwilioSms(twilio.account_sid, twilio.auth_token, twilio.number, twilio.url.replace("http", "https"), 5)
    with pytest.raises(Unknown):
        channel.send(reminder)


def test_a_character_that_cannot_be_sent_is_refused_before_sending(channel: TwilioSms, twilio: FakeTwilio) -> None:
    with pytest.raises(Rejected, match="cannot be sent"):
        channel.send(Outgoing(MARIA, "half a smile \ud83d"))
    assert twilio.requests == []


def test_a_messaging_service_sends_without_a_number(twilio: FakeTwilio, reminder: Outgoing) -> None:
    service = "MG" + "0" * 32
    TwilioSms(twilio.account_sid, twilio.auth_token, service, twilio.url).send(reminder)
    assert (twilio.accepted[0].messaging_service_sid, twilio.accepted[0].from_) == (service, None)


@pytest.mark.parametrize("sender", ["+16145550102", "614550", "MG" + "1" * 32])
def test_a_message_may_name_its_own_sender(
    sender: str, channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    channel.send(dataclasses.replace(reminder, sender=sender))
    (held,) = twilio.accepted
    assert (held.messaging_service_sid or held.from_) == sender


def test_find_takes_the_one_with_exactly_this_body_that_came_nearest(
    channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing
) -> None:
    moments = iter([NOW, NOW + timedelta(minutes=5), NOW + timedelta(minutes=6), NOW + timedelta(minutes=7)])
    twilio.clock = lambda: next(moments)
    older, newer = channel.send(reminder).provider_id, channel.send(reminder).provider_id
    channel.send(dataclasses.replace(reminder, body=REMINDER + " Thank you."))
    channel.send(dataclasses.replace(reminder, recipient="+16145550124"))
    assert channel.find(MARIA, REMINDER, made_at=NOW + timedelta(milliseconds=900)) == older
    assert channel.find(MARIA, REMINDER, made_at=NOW, but=[older]) == newer
    assert channel.find(MARIA, REMINDER, made_at=NOW + timedelta(minutes=4)) == newer
    an_hour_ahead = NOW + timedelta(minutes=65)
    assert channel.find(MARIA, REMINDER, made_at=an_hour_ahead) == newer, "our clock may have been wrong"
    assert channel.find(MARIA, REMINDER, made_at=NOW + timedelta(hours=2)) is None
    assert channel.find(MARIA, REMINDER.upper(), made_at=NOW) is None


def test_find_sees_replies_but_nothing_that_came_in(channel: TwilioSms, twilio: FakeTwilio) -> None:
    twilio.hold({"To": MARIA, "From": twilio.number, "Body": "1"}, direction="inbound")
    assert channel.find(MARIA, "1", made_at=NOW) is None
    reply = twilio.hold({"To": MARIA, "From": twilio.number, "Body": "1"}, direction="outbound-reply")
    assert channel.find(MARIA, "1", made_at=NOW) == reply.sid


def test_find_knows_the_words_a_trial_account_puts_first(channel: TwilioSms, twilio: FakeTwilio) -> None:
    held = twilio.hold({"To": MARIA, "Body": f"Sent from your Twilio trial account - {REMINDER}"})
    assert channel.find(MARIA, REMINDER, made_at=NOW) == held.sid


def test_find_reads_on_over_pages(channel: TwilioSms, twilio: FakeTwilio, reminder: Outgoing) -> None:
    twilio.largest_page = 2
    first = channel.send(reminder)
    for n in range(5):
        channel.send(Outgoing(MARIA, f"another {n}"))
    assert channel.find(MARIA, REMINDER, made_at=NOW) == first.provider_id
    assert twilio.requests.count("GET Messages.json") == 3


def test_find_that_cannot_ask_says_so(twilio: FakeTwilio) -> None:
    stranger = TwilioSms(twilio.account_sid, "another token", twilio.number, twilio.url)
    with pytest.raises(Unknown, match="could not be asked"):
        stranger.find(MARIA, REMINDER, made_at=NOW)


def test_the_credentials_are_proved(channel: TwilioSms, twilio: FakeTwilio) -> None:
    assert "knows the account" in channel.check_credentials()
    stranger = TwilioSms(twilio.account_sid, "another token", twilio.number, twilio.url)
    with pytest.raises(NotSent, match="credentials"):
        stranger.check_credentials()
    twilio.account_status = "suspended"
    with pytest.raises(Rejected, match="suspended"):
        channel.check_credentials()


def test_nothing_private_is_logged_at_any_level(
    channel: TwilioSms, hasty: TwilioSms, twilio: FakeTwilio, reminder: Outgoing, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "twilio", "twilio.http_client", "urllib3", "urllib3.connectionpool", "urllib3.util.retry"):
        caplog.set_level(logging.DEBUG, logger=name)
    channel.send(reminder)
    channel.find(MARIA, REMINDER, made_at=NOW)
    twilio.refuse(400, 21211)
    twilio.delay(5)
    for hurried in (channel, hasty):
        with pytest.raises(ChannelError):
            hurried.send(reminder)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        lost = TwilioSms(twilio.account_sid, "t", twilio.number, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(Unknown):
            lost.find(MARIA, REMINDER, made_at=NOW)
    assert "connection" in caplog.text, "the HTTP library does log, and is heard here"
    for private in (MARIA.removeprefix("+"), twilio.number.removeprefix("+"), "Northgate", "Reply", "status?m="):
        assert private not in caplog.text


def test_threads_share_one_channel_and_never_each_others_answers(channel: TwilioSms, twilio: FakeTwilio) -> None:
    def send(n: int) -> tuple[str, str]:
        return channel.send(Outgoing(MARIA, f"text {n}")).provider_id, f"text {n}"

    with ThreadPoolExecutor(16) as pool:
        sent = list(pool.map(send, range(200)))
    assert sorted(sent) == sorted((message.sid, message.body) for message in twilio.accepted)


def test_the_library_is_imported_only_to_send() -> None:
    code = "import sys, app.channels.twilio_sms as t; t.TwilioSms('AC1', 't', '+1'); print('twilio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
