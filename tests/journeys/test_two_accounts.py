"""The account fails, the other one takes over, and hands back: each text arrives once, nobody in danger waits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select

from app.actions.asking import Asking
from app.actions.catch_up import catch_up
from app.actions.hand_back import hand_back
from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.actions.settle_silent import settle_silent
from app.actions.settle_unknown import settle_unknown
from app.actions.webhook_forms import inbound_text
from app.channels.base import Channel, Unknown
from app.channels.two_accounts import account_of
from app.commands.checkup import _provider_accounts
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Clinic, Phone
from app.db.provider_account import all_breakers, breakers
from app.db.work import TaskKind
from app.domain.breaker import Via
from app.domain.delivery import DeliveryState
from app.settings import Settings
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.journeys.conftest import signed_in

SECOND_SID, SECOND_NUMBER = "AC" + "0" * 31 + "2", "+16145550170"
BRANCH_NUMBER = "+16145550177"
Owed = Callable[..., int]


@pytest.fixture
def second(clock: FrozenClock) -> Iterator[FakeTwilio]:
    with FakeTwilio(SECOND_SID, "another-auth-token", number=SECOND_NUMBER, clock=clock) as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, second: FakeTwilio) -> Settings:
    more = {
        "twilio_second_account_sid": second.account_sid,
        "twilio_second_auth_token": SecretStr(second.auth_token),
        "twilio_second_sender": second.number,
        "twilio_second_api_url": second.url,
    }
    return Settings(**(settings.model_dump() | more))


@dataclass
class Story:
    """A line with two accounts, and the hands that move it."""

    line: Line
    channel: Channel
    clock: FrozenClock
    first: FakeTwilio
    second: FakeTwilio

    def beat(self, **later: float) -> None:
        self.clock.forward(**later)
        hand_back(self.line, self.channel, self.clock())
        settle_unknown(self.line, self.channel, self.clock())
        settle_silent(self.line, self.channel, self.clock())
        send_outbox(self.line, self.channel, self.clock(), senders=1, steady=lambda: 0.0)

    def arrived(self, twilio: FakeTwilio) -> list[str]:
        return [message.body for message in twilio.accepted]

    def fails(self, via: Via = Via.FIRST) -> bool:
        with self.line.db.read() as session:
            return breakers(session)[via].is_failing


@pytest.fixture
def story(line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio, second: FakeTwilio) -> Story:
    return Story(line, channel, clock, twilio, second)


def break_down(story: Story, owed: Owed, maria: Someone) -> None:
    """Let the first account fail."""
    story.first.auth_token = "revoked"
    for n in range(3):
        owed(maria, f"Text {n}.")
    story.beat()
    assert story.fails()


def test_what_the_first_account_refuses_leaves_by_the_second_at_once(story: Story, owed: Owed, maria: Someone) -> None:
    break_down(story, owed, maria)
    owed(maria, "Another.")
    story.beat()
    assert "Another." in story.arrived(story.second)
    story.beat(minutes=6)
    assert sorted(story.arrived(story.second)) == ["Another.", "Text 0.", "Text 1.", "Text 2."]
    assert {message.from_ for message in story.second.accepted} == {SECOND_NUMBER}
    assert story.first.accepted == []


def test_an_urgent_text_waits_for_no_third_fault_and_troubles_no_nurse(
    story: Story, owed: Owed, maria: Someone, desk: Desk
) -> None:
    story.first.auth_token = "revoked"
    owed(maria, "Call 911.", urgent=True)
    story.beat()
    assert not story.fails()
    story.beat(seconds=1)
    assert story.arrived(story.second) == ["Call 911."]
    assert desk.tasks(TaskKind.UNDELIVERED) == []


def test_an_urgent_text_that_both_refuse_is_a_persons_work_and_is_tried_turn_and_turn_about(
    story: Story, owed: Owed, maria: Someone, desk: Desk
) -> None:
    known = story.second.auth_token
    story.first.auth_token = story.second.auth_token = "revoked"
    owed(maria, "Call 911.", urgent=True)
    for _ in range(10):
        story.beat(seconds=1)
    tried = [len([r for r in twilio.requests if r.startswith("POST")]) for twilio in (story.first, story.second)]
    assert tried == [1, 1], "not again and again"
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == 1
    story.second.auth_token = known
    for _ in range(15):
        story.beat(minutes=2)
    assert story.arrived(story.second) == ["Call 911."]


def test_it_hands_back_with_one_routine_text_once_the_first_answers(story: Story, owed: Owed, maria: Someone) -> None:
    known = story.first.auth_token
    break_down(story, owed, maria)
    story.beat(minutes=6)
    story.first.auth_token = known
    story.beat(minutes=16)  # it is asked, and answers
    owed(maria, "Call 911.", urgent=True)
    story.beat()
    assert "Call 911." in story.arrived(story.second), "nobody in danger tries whether it is well"
    assert story.fails()
    for n in range(3):
        owed(maria, f"A reminder {n}.", purpose=Purpose.REMINDER)
    send_outbox(story.line, story.channel, story.clock(), senders=1, steady=lambda: 0.0)
    assert not story.fails()
    assert story.arrived(story.first) == ["A reminder 0."], "the others did not wait for it"
    owed(maria, "Afterwards.")
    story.beat(seconds=1)
    assert story.arrived(story.first) == ["A reminder 0.", "Afterwards."]


def test_a_trial_that_goes_wrong_costs_its_text_a_moment(story: Story, owed: Owed, maria: Someone) -> None:
    known = story.first.auth_token
    break_down(story, owed, maria)
    story.beat(minutes=6)
    story.first.auth_token = known
    story.beat(minutes=16)
    story.first.refuse(400, 21606)
    owed(maria, "A reminder.", purpose=Purpose.REMINDER)
    story.beat()
    assert story.fails()
    story.beat(seconds=1)
    assert "A reminder." in story.arrived(story.second)


def test_what_may_be_at_the_first_account_is_asked_there_and_never_sent_by_the_second(
    story: Story, owed: Owed, maria: Someone, desk: Desk
) -> None:
    for n in range(3):
        story.first.hang_up(after_accepting=n != 1)
        owed(maria, f"Text {n}.")
    story.beat()
    assert story.fails()
    assert [message.state for message in desk.messages()] == [DeliveryState.UNKNOWN] * 3
    story.beat(minutes=1)
    story.beat(minutes=1)
    everywhere = story.arrived(story.first) + story.arrived(story.second)
    assert sorted(everywhere) == ["Text 0.", "Text 1.", "Text 2."]
    assert not {"Text 0.", "Text 2."} & set(story.arrived(story.second)), "the first account has them"
    assert not story.fails(), "the text that it did not have has tried it"


def test_an_account_that_cannot_be_asked_leaves_doubt_and_a_nurse_not_a_second_copy(
    story: Story, owed: Owed, maria: Someone, desk: Desk
) -> None:
    known = story.first.auth_token
    story.first.hang_up(after_accepting=True)
    owed(maria, "Call 911.", urgent=True)
    story.beat()
    story.first.auth_token = "revoked"
    for _ in range(20):
        story.beat(minutes=1)
    assert story.second.accepted == []
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == 1
    story.first.auth_token = known
    story.beat(minutes=1)
    assert [message.reason for message in desk.messages()] == ["found at the provider"]


def test_a_lasting_answer_of_the_carriers_opens_it_at_once(
    story: Story, owed: Owed, maria: Someone, app: Flask
) -> None:
    owed(maria, "Text 0.")
    story.beat()
    story.first.report(story.first.accepted[0], "failed", 30034, app=app.test_client())
    assert story.fails()
    owed(maria, "Text 1.")
    story.beat(seconds=1)
    assert story.arrived(story.second) == ["Text 1."]


@pytest.fixture
def branch(story: Story, clinic: Clinic) -> int:
    """Another clinic, which texts from a number of its own."""
    with story.line.db.begin() as session:
        known = {c.key: getattr(clinic, c.key) for c in Clinic.__mapper__.column_attrs if c.key not in ("id", "sender")}
        other = Clinic(**known, sender=BRANCH_NUMBER)
        session.add(other)
        session.flush()
        return other.id


def test_a_clinics_own_number_that_may_not_send_changes_the_way_of_this_clinic_alone(
    story: Story, owed: Owed, maria: Someone, branch: int, desk: Desk
) -> None:
    def of_branch(body: str, **more: Any) -> None:
        desk.change(OutboundMessage, owed(maria, body, **more), clinic_id=branch)

    story.first.refuse(400, 21606, times=3)
    for n in range(3):
        of_branch(f"Branch {n}.")
    story.beat()
    assert not story.fails()
    owed(maria, "Main.")
    of_branch("Branch 3.")
    story.beat(seconds=1)
    assert story.arrived(story.first) == ["Main."]
    assert sorted(story.arrived(story.second)) == [f"Branch {n}." for n in range(4)], "those it refused did not wait"
    story.beat(minutes=2)
    of_branch("Call 911.", urgent=True)
    story.beat()
    assert "Call 911." in story.arrived(story.second), "nobody in danger tries whether it is well"
    for n in range(2):
        of_branch(f"A reminder {n}.", purpose=Purpose.REMINDER)
    story.beat(seconds=1)
    tried = [message for message in story.first.accepted if message.from_ == BRANCH_NUMBER]
    assert [message.body for message in tried] == ["A reminder 0."]
    assert "A reminder 1." in story.arrived(story.second), "one text is the trial"
    of_branch("Afterwards.")
    story.beat(seconds=1)
    assert story.arrived(story.first)[-1] == "Afterwards."


@pytest.fixture
def branch_fails(story: Story, owed: Owed, maria: Someone, branch: int, desk: Desk) -> Callable[[], None]:
    """Let the branch's own number fail."""

    def fail() -> None:
        story.first.refuse(400, 21606, times=3)
        for n in range(3):
            desk.change(OutboundMessage, owed(maria, f"Branch {n}."), clinic_id=branch)
        story.beat()

    return fail


def test_texts_of_others_that_wait_for_the_account_are_not_hurried_with_a_clinics_own_number(
    story: Story, owed: Owed, maria: Someone, branch_fails: Callable[[], None]
) -> None:
    story.first.refuse(429, 20429)
    owed(maria, "Main.")
    story.beat()
    with story.line.db.read() as session:
        due_at = session.scalars(select(OutboundMessage.due_at).where(OutboundMessage.attempts > 0)).one()
    assert due_at > story.clock()
    branch_fails()
    with story.line.db.read() as session:
        main = select(OutboundMessage.due_at, OutboundMessage.state).order_by(OutboundMessage.id)
        assert tuple(session.execute(main).first() or ()) == (due_at, DeliveryState.QUEUED)


def test_only_the_staff_of_a_clinic_whose_own_number_fails_are_told_of_it_and_so_is_the_operator(
    story: Story,
    app: Flask,
    nurse: FlaskClient,
    branch: int,
    branch_fails: Callable[[], None],
    settings: Settings,
) -> None:
    there = signed_in(app, story.line, story.clock(), "bea@clinic.example", branch)

    def told(browser: FlaskClient) -> bool:
        page = browser.get("/staff/", base_url="https://pumpline.test").text
        return "Texts leave from our second number" in page

    def doctor() -> list[str]:
        with story.line.db.read() as session:
            return [check.what for check in _provider_accounts(session, settings) if check.result == "fail"]

    assert (told(nurse), told(there), doctor()) == (False, False, [])
    branch_fails()
    assert (told(nurse), told(there)) == (False, True)
    [said] = doctor()
    assert said.startswith(f"the own sender of clinic {branch} fails since ")


def test_a_number_that_was_taken_away_from_its_clinic_fails_nobody_any_more(
    story: Story, owed: Owed, maria: Someone, branch: int, desk: Desk
) -> None:
    def told() -> dict[str, bool]:
        with story.line.db.read() as session:
            return {name: one.is_failing for name, one in all_breakers(session).by_name().items()}

    story.first.refuse(400, 21606, times=3)
    for n in range(3):
        desk.change(OutboundMessage, owed(maria, f"Branch {n}."), clinic_id=branch)
    story.beat()
    assert told() == {"first": False, "second": False, f"clinic:{branch}": True}
    desk.change(Clinic, branch, sender=None)
    assert told() == {"first": False, "second": False}


def test_a_report_about_a_clinics_own_number_changes_the_way_of_this_clinic_alone(
    story: Story, owed: Owed, maria: Someone, branch: int, desk: Desk, app: Flask
) -> None:
    desk.change(OutboundMessage, owed(maria, "Branch 0."), clinic_id=branch)
    story.beat()
    story.first.report(story.first.accepted[0], "failed", 30034, app=app.test_client())
    assert not story.fails()
    owed(maria, "Main.")
    desk.change(OutboundMessage, owed(maria, "Branch 1."), clinic_id=branch)
    story.beat(seconds=1)
    assert story.arrived(story.first) == ["Branch 0.", "Main."]
    assert "Branch 1." in story.arrived(story.second)


def test_while_the_account_fails_a_clinic_with_its_own_number_leaves_by_the_other_too(
    story: Story, owed: Owed, maria: Someone, branch: int, desk: Desk
) -> None:
    break_down(story, owed, maria)
    desk.change(OutboundMessage, owed(maria, "Branch."), clinic_id=branch)
    story.beat()
    assert "Branch." in story.arrived(story.second)


def test_what_is_wrong_with_one_phone_is_no_fault_of_the_account(story: Story, owed: Owed, maria: Someone) -> None:
    for _ in range(5):
        story.first.refuse(400, 21211)
        owed(maria)
    story.beat()
    assert not story.fails()


def test_a_text_to_the_second_number_is_answered_there_and_its_lost_answer_is_asked_for_there(
    story: Story, app: Flask, maria: Someone, desk: Desk
) -> None:
    client = app.test_client()
    answer = story.second.deliver(client, maria.phone, "TRAVEL")
    assert answer.status == 200
    assert answer.replies
    [came] = desk.rows(InboundMessage)
    assert came.phone_id == maria.phone_id
    assert [message.via for message in desk.messages(Purpose.REPLY)] == ["second"] * len(answer.replies)
    story.beat(minutes=2)
    assert {message.state for message in desk.messages()} == {DeliveryState.SENT}, "found where it was handed over"
    assert story.first.accepted == story.second.accepted == []


def test_each_account_proves_itself_by_its_own_token(
    story: Story, client: FlaskClient, desk: Desk, maria: Someone
) -> None:
    story.second.auth_token = story.first.auth_token  # the first one's token for the second one's name
    assert story.second.deliver(client, maria.phone, "TRAVEL").status == 403
    story.second.account_sid = "AC" + "f" * 32
    assert story.second.deliver(client, maria.phone, "TRAVEL").status == 403
    assert desk.rows(InboundMessage) == []


def test_stop_to_either_number_stops_both(story: Story, app: Flask, owed: Owed, maria: Someone, desk: Desk) -> None:
    story.second.deliver(app.test_client(), maria.phone, "STOP")
    assert [phone.opted_out_at is not None for phone in desk.rows(Phone, Phone.id == maria.phone_id)] == [True]
    owed(maria, "A reminder.", purpose=Purpose.REMINDER)
    story.beat()
    assert story.first.accepted == []


def test_the_catch_up_asks_both_and_takes_in_what_it_can(story: Story, app: Flask, maria: Someone, desk: Desk) -> None:
    story.first.miss(maria.phone, "TRAVEL")
    story.second.miss(maria.phone, "MENU")
    story.clock.forward(minutes=5)
    known, story.first.auth_token = story.first.auth_token, "revoked"
    with pytest.raises(Unknown):
        catch_up(story.line, story.channel, story.clock())
    assert [message.body for message in desk.rows(InboundMessage)] == ["MENU"]
    story.first.auth_token = known
    catch_up(story.line, story.channel, story.clock())
    assert sorted(message.body for message in desk.rows(InboundMessage)) == ["MENU", "TRAVEL"]


def test_without_the_second_account_its_texts_are_not_asked_for_at_the_first(story: Story) -> None:
    first_alone = account_of(story.channel, Via.FIRST)
    with pytest.raises(Unknown, match="no longer in the settings"):
        account_of(first_alone, Via.SECOND)


def test_a_second_sender_of_the_same_account_is_known_by_what_was_texted(
    settings: Settings, story: Story, twilio: FakeTwilio, maria: Someone, desk: Desk
) -> None:
    same = {"twilio_second_account_sid": None, "twilio_second_auth_token": None, "twilio_second_api_url": None}
    chosen = Settings(**(settings.model_dump() | same))
    assert chosen.twilio_accounts[Via.SECOND].sid == twilio.account_sid
    line = replace(story.line, second_account="")
    form = {"MessageSid": "SM1", "AccountSid": twilio.account_sid, "From": maria.phone, "Body": "TRAVEL"}
    assert inbound_text(line, form | {"To": SECOND_NUMBER}).via is Via.SECOND
    assert inbound_text(line, form | {"To": twilio.number}).via is Via.FIRST
    twilio.miss(maria.phone, "TRAVEL")
    twilio.number = SECOND_NUMBER
    twilio.miss(maria.phone, "MENU")
    story.clock.forward(minutes=5)
    asked = len(story.second.requests)
    assert catch_up(line, story.channel, story.clock()) == 2
    assert len(story.second.requests) == asked, "one list holds both"
    said = {came.id: came.body for came in desk.rows(InboundMessage)}
    by = {(said[message.inbound_id or 0], message.via) for message in desk.messages(Purpose.REPLY)}
    assert by == {("TRAVEL", None), ("MENU", "second")}


def test_an_account_that_answers_nothing_is_asked_three_times_a_beat_and_the_other_goes_on(
    story: Story,
) -> None:
    story.first.account_sid = "AC" + "e" * 32
    asking = Asking(story.channel)
    before = len(story.first.requests)
    for via in (None, "first", None, "first", None, "first"):
        assert asking.ask(lambda account: (account.told_of("SM" + "0" * 32),), via) is None
    assert len(story.first.requests) - before == 3, "a text without a name of an account is the first one's"
    assert asking.ask(lambda account: (account.told_of("SM" + "0" * 32),), "second") == (None,)


def test_the_account_is_seen_to_fail_by_every_machine(
    story: Story, owed: Owed, maria: Someone, clock: FrozenClock
) -> None:
    """A beat of another process knows nothing but the rows."""
    break_down(story, owed, maria)
    posts = len(story.first.requests)
    for n in range(10):
        owed(maria, f"Later {n}.")
    send_outbox(story.line, story.channel, clock() + timedelta(seconds=1), senders=4, steady=lambda: 0.0)
    assert len(story.second.accepted) >= 10
    assert len(story.first.requests) == posts


def test_nurses_are_told_by_which_number_texts_leave(
    story: Story, owed: Owed, maria: Someone, nurse: FlaskClient
) -> None:
    def page() -> str:
        return nurse.get("/staff/", base_url="https://pumpline.test").text

    assert "our second number" not in page()
    break_down(story, owed, maria)
    assert "Texts leave from our second number" in page()
    story.second.auth_token = "revoked"
    for _ in range(3):
        owed(maria)
    story.beat()
    assert "both accounts at the provider fail" in page()
