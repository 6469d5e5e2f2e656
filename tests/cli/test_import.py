"""Importing patients: everything or nothing, and twice is once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.actions.import_check import Checked
from app.actions.import_patients import ImportReport, import_patients
from app.actions.import_rows import KINDS
from app.actions.line import Line
from app.actions.receive_text import Received
from app.db.care import Appointment, AppointmentState, Program, Pump, Refill, Reminder, ReminderState
from app.db.people import ConsentEvent, Contact, ContactKind, Patient, Phone
from app.db.tables import Base
from tests.conftest import MONDAY, FrozenClock

HEADER = (
    "mrn,given_name,family_name,phone,language,time_zone,contact,carer_name,reminders,consent,pump_model,"
    "reservoir_size_ml,concentration_mcg_per_ml,daily_dose_mcg,alarm_volume_ml,last_filled_on,reservoir_volume_ml,"
    "appointment_at,appointment_id"
)
PUMP = "SynchroMed II,40,2000,350,4,2026-11-01,40"
ANA = f"1,Ana,Ruiz,+16145550123,es,America/Chicago,,,,yes,{PUMP},2026-12-17 10:30,V1"
LUIS = "1,Ana,Ruiz,+16145550124,,,carer,Luis Ruiz,no,,,,,,,,,,"
BEN = "2,Ben,Ito,+16145550125,,,,,,,,,,,,,,2026-12-18 09:00,"


@pytest.fixture
def bring(line: Line, tmp_path: Path) -> Callable[..., ImportReport]:
    def run(*rows: str, now: datetime = MONDAY, **how: bool) -> ImportReport:
        file = tmp_path / "patients.csv"
        file.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
        return import_patients(line, file, now, **how)

    return run


def all_rows(line: Line) -> dict[str, int]:
    with line.db.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def said(checked: Checked) -> str:
    return "\n".join(map(str, checked.errors))


def test_a_file_becomes_patients_phones_pump_and_visit(line: Line, bring: Callable[..., ImportReport]) -> None:
    report = bring(ANA, LUIS, BEN)
    assert report.written is not None
    assert {kind: report.written.of(kind).created for kind in KINDS} == {
        "patients": 2, "phones": 3, "contacts": 3, "pumps": 1, "programs": 1, "refills": 1, "visits": 2,
    }  # fmt: skip
    with line.db.read() as session:
        ana = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert ana is not None
        assert (ana.given_name, ana.language, ana.time_zone) == ("Ana", "es", "America/Chicago")
        carer = session.scalars(select(Contact).where(Contact.kind == ContactKind.CARER)).one()
        assert (carer.name, carer.gets_reminders, carer.phone.number) == ("Luis Ruiz", False, "+16145550124")
        visit = session.scalars(select(Appointment).where(Appointment.external_id == "V1")).one()
        assert visit.starts_at == datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
        due = session.scalars(select(Reminder.due_at).where(Reminder.appointment_id == visit.id)).all()
        assert [at.hour for at in sorted(due)] == [16, 16, 16, 16]  # 10:00 in Chicago
        assert session.scalars(select(ConsentEvent)).one().source == "import"


def test_importing_twice_changes_nothing(line: Line, bring: Callable[..., ImportReport]) -> None:
    bring(ANA, LUIS, BEN)
    before = all_rows(line)
    report = bring(ANA, LUIS, BEN, now=MONDAY + timedelta(days=1))
    assert all_rows(line) == before
    assert report.written is not None
    assert not any(report.written.changes().values())
    bring(ANA, LUIS, BEN, now=MONDAY + timedelta(days=60))  # the visits are past by now, and known
    assert all_rows(line) == before


def test_nothing_is_written_unless_every_row_is_valid(line: Line, bring: Callable[..., ImportReport]) -> None:
    before = all_rows(line)
    report = bring(ANA, LUIS.replace("+16145550124", "12"), BEN)
    assert (report.written, all_rows(line)) == (None, before)
    assert "row 3, phone" in said(report.checked)


def test_valid_only_leaves_out_the_whole_patient(line: Line, bring: Callable[..., ImportReport]) -> None:
    report = bring(ANA, LUIS.replace("+16145550124", "12"), BEN, valid_only=True)
    assert report.written is not None
    with line.db.read() as session:
        assert session.scalars(select(Patient)).one().given_name == "Ben"


def test_a_dry_run_writes_nothing(line: Line, bring: Callable[..., ImportReport]) -> None:
    before = all_rows(line)
    assert bring(ANA, dry_run=True).checked.patients == 1
    assert all_rows(line) == before


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (ANA, LUIS.replace("Ruiz,+", "Rojas,+"), "row 3, family_name: says something else than row 2"),
        (ANA, ANA.replace("350", "360"), "row 3, daily_dose_mcg"),
        (ANA, ANA.replace("12-17", "12-19"), "row 3, appointment_at"),
        (ANA, ANA.replace("V1", "V2"), "row 3, appointment_id"),
        (LUIS, LUIS.replace(",no,", ",yes,"), "row 3, reminders"),
        (ANA, BEN.replace("2026-12-18", "2025-12-18"), "row 3, appointment_at: is in the past"),
    ],
)
def test_rows_that_contradict_each_other_are_errors(
    bring: Callable[..., ImportReport], first: str, second: str, says: str
) -> None:
    assert says in said(bring(first, second).checked)


def test_what_the_file_says_anew_is_updated(line: Line, bring: Callable[..., ImportReport]) -> None:
    bring(ANA)
    report = bring(ANA.replace("Ruiz", "Rojas").replace("350", "400").replace("2026-11-01", "2026-11-20"))
    assert report.written is not None
    assert (report.written.patients.updated, report.written.programs.created, report.written.refills.created) == (
        1,
        1,
        1,
    )
    with line.db.read() as session:
        assert session.scalars(select(Patient)).one().family_name == "Rojas"
        assert session.scalar(select(func.count()).select_from(Pump)) == 1
        assert session.scalar(select(func.count()).select_from(Program)) == 2
        assert session.scalar(select(func.count()).select_from(Refill)) == 2


def test_a_visit_moved_there_moves_here_with_its_reminders(line: Line, bring: Callable[..., ImportReport]) -> None:
    bring(ANA)
    report = bring(ANA.replace("2026-12-17", "2026-12-21"))
    assert report.written is not None
    assert (report.written.visits.updated, report.written.visits.created) == (1, 0)
    with line.db.read() as session:
        visit = session.scalars(select(Appointment)).one()
        assert visit.starts_at == datetime(2026, 12, 21, 15, 30, tzinfo=UTC)
        planned = session.scalars(select(Reminder).where(Reminder.state == ReminderState.PLANNED)).all()
        assert len(planned) == 4
        assert all(visit.starts_at.isoformat() in reminder.key for reminder in planned)


def test_a_new_time_zone_moves_the_reminders(line: Line, bring: Callable[..., ImportReport]) -> None:
    bring(ANA)
    bring(ANA.replace("America/Chicago", "America/Los_Angeles"))
    with line.db.read() as session:
        assert {at.hour for at in session.scalars(select(Reminder.due_at))} == {18}


def test_a_visit_cancelled_here_is_not_booked_again(
    line: Line, bring: Callable[..., ImportReport], clock: FrozenClock
) -> None:
    from app.actions.cancel_appointment import cancel_appointment

    bring(ANA)
    with line.db.read() as session:
        visit_id = session.scalars(select(Appointment.id)).one()
    cancel_appointment(line, visit_id, clock(), "command")
    report = bring(ANA)
    assert report.written is not None
    assert report.written.visits_left == 1
    with line.db.read() as session:
        assert session.scalars(select(Appointment)).one().state is AppointmentState.CANCELLED


def test_a_file_never_overrules_an_opt_out(
    line: Line, bring: Callable[..., ImportReport], texts: Callable[..., Received]
) -> None:
    texts("+16145550123", "STOP")
    report = bring(ANA)
    assert report.written is not None
    assert (report.written.consents, report.written.consents_left) == (0, 1)
    with line.db.read() as session:
        assert session.scalars(select(Phone).order_by(Phone.id)).one().opted_out_at is not None


def test_a_move_onto_another_visit_is_an_error_of_its_row(line: Line, bring: Callable[..., ImportReport]) -> None:
    bring(ANA, ANA.replace("V1", "V2").replace("12-17", "12-20").replace("+16145550123", "+16145550124"))
    before = all_rows(line)
    clash = ANA.replace("12-17", "12-20")  # V1 to where V2 stands, which is not in this file
    report = bring(BEN, clash)
    assert report.written is None
    assert [(error.row, error.column) for error in report.errors] == [(3, "appointment_id")]
    assert all_rows(line) == before


def test_one_transaction_brings_the_same(line: Line, bring: Callable[..., ImportReport]) -> None:
    many = [f"N{n},Given,Name,+1614555{2000 + n},,,,,,yes,,,,,,,,," for n in range(2_100)]
    report = bring(*many, one_transaction=True)
    assert report.written is not None
    assert report.written.patients.created == 2_100
    assert bring(*many).written.changes()["patients"] == 0  # type: ignore[union-attr]
