"""What a nurse reads and does on the staff pages."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select, update

from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.actions.receive_text import Media, Received
from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD
from app.db.care import Appointment, AppointmentState
from app.db.heartbeat import SILENT_AFTER
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Clinic, Patient, PatientState, Phone
from app.db.work import JobHealth, Task, TaskState
from tests.conftest import FrozenClock, Someone
from tests.web.conftest import Visitor

Texts = Callable[..., Received]


@pytest.fixture
def visit(line: Line, maria: Someone, clock: FrozenClock) -> int:
    """Maria's refill on Thursday 26 November, 10:30 in New York."""
    return book_appointment(line, maria.id, clock() + timedelta(days=3, minutes=30), clock(), "command")


def the_visit(line: Line, visit_id: int) -> tuple[datetime, AppointmentState, int]:
    with line.db.read() as session:
        row = session.get_one(Appointment, visit_id)
        return row.starts_at, row.state, row.version


def the_task(line: Line) -> tuple[int, TaskState, int, str | None]:
    with line.db.read() as session:
        row = session.scalars(select(Task).order_by(Task.id)).first()
        assert row is not None
        return row.id, row.state, row.version, row.outcome


# ── today ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_shows_the_words_and_waits_until_it_has_an_outcome(
    nurse: Visitor, maria: Someone, texts: Texts, line: Line, clock: FrozenClock
) -> None:
    texts(maria.phone, "hes super itchy n twitchy since last nite")
    texts(maria.phone, "baclofen withdrawal, help")
    clock.forward(minutes=3, seconds=12)
    page = nurse.page("/staff/")
    assert "<title>(1 urgent) Today</title>" in page
    assert "“baclofen withdrawal, help”" in page
    assert ">3:12</span>" in page
    task_id, _, version, _ = the_task(line)
    path = f"/staff/tasks/{task_id}"
    assert nurse.post(f"{path}/acknowledge", seen_on="/staff/", version=version).location == "/staff/"
    assert "Ana, 10:03" in nurse.page("/staff/")
    answer = nurse.post(f"{path}/resolve", seen_on="/staff/", version=version + 1, outcome="Advised by phone")
    assert answer.status_code == 302
    _, state, _, outcome = the_task(line)
    assert (state, outcome) == (TaskState.RESOLVED, "Advised by phone")
    assert "No urgent alerts. Last checked" in nurse.page("/staff/")


def test_an_alert_stands_on_every_other_page_too(nurse: Visitor, maria: Someone, texts: Texts) -> None:
    texts(maria.phone, "ALARM")
    for path in ("/staff/patients", f"/staff/patients/{maria.id}", "/staff/content"):
        page = nurse.page(path)
        assert 'class="strip"' in page
        assert "Acknowledge" in page


def test_resolving_needs_an_outcome(nurse: Visitor, maria: Someone, texts: Texts, line: Line) -> None:
    texts(maria.phone, "ALARM")
    task_id, _, version, _ = the_task(line)
    nurse.post(f"/staff/tasks/{task_id}/resolve", seen_on="/staff/", version=version, outcome=" ")
    assert "choose an outcome first" in nurse.page("/staff/")
    assert the_task(line)[1] is TaskState.OPEN


def test_a_stale_task_form_changes_nothing(nurse: Visitor, maria: Someone, texts: Texts, line: Line) -> None:
    texts(maria.phone, "ALARM")
    task_id, _, version, _ = the_task(line)
    texts(maria.phone, "still beeping ALARM")  # raised again meanwhile
    nurse.post(f"/staff/tasks/{task_id}/resolve", seen_on="/staff/", version=version, outcome="Not an emergency")
    assert "changed this task meanwhile" in nurse.page("/staff/")
    assert the_task(line)[1] is TaskState.OPEN


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "１"])
def test_a_form_without_a_version_changes_nothing(
    nurse: Visitor, maria: Someone, texts: Texts, line: Line, version: str
) -> None:
    texts(maria.phone, "ALARM")
    nurse.post(f"/staff/tasks/{the_task(line)[0]}/acknowledge", seen_on="/staff/", version=version)
    assert the_task(line)[1] is TaskState.OPEN


def test_each_kind_of_task_has_its_list(
    nurse: Visitor, maria: Someone, texts: Texts, add_patient: Callable[..., Someone]
) -> None:
    texts(maria.phone, "purple monkey dishwasher")
    texts(add_patient("Otto", "+16145550150").phone, "", media=(Media("https://media.example/1", "image/jpeg"),))
    page = nurse.page("/staff/")
    assert "Questions for a nurse" in page
    assert "“purple monkey dishwasher”" in page
    assert "Pictures and files" in page
    assert "Nobody is waiting for you" not in page


def test_visits_of_today_and_tomorrow_say_whether_they_are_confirmed(
    nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock, texts: Texts, beat: Callable[[], None]
) -> None:
    book_appointment(line, maria.id, clock() + timedelta(days=1, hours=5), clock(), "command")
    assert "1, 1 not confirmed" in nurse.page("/staff/")
    with line.db.begin() as session:
        session.execute(update(Appointment).values(confirmed_at=clock()))
    page = nurse.page("/staff/")
    assert "Tomorrow's visits" in page
    assert "not confirmed" not in page


# ── warnings ─────────────────────────────────────────────────────────────────────────────────────────


def test_drafts_are_loud_on_every_page(nurse: Visitor, maria: Someone) -> None:
    for path in ("/staff/", "/staff/patients", f"/staff/patients/{maria.id}", "/staff/content"):
        assert "answers are drafts, not signed by a clinician" in nurse.page(path)


def test_a_missing_on_call_phone_is_a_warning_on_every_page(nurse: Visitor, line: Line) -> None:
    with line.db.begin() as session:
        session.execute(update(Clinic).values(on_call_phone=None))
    for path in ("/staff/", "/staff/patients", "/staff/content"):
        assert "No on-call phone" in nurse.page(path)


def test_an_on_call_phone_that_opted_out_is_a_warning(nurse: Visitor, texts: Texts) -> None:
    assert "on-call phone has opted out" not in nurse.page("/staff/")
    texts("+16145550190", "STOP")
    assert "on-call phone has opted out" in nurse.page("/staff/")


def test_a_job_that_keeps_failing_is_a_warning(nurse: Visitor, line: Line, clock: FrozenClock) -> None:
    with line.db.begin() as session:
        session.add(JobHealth(name="send_outbox", failures=2, failed_at=clock(), error="OSError"))
    assert "A job is failing" not in nurse.page("/staff/")
    with line.db.begin() as session:
        session.execute(update(JobHealth).values(failures=3))
    assert "A job is failing: send outbox" in nurse.page("/staff/")


STOPPED = "Reminders and pages have stopped"


def test_a_heartbeat_that_stopped_is_a_warning_on_every_page(nurse: Visitor, line: Line, clock: FrozenClock) -> None:
    assert STOPPED not in nurse.page("/staff/")  # just installed
    clock.forward(minutes=11)
    assert STOPPED in nurse.page("/staff/")
    with line.db.begin() as session:
        session.add_all(JobHealth(name=name, ok_at=clock(), failures=0) for name in SILENT_AFTER)
    assert STOPPED not in nurse.page("/staff/")
    clock.forward(minutes=6)
    for path in ("/staff/", "/staff/patients", "/staff/content"):
        assert STOPPED in nurse.page(path)


def test_a_jump_of_the_simulators_clock_is_no_silence(newcomer: Visitor) -> None:
    newcomer.sign_in(DEMO_EMAIL, DEMO_PASSWORD)
    newcomer.post("/simulator/jump", seen_on="/simulator", by="7")
    assert STOPPED not in newcomer.page("/staff/")


def test_answers_past_their_review_are_a_warning(nurse: Visitor, clock: FrozenClock) -> None:
    assert "past the review date" not in nurse.page("/staff/")
    clock.forward(days=400)
    nurse.sign_in("ana@clinic.example")
    assert "past the review date" in nurse.page("/staff/")


# ── a patient ────────────────────────────────────────────────────────────────────────────────────────


def test_a_patients_page_shows_who_said_what_and_why(nurse: Visitor, maria: Someone, texts: Texts) -> None:
    texts(maria.phone, "TRAVLE")
    page = nurse.page(f"/staff/patients/{maria.id}")
    assert "TRAVLE" in page
    assert "answer travel, version 1" in page
    assert "two letters swapped" in page
    assert "sent, not yet confirmed" in page
    assert "SynchroMed II, 20 mL" in page
    assert "14-Feb-1979 (47 y)" in page


def test_booking_moving_and_attending(nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock) -> None:
    path = f"/staff/patients/{maria.id}"
    nurse.post(f"{path}/visits", seen_on=path, starts_at="2026-12-03T10:30")
    page = nurse.page(path)
    assert "Booked for Thu 3-Dec, 10:30 EST" in page
    with line.db.read() as session:
        visit_id = session.scalars(select(Appointment.id)).one()
    starts_at, _, version = the_visit(line, visit_id)
    assert starts_at.isoformat() == "2026-12-03T15:30:00+00:00"
    moved = nurse.post(f"/staff/visits/{visit_id}/move", seen_on=path, version=version, starts_at="2026-12-04T09:00")
    assert moved.location.startswith(path)
    starts_at, _, version = the_visit(line, visit_id)
    assert starts_at.isoformat() == "2026-12-04T14:00:00+00:00"
    nurse.post(f"/staff/visits/{visit_id}/attended", seen_on=path, version=version)
    assert the_visit(line, visit_id)[1] is AppointmentState.ATTENDED


def test_cancelling_and_missing(nurse: Visitor, maria: Someone, visit: int, line: Line, clock: FrozenClock) -> None:
    path = f"/staff/patients/{maria.id}"
    early = nurse.post(f"/staff/visits/{visit}/missed", seen_on=path, version=the_visit(line, visit)[2])
    assert early.status_code == 409
    assert "still to come" in early.text
    nurse.post(f"/staff/visits/{visit}/cancel", seen_on=path, version=the_visit(line, visit)[2])
    assert the_visit(line, visit)[1] is AppointmentState.CANCELLED


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Give day and hour"),
        ("soon", "Give day and hour"),
        ("2026-11-01T10:30", "must lie in the future"),
        ("2027-03-14T02:30", "The clocks go forward that night: 02:30 does not exist. Choose 03:00 or later."),
        ("9999-12-31T23:59", "Give day and hour at the clinic"),
        ("2026-12-03T10:30+00:00", "Give day and hour at the clinic"),
    ],
)
def test_a_booking_that_cannot_be_keeps_what_was_typed(nurse: Visitor, maria: Someone, typed: str, said: str) -> None:
    path = f"/staff/patients/{maria.id}"
    answer = nurse.post(f"{path}/visits", seen_on=path, starts_at=typed)
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert f'value="{typed}"' in unescape(answer.text)


def test_the_hour_that_comes_twice_is_its_first(nurse: Visitor, maria: Someone, line: Line) -> None:
    path = f"/staff/patients/{maria.id}"
    nurse.post(f"{path}/visits", seen_on=path, starts_at="2027-11-07T01:30")
    with line.db.read() as session:
        starts_at = session.scalars(select(Appointment.starts_at)).one()
    assert starts_at.isoformat() == "2027-11-07T05:30:00+00:00"


def test_a_stale_visit_form_says_so_and_changes_nothing(nurse: Visitor, maria: Someone, visit: int, line: Line) -> None:
    path = f"/staff/patients/{maria.id}"
    before = the_visit(line, visit)
    for act, fields in (("move", {"starts_at": "2026-12-04T09:00"}), ("cancel", {}), ("attended", {}), ("missed", {})):
        answer = nurse.post(f"/staff/visits/{visit}/{act}", seen_on=path, version=before[2] + 5, **fields)
        assert answer.status_code == 409, act
        assert "Someone else changed this meanwhile. Nothing was changed" in answer.text, act
        if fields:
            assert fields["starts_at"] in answer.text
    assert the_visit(line, visit) == before


def test_a_patient_in_another_zone_has_both_times(
    nurse: Visitor, add_patient: Callable[..., Someone], line: Line, clock: FrozenClock
) -> None:
    maeve = add_patient("Maeve", "+16145550160", time_zone="America/Chicago")
    book_appointment(line, maeve.id, clock() + timedelta(days=3, minutes=30), clock(), "command")
    page = nurse.page(f"/staff/patients/{maeve.id}")
    assert "Thu 26-Nov-2026, 10:30 EST" in page
    assert "Thu 26-Nov, 09:30 CST for Maeve" in page


def test_a_reply_by_hand_is_owed_once(nurse: Visitor, maria: Someone, line: Line) -> None:
    path = f"/staff/patients/{maria.id}"
    fields = {"body": "Please call us.\r\nAna", "phone": maria.phone_id, "form_id": "abc"}
    assert nurse.post(f"{path}/reply", seen_on=path, **fields).status_code == 302
    assert "Your text is on its way: 1 segment." in nurse.page(path)
    assert nurse.post(f"{path}/reply", seen_on=path, **fields).status_code == 422  # sent twice by a double press
    with line.db.read() as session:
        sent = session.execute(
            select(OutboundMessage.body, OutboundMessage.purpose).where(OutboundMessage.purpose == Purpose.STAFF)
        ).all()
    assert [tuple(row) for row in sent] == [("Please call us.\nAna", Purpose.STAFF)]


def test_a_nul_in_a_form_reaches_no_database(nurse: Visitor, maria: Someone, line: Line) -> None:
    """PostgreSQL refuses it in a text column, which would be an error page and a text not sent."""
    path = f"/staff/patients/{maria.id}"
    answer = nurse.post(f"{path}/reply", seen_on=path, body="Please\0 call us.", phone=maria.phone_id, form_id="a\0b")
    assert answer.status_code == 302
    with line.db.read() as session:
        sent = session.execute(select(OutboundMessage.body, OutboundMessage.dedupe_key)).one()
    assert sent.body == "Please call us."
    assert sent.dedupe_key.endswith(":ab")


def test_a_reply_that_cannot_be_sent_keeps_its_words(nurse: Visitor, maria: Someone, line: Line, texts: Texts) -> None:
    path = f"/staff/patients/{maria.id}"
    assert nurse.post(f"{path}/reply", seen_on=path, body=" ", phone=maria.phone_id).status_code == 422
    long = "x" * 1601
    answer = nurse.post(f"{path}/reply", seen_on=path, body=long, phone=maria.phone_id)
    assert answer.status_code == 422
    assert long in answer.text
    texts(maria.phone, "STOP")
    answer = nurse.post(f"{path}/reply", seen_on=path, body="draft of mine", phone=maria.phone_id)
    assert answer.status_code == 422
    assert "draft of mine" in answer.text
    assert "opted out" in answer.text


def test_an_accent_that_makes_a_text_longer_is_said(nurse: Visitor, maria: Someone) -> None:
    path = f"/staff/patients/{maria.id}"
    nurse.post(f"{path}/reply", seen_on=path, body="mañana í " + "x" * 70, phone=maria.phone_id)
    assert "2 segments, because a character" in nurse.page(path)


def test_an_opted_out_patients_page_says_call_instead(nurse: Visitor, maria: Someone, texts: Texts) -> None:
    texts(maria.phone, "STOP")
    page = nurse.page(f"/staff/patients/{maria.id}")
    assert "patient-stopped" in page
    assert "Call instead; Send is off" in page
    assert "Opted out 23-Nov-2026, by text: “STOP”" in page


@pytest.mark.parametrize("state", [PatientState.DECEASED, PatientState.LEFT])
def test_a_patient_who_is_gone_is_sent_nothing(nurse: Visitor, maria: Someone, line: Line, state: PatientState) -> None:
    with line.db.begin() as session:
        session.execute(update(Patient).values(state=state))
    page = nurse.page(f"/staff/patients/{maria.id}")
    assert "patient-stopped" in page
    assert 'id="reply" name="body" rows="2" maxlength="1600" placeholder="Write to Maria" disabled' in page


def test_an_unknown_number_has_a_page_and_gets_a_reply(nurse: Visitor, texts: Texts, line: Line) -> None:
    texts("+16145550177", "purple monkey dishwasher")
    with line.db.read() as session:
        phone_id = session.scalars(select(Phone.id).order_by(Phone.id.desc())).first()
    assert f"/staff/phones/{phone_id}" in nurse.page("/staff/")
    page = nurse.page(f"/staff/phones/{phone_id}")
    assert "614-555-0177" in page
    assert "This number is not on any patient's record" in page
    answer = nurse.post(f"/staff/phones/{phone_id}/reply", seen_on="/staff/", body="Yes, we are.")
    assert answer.status_code == 302
    assert "Yes, we are." in nurse.page(f"/staff/phones/{phone_id}")


def test_a_long_conversation_shows_its_end_and_offers_the_rest(
    maria: Someone, texts: Texts, clock: FrozenClock, request: pytest.FixtureRequest
) -> None:
    for n in range(70):
        clock.forward(minutes=30)  # some fifty answers a day: more are for a nurse
        texts(maria.phone, f"question number {n} about nothing at all")
    nurse: Visitor = request.getfixturevalue("nurse")  # signs in now: a session does not last so long
    page = nurse.page(f"/staff/patients/{maria.id}")
    assert "question number 69" in page
    assert "question number 3 " not in page
    assert "80 earlier texts" in page
    assert "question number 3 " in nurse.page(f"/staff/patients/{maria.id}?texts=1000")


# ── list and search ──────────────────────────────────────────────────────────────────────────────────


def test_the_list_is_paged_and_says_what_is_booked(
    nurse: Visitor, add_patient: Callable[..., Someone], maria: Someone, visit: int
) -> None:
    for n in range(51):
        add_patient(f"Person{n}", f"+1614555{1000 + n}")
    first = nurse.page("/staff/patients")
    further = re.search(r'href="(/staff/patients[?]after=[^"]*)"', first)
    assert further
    second = nurse.page(unescape(further[1]))
    assert "52 patients" in first
    assert "Page 1 of 2" in first
    assert "None booked" in first
    assert "Maria" not in first
    assert "Thu 26-Nov-2026, 10:30" in second
    assert nurse.get("/staff/patients?page=0").status_code == 404
    assert "No more patients" in nurse.page(f"/staff/patients?after={maria.id}")


@pytest.mark.parametrize(
    "query", ["lopez", "Maria", "LOPEZ, Maria", "mar lop", "614 555 0142", "MRN Maria +16145550142"]
)
def test_search_finds_by_name_phone_and_record_number(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], query: str
) -> None:
    add_patient("Otto", "+16145550150", family_name="Brandvold")
    answer = nurse.post("/staff/patients/search", seen_on="/staff/", query=query)
    assert answer.location == f"/staff/patients/{maria.id}"


def test_a_search_without_a_match_says_so(nurse: Visitor, maria: Someone) -> None:
    assert "No match" in nurse.post("/staff/patients/search", seen_on="/staff/", query="zzz").text
    assert nurse.post("/staff/patients/search", seen_on="/staff/", query="").location == "/staff/patients"


def test_pages_say_which_emptiness_it_is(nurse: Visitor) -> None:
    assert "No patients yet" in nurse.page("/staff/patients")
    assert "Nobody is waiting for you" in nurse.page("/staff/")


# ── content ──────────────────────────────────────────────────────────────────────────────────────────


def test_content_shows_every_answer_as_the_patient_reads_it(nurse: Visitor, line: Line) -> None:
    page = nurse.page("/staff/content")
    assert page.count("Draft, not signed") >= len(line.words.library.topics)
    assert "{phone}" not in page.split("The system's own words")[0]
    assert "614-555-0100" in page
    assert "Awaiting a clinician's word" in page


def test_content_can_be_narrowed_to_what_needs_work(nurse: Visitor, clock: FrozenClock) -> None:
    assert "No review is due within 30 days." in nurse.page("/staff/content?show=expiring")
    assert "Draft, not signed" in nurse.page("/staff/content?show=drafts&language=xx")
    clock.forward(days=170)
    nurse.sign_in("ana@clinic.example")
    assert "due again 22-May-2027" in nurse.page("/staff/content?show=expiring")
