"""Contacts and carers: added, changed and removed within the patient's consent, whose evidence stays."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.db.messages import OutboundMessage, Purpose
from app.db.people import ConsentEvent, ConsentKind, Contact, ContactKind, Phone
from app.db.work import AuditEvent
from app.domain.delivery import DeliveryState
from app.web.console.contacts import consent_words
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

CARER = {
    "kind": "carer",
    "number": "(614) 555-0127",
    "name": "Fiona Lopez",
    "relation": "sister",
    "told_if_missed": "1",
    "way": "by_phone",
    "words": "you can tell my sister",
}


def at(someone: Someone) -> str:
    return f"/staff/patients/{someone.id}/contacts"


@pytest.fixture
def fiona(nurse: Visitor, maria: Someone, desk: Desk) -> Contact:
    """Maria's sister, whom Maria lets us tell of a missed visit."""
    assert nurse.post(at(maria), seen_on=at(maria), **CARER).status_code == 302
    return desk.rows(Contact, Contact.kind == ContactKind.CARER)[0]


def test_a_carer_is_added_with_the_consent_as_it_was_given(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk
) -> None:
    page = nurse.page(at(maria))
    assert "Fiona Lopez" in page
    assert "614-555-0127" in page
    assert "Only that a visit was missed" in page
    assert "“said so by phone: you can tell my sister”" in page
    assert (fiona.gets_reminders, fiona.told_if_missed) == (False, True)
    kinds = [event.kind for event in desk.rows(ConsentEvent, ConsentEvent.phone_id == fiona.phone_id)]
    assert kinds == [ConsentKind.OPT_IN, ConsentKind.SCOPE]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("number", "12", "not a complete phone number"),
        ("number", "Fiona", "not a phone number"),
        ("number", "900 555 0142", "costs extra"),
        ("number", "262966", "not a complete phone number"),
        ("number", "614 555 0142", "a contact of this patient already"),
        ("name", " ", "give the carer's name"),
        ("way", "", "say how the patient agreed"),
        ("words", "x" * 501, "at most 500 characters"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(
    nurse: Visitor, maria: Someone, desk: Desk, field: str, value: str, said: str
) -> None:
    answer = nurse.post(at(maria), seen_on=at(maria), **(CARER | {"relation": "half-sister"} | {field: value}))
    assert answer.status_code == 422
    wrong = re.search(rf'id="{field}-new-error">.*?</svg>([^<]*)<', answer.text)
    assert wrong
    assert said.lower() in wrong[1].replace("&#39;", "'").lower()
    assert 'value="half-sister"' in answer.text
    assert len(desk.rows(Contact)) == 1


def test_more_than_was_agreed_needs_evidence_and_less_does_not(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk
) -> None:
    form = CARER | {"version": "1", "way": "", "words": "", "gets_reminders": "1"}
    assert nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **form).status_code == 422
    assert nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **form | {"way": "signed"}).status_code == 302
    less = form | {"version": "2", "gets_reminders": "0", "told_if_missed": "0"}
    assert nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **less).status_code == 302
    scopes = [event.scope for event in desk.rows(ConsentEvent, ConsentEvent.kind == ConsentKind.SCOPE)]
    assert scopes == ["missed", "reminders missed", "nothing"]


def test_the_loser_is_told_who_was_first_and_keeps_what_was_typed(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk
) -> None:
    first = CARER | {"version": "1", "relation": "twin sister"}
    assert nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **first).status_code == 302
    answer = nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **first | {"relation": "aunt"})
    assert answer.status_code == 409
    assert "Ana Lindqvist did that at Mon 23-Nov, 10:00" in answer.text
    assert 'value="aunt"' in answer.text
    assert desk.rows(Contact, Contact.id == fiona.id)[0].relation == "twin sister"


def test_a_contact_that_was_removed_meanwhile_can_be_added_anew_from_what_was_typed(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk
) -> None:
    assert nurse.post(f"{at(maria)}/{fiona.id}/remove", seen_on=at(maria), version=1).status_code == 302
    answer = nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **CARER | {"version": "1"})
    assert answer.status_code == 409
    assert "somebody removed this contact meanwhile" in answer.text.lower()
    assert 'id="name-new" name="name" autocomplete="off" maxlength="80" value="Fiona Lopez"' in answer.text


def test_who_is_removed_is_named_in_the_button_told_nothing_more_and_the_evidence_stays(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk, owed: Callable[..., int]
) -> None:
    sister = Someone(maria.id, "+16145550127", fiona.phone_id)
    waiting, by_hand = owed(sister, purpose=Purpose.MISSED), owed(sister)
    assert "Remove Fiona Lopez</button>" in nurse.page(at(maria))
    assert "Remove Maria LOPEZ, own phone</button>" in nurse.page(at(maria))
    assert nurse.post(f"{at(maria)}/{fiona.id}/remove", seen_on=at(maria), version=1).status_code == 302
    states = {text.id: text.state for text in desk.rows(OutboundMessage)}
    assert states[waiting] is DeliveryState.WITHDRAWN
    assert states[by_hand] is DeliveryState.QUEUED  # a person's own words are the person's to take back
    page = nurse.page(at(maria))
    assert "Earlier contacts" in page
    assert "“removed: Fiona Lopez, sister”" in page
    assert desk.rows(Phone, Phone.id == fiona.phone_id)


def test_another_number_ends_what_the_old_one_was_told(
    nurse: Visitor, maria: Someone, fiona: Contact, desk: Desk, owed: Callable[..., int]
) -> None:
    waiting = owed(Someone(maria.id, "+16145550127", fiona.phone_id), purpose=Purpose.MISSED)
    form = CARER | {"version": "1", "number": "+1 614 555 0128"}
    assert nurse.post(f"{at(maria)}/{fiona.id}", seen_on=at(maria), **form).status_code == 302
    assert desk.rows(OutboundMessage, OutboundMessage.id == waiting)[0].state is DeliveryState.WITHDRAWN
    page = nurse.page(at(maria))
    assert "614-555-0128" in page
    assert "“another number took its place”" in page


def test_a_shared_phone_says_whose_it_is_too(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], desk: Desk
) -> None:
    add_patient("Pedro", maria.phone)
    page = nurse.page(at(maria))
    assert re.search(r"Shared: also the phone of <a [^>]*><span class=\"fam\">Lopez</span>, Pedro</a>", page)
    read = desk.rows(AuditEvent, AuditEvent.verb == "saw a list")
    assert any("contacts" in str(event.detail) for event in read)


def test_what_one_patient_agreed_to_is_not_shown_at_another_with_the_same_phone(
    nurse: Visitor, maria: Someone, fiona: Contact, add_patient: Callable[..., Someone]
) -> None:
    pedro = add_patient("Pedro", "+16145550127")
    assert "you can tell my sister" in nurse.page(at(maria))
    page = nurse.page(at(pedro))
    assert "May be told: only that a visit was missed," not in page


def test_a_phone_that_opted_out_stays_so_when_it_is_added(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], desk: Desk, clock: FrozenClock
) -> None:
    other = add_patient("Pedro", "+16145550127")
    desk.change(Phone, other.phone_id, opted_out_at=clock() - timedelta(days=3))
    assert nurse.post(at(maria), seen_on=at(maria), **CARER).status_code == 302
    assert desk.rows(Phone, Phone.id == other.phone_id)[0].opted_out_at is not None
    assert "Opted out 20-Nov-2026: no text goes to this phone" in nurse.page(at(maria))


def test_another_patients_contact_is_not_there(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], desk: Desk
) -> None:
    pedro = add_patient("Pedro", "+16145550127")
    theirs = desk.rows(Contact, Contact.patient_id == pedro.id)[0]
    for path in (f"{at(maria)}/{theirs.id}", f"{at(maria)}/{theirs.id}/remove", f"{at(maria)}/{10**6}"):
        assert nurse.post(path, seen_on=at(maria), **CARER | {"version": "1"}).status_code == 404
    assert len(desk.rows(Contact)) == 2


def test_the_log_holds_ids_and_states_alone(nurse: Visitor, maria: Someone, fiona: Contact, line: Line) -> None:
    with line.db.read() as session:
        kept = str(session.execute(select(AuditEvent.verb, AuditEvent.detail)).all())
    assert "contact added" in kept
    assert not re.search("Fiona|5550127|sister", kept)


def test_who_may_only_read_sees_no_form(
    app: Flask, nurse: Visitor, maria: Someone, fiona: Contact, line: Line, clock: FrozenClock
) -> None:
    add_staff(line.db, "ro@clinic.example", "Rea Donly", "read_only", PASSWORD, clock())
    reader = Visitor(app.test_client())
    assert reader.sign_in("ro@clinic.example").status_code == 302
    page = reader.page(at(maria))
    assert "Fiona Lopez" in page
    assert "Add a contact" not in page
    assert "Remove" not in page
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Contact)) == 2


def test_in_spanish_our_words_are_translated_and_what_somebody_said_is_not(
    nurse: Visitor, maria: Someone, fiona: Contact
) -> None:
    nurse.headers["Accept-Language"] = "es"
    page = nurse.page(at(maria))
    assert "Solo que no se acudió a una cita" in page
    assert "“lo dijo por teléfono: you can tell my sister”" in page
    assert nurse.post(f"{at(maria)}/{fiona.id}/remove", seen_on=at(maria), version=1).status_code == 302
    page = nurse.page(at(maria))
    assert "El contacto se quitó." in page
    assert "“se quitó: Fiona Lopez, sister”" in page


@pytest.mark.parametrize(
    ("kept", "source", "said"),
    [
        ("Remove", "text", "Remove"),  # a patient's own word, though the console has it too
        ("signed a form", "text", "signed a form"),
        ("signed a form", "staff", "firmó un formulario"),
        ("signed a form: Remove", "staff", "firmó un formulario: Remove"),
        ("removed: a carer, Remove", "staff", "se quitó: un cuidador, Remove"),
        ("removed: the patient's own phone", "staff", "se quitó: el teléfono del propio paciente"),
        ("Remove", "staff", "Remove"),
    ],
)
def test_evidence_in_spanish(app: Flask, kept: str, source: str, said: str) -> None:
    with app.test_request_context("/staff/patients", headers={"Accept-Language": "es"}):
        assert consent_words(kept, source) == said
