"""Patients added by hand, and who they are changed: names, number, birth date, language, time zone, state."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.db.care import AppointmentState, ReminderState
from app.db.messages import OutboundMessage, Purpose
from app.db.people import ConsentEvent, ConsentKind, Contact, Patient, PatientState, Phone
from app.db.work import AuditEvent
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

NEW = "/staff/patients/new"
WHO = {
    "family_name": "Nakagawa",
    "given_name": "Theodore",
    "mrn": "40-1234",
    "born_on": "14-Jul-1945",
    "language": "es",
    "time_zone": "America/Chicago",
}
PHONE = {"kind": "patient", "number": "(614) 555-0177", "gets_reminders": "1", "way": "signed", "words": "folder 3"}


def at(someone: Someone) -> str:
    return f"/staff/patients/{someone.id}/details"


def filled(page: str) -> dict[str, str]:
    """Return the form of a patient's details as it stands, with its hidden fields."""
    form = page[page.index('aria-labelledby="who-title"') :].split("</form>")[0]
    found = {name: unescape(value) for name, value in re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form)}
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    del found["csrf_token"]
    return found


@pytest.fixture
def bea(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """A second nurse of the clinic, signed in."""
    add_staff(line.db, "bea@clinic.example", "Bea Okafor", "nurse", PASSWORD, clock())
    second = Visitor(app.test_client())
    assert second.sign_in("bea@clinic.example").status_code == 302
    return second


def saves(visitor: Visitor, someone: Someone, seen: dict[str, str] | None = None, **changed: str) -> Any:
    form = seen or filled(visitor.get(at(someone)).text)
    return visitor.post(at(someone), seen_on=at(someone), **form | changed)


def stored(desk: Desk, someone: Someone) -> Patient:
    return desk.rows(Patient, Patient.id == someone.id)[0]


def wrong(page: str, field: str) -> str:
    found = re.search(rf'id="{field}-error">.*?</svg>([^<]*)<', page)
    assert found, field
    return unescape(found[1])


def search(nurse: Visitor, words: str) -> str:
    answer = nurse.post("/staff/patients/search", seen_on="/staff/", query=words)
    return answer.headers["Location"] if answer.status_code == 302 else unescape(answer.text)


def test_a_patient_is_added_with_phone_and_consent_and_the_pump_comes_next(nurse: Visitor, desk: Desk) -> None:
    assert 'value="America/New_York" selected>Eastern Time: New York' in nurse.page(NEW)
    answer = nurse.post(NEW, seen_on=NEW, **WHO | PHONE)
    assert answer.status_code == 302
    page = nurse.page(answer.headers["Location"])
    assert "Next: record the pump" in page
    assert re.search(r'href="/staff/patients/\d+/pump">Record the pump', page)
    assert "14-Jul-1945 (81 y)" in page
    [patient] = desk.rows(Patient)
    assert (patient.family_name, patient.mrn, patient.born_on) == ("Nakagawa", "40-1234", "1945-07-14")
    assert (patient.language, patient.time_zone, patient.names_indexed) == ("es", "America/Chicago", True)
    [phone] = desk.rows(Phone)
    assert phone.number == "+16145550177"
    events = desk.rows(ConsentEvent)
    assert [event.kind for event in events] == [ConsentKind.OPT_IN, ConsentKind.SCOPE]
    assert {event.words for event in events} == {"signed a form: folder 3"}
    assert search(nurse, "naka") == f"/staff/patients/{patient.id}"


def test_a_patient_without_a_phone_is_added_and_the_page_says_that_nobody_is_texted(nurse: Visitor, desk: Desk) -> None:
    answer = nurse.post(NEW, seen_on=NEW, **WHO | {"kind": "patient", "gets_reminders": "1", "born_on": ""})
    assert answer.status_code == 302
    assert "nobody is texted about this patient until one is added" in nurse.page(answer.headers["Location"])
    assert desk.rows(Contact) == []
    assert desk.rows(Patient)[0].born_on is None


def test_a_record_number_that_exists_already_leads_to_that_patient(
    nurse: Visitor, maria: Someone, desk: Desk, stranger_nurse: Visitor
) -> None:
    taken = stored(desk, maria).mrn
    answer = nurse.post(NEW, seen_on=NEW, **WHO | PHONE | {"mrn": f" {taken} "})
    assert answer.status_code == 422
    assert "another patient's already" in wrong(answer.text, "mrn")
    assert f'<a href="/staff/patients/{maria.id}">Open <span class="fam">Lopez</span>, Maria</a>' in answer.text
    assert 'value="Nakagawa"' in answer.text
    assert len(desk.rows(Patient)) == 1
    read = desk.rows(AuditEvent, AuditEvent.verb == "saw a list")
    assert any(str(maria.id) in str(event.detail["patients"]).split() for event in read if event.detail)
    assert stranger_nurse.post(NEW, seen_on=NEW, **WHO | {"mrn": taken}).status_code == 302  # free in another clinic


def test_an_edit_may_not_take_anothers_record_number(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], desk: Desk
) -> None:
    other = add_patient("Other", "+16145550143")
    answer = saves(nurse, maria, mrn=stored(desk, other).mrn, given_name="Mariana")
    assert answer.status_code == 422
    assert f'href="/staff/patients/{other.id}">Open' in answer.text
    assert filled(answer.text)["given_name"] == "Mariana"
    assert stored(desk, maria).given_name == "Maria"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("family_name", " ", "Give the family name"),
        ("given_name", "x" * 101, "At most 100 characters"),
        ("mrn", "", "Give the record number"),
        ("mrn", "4\x010", "sign that cannot be shown"),
        ("born_on", "14-Jul", "Give the year too"),
        ("born_on", "+3m", "still to come"),
        ("language", "xx", "Choose the language"),
        ("time_zone", "Not/AZone", "Choose the time zone"),
        ("number", "12", "Not a complete phone number"),
        ("way", "", "Say how the patient agreed"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(
    nurse: Visitor, desk: Desk, field: str, value: str, said: str
) -> None:
    answer = nurse.post(NEW, seen_on=NEW, **WHO | PHONE | {"relation": "half-sister"} | {field: value})
    assert answer.status_code == 422
    assert said in wrong(answer.text, field)
    assert 'value="half-sister"' in answer.text
    assert desk.rows(Patient) == []


def test_everything_wrong_is_told_at_once(nurse: Visitor, maria: Someone) -> None:
    answer = saves(nurse, maria, family_name="", born_on="soon", time_zone="")
    assert answer.status_code == 422
    assert all(wrong(answer.text, field) for field in ("family_name", "born_on", "time_zone"))


@pytest.mark.parametrize("value", ["\0", "\0" * 9, "x" * 10_000, "\ud7ff", "\U0001f600" * 50, "{{7*7}}", "<b>x</b>"])
def test_rubbish_is_no_500(app: Flask, nurse: Visitor, maria: Someone, value: str) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    seen = filled(nurse.get(at(maria)).text)
    for field in (*WHO, *PHONE, "name", "relation"):
        assert nurse.post(NEW, seen_on=NEW, **WHO | PHONE | {field: value}).status_code in (302, 422), field
    for field in (*WHO, "version", *(name for name in seen if name.startswith("was_"))):
        answer = nurse.post(at(maria), seen_on=at(maria), **seen | {field: value})
        assert answer.status_code in (302, 409, 422), field
    for fields in ({"state": value, "version": "1"}, {"state": "left", "version": value}, {}):
        path = f"/staff/patients/{maria.id}/state"
        assert nurse.post(path, seen_on=at(maria), **fields).status_code in (409, 422), fields


def test_names_are_changed_and_a_search_finds_the_new_and_no_longer_the_old(
    nurse: Visitor, maria: Someone, desk: Desk
) -> None:
    assert search(nurse, "lopez") == f"/staff/patients/{maria.id}"
    answer = saves(nurse, maria, family_name="  Muñoz ", given_name="Mary  Ann", born_on="1980-02-14")
    assert answer.status_code == 302
    assert "The details are saved." in nurse.page(answer.headers["Location"])
    patient = stored(desk, maria)
    assert (patient.family_name, patient.given_name, patient.born_on) == ("Muñoz", "Mary Ann", "1980-02-14")
    assert (patient.version, patient.names_indexed) == (2, True)
    assert search(nurse, "munoz ann") == f"/staff/patients/{maria.id}"
    assert "No match" in search(nurse, "lopez")


def test_a_new_record_number_is_found_and_the_old_one_is_free(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    old = stored(desk, maria).mrn
    assert saves(nurse, maria, mrn="77-001").status_code == 302
    assert search(nurse, "77-001") == f"/staff/patients/{maria.id}"
    assert nurse.post(NEW, seen_on=NEW, **WHO | {"mrn": old}).status_code == 302


def test_saving_what_stands_already_changes_and_audits_nothing(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = saves(nurse, maria)
    assert "it already stood so" in nurse.page(answer.headers["Location"])
    assert stored(desk, maria).version == 1
    assert desk.rows(AuditEvent, AuditEvent.verb == "patient changed") == []


def test_the_audit_log_says_who_changed_which_fields_and_no_value(
    nurse: Visitor, maria: Someone, staff_id: int, desk: Desk
) -> None:
    saves(nurse, maria, family_name="Gomez", time_zone="America/Denver")
    [event] = desk.rows(AuditEvent, AuditEvent.verb == "patient changed")
    assert (event.actor, event.subject) == (f"staff:{staff_id}", f"patient:{maria.id}")
    assert event.detail == {"fields": ["family_name", "time_zone"]}
    nurse.post(NEW, seen_on=NEW, **WHO | PHONE)
    kept = " ".join(str(event.detail) for event in desk.rows(AuditEvent))
    assert not [said for said in ("Gomez", "Denver", "Nakagawa", "40-1234", "1945", "5550177") if said in kept]


def test_two_nurses_at_once_overwrite_nothing_and_see_what_the_other_saved(
    nurse: Visitor, bea: Visitor, maria: Someone, desk: Desk
) -> None:
    seen = filled(nurse.get(at(maria)).text)
    assert saves(bea, maria, family_name="Gomez", mrn="B-1", time_zone="America/Denver").status_code == 302
    answer = saves(nurse, maria, seen, family_name="Garcia", language="es")
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "Bea Okafor did that at Mon 23-Nov, 10:00" in page
    assert "Saved meanwhile: <b>Gomez</b>" in page
    assert "Saved meanwhile: <b>B-1</b>" in page
    assert "Saved meanwhile: <b>Mountain Time: Denver</b>" in page
    assert stored(desk, maria).family_name == "Gomez"
    again = filled(answer.text)
    assert (again["family_name"], again["language"]) == ("Garcia", "es")  # what Ana typed
    assert again["mrn"] == "B-1"  # Ana did not touch it: saving again does not undo Bea
    assert saves(nurse, maria, again).status_code == 302
    patient = stored(desk, maria)
    assert (patient.family_name, patient.language, patient.mrn) == ("Garcia", "es", "B-1")


def test_another_time_zone_moves_the_reminders_to_its_hours(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=20)
    visit = desk.books(maria, clock() + timedelta(days=20))
    steps = [step.due_at for step in desk.steps(maria)]
    assert saves(nurse, maria, time_zone="Pacific/Honolulu").status_code == 302
    planned = [row.due_at for row in desk.reminders(visit) if row.state is ReminderState.PLANNED]
    assert {at.astimezone(ZoneInfo("Pacific/Honolulu")).hour for at in planned} == {10}
    assert [step.due_at for step in desk.steps(maria)] != steps
    assert desk.visit(visit).state is AppointmentState.BOOKED


def test_another_language_counts_from_the_next_text_on(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock, live_until: Callable[[datetime], None]
) -> None:
    desk.change(Phone, maria.phone_id, language="en")  # as somebody last texted from it
    desk.books(maria, clock() + timedelta(days=3))
    assert saves(nurse, maria, language="es").status_code == 302
    live_until(clock() + timedelta(days=1, hours=2))
    assert "Responda 1" in desk.messages(Purpose.REMINDER)[-1].body


def sets(nurse: Visitor, maria: Someone, state: str, version: int = 1) -> Any:
    return nurse.post(f"/staff/patients/{maria.id}/state", seen_on=at(maria), state=state, version=version)


def test_deceased_is_confirmed_on_a_button_that_names_the_patient_and_stops_texts(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock, owed: Callable[..., int]
) -> None:
    visit = desk.books(maria, clock() + timedelta(days=20))
    waiting = [row.id for row in desk.reminders(visit)]
    text = owed(maria, purpose=Purpose.REMINDER, reminder_id=waiting[0])
    page = " ".join(nurse.page(at(maria)).split())
    assert "Mark Maria LOPEZ as deceased</button>" in page
    assert "Mark Maria LOPEZ as left</button>" in page
    assert "1 booked visit is cancelled: Sun 13-Dec, 10:00." in page
    assert f"10:00. {len(waiting)} reminders to come are not sent. It can be set back" in page
    answer = sets(nurse, maria, "deceased")
    assert answer.status_code == 302
    page = nurse.page(answer.headers["Location"])
    assert "Deceased. No text is sent." in page
    assert desk.visit(visit).state is AppointmentState.CANCELLED
    assert {row.state for row in desk.reminders(visit)} == {ReminderState.CANCELLED}
    assert desk.rows(OutboundMessage, OutboundMessage.id == text)[0].state is DeliveryState.WITHDRAWN
    [event] = desk.rows(AuditEvent, AuditEvent.verb == "state set")
    assert event.detail == {"state": "deceased"}
    assert "set by Ana Lindqvist, Mon 23-Nov-2026, 10:00" in nurse.page(at(maria))


def test_a_pause_keeps_the_visit_and_active_plans_its_reminders_again(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    visit = desk.books(maria, clock() + timedelta(days=20))
    assert sets(nurse, maria, "paused").status_code == 302
    assert desk.visit(visit).state is AppointmentState.BOOKED
    assert {row.state for row in desk.reminders(visit)} == {ReminderState.CANCELLED}
    assert "Reminders of 1 booked visit are planned" in nurse.page(at(maria))
    assert sets(nurse, maria, "active", 2).status_code == 302
    assert {row.state for row in desk.reminders(visit)} == {ReminderState.PLANNED}


def test_a_state_that_another_nurse_set_first_is_not_overwritten(
    nurse: Visitor, bea: Visitor, maria: Someone, desk: Desk
) -> None:
    assert sets(bea, maria, "paused").status_code == 302
    answer = sets(nurse, maria, "left")
    assert answer.status_code == 409
    assert "Bea Okafor did that at Mon 23-Nov, 10:00" in unescape(answer.text)
    assert stored(desk, maria).state is PatientState.PAUSED


def test_another_clinic_finds_no_such_patient(stranger_nurse: Visitor, maria: Someone, desk: Desk) -> None:
    assert stranger_nurse.get(at(maria)).status_code == 404
    for path in (at(maria), f"/staff/patients/{maria.id}/state"):
        answer = stranger_nurse.post(path, seen_on=NEW, **WHO | {"version": "1", "state": "deceased"})
        assert answer.status_code == 404
    patient = stored(desk, maria)
    assert (patient.family_name, patient.state) == ("Lopez", PatientState.ACTIVE)


def test_the_pages_speak_spanish_with_birth_dates_as_spanish_writes_them(
    nurse: Visitor, maria: Someone, desk: Desk
) -> None:
    nurse.headers = {"Accept-Language": "es"}
    page = nurse.page(at(maria))
    for words in ("Apellidos", "Nombre de pila", "Fecha de nacimiento", "Zona horaria", "Hora oriental: Nueva York"):
        assert words in page
    assert "Marcar a Maria LOPEZ como fallecido" in page
    assert filled(page)["born_on"] == "14-feb-1979"
    assert saves(nurse, maria, born_on="3-ene-1980").status_code == 302
    assert stored(desk, maria).born_on == "1980-01-03"
    answer = saves(nurse, maria, born_on="14-ene")
    assert "Indique también el año, como 14-jul-1945" in wrong(answer.text, "born_on")


def test_a_time_zone_that_stands_in_no_list_stays_chosen(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    desk.change(Patient, maria.id, time_zone="US/Eastern")
    assert filled(nurse.page(at(maria)))["time_zone"] == "US/Eastern"
    assert saves(nurse, maria, given_name="Ria").status_code == 302
    assert datetime.now(ZoneInfo(stored(desk, maria).time_zone))


def test_the_same_person_is_not_added_twice_unseen(nurse: Visitor, desk: Desk) -> None:
    assert nurse.post(NEW, **WHO).status_code == 302
    first = desk.rows(Patient, Patient.language == "es")[0].id
    again = {**WHO, "mrn": "77-1", "family_name": " nakagáwa"}
    for born in ("14-Jul-1945", ""):
        answer = nurse.post(NEW, **{**again, "born_on": born})
        assert answer.status_code == 422
        page = unescape(answer.text)
        assert "A patient of this name is here already" in page
        assert f'href="/staff/patients/{first}"' in page
        assert "born 14-Jul-1945 (81 y), MRN 40-1234" in page
        assert 'value="77-1"' in page, "what was typed stays"
    assert len(desk.rows(Patient, Patient.language == "es")) == 1
    assert nurse.post(NEW, **again, is_another="1").status_code == 302
    assert nurse.post(NEW, **{**WHO, "mrn": "77-2", "born_on": "15-Jul-1945"}).status_code == 302, "another birth date"
    assert len(desk.rows(Patient, Patient.language == "es")) == 3


def test_a_change_to_the_name_of_another_is_saved_only_once_somebody_looked(
    nurse: Visitor, add_patient: Callable[..., Someone], maria: Someone, desk: Desk
) -> None:
    """A slip mended: now two records look like one person, and perhaps are."""
    slip = add_patient("Mraia", "+16145550143")
    seen = filled(nurse.page(at(slip)))
    answer = saves(nurse, slip, seen, given_name="María")
    page = unescape(answer.text)
    assert (answer.status_code, stored(desk, slip).given_name) == (422, "Mraia")
    assert "a patient of this name is here already" in page.lower()
    assert f'href="/staff/patients/{maria.id}"' in page
    assert filled(page)["given_name"] == "María", "what was typed stays"
    assert saves(nurse, slip, filled(page), is_another="1").status_code == 302
    assert stored(desk, slip).given_name == "María"
    assert saves(nurse, slip, language="es").status_code == 302, "it is not asked again"
    assert saves(nurse, maria, family_name="Lopes").status_code == 302
    assert saves(nurse, maria, family_name="Lopez", born_on="15-Feb-1979").status_code == 302, "another birth date"
