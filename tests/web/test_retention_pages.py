"""Holding and erasing on the console: who may, what is asked, and what is said when it cannot be."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.actions.set_patient_state import set_patient_state
from app.db.people import Patient, PatientState
from app.db.retention import LegalHold
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

PAGE = "/staff/retention"


@pytest.fixture
def signed_in(app: Flask, line: Line, clock: FrozenClock) -> Callable[[str], Visitor]:
    def sign_in(role: str) -> Visitor:
        email = f"{role}@clinic.example"
        add_staff(line.db, email, role.title(), role, PASSWORD, clock())
        visitor = Visitor(app.test_client())
        assert visitor.sign_in(email).status_code == 302
        return visitor

    return sign_in


def test_a_lead_nurse_holds_a_record_and_lifts_it_with_a_reason_on_paper(
    maria: Someone, signed_in: Callable[[str], Visitor], desk: Desk
) -> None:
    lead = signed_in("lead_nurse")
    details = f"/staff/patients/{maria.id}/details"
    assert "Not held" in lead.page(details)
    lead.post(f"{PAGE}/hold", seen_on=PAGE, patient=maria.id, reason="Letter of 3 May")
    shown = lead.page(PAGE)
    assert "Letter of 3 May" in shown
    assert "Lopez" not in shown
    assert "Held since" in lead.page(details)
    [hold] = desk.rows(LegalHold)
    lead.post(f"{PAGE}/lift", seen_on=PAGE, hold=hold.id)
    assert "Nothing is held" in lead.page(PAGE)
    verbs = [(e.verb, e.actor.partition(":")[0]) for e in desk.rows(AuditEvent) if e.verb.startswith("hold")]
    assert verbs == [("hold placed", "staff"), ("hold lifted", "staff")]


def test_a_hold_without_a_reason_or_on_nobody_is_refused_and_keeps_what_was_typed(
    maria: Someone, signed_in: Callable[[str], Visitor], desk: Desk
) -> None:
    lead = signed_in("lead_nurse")
    for fields, said in (
        ({"patient": maria.id, "reason": " "}, "why it is held"),
        ({"patient": "Maria", "reason": "Letter"}, "patient's number"),
        ({"patient": 999, "reason": "Letter"}, "no such patient"),
    ):
        answer = lead.post(f"{PAGE}/hold", seen_on=PAGE, **fields)  # type: ignore[arg-type]
        assert (answer.status_code, said in answer.text.replace("&#39;", "'")) == (422, True), fields
    assert desk.rows(LegalHold) == []


def test_an_administrator_erases_by_number_after_proving_who_it_is(
    line: Line, maria: Someone, signed_in: Callable[[str], Visitor], desk: Desk, clock: FrozenClock
) -> None:
    admin = signed_in("administrator")
    clock.forward(minutes=10)
    fields = {"erase": maria.id, "again": maria.id}
    asked = admin.post(f"{PAGE}/erase", seen_on=PAGE, **fields)
    assert "proof_of_person" in asked.text
    refused = admin.post(f"{PAGE}/erase", seen_on=PAGE, proof_of_person=PASSWORD, **fields)
    assert (refused.status_code, "not taken out" in refused.text) == (422, True)
    differs = admin.post(f"{PAGE}/erase", seen_on=PAGE, erase=maria.id, again=maria.id + 1)
    assert differs.status_code == 422
    assert desk.rows(Patient)[0].given_name == "Maria"
    done = admin.post(f"{PAGE}/erase", seen_on=PAGE, pump_in_use="1", **fields)
    assert done.status_code == 302
    assert f"Patient {maria.id} is erased" in admin.page(PAGE)
    assert desk.rows(Patient)[0].erased_at == clock()


def test_a_lead_nurse_cannot_erase_and_a_nurse_can_neither_hold_nor_see(
    line: Line, maria: Someone, nurse: Visitor, signed_in: Callable[[str], Visitor], desk: Desk, clock: FrozenClock
) -> None:
    set_patient_state(line, maria.id, PatientState.LEFT, clock(), "test")
    lead = signed_in("lead_nurse")
    assert lead.post(f"{PAGE}/erase", seen_on=PAGE, erase=maria.id, again=maria.id).status_code == 403
    assert "Erase for good" not in lead.page(PAGE)
    assert nurse.get(PAGE).status_code == 403
    assert nurse.post(f"{PAGE}/hold", seen_on="/staff/", patient=maria.id, reason="x").status_code == 403
    assert desk.rows(Patient)[0].given_name == "Maria"


def test_another_clinics_patients_and_holds_are_not_to_be_had(
    line: Line, maria: Someone, signed_in: Callable[[str], Visitor], stranger: Visitor, desk: Desk, clock: FrozenClock
) -> None:
    lead = signed_in("lead_nurse")
    lead.post(f"{PAGE}/hold", seen_on=PAGE, patient=maria.id, reason="Letter of 3 May")
    [hold] = desk.rows(LegalHold)
    assert "Letter" not in stranger.page(PAGE)
    assert stranger.post(f"{PAGE}/hold", seen_on=PAGE, patient=maria.id, reason="x").status_code == 422
    stranger.post(f"{PAGE}/lift", seen_on=PAGE, hold=hold.id)
    again = stranger.post(f"{PAGE}/erase", seen_on=PAGE, erase=maria.id, again=maria.id, pump_in_use="1")
    assert (again.status_code, "no such patient" in again.text) == (422, True)
    assert desk.rows(LegalHold)[0].lifted_at is None
    assert desk.rows(Patient)[0].given_name == "Maria"


def test_the_page_is_in_spanish_too(signed_in: Callable[[str], Visitor]) -> None:
    admin = signed_in("administrator")
    admin.headers["Accept-Language"] = "es"
    shown = admin.page(PAGE)
    assert "Conservar y borrar" in shown
    assert "Borrar para siempre" in shown
    assert "Erase" not in shown


@pytest.fixture
def stranger(app: Flask, line: Line, clock: FrozenClock, stranger_nurse: Visitor, desk: Desk) -> Visitor:
    """An administrator of another clinic."""
    from app.db.people import Clinic, Role, Staff

    with line.db.begin() as session:
        other = max(desk.rows(Clinic), key=lambda clinic: clinic.id)
        [bea] = [one for one in desk.rows(Staff) if one.clinic_id == other.id]
        session.get_one(Staff, bea.id).role = Role.ADMINISTRATOR
    return stranger_nurse
