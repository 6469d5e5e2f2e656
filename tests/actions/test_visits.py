"""The verbs about visits: what they refuse, and what twice does."""

from datetime import UTC, datetime, timedelta

import pytest

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.errors import Refused
from app.actions.move_appointment import move_appointment
from app.actions.plan_reminders import plan_reminders
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.people import Patient, PatientState
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)


def test_the_same_booking_twice_is_one(maria: Someone, desk: Desk) -> None:
    assert desk.books(maria, VISIT) == desk.books(maria, VISIT)
    assert len(desk.rows(Appointment)) == 1
    assert len(desk.rows(Reminder)) == 4


def test_a_visit_needs_a_known_active_patient_and_a_time_to_come(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    for patient, at, says in (
        (404, VISIT, "no such patient"),
        (maria.id, clock(), "future"),
        (maria.id, VISIT.replace(tzinfo=None), "time zone"),
    ):
        with pytest.raises(Refused, match=says):
            book_appointment(desk.line, patient, at, clock(), "test")
    desk.change(Patient, maria.id, state=PatientState.LEFT)
    with pytest.raises(Refused, match="active"):
        desk.books(maria, VISIT)
    assert desk.rows(Appointment) == []


def test_a_visit_somebody_changed_meanwhile_is_left_alone(maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    visit = desk.books(maria, VISIT)
    seen = desk.visit(visit).version
    desk.moves(visit, VISIT + timedelta(days=1))
    with pytest.raises(Refused, match="changed this visit"):
        cancel_appointment(desk.line, visit, clock(), "test", version=seen)
    assert desk.visit(visit).state is AppointmentState.BOOKED


def test_what_was_attended_or_cancelled_cannot_become_something_else(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    attended, cancelled = desk.books(maria, VISIT), desk.books(maria, VISIT + timedelta(days=1))
    desk.attends(attended)
    desk.cancels(cancelled)
    for visit, act in ((attended, desk.cancels), (cancelled, desk.attends), (attended, desk.misses)):
        with pytest.raises(Refused):
            act(visit)
    with pytest.raises(Refused, match="book a new one"):
        desk.moves(attended, VISIT + timedelta(days=3))
    desk.attends(attended)  # twice is once
    desk.cancels(cancelled)


def test_a_visit_to_come_cannot_be_missed(maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, VISIT)
    with pytest.raises(Refused, match="still to come"):
        desk.misses(visit)


def test_two_visits_of_one_patient_cannot_be_moved_to_one_time(maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    first, second = desk.books(maria, VISIT), desk.books(maria, VISIT + timedelta(days=1))
    with pytest.raises(Refused, match="another visit"):
        move_appointment(desk.line, second, VISIT, clock(), "test")
    assert desk.visit(second).starts_at != desk.visit(first).starts_at


def test_a_visit_moved_there_and_back_has_each_reminder_once(maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, VISIT)
    desk.moves(visit, VISIT + timedelta(days=7))
    desk.moves(visit, VISIT)
    planned = [row.key for row in desk.reminders(visit) if row.state is ReminderState.PLANNED]
    assert len(planned) == len(set(planned)) == 4
    assert all(VISIT.isoformat() in key for key in planned)


def test_planning_again_changes_nothing_and_repairs_what_drifted(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, VISIT)
    again = plan_reminders(desk.line, clock())
    assert (again.visits, again.added, again.cancelled, again.retimed) == (1, 0, 0, 0)
    row = desk.reminders(visit)[0]
    desk.change(Reminder, row.id, due_at=row.due_at + timedelta(hours=5))
    assert plan_reminders(desk.line, clock(), dry_run=True).retimed == 1
    assert desk.reminders(visit)[0].due_at != row.due_at
    assert plan_reminders(desk.line, clock()).retimed == 1
    assert desk.reminders(visit)[0].due_at == row.due_at


def test_every_change_of_a_visit_is_in_the_audit_trail_without_a_name(maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, VISIT)
    desk.moves(visit, VISIT + timedelta(days=1))
    desk.cancels(visit)
    events = desk.rows(AuditEvent, AuditEvent.subject == f"appointment:{visit}")
    assert [(event.actor, event.verb) for event in events] == [
        ("test", "booked"),
        ("test", "moved"),
        ("test", "cancelled"),
    ]
    assert "Maria" not in str([event.detail for event in events])
