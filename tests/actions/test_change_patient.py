"""What follows from a change of who a patient is."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.actions.change_patient import change_patient
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.people import Patient, Phone
from app.db.threads import PhoneThread
from app.domain.patient_details import DETAILS
from tests.conftest import Desk, FrozenClock, Someone


def changes(line: Line, someone: Someone, clock: FrozenClock, version: int = 1, **changed: str) -> tuple[str, ...]:
    with line.db.read() as session:
        patient = session.get_one(Patient, someone.id)
        typed = {name: getattr(patient, name) for name in DETAILS}
    return change_patient(line, someone.id, typed | changed, clock(), 1, version)


def languages(desk: Desk) -> dict[str, str | None]:
    return {phone.number: phone.language for phone in desk.rows(Phone)}


def test_a_language_counts_on_the_patients_own_phones_and_leaves_a_carers_alone(
    line: Line, maria: Someone, desk: Desk, clock: FrozenClock, texts: Callable[..., object]
) -> None:
    desk.adds_carer(maria, "+16145550127")
    for phone in (maria.phone, "+16145550127"):
        texts(phone, "english")
    assert set(languages(desk).values()) == {"en"}
    assert changes(line, maria, clock, language="es") == ("language",)
    assert languages(desk) == {maria.phone: None, "+16145550127": "en"}  # None: as the patient's own
    with line.db.read() as session:
        spoken = dict(session.execute(select(PhoneThread.phone_id, PhoneThread.language)).all())
    assert spoken[maria.phone_id] == "es"
    assert set(spoken.values()) == {"es", "en"}


def test_what_is_the_same_but_for_blanks_changes_nothing(line: Line, maria: Someone, clock: FrozenClock) -> None:
    assert changes(line, maria, clock, given_name=" Maria ") == ()


def test_a_version_of_before_changes_nothing(line: Line, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    changes(line, maria, clock, given_name="Mary")
    with pytest.raises(Refused, match="nothing of yours is saved") as refused:
        changes(line, maria, clock, given_name="Mario")
    assert refused.value.kind == "conflict"
    assert desk.rows(Patient)[0].given_name == "Mary"
