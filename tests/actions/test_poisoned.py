"""A row that cannot be read stops nothing but itself, a nurse is told, and it goes on once it can be read again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app.actions.erase_patient import erase_patient
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.actions.send_outbox import send_outbox
from app.actions.settle_silent import settle_silent
from app.actions.settle_unknown import settle_unknown
from app.channels.base import Channel
from app.db.listing import list_messages, patient_record
from app.db.messages import OutboundMessage, Purpose
from app.db.reading import passing_over
from app.db.stuck import list_stuck
from app.db.threads import FAILED, PhoneThread, ThreadState
from app.db.work import Task, TaskKind
from app.domain.delivery import DeliveryState
from app.domain.unreadable import UNREADABLE
from tests.conftest import Desk, FrozenClock, Someone
from tests.damage import NONSENSE, damage
from tests.fakes.twilio_server import FakeTwilio

DAMAGE = {"number": ("phone", "number", "phone_id"), "words": ("outbound_message", "body", "message_id")}


@pytest.mark.parametrize("what", list(DAMAGE))
def test_a_text_whose_number_or_words_are_damaged_holds_up_no_other(
    what: str, owed: Callable[..., int], maria: Someone, add_patient: Callable[..., Someone], line: Line,
    channel: Channel, clock: FrozenClock, twilio: FakeTwilio,
) -> None:  # fmt: skip
    other = add_patient("Rosa", "+16145550143")
    bad = owed(maria, "To Maria.", urgent=True)
    for n in range(3):
        owed(other, f"To Rosa, {n}.", urgent=n == 0)
    table, column, key = DAMAGE[what]
    row = {"phone_id": maria.phone_id, "message_id": bad}[key]
    with line.db.begin() as session:
        whole = session.execute(text(f"SELECT {column} FROM {table} WHERE id = {row}")).scalar_one()
    damage(line, table, column, row_id=row)
    assert send_outbox(line, channel, clock(), senders=1) == 3
    assert {message.to for message in twilio.accepted} == {other.phone}
    with line.db.read() as session:
        kept = session.execute(
            select(OutboundMessage.state, OutboundMessage.due_at, OutboundMessage.attempts).where(
                OutboundMessage.id == bad
            )
        ).one()
        assert kept == (DeliveryState.QUEUED, clock() + timedelta(minutes=5), 0), "nothing is given up"
        [task] = session.scalars(select(Task).where(Task.kind == TaskKind.UNDELIVERED)).all()
        assert (task.patient_id, task.reason) == (
            maria.id,
            "a text or its number cannot be read here: call, and tell whoever runs the line",
        )
    clock.forward(minutes=5)
    with line.db.begin() as session:
        session.execute(text(f"UPDATE {table} SET {column} = :whole WHERE id = {row}"), {"whole": whole})
    assert send_outbox(line, channel, clock(), senders=1) == 1
    assert twilio.accepted[-1].body == "To Maria."


def test_what_stays_unreadable_ends_once_it_no_longer_helps(
    owed: Callable[..., int], maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    bad = owed(maria, expires_at=clock() + timedelta(minutes=7))
    damage(line, "outbound_message", "body", row_id=bad)
    for _ in range(3):
        assert send_outbox(line, channel, clock(), senders=1) == 0
        clock.forward(minutes=5)
    with line.db.read() as session:
        state = session.execute(select(OutboundMessage.state).where(OutboundMessage.id == bad)).scalar_one()
        thread = session.scalars(select(PhoneThread).where(PhoneThread.phone_id == maria.phone_id)).one()
        assert (thread.rank, thread.state) == (FAILED, ThreadState.OPEN), "it stands at the top"
    assert state is DeliveryState.EXPIRED
    with line.db.begin() as session:  # so that the end of the story can look at every text
        session.execute(text(f"DELETE FROM outbound_message WHERE id = {bad}"))


@pytest.mark.parametrize("what", list(DAMAGE))
def test_a_text_under_way_that_cannot_be_asked_about_ends_with_a_nurse_told_and_is_not_sent_again(
    what: str, texts: Callable[..., Any], maria: Someone, line: Line, channel: Channel, clock: FrozenClock,
    twilio: FakeTwilio, desk: Desk,
) -> None:  # fmt: skip
    """An answer to a webhook is looked for in Twilio's list by its number and words."""
    texts(maria.phone, "TRAVEL")
    [answer] = desk.messages(Purpose.REPLY)
    table, column, _ = DAMAGE[what]
    damage(line, table, column)
    for _ in range(40):
        clock.forward(hours=2)
        settle_silent(line, channel, clock())
    with line.db.read() as session:
        assert list_stuck(session, clock()) == []
        state = session.scalar(select(OutboundMessage.state).where(OutboundMessage.id == answer.id))
    assert state is DeliveryState.UNCONFIRMED
    assert [task.phone_id for task in desk.tasks(TaskKind.UNDELIVERED)] == [maria.phone_id]
    assert twilio.accepted == []


def test_a_text_whose_call_was_lost_and_whose_words_are_damaged_is_not_sent_again(
    owed: Callable[..., int], maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio,
    desk: Desk,
) -> None:  # fmt: skip
    lost = owed(maria)
    with line.db.begin() as session:
        session.execute(
            text(f"UPDATE outbound_message SET state = 'unknown', attempts = 1, body = :bad WHERE id = {lost}"),
            {"bad": NONSENSE},
        )
    for _ in range(30):
        clock.forward(hours=1)
        settle_unknown(line, channel, clock())
    with line.db.read() as session:
        found = session.scalar(select(OutboundMessage.state).where(OutboundMessage.id == lost))
    assert found is DeliveryState.UNCONFIRMED
    assert [task.patient_id for task in desk.tasks(TaskKind.UNDELIVERED)] == [maria.id]
    assert twilio.accepted == []


@pytest.mark.parametrize(("status", "code"), [("delivered", None), ("undelivered", 30003)])
def test_a_report_counts_though_the_words_it_is_about_are_damaged(
    status: str, code: int | None, owed: Callable[..., int], maria: Someone, line: Line, channel: Channel,
    clock: FrozenClock, desk: Desk,
) -> None:  # fmt: skip
    owed(maria, purpose=Purpose.REMINDER)
    send_outbox(line, channel, clock(), senders=1)
    [sent] = desk.messages()
    damage(line, "outbound_message", "body")
    assert record_status(line, StatusReport(status, token=sent.token, error_code=code), clock())
    with line.db.read() as session:
        assert session.scalars(select(OutboundMessage.state)).all() == [DeliveryState(status)]
    assert len(desk.tasks(TaskKind.UNDELIVERED)) == (code is not None)


def test_what_leaves_is_what_was_kept_whoever_sends(
    owed: Callable[..., int], maria: Someone, line: Line, channel: Channel, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    """A page passes over what cannot be read; a text that is claimed under one does not."""
    owed(maria)
    damage(line, "outbound_message", "body")
    with passing_over():
        assert send_outbox(line, channel, clock(), senders=1) == 0
    assert twilio.accepted == []
    with line.db.begin() as session:  # so that the end of the story can look at every text
        session.execute(text("DELETE FROM outbound_message"))


def test_operators_list_texts_and_a_patients_record_though_a_number_is_damaged(
    texts: Callable[..., Any], maria: Someone, line: Line, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    damage(line, "phone", "number")
    with line.db.read() as session:
        assert {one.number for one in list_messages(session)} == {UNREADABLE}
        record = patient_record(session, maria.id, clock())
        assert record is not None
        assert [contact.number for contact in record.contacts] == [UNREADABLE]


@pytest.mark.parametrize(("table", "column"), [("patient", "mrn"), ("patient", "family_name"), ("phone", "number")])
def test_nobody_is_erased_of_whom_something_cannot_be_read(
    table: str, column: str, maria: Someone, line: Line, clock: FrozenClock
) -> None:
    """A file that waits to be imported may name them, and would be kept."""
    damage(line, table, column)
    with pytest.raises(Refused, match="cannot be read"):
        erase_patient(line, maria.id, clock(), "command", pump_in_use_is_known=True)
