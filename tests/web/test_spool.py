"""The database cannot be written while texts come in: each is kept, answered with what is true, and taken in later."""

import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.actions.catch_up import catch_up
from app.actions.line import Line
from app.actions.take_in_barely import READ_IT
from app.channels.base import Channel
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage, Purpose
from app.db.people import Clinic, Phone
from app.db.spool import Spool
from app.db.work import JobHealth, Task, TaskKind
from app.domain.delivery import DeliveryState
from app.settings import Settings
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import post_form

Beat = Callable[[], None]
Broken = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def spool(line: Line) -> Spool:
    assert line.spool is not None
    return line.spool


@pytest.fixture
def broken(line: Line, settings: Settings) -> Broken:
    """`with broken():` a disk that gives no database any more."""
    file = settings.instance_dir / "pumpline.db"

    @contextmanager
    def without_database() -> Iterator[None]:
        line.db.close()
        kept = [path.rename(path.with_name(f"kept-{path.name}")) for path in file.parent.glob("pumpline.db*")]
        file.mkdir()
        yield
        line.db.close()
        file.rmdir()
        for path in kept:
            path.rename(path.with_name(path.name.removeprefix("kept-")))

    return without_database


def everything(session: Session, query: Any) -> list[Any]:
    found = list(session.scalars(query))
    session.expunge_all()
    return found


def sent_to(twilio: FakeTwilio, phone: str) -> list[str]:
    return [message.body for message in reversed(twilio.held()) if message.to == phone]


def inbound(line: Line) -> list[InboundMessage]:
    with line.db.read() as session:
        return everything(session, select(InboundMessage).order_by(InboundMessage.id))


def outbound(line: Line) -> list[OutboundMessage]:
    with line.db.read() as session:
        query = select(OutboundMessage).where(OutboundMessage.purpose == Purpose.REPLY)
        return everything(session, query.order_by(OutboundMessage.id))


def test_a_text_is_kept_answered_and_taken_in_when_the_database_is_back(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    spool: Spool,
    maria: Someone,
    broken: Broken,
    beat: Beat,
    clock: FrozenClock,
) -> None:
    came_at = clock()
    with broken():
        answer = twilio.deliver(client, maria.phone, "TRAVEL")
        assert answer.status == 200
        assert answer.texts == [
            "We have your message, but our line has trouble right now and an answer may take a while. Any beep, or you "
            "feel unwell: call 614-555-0100 now, after hours 614-555-0101. Itching, fever or trouble "
            "breathing: call 911."
        ]
        clock.forward(minutes=7)
        beat()
        assert len(spool.waiting()) == 1, "nothing is lost while it is still down"
    beat()
    assert spool.waiting() == []
    [text] = inbound(line)
    assert (text.body, text.received_at, text.topic) == ("TRAVEL", came_at, "travel")
    [reply] = outbound(line)
    assert reply.body.startswith("This answers your text of ")
    assert reply.text_id == "answer:travel"
    assert sent_to(twilio, maria.phone)[-1] == reply.body
    beat()
    assert len(outbound(line)) == 1


def test_an_emergency_is_answered_as_one_and_pages_when_it_is_taken_in(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    maria: Someone,
    broken: Broken,
    beat: Beat,
) -> None:
    with broken():
        answer = twilio.deliver(client, maria.phone, "my pump is beeping and im so itchy")
        assert "911" in answer.texts[0][:70] or "Call us now" in answer.texts[0][:70]
        assert "nurse" not in answer.texts[0].lower(), "nobody is alerted yet: nothing is promised"
    beat()
    with line.db.read() as session:
        [alerted] = session.scalars(select(Task.patient_id).where(Task.kind == TaskKind.ALERT))
    assert alerted == maria.id
    assert sent_to(twilio, "+16145550190"), "the on-call phone is paged"
    assert not outbound(line)[0].body.startswith("This answers"), "what to do stands first"


def test_many_texts_are_taken_in_in_the_order_in_which_they_came(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    maria: Someone,
    broken: Broken,
    beat: Beat,
    clock: FrozenClock,
) -> None:
    said = ["STOP", "START", "TRAVEL", "hola", "STOP"]
    with broken():
        for body in said:
            twilio.deliver(client, maria.phone, body)
            clock.forward(seconds=1)
    beat()
    assert [text.body for text in inbound(line)] == said
    assert not [text for text in outbound(line) if text.state is DeliveryState.QUEUED]


def test_a_copy_that_came_through_meanwhile_is_answered_once(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    spool: Spool,
    maria: Someone,
    broken: Broken,
    beat: Beat,
) -> None:
    with broken():
        twilio.deliver(client, maria.phone, "MENU", sid="SM77")
    twilio.deliver(client, maria.phone, "MENU", sid="SM77")
    before = len(outbound(line))
    beat()
    assert (len(inbound(line)), len(outbound(line)), spool.waiting()) == (1, before, [])


def test_a_status_report_waits_too(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    maria: Someone,
    broken: Broken,
    beat: Beat,
) -> None:
    twilio.deliver(client, maria.phone, "MENU")
    [first, *_] = outbound(line)
    report = {"MessageSid": "SMout", "MessageStatus": "delivered", "AccountSid": twilio.account_sid}
    with broken():
        path = f"/twilio/status?m={first.token}"
        assert post_form(client, twilio.public_url, path, report, twilio.auth_token).status == 204
    beat()
    with line.db.read() as session:
        assert session.scalars(select(DeliveryEvent.status)).all()[-1] == "delivered"
    assert outbound(line)[0].state is DeliveryState.DELIVERED


def test_what_is_kept_is_sealed_and_nobody_elses_to_read(
    twilio: FakeTwilio, client: FlaskClient, spool: Spool, maria: Someone, broken: Broken
) -> None:
    with broken():
        twilio.deliver(client, maria.phone, "secretword")
    [path] = spool.waiting()
    assert b"secretword" not in path.read_bytes()
    assert maria.phone.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_one_that_cannot_be_taken_in_is_set_aside_and_holds_up_nobody(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    spool: Spool,
    maria: Someone,
    broken: Broken,
    beat: Beat,
    clock: FrozenClock,
) -> None:
    with broken():
        spool.keep("sms", {"Body": "no id and no sender"}, clock())
        twilio.deliver(client, maria.phone, "MENU")
    (spool.folder / f"{0:017}-torn.sealed").write_bytes(b"torn by a crash")
    beat()
    assert (spool.waiting(), spool.aside()) == ([], 2)
    assert [text.body for text in inbound(line)] == ["MENU"]


def test_a_disk_that_takes_nothing_still_tells_whom_to_call(
    app: Flask,
    twilio: FakeTwilio,
    client: FlaskClient,
    spool: Spool,
    maria: Someone,
    broken: Broken,
) -> None:
    Path(spool.folder).write_text("not a folder")
    with broken():
        answer = twilio.deliver(client, maria.phone, "how long does a refill take")
    assert (answer.status, "call" in answer.texts[0]) == (200, True)


def test_a_number_that_was_changed_is_not_told_any_more(
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    maria: Someone,
    broken: Broken,
    clock: FrozenClock,
) -> None:
    assert twilio.deliver(client, maria.phone, "MENU").status == 200
    with line.db.begin() as session:
        session.execute(update(Clinic).values(phone="+16145550133"))
    clock.forward(minutes=2)
    twilio.deliver(client, maria.phone, "MENU")
    with broken():
        assert "614-555-0133" in twilio.deliver(client, maria.phone, "how long does a refill take").texts[0]


def test_a_machine_that_leaves_the_beats_to_others_takes_in_what_it_kept_itself(
    app: Flask, twilio: FakeTwilio, client: FlaskClient, line: Line, spool: Spool, maria: Someone, broken: Broken
) -> None:
    """`pumpline web`, and PUMPLINE_SCHEDULER=no: nobody else can reach its folder."""
    with broken():
        twilio.deliver(client, maria.phone, "TRAVEL")
    before = len(twilio.accepted)
    engine = app.extensions["own_engine"]
    engine.start()
    until = time.monotonic() + 20
    while spool.waiting():
        assert time.monotonic() < until, "it was not taken in"
        time.sleep(0.02)
    engine.stop()
    assert [text.body for text in inbound(line)] == ["TRAVEL"]
    assert len(twilio.accepted) == before, "sending is another's"
    with line.db.read() as session:
        assert session.scalars(select(JobHealth.name)).all() == ["replay_spool"]


WHATEVER_ELSE = [
    ("it beeps and beeps", TaskKind.ALERT, "Pump alarm"),
    ("can I take a bath", TaskKind.QUESTION, READ_IT),
    ("STOP", TaskKind.QUESTION, READ_IT),
]


def left_by_a_fault(line: Line, someone: Someone) -> None:
    """What is kept of a phone cannot be read at all: no text of it is taken in as any other."""
    with line.db.begin() as session:
        session.execute(text("UPDATE phone SET asked = '{broken' WHERE id = :id"), {"id": someone.phone_id})


@pytest.mark.parametrize(("body", "kind", "reason"), WHATEVER_ELSE)
def test_a_text_that_cannot_be_taken_in_as_usual_is_a_persons_work_at_once(
    body: str, kind: TaskKind, reason: str, twilio: FakeTwilio, client: FlaskClient, line: Line, spool: Spool,
    maria: Someone, desk: Desk, beat: Beat,
) -> None:  # fmt: skip
    left_by_a_fault(line, maria)
    answer = twilio.deliver(client, maria.phone, body)
    assert ["614-555-0100" in said for said in answer.texts] == ([] if body == "STOP" else [True]), "whom to call"
    beat()
    assert (spool.waiting(), spool.aside()) == ([], 0)
    assert [kept.body for kept in inbound(line)] == [body]
    [task] = [task for task in desk.tasks() if task.phone_id == maria.phone_id]
    assert (task.kind, task.reason) == (kind, reason)
    if kind is TaskKind.ALERT:
        assert sent_to(twilio, "+16145550190"), "somebody was paged"
    with line.db.read() as session:
        opted_out = session.scalar(select(Phone.opted_out_at).where(Phone.id == maria.phone_id))
    assert (opted_out is not None) == (body == "STOP")


def test_a_text_that_only_the_provider_has_is_taken_in_barely_too(
    twilio: FakeTwilio, line: Line, maria: Someone, channel: Channel, desk: Desk, clock: FrozenClock
) -> None:
    left_by_a_fault(line, maria)
    clock.forward(minutes=1)
    twilio.miss(maria.phone, "it beeps and beeps")
    clock.forward(minutes=6)
    assert catch_up(line, channel, clock()) == 1
    assert [kept.body for kept in inbound(line)] == ["it beeps and beeps"]
    assert [task.phone_id for task in desk.tasks(TaskKind.ALERT)] == [maria.phone_id]
