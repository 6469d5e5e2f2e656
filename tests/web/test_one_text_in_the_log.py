"""One text followed through the log by one id: webhook, page, answer, status callbacks, whichever way it came in."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.actions.catch_up import catch_up
from app.actions.line import Line
from app.actions.raise_pages import raise_pages
from app.actions.replay_spool import replay_spool
from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import settle_unknown
from app.logs import configure_logging, request_named_by, request_of
from tests.conftest import FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import post_form

Log = Callable[[], list[dict[str, Any]]]
WORDS = "Maria Lopez: my pump alarm is beeping"


@pytest.fixture
def log() -> Iterator[Log]:
    """Return the lines of the log, as the server would write them to stderr."""
    root, server = logging.getLogger(), logging.getLogger("gunicorn.error")
    kept = root.handlers[:], root.level, server.handlers[:], server.propagate
    configure_logging(as_json=True)
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield lines
    root.handlers[:], root.level, server.handlers[:], server.propagate = kept


def said(lines: list[dict[str, Any]], request_id: str) -> list[str]:
    return [line["event"] for line in lines if line.get("request_id") == request_id]


def test_webhook_page_and_status_callbacks_share_one_id(
    app: Flask, client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, log: Log
) -> None:
    twilio.deliver(client, maria.phone, WORDS, sid="SM1")
    send_outbox(line, app.extensions["channel"], clock())
    reply, page = twilio.replied[0], twilio.accepted[0]
    twilio.report(reply, "delivered")
    twilio.report(page, "undelivered", 30003)
    lines = log()
    assert said(lines, request_of("SM1")) == ["text received", "text sent", "status reported", "status reported"]
    assert all(line.get("request_id") == request_of("SM1") for line in lines if line["logger"].startswith("app."))
    received, _, _, failed = (line for line in lines if line.get("request_id"))
    assert received["kind"] == "urgent"
    assert (failed["state"], failed["code"]) == ("undelivered", 30003)


def test_no_name_number_or_word_of_it_is_in_the_log(
    app: Flask, client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, log: Log
) -> None:
    twilio.deliver(client, maria.phone, WORDS)
    send_outbox(line, app.extensions["channel"], clock())
    twilio.report(twilio.replied[0], "delivered")
    whole = json.dumps(log())
    for secret in ("Maria", "Lopez", "beep", maria.phone.removeprefix("+1"), "6145550190"):
        assert secret not in whole


def test_a_page_that_comes_again_still_names_the_text(
    app: Flask, client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, log: Log
) -> None:
    twilio.deliver(client, maria.phone, "ALARM", sid="SM1")
    clock.forward(minutes=6)
    raise_pages(line, clock())
    send_outbox(line, app.extensions["channel"], clock())
    assert said(log(), request_of("SM1")) == ["text received", "text sent", "text sent"]


def test_the_same_webhook_again_has_the_same_id(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, log: Log
) -> None:
    for _ in range(2):
        twilio.deliver(client, maria.phone, "REFILL", sid="SM1")
    repeated = [line["repeated"] for line in log() if line.get("request_id") == request_of("SM1")]
    assert repeated == [False, True]


def test_two_texts_have_two_ids_and_nothing_carries_over_between_requests(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, settings: Any, log: Log
) -> None:
    twilio.deliver(client, maria.phone, "REFILL", sid="SM1")
    post_form(client, twilio.public_url, "/twilio/sms", {"MessageSid": "SM2", "From": "+16145550111"}, "a wrong token")
    twilio.deliver(client, maria.phone, "TRAVEL", sid="SM3")
    ids = [line["request_id"] for line in log()]
    assert ids[0] == request_of("SM1")
    assert ids[2] == request_of("SM3")
    assert len(set(ids)) == 3


def test_a_text_from_the_spool_or_missed_by_us_keeps_its_id(
    app: Flask, client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, log: Log
) -> None:
    assert line.spool is not None
    line.spool.keep("sms", {"MessageSid": "SM1", "From": maria.phone, "To": twilio.number, "Body": "REFILL"}, clock())
    twilio.miss(maria.phone, "TRAVEL", sid="SM2")
    clock.forward(minutes=5)
    replay_spool(line, clock())
    catch_up(line, app.extensions["channel"], clock())
    send_outbox(line, app.extensions["channel"], clock())
    lines = log()
    assert said(lines, request_of("SM1")) == ["text taken in from the spool", "text sent"]
    assert said(lines, request_of("SM2")) == ["text taken in that the provider had", "text sent"]


def test_an_answer_that_was_lost_is_settled_under_the_same_id(
    app: Flask, client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, log: Log
) -> None:
    twilio.hang_up(after_accepting=True)
    twilio.deliver(client, maria.phone, "ALARM", sid="SM1")
    send_outbox(line, app.extensions["channel"], clock())
    clock.forward(minutes=2)
    settle_unknown(line, app.extensions["channel"], clock())
    events = said(log(), request_of("SM1"))
    assert events[0] == "text received"
    assert events[1].startswith("text not sent: unknown")
    assert events[2] == "unknown text settled"


def test_a_token_of_before_still_names_one_request() -> None:
    assert request_named_by("abcDEF_-0123wxyz") == request_named_by("abcDEF_-0123wxyz")
    assert request_named_by("0123456789abcdef-abc") == "0123456789abcdef"
