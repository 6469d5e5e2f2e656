"""The line texts itself from its own test phone: the whole way round, through the provider, and never as a patient."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.actions.catch_up import catch_up
from app.actions.check_line import NotSeenBack, check_line
from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.channels.base import Channel
from app.db.heartbeat import CHECK_BACK, heartbeat, well_at
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.db.people import Patient, Phone
from app.db.threads import PhoneThread
from app.db.vital_signs import vital_signs
from app.db.work import AuditEvent, Task
from app.jobs import jobs_for
from app.keys import keys_for
from app.settings import Settings, SettingsError, load_settings
from app.wiring import line_for
from scheduler.engine import run_guarded
from tests.conftest import FrozenClock
from tests.fakes.twilio_server import FakeTwilio, Message

TEST_PHONE = "+16145550180"
PEOPLE = (InboundMessage, OutboundMessage, DeliveryEvent, Patient, Phone, PhoneThread, Task, AuditEvent)

Round = Callable[..., None]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"check_phone": TEST_PHONE})


@pytest.fixture
def carry(client: FlaskClient, twilio: FakeTwilio) -> Callable[[Message], Message | None]:
    """Bring a text of the test phone to the line, as Twilio does, and return the answer that it then holds."""

    def bring(sent: Message) -> Message | None:
        assert (sent.from_, sent.to) == (TEST_PHONE, twilio.number)
        before = len(twilio.replied)
        twilio.deliver(client, TEST_PHONE, sent.body, sid=sent.sid)
        return twilio.replied[-1] if len(twilio.replied) > before else None

    return bring


@pytest.fixture
def round_trip(
    line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, carry: Callable[[Message], Message | None]
) -> Round:
    """Let a quarter of an hour pass, beat, and carry what was sent as far as it is said."""

    def go(*, arrives: bool = True, answered: bool = True) -> None:
        clock.forward(minutes=15)
        assert check_line(line, channel, clock())
        answer = carry(twilio.accepted[-1]) if arrives else None
        if answer and answered:
            twilio.report(answer, "delivered")

    return go


def seen_back(line: Line) -> object:
    with line.db.read() as session:
        return well_at(session, CHECK_BACK)


def rows(line: Line) -> list[int]:
    with line.db.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in PEOPLE]


def test_a_text_goes_round_and_its_answer_is_seen_back(
    line: Line, clock: FrozenClock, twilio: FakeTwilio, round_trip: Round
) -> None:
    round_trip()
    assert twilio.replied[0].body == f"{twilio.accepted[0].body} OK"
    assert twilio.replied[0].to == TEST_PHONE
    assert seen_back(line) == clock()


def test_it_is_nobodys_text_it_counts_nowhere_and_stands_on_no_list(line: Line, round_trip: Round) -> None:
    before = rows(line)
    for _ in range(3):
        round_trip()
    assert rows(line) == before
    with line.db.read() as session:
        signs = vital_signs(session, line_now := seen_back(line))  # type: ignore[arg-type]
    assert (signs.texts_in, signs.texts_out, signs.tasks, signs.queue_due) == (0, 0, 0, 0)
    assert line_now is not None


def test_one_is_sent_each_quarter_of_an_hour_by_whichever_process_is_first(
    line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    assert [check_line(line, channel, clock()) for _ in range(2)] == [True, False]
    clock.forward(minutes=14)
    assert not check_line(line, channel, clock())
    clock.forward(minutes=1)
    assert check_line(line, channel, clock())
    assert len({message.body for message in twilio.accepted}) == 2


@pytest.mark.parametrize("leg", [{"arrives": False}, {"answered": False}])
def test_one_that_does_not_come_back_in_ten_minutes_is_a_failure_until_one_does(
    line: Line,
    channel: Channel,
    clock: FrozenClock,
    twilio: FakeTwilio,
    round_trip: Round,
    carry: Callable[[Message], Message | None],
    leg: dict[str, bool],
) -> None:
    round_trip()
    round_trip(**leg)
    clock.forward(minutes=9)
    check_line(line, channel, clock())
    for minutes in (2, 4):  # the second beat sends the next one
        clock.forward(minutes=minutes)
        with pytest.raises(NotSeenBack):
            check_line(line, channel, clock())
    answer = carry(twilio.accepted[-1])
    assert answer
    twilio.report(answer, "delivered")
    clock.forward(minutes=1)
    assert not check_line(line, channel, clock())


def test_a_provider_that_refuses_them_is_a_failure_too(
    line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, round_trip: Round
) -> None:
    round_trip()
    for _ in range(2):
        twilio.refuse(401, 20003)
        clock.forward(minutes=15)
        try:
            assert not check_line(line, channel, clock())
        except NotSeenBack:
            break
    else:
        pytest.fail("nobody is told")


def test_nurses_and_whoever_runs_the_line_are_told(
    app: Flask, line: Line, channel: Channel, clock: FrozenClock, visitor_of: Callable[[Flask], str], round_trip: Round
) -> None:
    round_trip()
    [job] = [job for job in jobs_for(line, channel) if job.name == "check_line"]
    clock.forward(minutes=26)
    for _ in range(3):
        clock.forward(minutes=1)
        run_guarded(job, clock(), StoredHealth(line.db))
    with line.db.read() as session:
        assert [(one.name, one.error) for one in heartbeat(session, clock()).failing] == [("check_line", "NotSeenBack")]
    assert "The line does not answer its own texts" in visitor_of(app)


@pytest.fixture
def visitor_of(line: Line) -> Callable[[Flask], str]:
    from app.actions.add_staff import add_staff
    from app.domain.permissions import Role
    from tests.web.conftest import PASSWORD, Visitor

    def look(app: Flask) -> str:
        from tests.conftest import MONDAY

        add_staff(line.db, "ana@clinic.example", "Ana", Role.LEAD_NURSE, PASSWORD, MONDAY)
        browser = Visitor(app.test_client())
        browser.sign_in("ana@clinic.example", PASSWORD)
        return browser.get("/staff/").text

    return look


def test_one_that_the_provider_had_and_we_missed_is_left_alone(
    line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    """Answered late it would prove nothing; taken for a patient's it would be answered as one."""
    check_line(line, channel, clock())
    before = rows(line)
    twilio.miss(TEST_PHONE, twilio.accepted[0].body)
    twilio.came[-1].to = twilio.number
    back = twilio.miss(twilio.number, f"{twilio.accepted[0].body} OK")
    back.to = TEST_PHONE  # our own answer, in the list of what came in to the account
    clock.forward(minutes=5)
    assert catch_up(line, channel, clock()) == 0
    assert rows(line) == before
    assert len(twilio.replied) == 0


def test_from_the_spool_it_is_dropped(line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio) -> None:
    from app.actions.replay_spool import replay_spool

    check_line(line, channel, clock())
    form = {"MessageSid": "SM1", "From": TEST_PHONE, "To": twilio.number, "Body": twilio.accepted[0].body}
    assert line.spool is not None
    line.spool.keep("sms", form, clock())
    before = rows(line)
    assert replay_spool(line, clock()) == 1
    assert rows(line) == before


@pytest.mark.parametrize("body", ["PUMPLINE CHECK 00000000", "PUMPLINE CHECK ", "PUMPLINE CHECK \u00e9"])
def test_one_with_another_code_gets_no_answer_and_proves_nothing(
    line: Line, client: FlaskClient, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, body: str
) -> None:
    check_line(line, channel, clock())
    clock.forward(minutes=3)
    assert twilio.deliver(client, TEST_PHONE, body).texts == []
    assert seen_back(line) != clock()


def test_the_words_from_any_other_phone_are_a_text_like_any_other(
    line: Line, client: FlaskClient, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    check_line(line, channel, clock())
    assert len(twilio.deliver(client, "+16145550177", twilio.accepted[0].body).texts) == 1
    assert rows(line)[0] == 1


def test_an_answer_that_arrives_at_the_test_phone_is_seen_back_without_a_report(
    line: Line, client: FlaskClient, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, round_trip: Round
) -> None:
    """Where the number's own webhook points here too, as in a Messaging Service."""
    round_trip(answered=False)
    assert twilio.deliver(client, twilio.number, twilio.replied[-1].body, To=TEST_PHONE).texts == []
    assert seen_back(line) == clock()
    assert rows(line)[0] == 0


def test_our_other_words_at_the_test_phone_are_not_answered_by_us_in_turn(
    line: Line, client: FlaskClient, twilio: FakeTwilio
) -> None:
    said = "We have your message. If it is urgent, call us."
    assert twilio.deliver(client, twilio.number, said, To=TEST_PHONE).texts == []
    assert rows(line)[0] == 0


def test_somebody_in_danger_who_texts_the_test_phone_is_answered_and_a_nurse_paged(
    line: Line, client: FlaskClient, twilio: FakeTwilio
) -> None:
    assert twilio.deliver(client, "+16145550177", "my pump alarm is beeping", To=TEST_PHONE).texts
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 1


def test_in_the_simulator_it_goes_round_by_itself(tmp_path: object, clock: FrozenClock, settings: Settings) -> None:
    from app.actions.prepare import prepare
    from app.channels.simulator import SimulatorChannel
    from app.db.migrate import migrate
    from app.wiring import first_clinic

    chosen = Settings(
        instance_dir=settings.instance_dir / "simulated",
        check_phone=TEST_PHONE,
        secret_key=settings.secret_key,
        data_keys=settings.data_keys,
    )
    line = line_for(chosen, keys_for(chosen))
    migrate(line.db)
    prepare(line.db, first_clinic(chosen), clock())
    check_line(line, SimulatorChannel(), clock())
    clock.forward(minutes=15)
    assert check_line(line, SimulatorChannel(), clock())
    assert seen_back(line) == clock()
    assert rows(line)[0] == 0
    line.db.close()


def test_without_a_test_phone_there_is_no_such_job(settings: Settings, line: Line, channel: Channel) -> None:
    names = {
        job.name
        for job in jobs_for(line_for(settings.model_copy(update={"check_phone": None}), keys_for(settings)), channel)
    }
    assert "check_line" not in names
    assert "check_line" in {job.name for job in jobs_for(line, channel)}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"PUMPLINE_CHECK_PHONE": "+16145550100"}, "PUMPLINE_CHECK_PHONE: is a number that people use"),
        ({"PUMPLINE_CHECK_PHONE": "+16145550190"}, "PUMPLINE_CHECK_PHONE: is a number that people use"),
        ({"PUMPLINE_CHECK_PHONE": "nobody"}, "PUMPLINE_CHECK_PHONE"),
    ],
)
def test_a_test_phone_that_somebody_uses_stops_the_start(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(chosen)
    assert said in str(raised.value)


def test_behind_a_messaging_service_the_number_to_text_must_be_named(settings: Settings) -> None:
    live = {
        "PUMPLINE_CHANNEL": "twilio",
        "PUMPLINE_PUBLIC_URL": "https://texts.example.org",
        "PUMPLINE_TWILIO_ACCOUNT_SID": settings.twilio_account_sid or "",
        "PUMPLINE_TWILIO_AUTH_TOKEN": "t",
        "PUMPLINE_TWILIO_SENDER": "MG" + "0" * 32,
        "PUMPLINE_CHECK_PHONE": TEST_PHONE,
    }
    with pytest.raises(SettingsError, match="PUMPLINE_CHECK_TO: is needed"):
        load_settings(live)
    assert load_settings(live | {"PUMPLINE_CHECK_TO": "+16145550111"}).check_number == "+16145550111"
