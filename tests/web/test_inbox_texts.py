"""What a nurse writes in the inbox: ten seconds to take it back, quiet hours, notes, saved replies; what failed."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Patient, PatientState
from app.db.threads import PhoneThread, ThreadNote, ThreadState
from app.domain.delivery import DeliveryState
from app.web.composer import cost_of, meter
from tests.conftest import MONDAY, Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.web.conftest import Visitor
from tests.web.inbox_stage import NONSENSE, Add, Text, composer_of, seen

Beat = Callable[[], None]
LATE = MONDAY + timedelta(hours=13)  # 23:00 in New York


@pytest.fixture
def path(maria: Someone, texts: Text) -> str:
    texts(maria.phone, NONSENSE)
    return f"/staff/inbox/{maria.phone_id}"


def thread(desk: Desk) -> PhoneThread:
    return desk.rows(PhoneThread)[0]


def written(desk: Desk) -> list[OutboundMessage]:
    return desk.messages(Purpose.STAFF)


def said_to(twilio: FakeTwilio, maria: Someone) -> list[str]:
    return [message.body for message in twilio.accepted if message.to == maria.phone]


def test_a_text_waits_ten_seconds_and_then_leaves(
    nurse: Visitor, path: str, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, twilio: FakeTwilio
) -> None:
    assert nurse.post(f"{path}/reply", seen_on=path, body="Please call us.").location == path
    assert "Sending in 10 s" in nurse.page(path)
    clock.forward(seconds=9)
    beat()
    assert said_to(twilio, maria) == []
    clock.forward(seconds=1)
    beat()
    assert said_to(twilio, maria) == ["Please call us."]
    assert "data-due" not in nurse.page(path)


def test_undo_takes_it_back_and_its_words_stand_in_the_composer(
    nurse: Visitor, path: str, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, twilio: FakeTwilio
) -> None:
    waits = thread(desk).waiting_since
    clock.forward(minutes=1)
    nurse.post(f"{path}/reply", seen_on=path, body="Plese call us.")
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.WAITING, None)
    [message] = written(desk)
    answer = nurse.post(f"{path}/take-back", seen_on=path, message=message.id)
    assert composer_of(answer.text) == "Plese call us."
    clock.forward(minutes=1)
    beat()
    assert said_to(twilio, maria) == []
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.OPEN, waits)  # she waits as before


def test_what_has_left_can_not_be_taken_back(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    nurse.post(f"{path}/reply", seen_on=path, body="Please call us.")
    clock.forward(seconds=11)
    beat()
    [message] = written(desk)
    nurse.post(f"{path}/take-back", seen_on=path, message=message.id)
    assert "Already sent" in nurse.page(path)
    assert written(desk)[0].state is DeliveryState.ACCEPTED


def test_only_what_somebody_wrote_to_this_phone_is_taken_back(
    nurse: Visitor, path: str, desk: Desk, add_patient: Add, owed: Callable[..., int], maria: Someone
) -> None:
    other = owed(add_patient("Grace", "+16145550150"))
    reminder = owed(maria, purpose=Purpose.REMINDER)
    for act in ("take-back", "send-now"):
        for message in (other, reminder, 999, 0):
            assert nurse.post(f"{path}/{act}", seen_on=path, message=message).status_code == 404
    assert nurse.post(f"{path}/retry", seen_on=path, message=other).status_code == 404
    assert all(message.state is not DeliveryState.WITHDRAWN for message in desk.messages())


def test_the_same_form_twice_is_one_text(nurse: Visitor, path: str, desk: Desk) -> None:
    nurse.post(f"{path}/reply", seen_on=path, body="Please call us.", form_id="abc")
    again = nurse.post(f"{path}/reply", seen_on=path, body="Please call us.", form_id="abc")
    assert again.status_code == 409
    assert len(written(desk)) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "Write something first"),
        ("   ", "Write something first"),
        ("x" * 1601, "1601 characters are too many"),
        ("Hello {given_name}, see you {visit_day}", "fill in {given_name} and {visit_day} first"),
    ],
)
def test_a_text_that_cannot_go_is_shown_again_with_the_reason(
    nurse: Visitor, path: str, desk: Desk, body: str, why: str
) -> None:
    answer = nurse.post(f"{path}/reply", seen_on=path, body=body)
    assert answer.status_code == 422
    assert why in answer.text
    assert composer_of(answer.text) == body
    assert written(desk) == []


def test_writing_to_somebody_elses_thread_offers_to_take_it_over(
    nurse: Visitor, path: str, desk: Desk, staff_id: int
) -> None:
    assert "Nobody has this. Assign to me when I send" in seen(nurse.page(path))
    nurse.post(f"{path}/reply", seen_on=path, body="Hello", claim=1, seen=0)
    assert thread(desk).assignee_id == staff_id
    assert "Assign to me when I send" not in nurse.page(path)


def test_a_claim_that_was_lost_sends_nothing_and_loses_no_word(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock
) -> None:
    nurse.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    nurse.post(f"{path}/assign", seen_on=path, to=0, seen=1)
    clock.forward(seconds=2)
    answer = nurse.post(f"{path}/reply", seen_on=path, body="Hello Maria", claim=1, seen=1)
    assert answer.status_code == 409
    assert "Ana let this go: nobody has it 2 s ago. Send it all the same?" in seen(answer.text)
    assert composer_of(answer.text) == "Hello Maria"
    assert written(desk) == []


def test_at_night_two_buttons_are_offered_and_neither_is_pressed_by_itself(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock
) -> None:
    clock.to(LATE)
    nurse.sign_in("ana@clinic.example")
    page = seen(nurse.page(path))
    assert "It is 23:00 for Maria. Routine texts wait until 08:00." in page
    assert "Send at 08:00" in page
    answer = nurse.post(f"{path}/reply", seen_on=path, body="Hello Maria")
    assert answer.status_code == 422
    assert composer_of(answer.text) == "Hello Maria"
    assert written(desk) == []


def test_a_text_for_the_morning_waits_in_the_thread_and_can_go_now_or_never(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock
) -> None:
    clock.to(LATE)
    nurse.sign_in("ana@clinic.example")
    nurse.post(f"{path}/reply", seen_on=path, body="See you Friday", when="morning")
    nurse.post(f"{path}/reply", seen_on=path, body="On second thought", when="morning")
    first, second = written(desk)
    assert f"{first.due_at:%d %H:%M}" == "24 13:00"  # 08:00 in New York
    page = seen(nurse.page(path))
    assert "waits until 08:00 EST, Tue 24-Nov Send now Cancel" in page
    nurse.post(f"{path}/send-now", seen_on=path, message=first.id)
    answer = nurse.post(f"{path}/take-back", seen_on=path, message=second.id)
    assert composer_of(answer.text) == "On second thought"
    first, second = written(desk)
    assert first.due_at == LATE
    assert second.state is DeliveryState.WITHDRAWN


def test_night_is_the_patients_not_the_clinics(
    nurse: Visitor, add_patient: Add, texts: Text, clock: FrozenClock
) -> None:
    far = add_patient("Grace", "+16145550150", time_zone="Pacific/Honolulu")
    texts(far.phone, NONSENSE)
    page = seen(nurse.page(f"/staff/inbox/{far.phone_id}"))  # 10:00 at the clinic
    assert "It is 05:00 for Grace." in page
    assert "10:00 (05:00 HST patient)" in page


def test_sent_now_at_night_still_leaves_ten_seconds(nurse: Visitor, path: str, desk: Desk, clock: FrozenClock) -> None:
    clock.to(LATE)
    nurse.sign_in("ana@clinic.example")
    nurse.post(f"{path}/reply", seen_on=path, body="Please call now", when="now")
    assert written(desk)[0].due_at == LATE + timedelta(seconds=10)


def test_whoever_opted_out_or_died_is_not_written_to(
    nurse: Visitor, path: str, maria: Someone, texts: Text, desk: Desk
) -> None:
    texts(maria.phone, "STOP")
    page = nurse.page(path)
    assert "Opted out of texts: call instead" in page
    answer = nurse.post(f"{path}/reply", seen_on=path, body="Hello")
    assert answer.status_code == 409
    assert composer_of(answer.text) == "Hello"
    texts(maria.phone, "START")
    desk.change(Patient, maria.id, state=PatientState.DECEASED)
    assert "Deceased. No text is sent." in nurse.page(path)
    assert nurse.post(f"{path}/reply", seen_on=path, body="Hello").status_code == 409
    assert written(desk) == []


def test_a_failed_text_offers_retry_once_and_a_call(
    nurse: Visitor, path: str, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, twilio: FakeTwilio
) -> None:
    nurse.post(f"{path}/reply", seen_on=path, body="Please call us.")
    clock.forward(seconds=11)
    beat()
    [message] = written(desk)
    record_status(desk.line, StatusReport("undelivered", token=message.token, error_code=30003), clock())
    page = nurse.page(path)
    assert 'class="msg msg-out msg-nurse msg-failed"' in page
    assert "not delivered: phone off or out of reach" in page
    assert f'href="tel:{maria.phone}">Call instead' in page
    clock.forward(seconds=1)
    nurse.post(f"{path}/retry", seen_on=path, message=message.id)
    nurse.post(f"{path}/retry", seen_on=path, message=message.id)
    assert "It was sent again already" in nurse.page(path)
    beat()
    assert said_to(twilio, maria) == ["Please call us.", "Please call us."]
    assert "sent again" in nurse.page(path)
    assert ">Retry<" not in nurse.page(path)


def test_what_did_not_fail_is_not_sent_again(nurse: Visitor, path: str, desk: Desk) -> None:
    reply = desk.messages(Purpose.REPLY)[-1]
    nurse.post(f"{path}/retry", seen_on=path, message=reply.id)
    assert "It did not fail" in nurse.page(path)
    assert written(desk) == []


def test_a_reminder_that_the_visit_has_left_behind_is_not_sent_again(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock, live_until: Callable[..., None]
) -> None:
    visit = desk.books(maria, clock() + timedelta(days=3))
    live_until(clock() + timedelta(days=1, minutes=30))
    nurse.sign_in("ana@clinic.example")
    [reminder] = desk.messages(Purpose.REMINDER)
    for _ in range(6):  # until the line itself gives up
        record_status(desk.line, StatusReport("undelivered", token=reminder.token, error_code=30006), clock())
    desk.moves(visit, clock() + timedelta(days=9))
    path = f"/staff/inbox/{maria.phone_id}"
    nurse.post(f"{path}/retry", seen_on=path, message=reminder.id)
    assert "It is no longer right (moved by then)" in nurse.page(path)
    assert written(desk) == []


def test_what_the_line_repeats_by_itself_is_not_sent_a_third_time(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock, live_until: Callable[..., None]
) -> None:
    desk.books(maria, clock() + timedelta(days=3))
    live_until(clock() + timedelta(days=1, minutes=30))
    nurse.sign_in("ana@clinic.example")
    [reminder] = desk.messages(Purpose.REMINDER)
    record_status(desk.line, StatusReport("undelivered", token=reminder.token, error_code=30003), clock())
    assert len(desk.messages(Purpose.REMINDER)) == 2
    path = f"/staff/inbox/{maria.phone_id}"
    assert "sent again" in nurse.page(path)
    nurse.post(f"{path}/retry", seen_on=path, message=reminder.id)
    assert "It was sent again already" in nurse.page(path)
    assert written(desk) == []


def test_a_note_is_kept_sealed_and_never_sent(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock, beat: Beat, twilio: FakeTwilio, maria: Someone
) -> None:
    page = nurse.page(f"{path}?compose=note")
    assert re.search(r'id="reply-form"[^>]* hidden', page)
    assert "Only visible to your team" in page
    answer = nurse.post(f"{path}/note", seen_on=path, body="Her son drives her.", form_id="n1")
    nurse.post(f"{path}/note", seen_on=path, body="Her son drives her.", form_id="n1")
    assert answer.location == path  # the reply is in front again
    page = nurse.page(path)
    assert re.search(r'id="note-form"[^>]* hidden', page)
    assert "Her son drives her." in page
    assert [note.body for note in desk.rows(ThreadNote)] == ["Her son drives her."]
    clock.forward(minutes=1)
    beat()
    assert said_to(twilio, maria) == []
    assert thread(desk).state is ThreadState.OPEN  # a note answers nobody


def test_a_note_that_is_empty_or_too_long_is_shown_again(nurse: Visitor, path: str) -> None:
    for body in (" ", "x" * 4001):
        answer = nurse.post(f"{path}/note", seen_on=path, body=body)
        assert answer.status_code == 422
        assert "Not kept" in answer.text
        assert body.strip() in answer.text


def test_saved_replies_come_in_the_language_of_the_phone_and_filled_in(
    nurse: Visitor, add_patient: Add, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    rosa = add_patient("Rosa", "+16145550158", language="es")
    desk.books(rosa, clock() + timedelta(days=3))
    texts(rosa.phone, "no puedo ir el miercoles, no tengo quien me lleve")
    page = nurse.page(f"/staff/inbox/{rosa.phone_id}")
    assert "Hola <mark>Rosa</mark>, soy <mark>Ana</mark>" in page
    assert "<mark>jue 26 nov</mark>, hora: <mark>10:00 AM</mark>" in page
    used = nurse.post(f"/staff/inbox/{rosa.phone_id}/reply", seen_on="/staff/", use="visit_is", body="Buenos dias.")
    assert used.status_code == 200
    assert composer_of(used.text).startswith("Buenos dias. Rosa, su cita en Northgate")
    assert "Filled in, please check: Rosa · " in seen(used.text)


def test_a_place_that_cannot_be_filled_is_marked_and_keeps_the_text_from_going(
    nurse: Visitor, path: str, desk: Desk
) -> None:
    assert '<mark class="open-place">{visit_day}</mark>' in nurse.page(path)
    used = nurse.post(f"{path}/reply", seen_on=path, use="ride", body="")
    body = composer_of(used.text)
    assert "{visit_day}" in body
    assert nurse.post(f"{path}/reply", seen_on=path, body=body).status_code == 422
    assert written(desk) == []
    assert nurse.post(f"{path}/reply", seen_on=path, use="nothing like it").status_code == 404


def test_count_tells_length_and_cost_without_a_script(nurse: Visitor, path: str, desk: Desk) -> None:
    answer = nurse.post(f"{path}/reply", seen_on=path, count=1, body="a" * 161)
    assert "161 characters, GSM-7, about 2 segments, $0.02" in seen(answer.text)
    answer = nurse.post(f"{path}/reply", seen_on=path, count=1, body="Le esperamos aquí" + "a" * 80)
    assert "í makes this 2 segments of 70 characters. Without it: 1." in seen(answer.text)
    assert written(desk) == []


@pytest.mark.parametrize(
    ("segments", "price", "said"), [(1, "0.0083", "$0.01"), (2, "0.0083", "$0.02"), (3, "0.01", "$0.03"), (1, "0", "")]
)
def test_a_part_of_a_cent_is_a_cent(segments: int, price: str, said: str) -> None:
    assert cost_of(segments, Decimal(price)) == said
    assert meter("x" * (153 * segments - 20), Decimal(price)).cost == said


def test_a_wrong_answer_is_labelled_in_place(nurse: Visitor, maria: Someone, texts: Text) -> None:
    inbound = texts(maria.phone, "can i fly").inbound_id
    path = f"/staff/inbox/{maria.phone_id}"
    page = nurse.page(path)
    assert "This answer was wrong" in page
    to_form = f"{path}?label={inbound}"
    assert f'href="{to_form}#label"' in page
    page = nurse.page(to_form)
    assert "What did “can i fly” ask for?" in page
    nurse.post(f"/staff/texts/{inbound}/label", seen_on=to_form, topic="mri", back=path)
    assert "labelled:" in nurse.page(path)


def test_each_message_says_in_which_language_it_is(nurse: Visitor, add_patient: Add, texts: Text) -> None:
    rosa = add_patient("Rosa", "+16145550158", language="es")
    texts(rosa.phone, "no puedo ir el miercoles, no tengo quien me lleve")
    texts(rosa.phone, "can you please call my daughter about this")
    page = nurse.page(f"/staff/inbox/{rosa.phone_id}")
    assert re.findall(r'data-in="\d+">.*?lang="(\w+)"', page, re.DOTALL) == ["es", "en"]


def test_a_nurses_reply_on_the_patient_page_counts_as_an_answer_too(
    nurse: Visitor, path: str, maria: Someone, desk: Desk
) -> None:
    page = f"/staff/patients/{maria.id}"
    nurse.post(f"{page}/reply", seen_on=page, body="Please call us", phone=maria.phone_id)
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.WAITING, None)
    assert thread(desk).paused_until is not None


def test_words_of_a_patient_stand_in_no_cookie(nurse: Visitor, path: str, line: Line) -> None:
    answer = nurse.post(f"{path}/reply", seen_on=path, body="secretword")
    assert all("secretword" not in cookie for cookie in answer.headers.getlist("Set-Cookie"))
