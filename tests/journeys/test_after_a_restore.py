"""A line that was lost and restored from a backup: nothing is texted twice, and nothing that is owed is lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.actions.back_up import back_up
from app.actions.line import Line
from app.actions.queue_due_reminders import queue_due_reminders
from app.actions.replay_lost_time import Replayed, replay_lost_time
from app.actions.restore import Restored, restore, visits_to_settle
from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import settle_unknown
from app.channels.base import Channel
from app.db.backup_keys import BackupKeys
from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.migrate import current, migrate, newest
from app.db.people import Staff, StaffSession
from app.db.work import AuditEvent, TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)  # its first reminder

Owed = Callable[..., int]


@dataclass
class Disaster:
    """Backs the line up, and later puts it on a database restored from that."""

    line: Line
    clock: FrozenClock
    channel: Channel
    folder: Path
    keys: BackupKeys
    restored_db: Database | None = None

    def backs_up(self) -> Path:
        return back_up(self.line.db, None, self.keys, self.folder, "0.1.0", self.clock()).path

    def restores(self, path: Path) -> "Afterwards":
        self.restored_db = db = Database(f"sqlite:///{self.folder}/restored.db", self.line.db.keyring)
        restored = restore(path, self.keys, db, self.clock())
        line = replace(self.line, db=db)
        replayed = replay_lost_time(line, restored.point.at, self.clock(), "test")
        return Afterwards(line, Desk(line, self.clock), restored, replayed)


@dataclass
class Afterwards:
    line: Line
    desk: Desk
    restored: Restored
    replayed: Replayed

    def settles(self, channel: Channel, clock: FrozenClock) -> None:
        """The beats of the first minutes."""
        for _ in range(3):
            clock.forward(minutes=2)
            queue_due_reminders(self.line, clock())
            settle_unknown(self.line, channel, clock())
            send_outbox(self.line, channel, clock())


@pytest.fixture
def disaster(line: Line, clock: FrozenClock, channel: Channel, tmp_path: Path) -> Iterator[Disaster]:
    folder = tmp_path / "backups"
    folder.mkdir()
    stage = Disaster(line, clock, channel, folder, BackupKeys.for_once())
    yield stage
    if stage.restored_db:
        stage.restored_db.close()


def test_what_was_owed_and_sent_since_is_found_at_the_provider_and_not_sent_again(
    disaster: Disaster, maria: Someone, owed: Owed, twilio: FakeTwilio, channel: Channel, clock: FrozenClock
) -> None:
    owed(maria, "Please call us about the lab result.")
    path = disaster.backs_up()
    send_outbox(disaster.line, channel, clock())
    assert len(twilio.accepted) == 1
    clock.forward(hours=2)
    after = disaster.restores(path)
    assert after.restored.in_doubt == 1
    after.settles(channel, clock)
    assert len(twilio.accepted) == 1
    [row] = after.desk.messages()
    assert (row.state, row.provider_id) == (DeliveryState.ACCEPTED, twilio.accepted[0].sid)


def test_what_was_owed_and_never_sent_goes_out_once(
    disaster: Disaster, maria: Someone, owed: Owed, twilio: FakeTwilio, channel: Channel, clock: FrozenClock
) -> None:
    owed(maria, "Please call us about the lab result.")
    path = disaster.backs_up()
    clock.forward(hours=2)
    disaster.restores(path).settles(channel, clock)
    assert [message.body for message in twilio.accepted] == ["Please call us about the lab result."]


def test_before_the_provider_was_asked_nothing_that_is_in_doubt_is_sent(
    disaster: Disaster, maria: Someone, owed: Owed, twilio: FakeTwilio, channel: Channel, clock: FrozenClock
) -> None:
    owed(maria, "Please call us.")
    sending = owed(maria, "Your visit has moved.")
    later = owed(maria, "See you tomorrow.", due_at=clock() + timedelta(days=1))
    with disaster.line.db.begin() as session:
        session.execute(
            update(OutboundMessage).where(OutboundMessage.id == sending).values(state=DeliveryState.SENDING)
        )
    after = disaster.restores(disaster.backs_up())
    assert send_outbox(after.line, channel, clock()) == 0
    states = {row.id: row.state for row in after.desk.messages()}
    assert (states[sending], states[later]) == (DeliveryState.UNKNOWN, DeliveryState.QUEUED)
    assert after.restored.in_doubt == 2


@pytest.mark.parametrize("was_sent", [True, False])
def test_a_reminder_that_fell_due_since_reaches_her_once_whether_or_not_the_lost_line_sent_it(
    disaster: Disaster,
    maria: Someone,
    desk: Desk,
    twilio: FakeTwilio,
    channel: Channel,
    clock: FrozenClock,
    beat: Callable[[], None],
    was_sent: bool,
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST - timedelta(hours=4))
    path = disaster.backs_up()
    if was_sent:
        clock.to(FIRST)
        beat()
    clock.to(FIRST + timedelta(hours=2))
    after = disaster.restores(path)
    assert (after.replayed.steps, after.replayed.in_doubt) == (1, 1)
    after.settles(channel, clock)
    assert [message.to for message in twilio.accepted] == [maria.phone]
    [row] = after.desk.messages(Purpose.REMINDER)
    assert row.state is DeliveryState.ACCEPTED


def test_a_reminder_that_was_never_sent_and_is_a_day_late_is_a_nurses_task(
    disaster: Disaster, maria: Someone, owed: Owed, twilio: FakeTwilio, channel: Channel, clock: FrozenClock
) -> None:
    owed(maria, "Please call us.")
    path = disaster.backs_up()
    clock.forward(days=2)
    after = disaster.restores(path)
    after.settles(channel, clock)
    assert twilio.accepted == []
    assert after.desk.tasks(TaskKind.UNDELIVERED)


def test_visits_that_passed_are_counted_for_a_person_and_left_as_they_are(
    disaster: Disaster, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, clock() + timedelta(hours=3))
    path = disaster.backs_up()
    clock.forward(hours=6)
    after = disaster.restores(path)
    assert visits_to_settle(after.line.db, clock()) == 1
    assert after.desk.visit(visit).state == "booked"
    assert after.desk.messages(Purpose.MISSED) == []


def test_everybody_is_signed_out_and_the_log_says_so(disaster: Disaster, line: Line, clock: FrozenClock) -> None:
    with line.db.begin() as session:
        session.add(Staff(clinic_id=1, email="eva@clinic.example", name="Eva", password_hash="", created_at=clock()))
        session.flush()
        values = {"staff_id": 1, "token_hash": "x", "created_at": clock(), "seen_at": clock(), "proven_at": clock()}
        session.add(StaffSession(**values))
    after = disaster.restores(disaster.backs_up())
    assert after.restored.sessions == 1
    assert [row.ended_at for row in after.desk.rows(StaffSession)] == [clock()]
    assert len(after.desk.rows(AuditEvent, AuditEvent.verb == "backup restored")) == 1


def test_a_backup_of_older_tables_is_restored_and_brought_up_to_date(
    disaster: Disaster, maria: Someone, clock: FrozenClock
) -> None:
    migrate(disaster.line.db, "0009")
    path = disaster.backs_up()
    after = disaster.restores(path)
    assert after.restored.header.revision == "0009"
    assert current(after.line.db) == newest()
    with after.line.db.read() as session:
        assert session.scalar(select(OutboundMessage.id)) is None
        assert after.restored.header.rows["patient"] == 1
