"""A row that cannot be read stops nothing but itself, a nurse is told, and it goes on once it can be read again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.channels.base import Channel
from app.db.messages import OutboundMessage
from app.db.threads import FAILED, PhoneThread, ThreadState
from app.db.work import Task, TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import FrozenClock, Someone
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
        session.execute(text(f"UPDATE {table} SET {column} = :bad WHERE id = {row}"), {"bad": b"\x80 nonsense" * 9})
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
    with line.db.begin() as session:
        session.execute(text(f"UPDATE outbound_message SET body = :bad WHERE id = {bad}"), {"bad": b"nonsense"})
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
