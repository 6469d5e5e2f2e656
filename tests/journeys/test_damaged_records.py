"""A name or a number that cannot be read takes nothing else with it: texts are answered, reminders and pages go."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.actions.line import Line
from app.commands.checkup import _on_call, _readable
from app.db.care import AppointmentState, Reminder, ReminderState
from app.db.people import Clinic, Contact, ContactKind, Phone
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.damage import damage, damaged_for_now
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)
ON_CALL = "+16145550190"

Add = Callable[..., Someone]
Beat = Callable[[], None]
OF_A_PATIENT = ("mrn", "given_name", "family_name", "born_on")


def test_a_clinic_whose_on_call_number_is_damaged_pages_nobody_and_serves_everybody(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clinic: Clinic, clock: FrozenClock, beat: Beat, texts: Callable
) -> None:
    desk.books(maria, VISIT)
    damage(desk.line, "clinic", "on_call_phone")
    assert [reply.body[:20] for reply in texts(maria.phone, "my pump is beeping").replies] == ["Call us now, day or "]
    assert texts(maria.phone, "TRAVEL").replies
    assert len(desk.tasks(TaskKind.ALERT)) == 1
    clock.to(FIRST)
    beat()
    assert twilio.accepted[-1].to == maria.phone
    with desk.line.db.read() as session:
        again = session.get_one(Clinic, clinic.id, populate_existing=True)
        assert _on_call(session, desk.line.db, again).what.endswith("an urgent text pages nobody")
    desk.change(Clinic, clinic.id, on_call_phone=ON_CALL)
    texts(maria.phone, "it beeps again")
    beat()
    assert ON_CALL in {message.to for message in twilio.accepted}


def test_a_patient_of_whom_nothing_can_be_read_is_reminded_answered_and_missed_like_any_other(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, texts: Callable
) -> None:
    visit = desk.books(maria, VISIT)
    damage(desk.line, "patient", *OF_A_PATIENT)
    [reply] = texts(maria.phone, "when is my refill").replies
    assert "Thu Dec 17, 10:30 AM" in reply.body
    clock.to(FIRST)
    beat()
    assert "Thu Dec 17, 10:30 AM" in twilio.accepted[-1].body
    assert [reply.body[:24] for reply in texts(maria.phone, "1").replies] == ["Thank you. We will see y"]
    clock.to(VISIT + timedelta(hours=3))
    beat()
    assert desk.visit(visit).state is AppointmentState.MISSED
    assert [task.patient_id for task in desk.tasks(TaskKind.MISSED_REFILL)] == [maria.id]
    assert "we missed you" in twilio.accepted[-1].body
    assert not [row for row in desk.rows(Reminder) if row.failures]


@pytest.mark.parametrize(
    ("language", "asks", "answered", "reminded"),
    [
        ("en", "when is the refill", "the patient, Thu Dec 17", "the visit of the patient is on Thu Dec 17"),
        ("es", "cuando es la recarga", "la persona, jue 17 dic", "la cita de la persona es el jue 17 dic"),
    ],
)
def test_where_a_name_would_be_said_the_text_goes_without_it(
    language: str, asks: str, answered: str, reminded: str, twilio: FakeTwilio, add_patient: Add, desk: Desk,
    clock: FrozenClock, beat: Beat, texts: Callable,
) -> None:  # fmt: skip
    cared_for = add_patient("Otto", "+16145550170", language=language, kind=ContactKind.CARER)
    [contact] = desk.rows(Contact, Contact.patient_id == cared_for.id)
    desk.change(Contact, contact.id, gets_reminders=True)
    desk.books(cared_for, VISIT)
    damage(desk.line, "patient", "given_name", row_id=cared_for.id)
    [reply] = texts(cared_for.phone, asks).replies
    assert answered in reply.body
    clock.to(FIRST)
    beat()
    assert reminded in twilio.accepted[-1].body
    assert "\N{REPLACEMENT CHARACTER}" not in reply.body + twilio.accepted[-1].body


def test_of_two_phones_the_one_that_can_be_read_is_texted_and_the_other_once_it_can(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.adds_carer(maria, "+16145550171", gets_reminders=True)
    visit = desk.books(maria, VISIT)
    with damaged_for_now(desk.line, "phone", "number", maria.phone_id):
        clock.to(FIRST)
        beat()
        assert [message.to for message in twilio.accepted] == ["+16145550171"]
        assert [task.patient_id for task in desk.tasks(TaskKind.UNDELIVERED)] == [maria.id]
        assert [row.state for row in desk.reminders(visit)].count(ReminderState.QUEUED) == 1
    clock.forward(minutes=5)
    beat()
    assert twilio.accepted[-1].to == maria.phone


def test_a_missed_visit_is_noticed_though_the_number_cannot_be_read(
    maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    visit = desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    assert desk.rows(Phone, Phone.asked.is_not(None)), "what the reminder asked is taken back with the visit"
    with damaged_for_now(desk.line, "phone", "number", maria.phone_id):
        clock.to(VISIT + timedelta(hours=3))
        beat()
        assert desk.visit(visit).state is AppointmentState.MISSED
        assert [task.reason for task in desk.tasks(TaskKind.MISSED_REFILL)] != []


def test_doctor_names_rows_and_never_what_was_in_them(line: Line, maria: Someone, add_patient: Add) -> None:
    with line.db.read() as session:
        assert _readable(session, line.db).result == "ok"
    other = add_patient("Rosa", "+16145550143")
    damage(line, "patient", "given_name", row_id=maria.id)
    damage(line, "phone", "number", row_id=other.phone_id)
    with line.db.read() as session:
        found = _readable(session, line.db)
    assert (found.result, found.what) == (
        "fail",
        f"cannot be read: patient {maria.id} (given name), phone {other.phone_id} (number)",
    )
