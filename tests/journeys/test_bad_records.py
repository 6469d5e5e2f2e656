"""One bad record never blocks the rest, is tried again, and has a person look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.actions.job_health import StoredHealth
from app.actions.plan_reminders import plan_reminders
from app.channels.base import Channel
from app.db.care import AppointmentState, Reminder, ReminderState
from app.db.people import Clinic, Patient
from app.db.work import JobHealth, TaskKind
from app.jobs import jobs_for
from scheduler.engine import run_guarded
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)

Add = Callable[..., Someone]
Beat = Callable[[], None]


def broken(desk: Desk, add_patient: Add, visit_at: datetime = VISIT) -> tuple[Someone, int]:
    """A patient whose time zone no longer exists, with a visit booked before."""
    someone = add_patient("Otto", "+16145550170")
    visit = desk.books(someone, visit_at)
    desk.change(Patient, someone.id, time_zone="Mars/Olympus_Mons")
    return someone, visit


def test_a_patient_whose_time_zone_is_unknown_never_blocks_the_others(
    twilio: FakeTwilio, add_patient: Add, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    otto, _ = broken(desk, add_patient)
    desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    assert [message.to for message in twilio.accepted] == [maria.phone]
    assert [(task.kind, task.patient_id) for task in desk.tasks()] == [(TaskKind.CALL_INSTEAD, otto.id)]


def test_a_bad_reminder_is_tried_again_ever_more_slowly_and_goes_out_once_mended(
    twilio: FakeTwilio, add_patient: Add, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    otto, visit = broken(desk, add_patient)
    clock.to(FIRST)
    waits = []
    for _ in range(3):
        beat()
        [bad] = [row for row in desk.reminders(visit) if row.failures]
        waits.append(bad.due_at - clock())
        clock.to(bad.due_at)
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=15)]
    desk.change(Patient, otto.id, time_zone="America/New_York")
    beat()
    assert [message.to for message in twilio.accepted] == [otto.phone]
    assert desk.rows(Reminder, Reminder.failures > 0)[0].state is ReminderState.QUEUED


def test_a_missed_visit_that_cannot_be_texted_about_is_a_nurses_task_once(
    twilio: FakeTwilio, add_patient: Add, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    soon = clock() + timedelta(hours=1)
    otto, visit = broken(desk, add_patient, soon)
    other = desk.books(maria, soon)
    clock.to(soon + timedelta(minutes=61))
    for _ in range(3):
        beat()
        clock.forward(seconds=15)
    assert desk.visit(other).state is AppointmentState.MISSED
    [task] = [task for task in desk.tasks(TaskKind.MISSED_REFILL) if task.patient_id == otto.id]
    assert (task.subject, task.version) == (f"appointment:{visit}", 1)


def test_planning_goes_on_past_a_visit_it_cannot_plan(
    add_patient: Add, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    otto, visit = broken(desk, add_patient)
    other = desk.books(maria, VISIT)
    clock.forward(hours=1)
    with desk.line.db.begin() as session:
        session.query(Reminder).filter_by(appointment_id=other).delete()
    report = plan_reminders(desk.line, clock())
    assert (report.visits, report.failed, report.added) == (2, 1, 4)
    assert report.lines[0] == f"visit {visit}: cannot be planned; check the patient's time zone"
    assert [task.patient_id for task in desk.tasks()] == [otto.id]


def test_a_job_that_failed_is_counted_until_it_goes_well_again(
    add_patient: Add, desk: Desk, clock: FrozenClock, channel: Channel
) -> None:
    otto, _ = broken(desk, add_patient)
    health = StoredHealth(desk.line.db)
    [job] = [job for job in jobs_for(desk.line, channel) if job.name == "queue_due_reminders"]
    seen = []
    for at, zone in ((FIRST, "Mars/Olympus_Mons"), (FIRST + timedelta(minutes=5), "America/New_York")):
        desk.change(Patient, otto.id, time_zone=zone)
        run_guarded(job, at, health)
        [row] = desk.rows(JobHealth)
        seen.append((row.failures, row.error))
    assert seen == [(1, "SomeFailed"), (0, "SomeFailed")]


def test_a_clinic_whose_hours_make_no_sense_still_has_its_pages_sent(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clinic: Clinic, clock: FrozenClock, beat: Beat, texts: Callable
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.refuse(429, 20429)
    beat()
    desk.change(Clinic, clinic.id, ladder_days=[])
    texts(maria.phone, "ALARM")
    clock.forward(minutes=5)
    beat()
    assert "+16145550190" in {message.to for message in twilio.accepted}
