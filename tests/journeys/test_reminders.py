"""A visit is booked, and reminders go out: once, in time, and never about a visit that is no longer so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.actions.receive_text import Received
from app.db.care import AppointmentState, ReminderState
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Patient, PatientState
from app.db.work import TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)  # Thursday 10:30 in New York
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)
LAST = datetime(2026, 12, 16, 15, 0, tzinfo=UTC)

Text = Callable[..., Received]
Live = Callable[[datetime], None]
Beat = Callable[[], None]


def local(messages: list[Message], zone: str) -> list[str]:
    return [f"{message.made_at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for message in messages]


def test_a_booking_is_reminded_of_14_7_2_and_1_days_before_at_ten(
    twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    desk.books(maria, VISIT)
    live_until(VISIT)
    assert local(twilio.accepted, "America/New_York") == ["12-03 10:00", "12-10 10:00", "12-15 10:00", "12-16 10:00"]
    assert {message.to for message in twilio.accepted} == {maria.phone}
    assert twilio.accepted[0].body == (
        "Northgate Pump Clinic: your visit is on Thu Dec 17, 10:30 AM. "
        "Reply 1 to confirm, 2 to change. Questions: 614-555-0100."
    )


def test_ten_oclock_is_the_patients_own(
    twilio: FakeTwilio, add_patient: Callable[..., Someone], desk: Desk, live_until: Live
) -> None:
    desk.books(add_patient("Keanu", "+18085550142", time_zone="Pacific/Honolulu"), VISIT)
    live_until(VISIT)
    assert local(twilio.accepted, "Pacific/Honolulu") == ["12-03 10:00", "12-10 10:00", "12-15 10:00", "12-16 10:00"]
    assert "Thu Dec 17, 10:30 AM EST" in twilio.accepted[0].body


@pytest.mark.parametrize(
    ("visit", "zone"),
    [
        (datetime(2027, 3, 15, 15, 0, tzinfo=UTC), "America/New_York"),  # clocks go forward on 14 March
        (datetime(2027, 11, 8, 15, 0, tzinfo=UTC), "America/New_York"),  # and back on 7 November
        (datetime(2027, 3, 29, 15, 0, tzinfo=UTC), "Europe/London"),
    ],
)
def test_ten_oclock_stays_ten_oclock_when_the_clocks_change(
    visit: datetime,
    zone: str,
    twilio: FakeTwilio,
    add_patient: Callable[..., Someone],
    desk: Desk,
    live_until: Live,
    clock: FrozenClock,
) -> None:
    clock.to(visit - timedelta(days=20))
    desk.books(add_patient("Ines", "+16145550143", time_zone=zone), visit)
    live_until(visit)
    assert [said.split()[1] for said in local(twilio.accepted, zone)] == ["10:00"] * 4


def test_a_heart_that_beats_often_sends_each_reminder_once(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    for _ in range(5):
        beat()
        clock.forward(seconds=1)
    assert len(twilio.accepted) == 1


@pytest.mark.parametrize("words", ["1", "yes", "Yes!", "ok I'll be there", "1."])
def test_a_reply_confirms_the_visit(
    words: str, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    [reply] = texts(maria.phone, words).replies
    assert reply.body.startswith("Thank you. We will see you on Thu Dec 17, 10:30 AM.")
    assert desk.visit(visit).confirmed_at == clock()
    assert desk.tasks() == []


@pytest.mark.parametrize("words", ["2", "can't make it", "I need to change my appointment"])
def test_a_reply_that_asks_for_a_change_is_a_nurses_task_and_the_visit_stays(
    words: str, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    [reply] = texts(maria.phone, words).replies
    assert reply.body.startswith("A nurse will call you to find a new time. Your visit on Thu Dec 17, 10:30 AM stays")
    assert desk.visit(visit).state == "booked"
    [task] = desk.tasks()
    assert (task.kind, task.subject, task.patient_id) == (TaskKind.RESCHEDULE, f"appointment:{visit}", maria.id)


def test_a_digit_means_nothing_before_we_asked(texts: Text, maria: Someone, desk: Desk) -> None:
    visit = desk.books(maria, VISIT)
    texts(maria.phone, "1")
    assert desk.visit(visit).confirmed_at is None
    assert [task.kind for task in desk.tasks()] == [TaskKind.QUESTION]


def test_a_moved_visit_is_reminded_of_at_its_new_time_only(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, live_until: Live
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(FIRST)
    desk.moves(visit, VISIT + timedelta(days=7))
    live_until(VISIT + timedelta(days=7))
    assert local(twilio.accepted[1:], "America/New_York") == [
        "12-10 10:00",
        "12-17 10:00",
        "12-22 10:00",
        "12-23 10:00",
    ]
    assert all("Thu Dec 24" in message.body for message in twilio.accepted[1:])


def test_a_moved_visit_is_no_longer_confirmed(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    texts(maria.phone, "1")
    desk.moves(visit, VISIT + timedelta(days=7))
    assert desk.visit(visit).confirmed_at is None


def move_away(desk: Desk, visit: int) -> None:
    desk.moves(visit, VISIT + timedelta(days=40))


def patient_leaves(desk: Desk, visit: int) -> None:
    desk.change(Patient, desk.visit(visit).patient_id, state=PatientState.DECEASED)


def cancel(desk: Desk, visit: int) -> None:
    desk.cancels(visit)


def attend(desk: Desk, visit: int) -> None:
    desk.attends(visit)


CHANGES = [move_away, cancel, attend]


@pytest.mark.parametrize("change", CHANGES)
def test_no_reminder_goes_out_about_a_visit_that_is_no_longer_so(
    change: Callable[[Desk, int], None], twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    change(desk, desk.books(maria, VISIT))
    live_until(VISIT + timedelta(days=1))
    assert twilio.accepted == []


@pytest.mark.parametrize("change", [*CHANGES, patient_leaves])
def test_a_reminder_that_waits_for_its_next_try_never_leaves_once_the_visit_changed(
    change: Callable[[Desk, int], None],
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
    live_until: Live,
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.refuse(429, 20429)
    beat()
    change(desk, visit)
    live_until(VISIT)
    assert twilio.accepted == []
    assert [message.state for message in desk.messages()] == [DeliveryState.WITHDRAWN]


@pytest.mark.parametrize("change", [*CHANGES, patient_leaves])
def test_a_reminder_whose_answer_was_lost_is_not_sent_again_once_the_visit_changed(
    change: Callable[[Desk, int], None],
    twilio: FakeTwilio,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
    live_until: Live,
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.hang_up(after_accepting=False)
    beat()
    change(desk, visit)
    clock.forward(minutes=2)
    live_until(VISIT)
    assert twilio.accepted == []


@pytest.mark.parametrize("change", [*CHANGES, patient_leaves])
def test_an_undelivered_reminder_is_not_repeated_once_the_visit_changed(
    change: Callable[[Desk, int], None],
    twilio: FakeTwilio,
    client: FlaskClient,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
    live_until: Live,
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    change(desk, visit)
    twilio.report(twilio.accepted[0], "undelivered", 30003, app=client)
    live_until(VISIT)
    assert len(twilio.accepted) == 1


def test_a_reminder_due_while_we_were_down_goes_out_late_and_says_so(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST + timedelta(hours=3))
    beat()
    assert len(twilio.accepted) == 1
    assert desk.reminders(visit)[0].reason == "sent 180 minutes late"


def test_of_two_overdue_reminders_only_the_newer_goes_out(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(LAST + timedelta(hours=1))
    beat()
    assert len(twilio.accepted) == 1
    assert [(row.step, row.state, row.reason) for row in desk.reminders(visit)] == [
        ("ladder:14", ReminderState.SKIPPED, "a later reminder replaces it"),
        ("ladder:7", ReminderState.SKIPPED, "a later reminder replaces it"),
        ("ladder:2", ReminderState.SKIPPED, "a later reminder replaces it"),
        ("ladder:1", ReminderState.QUEUED, "sent 60 minutes late"),
    ]


def test_a_reminder_too_late_to_help_is_skipped_and_the_reason_kept(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(VISIT - timedelta(hours=1))
    beat()
    assert twilio.accepted == []
    assert {(row.state, row.reason) for row in desk.reminders(visit)} == {
        (ReminderState.SKIPPED, "too late to help"),
    }


def test_a_reminder_that_became_due_at_night_waits_for_eight_in_the_morning(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, live_until: Live
) -> None:
    desk.books(maria, VISIT)
    clock.to(datetime(2026, 12, 4, 3, 0, tzinfo=UTC))  # 22:00: the machine came up after a long day
    beat()
    assert twilio.accepted == []
    live_until(datetime(2026, 12, 4, 20, 0, tzinfo=UTC))
    assert local(twilio.accepted, "America/New_York") == ["12-04 08:00"]


def test_a_reminder_queued_by_day_and_left_over_at_night_waits_for_eight_in_the_morning(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, live_until: Live
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.hang_up(after_accepting=False)
    beat()
    clock.to(datetime(2026, 12, 4, 6, 0, tzinfo=UTC))  # 1:00: nothing ran since
    beat()
    assert twilio.accepted == []
    live_until(datetime(2026, 12, 4, 20, 0, tzinfo=UTC))
    assert local(twilio.accepted, "America/New_York") == ["12-04 08:00"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_waiting_reminder_is_taken_back_in_the_same_moment_as_the_visit_changes(
    change: Callable[[Desk, int], None], twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.refuse(429, 20429)
    beat()
    change(desk, visit)
    assert [message.state for message in desk.messages()] == [DeliveryState.WITHDRAWN]


def test_two_patients_on_one_phone_are_told_apart_by_name_and_digits(
    twilio: FakeTwilio, texts: Text, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    ana, ben = add_patient("Ana", "+16145550150"), add_patient("Ben", "+16145550150")
    first, second = desk.books(ana, VISIT), desk.books(ben, VISIT + timedelta(hours=1))
    clock.to(FIRST)
    beat()
    said = sorted(message.body for message in twilio.accepted)
    assert "the visit of Ana is on Thu Dec 17, 10:30 AM. Reply 1 to confirm, 2 to change" in said[0]
    assert "the visit of Ben is on Thu Dec 17, 11:30 AM. Reply 3 to confirm, 4 to change" in said[1]
    [reply] = texts(ana.phone, "3").replies
    assert "We will see Ben on" in reply.body
    assert (desk.visit(first).confirmed_at, desk.visit(second).confirmed_at) == (None, clock())


def test_yes_on_a_phone_with_two_visits_is_asked_about_not_guessed(
    texts: Text, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    ana, ben = add_patient("Ana", "+16145550150"), add_patient("Ben", "+16145550150")
    visits = [desk.books(ana, VISIT), desk.books(ben, VISIT + timedelta(hours=1))]
    clock.to(FIRST)
    beat()
    [reply] = texts(ana.phone, "yes").replies
    assert reply.body == (
        "Which visit do you mean? Reply 1 for Ana, Thu Dec 17, 10:30 AM, Reply 3 for Ben, Thu Dec 17, 11:30 AM. "
        "Or call 614-555-0100."
    )
    assert [desk.visit(visit).confirmed_at for visit in visits] == [None, None]
    texts(ana.phone, "1")
    assert [desk.visit(visit).confirmed_at is not None for visit in visits] == [True, False]


def test_the_same_digit_twice_never_confirms_the_other_patients_visit(
    texts: Text, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    ana, ben = add_patient("Ana", "+16145550150"), add_patient("Ben", "+16145550150")
    desk.books(ana, VISIT)
    visit = desk.books(ben, VISIT + timedelta(hours=1))
    clock.to(FIRST)
    beat()
    texts(ana.phone, "1")
    [reply] = texts(ana.phone, "1").replies
    assert desk.visit(visit).confirmed_at is None
    assert reply.body.startswith("Which visit do you mean?")


def test_a_carers_phone_is_reminded_too_and_may_confirm(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    carer = "+16145550160"
    desk.adds_carer(maria, carer)
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    assert {message.to for message in twilio.accepted} == {maria.phone, carer}
    texts(carer, "1")
    assert desk.visit(visit).confirmed_at == clock()


def test_a_carer_who_asks_for_another_time_reads_whose_visit_stays_booked(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    carer = "+16145550160"
    desk.adds_carer(maria, carer)
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    [reply] = texts(carer, "2").replies
    assert reply.body.startswith(
        "A nurse will call you to find a new time. The visit of Maria on Thu Dec 17, 10:30 AM "
    )
    assert desk.visit(visit).state is AppointmentState.BOOKED


def test_an_opted_out_patient_gets_no_reminder_and_a_nurse_calls_instead(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, live_until: Live
) -> None:
    visit = desk.books(maria, VISIT)
    texts(maria.phone, "STOP")
    live_until(FIRST)
    assert twilio.accepted == []
    assert (desk.reminders(visit)[0].state, desk.reminders(visit)[0].reason) == (
        ReminderState.SKIPPED,
        "opted out of texts",
    )
    [task] = desk.tasks()
    assert (task.kind, task.reason) == (TaskKind.CALL_INSTEAD, "opted out of texts: call about the visit instead")


def test_a_carer_is_still_reminded_when_the_patient_opted_out(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.adds_carer(maria, "+16145550160")
    desk.books(maria, VISIT)
    texts(maria.phone, "STOP")
    clock.to(FIRST)
    beat()
    assert [message.to for message in twilio.accepted] == ["+16145550160"]


def test_a_reminder_asks_for_no_word_that_opts_out_and_names_nothing_medical(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    said = twilio.accepted[0].body.lower().replace("northgate pump clinic", "")
    for word in ("baclofen", "pump", "refill", "spastic", "dose", "stop", "cancel", "end", "quit", "maria", " no "):
        assert word not in said


def test_a_reminder_names_where_its_status_goes_and_how_long_it_is_worth_sending(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(LAST)
    beat()
    sent = twilio.accepted[0]
    twilio.report(sent, "delivered", app=client)
    [message] = desk.messages(Purpose.REMINDER)
    assert (message.state, message.provider_id) == (DeliveryState.DELIVERED, sent.sid)
    assert sent.validity_period == 36_000


def test_a_phone_that_is_off_is_tried_again_and_at_last_a_nurse_calls(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    waits = []
    for n in range(3):
        twilio.report(twilio.accepted[n], "undelivered", 30003, app=client)
        queued = desk.rows(OutboundMessage, OutboundMessage.state == DeliveryState.QUEUED)
        if queued:
            waits.append(queued[0].due_at - clock())
            clock.to(queued[0].due_at)
            beat()
    assert waits == [timedelta(minutes=30), timedelta(minutes=60)]
    assert len(twilio.accepted) == 3
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]
