"""The index of names is kept in step wherever names are written, and a search without it is slower, never wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.actions.import_patients import import_patients
from app.actions.index_names import index_names
from app.actions.line import Line
from app.db.finding import NameKey
from app.db.patient_search import found_by
from app.db.people import Clinic, Patient
from tests.conftest import FrozenClock, Someone

Find = Callable[[str], set[str]]


@pytest.fixture
def find(line: Line, clinic: Clinic) -> Find:
    def run(query: str) -> set[str]:
        with line.db.read() as session:
            rows = session.scalars(
                select(Patient).where(
                    Patient.clinic_id == clinic.id, found_by(line.db, session, clinic.id, "US", query)
                )
            )
            return {f"{patient.given_name} {patient.family_name}" for patient in rows}

    return run


def keys(line: Line) -> int:
    with line.db.read() as session:
        return session.scalar(select(func.count()).select_from(NameKey)) or 0


def indexed(line: Line) -> list[bool]:
    with line.db.read() as session:
        return list(session.scalars(select(Patient.names_indexed).order_by(Patient.id)))


QUERIES = {
    "munoz": {"José Muñoz"},
    "MUÑ": {"José Muñoz"},
    "o'b": {"Anne-Marie O'Brien"},
    "obrien anne": {"Anne-Marie O'Brien"},
    "m": {"José Muñoz", "Anne-Marie O'Brien"},  # one letter: compared, not looked up
    "j mu": {"José Muñoz"},
    "jose": {"José Muñoz"},
    "oz": set(),
    "muñozzz": set(),
}


def test_a_search_finds_the_same_with_and_without_the_index(
    line: Line, clock: FrozenClock, add_patient: Callable[..., Someone], find: Find
) -> None:
    add_patient("José", "+16145550101", family_name="Muñoz")
    add_patient("Anne-Marie", "+16145550102", family_name="O'Brien")
    assert indexed(line) == [False, False]
    assert {query: find(query) for query in QUERIES} == QUERIES
    assert index_names(line, clock()) == 2
    assert indexed(line) == [True, True]
    assert {query: find(query) for query in QUERIES} == QUERIES
    assert index_names(line, clock()) == 0


def test_beyond_what_is_indexed_of_a_word_names_are_compared(
    line: Line, clock: FrozenClock, add_patient: Callable[..., Someone], find: Find
) -> None:
    add_patient("Al", "+16145550101", family_name="Papadopoulosakis")
    add_patient("Bo", "+16145550102", family_name="Papadopoulosaris")
    index_names(line, clock())
    assert find("papadopoulosa") == {"Al Papadopoulosakis", "Bo Papadopoulosaris"}
    assert find("papadopoulosak") == {"Al Papadopoulosakis"}


def test_a_new_name_is_found_at_once_and_the_old_one_no_more(
    line: Line, clock: FrozenClock, maria: Someone, find: Find
) -> None:
    index_names(line, clock())
    with line.db.begin() as session:
        session.get_one(Patient, maria.id).family_name = "Zielińska"
    assert indexed(line) == [False]
    assert (find("zielinska"), find("lopez")) == ({"Maria Zielińska"}, set())
    index_names(line, clock())
    assert (find("zielinska"), find("lopez")) == ({"Maria Zielińska"}, set())


def test_an_import_indexes_whom_it_brings_and_whom_it_renames(
    line: Line, clock: FrozenClock, tmp_path: Path, find: Find
) -> None:
    def bring(family_name: str) -> None:
        file = tmp_path / "patients.csv"
        file.write_text(
            f"mrn,given_name,family_name,phone\n1,Ana,{family_name},+16145550123\n2,Ben,Ito,+16145550124\n", "utf-8"
        )
        import_patients(line, file, clock())

    bring("Ruiz")
    assert indexed(line) == [True, True]
    before = keys(line)
    bring("Núñez")
    assert indexed(line) == [True, True]
    assert (find("nunez"), find("ruiz"), find("ana")) == ({"Ana Núñez"}, set(), {"Ana Núñez"})
    assert keys(line) == before + 1  # one letter more


def test_nobody_of_another_clinic_shares_a_key(
    line: Line, clock: FrozenClock, clinic: Clinic, maria: Someone, find: Find
) -> None:
    """The same name in two clinics has nothing in common in the index."""
    with line.db.begin() as session:
        other = Clinic(
            name="South", phone="+1", after_hours_phone="+1", time_zone="America/Chicago", created_at=clock()
        )
        session.add(other)
        session.flush()
        session.add(
            Patient(
                clinic_id=other.id,
                mrn="x",
                mrn_hash="x",
                given_name="Maria",
                family_name="Lopez",
                time_zone="America/Chicago",
                created_at=clock(),
            )
        )
    index_names(line, clock())
    with line.db.read() as session:
        per_patient = session.execute(select(NameKey.patient_id, NameKey.key)).all()
    by_patient = [{key for patient_id, key in per_patient if patient_id == one} for one in (maria.id, maria.id + 1)]
    assert all(by_patient)
    assert not by_patient[0] & by_patient[1]
    assert find("lopez") == {"Maria Lopez"}
