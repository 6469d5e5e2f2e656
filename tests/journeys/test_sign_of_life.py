"""The dead man's switch hears of us only while texts come in, jobs run and texts go out. Silence is the alarm."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import delete

from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.actions.raise_pages import raise_pages
from app.actions.send_outbox import send_outbox
from app.channels.base import Channel
from app.channels.ping import PingFailed, ping
from app.db.heartbeat import MUST_BEAT
from app.db.work import JobHealth
from app.jobs import jobs_for
from app.settings import Settings, SettingsError, load_settings
from app.wiring import ping_for
from scheduler.engine import HealthRecord, run_guarded
from tests.conftest import FrozenClock, Someone
from tests.fakes.ping_server import PingServer
from tests.fakes.twilio_server import FakeTwilio

Pass = Callable[..., int]


@pytest.fixture
def switch() -> Iterator[PingServer]:
    with PingServer() as server:
        yield server


@pytest.fixture
def minutes_pass(
    app: Flask,
    client: FlaskClient,
    line: Line,
    settings: Settings,
    channel: Channel,
    clock: FrozenClock,
    switch: PingServer,
    maria: Someone,
    twilio: FakeTwilio,
) -> Pass:
    """Let minutes pass, all well but what is named, and the switch's job beat; return how often it was told."""
    chosen = settings.model_copy(update={"ping_url": SecretStr(switch.url)})
    jobs = {job.name: job for job in jobs_for(line, channel, ping=ping_for(chosen))}

    def go(minutes: int = 16, *, webhook: bool = True, silent: str = "", sends: bool = True) -> int:
        clock.forward(minutes=minutes)
        if webhook:
            twilio.deliver(client, maria.phone, "TRAVEL")
        if sends:
            raise_pages(line, clock())
            send_outbox(line, channel, clock())
        health = StoredHealth(line.db)
        for name in MUST_BEAT:
            if name != silent:
                health.succeeded(name, clock())
        run_guarded(jobs["dead_mans_ping"], clock(), HealthRecord())
        return len(switch.asked)

    return go


def test_it_is_told_while_all_is_well_and_where_it_was_said(minutes_pass: Pass, switch: PingServer) -> None:
    assert minutes_pass() == 1
    assert switch.asked == ["/ping/secret-of-ours"]
    assert minutes_pass() == 2


def test_it_is_told_every_five_minutes_at_most(minutes_pass: Pass) -> None:
    assert minutes_pass() == 1
    assert minutes_pass(2) == 1
    assert minutes_pass(2) == 1
    assert minutes_pass(2) == 2


def test_a_webhook_that_came_before_the_last_one_proves_nothing(minutes_pass: Pass) -> None:
    assert minutes_pass() == 1
    assert minutes_pass(webhook=False) == 1
    assert minutes_pass() == 2


@pytest.mark.parametrize("job", MUST_BEAT)
def test_one_job_that_no_longer_runs_is_enough_to_stay_silent(minutes_pass: Pass, job: str) -> None:
    assert minutes_pass() == 1
    assert minutes_pass(silent=job) == 1
    assert minutes_pass() == 2


def test_a_page_that_does_not_go_out_silences_it_until_it_does(
    minutes_pass: Pass, client: FlaskClient, twilio: FakeTwilio, maria: Someone
) -> None:
    assert minutes_pass() == 1
    twilio.deliver(client, maria.phone, "ALARM")
    assert minutes_pass(sends=False) == 1
    assert minutes_pass() == 2


def test_a_text_of_unknown_fate_silences_it(
    minutes_pass: Pass, client: FlaskClient, twilio: FakeTwilio, maria: Someone
) -> None:
    assert minutes_pass() == 1
    twilio.deliver(client, maria.phone, "ALARM")
    twilio.hang_up(after_accepting=True)
    minutes_pass(4)
    assert minutes_pass(16) == 1


def test_a_text_taken_in_from_the_providers_list_is_no_webhook(
    minutes_pass: Pass, line: Line, channel: Channel, twilio: FakeTwilio, maria: Someone, clock: FrozenClock
) -> None:
    """The webhook's address is wrong: the catch-up answers, late, and the operator must hear of it."""
    from app.actions.catch_up import catch_up

    assert minutes_pass() == 1
    twilio.miss(maria.phone, "REFILL")
    clock.forward(minutes=5)
    assert catch_up(line, channel, clock()) == 1
    assert minutes_pass(webhook=False) == 1


def test_a_report_about_no_text_of_ours_is_no_proof(
    minutes_pass: Pass, line: Line, client: FlaskClient, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    """`pumpline doctor` calls our own webhook with one."""
    from tests.fakes.twilio_webhooks import post_form

    form = {"AccountSid": twilio.account_sid, "MessageSid": "SM0", "MessageStatus": "sent"}
    assert post_form(client, twilio.public_url, "/twilio/status", form, twilio.auth_token).status == 204
    assert minutes_pass(webhook=False) == 0


def test_a_switch_that_does_not_take_it_is_told_again_and_the_job_has_failed(
    minutes_pass: Pass, switch: PingServer, line: Line
) -> None:
    switch.status = 503
    assert minutes_pass() == 1
    assert minutes_pass(1) == 2
    switch.status = 200
    assert minutes_pass(1) == 3
    assert minutes_pass(1) == 3


def test_a_redirect_is_not_followed_and_is_no_success(switch: PingServer) -> None:
    with PingServer() as elsewhere:
        switch.status, switch.location = 302, elsewhere.url
        with pytest.raises(PingFailed, match="answered 302"):
            ping(switch.url)
        assert elsewhere.asked == []


def test_what_goes_wrong_is_said_without_the_address(switch: PingServer) -> None:
    with pytest.raises(PingFailed) as raised:
        ping("http://127.0.0.1:1/secret-of-ours")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("address", ["http://switch.example/x", "ftp://switch.example", "https://me@switch.example"])
def test_an_address_that_gives_the_secret_away_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({"PUMPLINE_PING_URL": address})
    assert "PUMPLINE_PING_URL" in str(raised.value)
    assert "switch.example" not in str(raised.value)


def test_without_an_address_there_is_no_such_job(line: Line, channel: Channel, settings: Settings) -> None:
    assert "dead_mans_ping" not in {job.name for job in jobs_for(line, channel, ping=ping_for(settings))}


def test_before_the_first_one_nothing_older_than_twenty_minutes_counts(
    minutes_pass: Pass, line: Line, client: FlaskClient, twilio: FakeTwilio, maria: Someone
) -> None:
    twilio.deliver(client, maria.phone, "TRAVEL")
    assert minutes_pass(25, webhook=False) == 0
    with line.db.begin() as session:
        session.execute(delete(JobHealth))
    twilio.deliver(client, maria.phone, "TRAVEL")
    assert minutes_pass(15, webhook=False) == 1
