"""The two webhooks, from outside: what Twilio posts, what it gets, what stands in the database afterwards."""

import base64
import hmac
import io
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

from app import create_app
from app.actions.prepare import prepare
from app.db.base import Base
from app.db.engine import Database
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.domain.delivery import DeliveryState
from app.settings import Settings
from app.web.current import line
from app.web.signature import MAX_FORM_BYTES
from app.web.twilio import twiml
from app.wiring import first_clinic
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import Answer, post_bytes, post_form

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
STRANGER = "+16145550177"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio(clock=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def chosen(twilio: FakeTwilio, tmp_path: Path) -> Settings:
    return Settings(
        channel="twilio",
        instance_dir=tmp_path,
        public_url=twilio.public_url,
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=SecretStr(twilio.auth_token),
        twilio_sender=twilio.number,
        long_code_per_second=0,
        twilio_api_url=twilio.url,
        secret_key=SecretStr("s" * 32),
        data_keys=SecretStr(Fernet.generate_key().decode()),
        scheduler=False,
    )


@pytest.fixture
def app(chosen: Settings) -> Flask:
    return started(chosen)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def db(app: Flask) -> Database:
    with app.app_context():
        return line().db


def count(db: Database, table: type) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def text_of(db: Database) -> str:
    with db.read() as session:
        return session.scalars(select(InboundMessage.body)).one()


def form(twilio: FakeTwilio, **changes: str) -> dict[str, str]:
    base = {"MessageSid": "SM1", "AccountSid": twilio.account_sid, "From": STRANGER, "To": twilio.number}
    return base | {"Body": "MENU", "NumMedia": "0"} | changes


def post(twilio: FakeTwilio, client: FlaskClient, path: str, posted: dict[str, str]) -> Answer:
    return post_form(client, twilio.public_url, path, posted, twilio.auth_token)


# a text in, an answer out


def test_a_text_is_answered_in_the_same_response(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    answer = twilio.deliver(client, STRANGER, "HELP")
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    with db.read() as session:
        stored = session.scalars(select(OutboundMessage)).all()
        assert [reply.body for reply in answer.replies] == [row.body for row in stored if row.inbound_id]
        for reply, row in zip(answer.replies, stored, strict=False):
            where = f"{twilio.public_url}/twilio/status?m={row.token}"
            assert (reply.status_callback, reply.action, row.state) == (where, where, DeliveryState.HANDED_OVER)


def test_a_repeated_text_gets_the_same_bytes_and_changes_nothing(
    twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    first = twilio.deliver(client, STRANGER, "ALARM", sid="SM7")
    before = [count(db, table) for table in (InboundMessage, OutboundMessage)]
    assert twilio.deliver(client, STRANGER, "ALARM", sid="SM7") == first
    assert [count(db, table) for table in (InboundMessage, OutboundMessage)] == before
    assert len(twilio.replied) == len(first.replies) > 0


def test_two_copies_at_the_same_instant_are_one_text(twilio: FakeTwilio, app: Flask, db: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        posted = form(twilio, Body="ALARM")
        answers = list(pool.map(lambda _: post(twilio, app.test_client(), "/twilio/sms", posted), range(8)))
    assert len(set(answers)) == 1
    assert answers[0].status == 200
    assert count(db, InboundMessage) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "x" * 1600,
        "y" * 20_000,
        "🙂🙂 ¿qué tal? \u202e reversed",
        "<script>alert('1')</script> & ]]> \"quoted\"",
        "null \0 byte, \x01\x1f control, \x7f\x85",
        "\ufffe\uffff\U0010ffff",
        "line\r\nline\rline\n",
        "=1+1;'--%s{}{{ 7*7 }}",
    ],
)
def test_a_text_is_taken_as_it_comes(body: str, twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    answer = twilio.deliver(client, STRANGER, body)
    assert answer.status == 200
    assert answer.replies, "an unknown text is never met by silence"
    assert text_of(db) == body


def test_a_text_without_a_body_is_an_empty_one(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    posted = form(twilio)
    del posted["Body"]
    assert post(twilio, client, "/twilio/sms", posted).status == 200
    assert text_of(db) == ""


@pytest.mark.parametrize("raw", [b"%ff%fe", b"\xff\xfe", b"%ED%A0%80", b"caf\xc3\xa9", b"%", b"%zz"])
def test_bytes_that_are_no_utf8_are_no_accident(
    raw: bytes, twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    body = urlencode(form(twilio, Body="")).encode().replace(b"Body=", b"Body=" + raw)
    assert post_bytes(client, "/twilio/sms", body, signed(twilio, "/twilio/sms", body)).status == 200
    assert count(db, InboundMessage) == 1


def test_pictures_are_kept_as_references_and_never_fetched(
    twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    kept = ("https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME1", "image/jpeg")
    answer = twilio.deliver(client, STRANGER, "", media=[kept, ("javascript:alert(1)", "text/html")])
    assert answer.replies
    with db.read() as session:
        media = session.scalars(select(InboundMessage.media)).one()
    assert media is not None
    assert kept[0] in media
    assert "javascript" not in media
    assert twilio.requests == []


@pytest.mark.parametrize("told", ["many", "-1", "9" * 30, "²", ""])
def test_an_odd_number_of_pictures_does_not_lose_the_text(
    told: str, twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    assert post(twilio, client, "/twilio/sms", form(twilio, NumMedia=told)).status == 200


@pytest.mark.parametrize(("missing", "named"), [("MessageSid", "MessageSid"), ("From", "From")])
def test_a_form_without_the_needful_says_what_is_missing(
    missing: str, named: str, twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    answer = post(twilio, client, "/twilio/sms", form(twilio, **{missing: ""}))
    assert (answer.status, answer.body) == (400, f"{named} is missing".encode())
    assert count(db, InboundMessage) == 0


@pytest.mark.parametrize("name", ["SmsMessageSid", "SmsSid"])
def test_older_names_of_the_message_id_serve(name: str, twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    posted = {key: value for key, value in form(twilio).items() if key != "MessageSid"} | {name: "SM9"}
    assert post(twilio, client, "/twilio/sms", posted).status == 200
    with db.read() as session:
        assert session.scalars(select(InboundMessage.provider_id)).one() == "SM9"


def test_what_the_carrier_took_for_an_opt_out_counts(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    twilio.deliver(client, STRANGER, "arret", OptOutType="STOP")
    with db.read() as session:
        assert session.scalars(select(InboundMessage.intent)).one() == "opt_out"


def test_twiml_carries_any_characters() -> None:
    body = 'a<b>&"c" \0\x0b\ud800 \ufffe\r\n\U0001f642 ]]>'
    made = twiml([(body, "to/k&en")], "https://pumpline.test")
    (reply,) = Answer(200, made.encode(), "text/xml").replies
    assert reply.body == 'a<b>&"c"  \r\n\U0001f642 ]]>'
    assert reply.action == reply.status_callback == "https://pumpline.test/twilio/status?m=to%2Fk%26en"
    assert twiml([], "https://pumpline.test").endswith("<Response></Response>")


# who may call


def signed(twilio: FakeTwilio, path: str, body: bytes, algorithm: str = "sha1") -> str:
    """Sign raw bytes, for forms that the library cannot hold."""
    from app.web.signature import parse_form

    pairs = b"".join(name + value for name, value in sorted(parse_form(body)))
    digest = hmac.digest(twilio.auth_token.encode(), (twilio.public_url + path).encode() + pairs, algorithm)
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize("path", ["/twilio/sms", "/twilio/status?m=x"])
@pytest.mark.parametrize("signature", [None, "", "x", "é", "A" * 28, "A" * 5000])
def test_a_wrong_signature_is_refused_and_leaves_nothing(
    path: str,
    signature: str | None,
    twilio: FakeTwilio,
    client: FlaskClient,
    db: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = post_bytes(client, path, urlencode(form(twilio, MessageStatus="sent")).encode(), signature)
    assert (answer.status, answer.body) == (403, b"bad signature")
    assert [count(db, table) for table in (InboundMessage, OutboundMessage, DeliveryEvent)] == [0, 0, 0]
    assert "webhook refused" in caplog.text
    assert STRANGER.removeprefix("+") not in caplog.text
    assert "MENU" not in caplog.text


def test_one_changed_letter_breaks_the_signature(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    posted = form(twilio)
    signature = RequestValidator(twilio.auth_token).compute_signature(f"{twilio.public_url}/twilio/sms", posted)
    for changed in (posted | {"Body": "MENu"}, posted | {"Extra": ""}, {**posted, "From": "+16145550178"}):
        assert post_bytes(client, "/twilio/sms", urlencode(changed).encode(), signature).status == 403
    assert post_bytes(client, "/twilio/sms?a=1", urlencode(posted).encode(), signature).status == 403
    assert post_bytes(client, "/twilio/sms", urlencode(posted).encode(), signature).status == 200


def test_a_header_never_chooses_the_algorithm_or_the_host(
    twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    body = urlencode(form(twilio)).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signed(twilio, "/twilio/sms", body, "sha256"),
        "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
    }
    assert client.post("/twilio/sms", data=body, headers=headers).status_code == 403
    theirs = RequestValidator(twilio.auth_token).compute_signature("https://evil.test/twilio/sms", form(twilio))
    headers = {"Content-Type": headers["Content-Type"], "X-Twilio-Signature": theirs}
    for name, value in {"Host": "evil.test", "X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}.items():
        answer = client.post("/twilio/sms", data=body, headers=headers | {name: value, "X-Forwarded-Proto": "https"})
        assert answer.status_code == 403
    raw = {"RAW_URI": "https://evil.test/twilio/sms", "REQUEST_URI": "https://evil.test/twilio/sms"}
    assert client.post("/twilio/sms", data=body, headers=headers, environ_overrides=raw).status_code == 403


def test_behind_a_proxy_the_public_url_counts(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    posted = form(twilio)
    for origin in (twilio.public_url, twilio.public_url + ":443"):
        signature = RequestValidator(twilio.auth_token).compute_signature(f"{origin}/twilio/sms", posted)
        answer = client.post(
            "/twilio/sms",
            data=posted,
            headers={"X-Twilio-Signature": signature, "X-Forwarded-For": "10.0.0.1"},
            base_url="http://10.0.0.2:8000",
        )
        assert answer.status_code == 200


def test_over_a_real_connection_the_query_is_signed_as_it_was_written(
    twilio: FakeTwilio, app: Flask, db: Database
) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        assert twilio.deliver(url, STRANGER, "HELP & more: caf\u00e9 \U0001f642").replies
        status = {"MessageSid": "SM1", "AccountSid": twilio.account_sid, "MessageStatus": "sent"}
        for query in ("?m=a%20b", "?m=a+b", "?m=%c3%a9&x=%2F/~%7E", "?m", "?m=1&m=2", ""):
            path = f"/twilio/status{query}"
            assert post_form(url, twilio.public_url, path, status, twilio.auth_token).status == 204
    finally:
        server.shutdown()
        thread.join()


def test_another_account_is_refused(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    for theirs in ("AC" + "9" * 32, ""):
        assert post(twilio, client, "/twilio/sms", form(twilio, AccountSid=theirs)).status == 403
    assert count(db, InboundMessage) == 0


@pytest.mark.parametrize("path", ["/twilio/sms", "/twilio/status"])
def test_only_posts_of_a_sensible_size_are_read(path: str, twilio: FakeTwilio, client: FlaskClient) -> None:
    assert client.get(path).status_code == 405
    large = b"Body=" + b"x" * MAX_FORM_BYTES
    assert post_bytes(client, path, large, "x").status == 413
    endless = client.post(path, input_stream=io.BytesIO(large * 2), headers={"Transfer-Encoding": "chunked"})
    assert endless.status_code in (403, 413)


def test_without_twilio_there_is_no_such_page(tmp_path: Path) -> None:
    quiet = started(Settings(instance_dir=tmp_path, secret_key=SecretStr("s" * 32), scheduler=False))
    for path in ("/twilio/sms", "/twilio/status?m=x"):
        assert quiet.test_client().post(path, data={"Body": "x"}).status_code == 404


# what became of it


def test_reports_only_move_a_text_forward(twilio: FakeTwilio, client: FlaskClient, db: Database) -> None:
    twilio.deliver(client, STRANGER, "HELP")
    reply = twilio.replied[0]
    for status in ("delivered", "sent", "queued", "delivered", "undelivered"):
        answer = twilio.report(reply, status)
        assert answer is not None
        assert (answer.status, answer.body) == (204, b"")
    with db.read() as session:
        row = session.scalars(select(OutboundMessage).where(OutboundMessage.provider_id == reply.sid)).one()
        assert (row.state, row.body) == (DeliveryState.DELIVERED, reply.body)


@pytest.mark.parametrize(
    ("status", "code"),
    [("no-such-state", ""), ("sent", "abc"), ("failed", "99999999999999"), ("Δ\0", "-1"), ("sent", "²")],
)
@pytest.mark.parametrize("token", ["?m=nobody", "?m=", "", "?m=%00%ff", "?m=" + "x" * 3000])
def test_unknown_states_and_ids_are_answered_all_the_same(
    status: str, code: str, token: str, twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    report = {"MessageSid": "SM404", "AccountSid": twilio.account_sid, "MessageStatus": status, "ErrorCode": code}
    assert post(twilio, client, f"/twilio/status{token}", report).status == 204
    assert count(db, DeliveryEvent) == 1


def test_the_older_name_of_the_state_serves_and_none_is_named(
    twilio: FakeTwilio, client: FlaskClient, db: Database
) -> None:
    older = {"SmsSid": "SM1", "AccountSid": twilio.account_sid, "SmsStatus": "sent"}
    assert post(twilio, client, "/twilio/status?m=x", older).status == 204
    none = post(twilio, client, "/twilio/status?m=x", {"AccountSid": twilio.account_sid})
    assert (none.status, none.body) == (400, b"MessageStatus is missing")


def started(chosen: Settings) -> Flask:
    """An installation with its first clinic, as `pumpline migrate` leaves it."""
    app = create_app(chosen, clock=lambda: NOW)
    with app.app_context():
        db = line().db
    Base.metadata.create_all(db.engine)
    prepare(db, first_clinic(chosen), NOW)
    return app
