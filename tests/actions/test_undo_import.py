"""Undoing an import: it is as if it had never been, or nothing is undone and it says for whom and why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ForeignKey, func, select

from app.actions.add_patient import add_patient
from app.actions.add_staff import add_staff
from app.actions.commit_import import commit_import
from app.actions.forget_imports import forget_imports
from app.actions.import_batches import the_batch
from app.actions.line import Line
from app.actions.map_import import map_import
from app.actions.set_patient_state import set_patient_state
from app.actions.undo_import import CannotUndo, undo_import
from app.actions.upload_import import upload_import
from app.db.care import Appointment, Program, Pump, Refill, Reminder
from app.db.imports import ImportBatch, ImportChange, ImportState
from app.db.people import Clinic, ConsentEvent, Contact, Patient, Phone
from app.db.supply import CareStep, StepState, Supply
from app.db.tables import Base
from app.db.work import AuditEvent, Task
from app.domain.import_undo import Why
from tests.cli.test_import import ANA, BEN, HEADER, LUIS
from tests.conftest import Desk, FrozenClock, Someone

KEPT = {"import_batch", "import_change", "audit_event", "consent_event", "care_policy", "job_health"}


class Importer:
    """A lead nurse with files."""

    def __init__(self, line: Line, clock: FrozenClock) -> None:
        self.line, self.clock, self.files = line, clock, 0
        self.staff_id = add_staff(line.db, "lea@clinic.example", "Lea Lead", "lead_nurse", "correct horse bat", clock())

    def brings(self, *rows: str, header: str = HEADER, valid_only: bool = False) -> int:
        batch_id = self.waits(*rows, header=header)
        self.commits(batch_id, valid_only=valid_only)
        return batch_id

    def waits(self, *rows: str, header: str = HEADER) -> int:
        self.files += 1
        content = "\n".join((header, *rows)).encode()
        with self.line.db.read() as session:
            clinic_id = session.scalars(select(Clinic.id)).first() or 0
        batch_id = upload_import(self.line, clinic_id, self.staff_id, f"form {self.files}", content, self.clock())
        batch = self.batch(batch_id)
        map_import(self.line, batch_id, batch.version, list(batch.columns or ()), self.clock())
        return batch_id

    def commits(self, batch_id: int, *, valid_only: bool = False) -> None:
        version = self.batch(batch_id).version
        commit_import(self.line, batch_id, version, self.clock(), self.staff_id, valid_only=valid_only)

    def undoes(self, batch_id: int) -> dict[str, int]:
        undo_import(self.line, batch_id, self.batch(batch_id).version, self.clock(), self.staff_id)
        undone: dict[str, int] = (self.batch(batch_id).counts or {})["undone"]
        return undone

    def refused(self, batch_id: int) -> dict[Why, int]:
        before = rows_of(self.line)
        with pytest.raises(CannotUndo) as refusal:
            self.undoes(batch_id)
        assert rows_of(self.line) == before, "nothing may be undone where not all can be"
        return {why: len(patients) for why, patients in refusal.value.found.by_why.items()}

    def batch(self, batch_id: int) -> ImportBatch:
        with self.line.db.read() as session:
            batch = session.get_one(ImportBatch, batch_id)
            session.expunge(batch)
            return batch


@pytest.fixture
def lea(line: Line, clock: FrozenClock) -> Importer:
    return Importer(line, clock)


def rows_of(line: Line) -> dict[str, list[Any]]:
    """Everything that stands in the database but for what an undo must leave."""
    with line.db.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in KEPT
        }


def patients_of(line: Line) -> list[Patient]:
    with line.db.read() as session:
        found = list(session.scalars(select(Patient).order_by(Patient.id)))
        session.expunge_all()
        return found


def test_an_undone_import_leaves_nothing_of_itself_but_consents_and_the_log(
    line: Line, lea: Importer, beat: Callable[[], None], clock: FrozenClock
) -> None:
    before = rows_of(line)
    batch_id = lea.brings(ANA.replace("yes", "", 1), LUIS, BEN)
    assert len(patients_of(line)) == 2
    clock.forward(minutes=1)
    beat()  # dates and steps are worked out
    undone = lea.undoes(batch_id)
    after = rows_of(line)
    for table in ("patient", "phone", "contact", "pump", "program", "refill", "appointment", "reminder", "care_step"):
        assert after[table] == before[table], table
    assert (after["supply"], after["name_key"]) == ([], [])
    assert undone == {
        "patients": 2, "phones": 3, "contacts": 3, "pumps": 1, "programs": 1, "refills": 1, "visits": 2,
    }  # fmt: skip
    batch = lea.batch(batch_id)
    assert (batch.state, batch.undone_by, batch.undone_at) == (ImportState.UNDONE, lea.staff_id, clock())
    with line.db.read() as session:
        log = session.scalars(select(AuditEvent).where(AuditEvent.verb == "import undone")).one()
        assert (log.actor, log.detail and log.detail["batch"]) == (f"staff:{lea.staff_id}", batch_id)
        assert session.scalar(select(func.count()).where(ImportChange.new.is_not(None))) == 0


def test_a_consent_stays_with_its_phone(line: Line, lea: Importer) -> None:
    batch_id = lea.brings(ANA, LUIS)
    undone = lea.undoes(batch_id)
    assert undone["phones"] == 1
    with line.db.read() as session:
        kept = session.scalars(select(Phone)).one()
        assert session.scalars(select(ConsentEvent)).one().phone_id == kept.id
        assert session.scalars(select(Contact)).all() == []


def test_undoing_twice_is_undoing_once(line: Line, lea: Importer) -> None:
    batch_id = lea.brings(ANA)
    version = lea.batch(batch_id).version
    lea.undoes(batch_id)
    before = rows_of(line)
    undo_import(line, batch_id, version, lea.clock(), lea.staff_id)
    assert rows_of(line) == before


def test_the_next_patient_never_gets_the_number_of_one_who_was_removed(line: Line, lea: Importer) -> None:
    first = lea.brings(ANA)
    [ana] = patients_of(line)
    lea.undoes(first)
    second = lea.brings(BEN)
    [ben] = patients_of(line)
    assert ben.id > ana.id
    lea.undoes(second)
    typed = {"given_name": "Cy", "family_name": "Oh", "mrn": "3", "language": "en", "time_zone": "America/Chicago"}
    assert add_patient(line, ben.clinic_id, typed, None, lea.clock(), lea.staff_id) > ben.id


def test_the_same_file_can_be_imported_again_afterwards(line: Line, lea: Importer) -> None:
    lea.undoes(lea.brings(ANA, LUIS, BEN))
    again = lea.brings(ANA, LUIS, BEN)
    assert {kind: counts["created"] for kind, counts in (lea.batch(again).counts or {})["kinds"].items()} == {
        "patients": 2, "phones": 2, "contacts": 3, "pumps": 1, "programs": 1, "refills": 1, "visits": 2,
    }  # fmt: skip


def test_what_was_changed_is_put_back(line: Line, lea: Importer, desk: Desk, clock: FrozenClock) -> None:
    lea.brings(ANA, LUIS)
    clock.forward(hours=1)
    before = rows_of(line)
    batch_id = lea.brings(
        ANA.replace("Ruiz", "Rojas").replace("350", "400").replace(",40,2000", ",20,2000").replace("-01,40", "-01,20"),
        LUIS.replace("Ana,Ruiz", "Ana,Rojas").replace(",no,", ",yes,"),
    )
    assert patients_of(line)[0].family_name == "Rojas"
    undone = lea.undoes(batch_id)
    assert undone["put_back"] == 5  # patient, contact, pump, program, refill
    after = rows_of(line)
    for table in ("pump", "program", "refill", "appointment", "reminder", "name_key", "phone"):
        assert after[table] == before[table], table
    [ana] = patients_of(line)
    assert (ana.family_name, ana.names_indexed) == ("Ruiz", True)
    assert [contact.gets_reminders for contact in desk.rows(Contact)] == [True, False]


def test_a_visit_that_moved_goes_back_with_its_reminders(
    line: Line, lea: Importer, desk: Desk, clock: FrozenClock
) -> None:
    lea.brings(ANA)
    [visit] = desk.rows(Appointment)
    due = [reminder.due_at for reminder in desk.reminders(visit.id) if reminder.state == "planned"]
    clock.forward(hours=1)
    batch_id = lea.brings(ANA.replace("12-17 10:30", "12-21 11:00"))
    assert desk.visit(visit.id).starts_at != visit.starts_at
    lea.undoes(batch_id)
    assert desk.visit(visit.id).starts_at == visit.starts_at
    assert [reminder.due_at for reminder in desk.reminders(visit.id) if reminder.state == "planned"] == due


def test_a_visit_goes_back_to_no_time_that_is_past(line: Line, lea: Importer, desk: Desk, clock: FrozenClock) -> None:
    lea.brings(ANA)
    clock.forward(hours=1)
    batch_id = lea.brings(ANA.replace("12-17 10:30", "12-21 11:00"))
    clock.forward(days=25)
    assert lea.refused(batch_id) == {Why.PAST: 1}


def test_a_time_zone_goes_back_with_the_reminders(line: Line, lea: Importer, desk: Desk, clock: FrozenClock) -> None:
    lea.brings(ANA)
    [visit] = desk.rows(Appointment)
    due = {reminder.due_at for reminder in desk.reminders(visit.id)}
    clock.forward(hours=1)
    batch_id = lea.brings(ANA.replace("America/Chicago", "America/Denver"))
    assert {reminder.due_at for reminder in desk.reminders(visit.id)} != due
    lea.undoes(batch_id)
    assert {reminder.due_at for reminder in desk.reminders(visit.id)} == due
    assert patients_of(line)[0].time_zone == "America/Chicago"


def test_a_name_that_staff_corrected_since_stays(line: Line, lea: Importer, desk: Desk, clock: FrozenClock) -> None:
    lea.brings(ANA)
    clock.forward(hours=1)
    batch_id = lea.brings(ANA.replace("Ana,Ruiz", "Anna,Rojas"))
    [ana] = patients_of(line)
    desk.change(Patient, ana.id, family_name="Rojas-Ruiz")
    undone = lea.undoes(batch_id)
    [ana] = patients_of(line)
    assert (ana.given_name, ana.family_name, undone["kept_newer"]) == ("Ana", "Rojas-Ruiz", 1)


def test_numbers_of_a_pump_go_back_together_or_not_at_all(
    lea: Importer, desk: Desk, clock: FrozenClock, line: Line
) -> None:
    lea.brings(ANA)
    clock.forward(hours=1)
    batch_id = lea.brings(ANA.replace(",2000,350", ",1000,400"))
    [program] = desk.rows(Program)
    desk.change(Program, program.id, daily_dose_mcg=program.daily_dose_mcg + 10)
    assert lea.refused(batch_id) == {Why.CHANGED: 1}


def test_new_rows_of_a_known_patient_go_and_the_patient_stays(
    line: Line, lea: Importer, maria: Someone, desk: Desk, clock: FrozenClock, beat: Callable[[], None]
) -> None:
    desk.fills(maria, days_ago=10)
    mrn = patients_of(line)[0].mrn
    clock.forward(hours=1)
    beat()
    before = {table: rows_of(line)[table] for table in ("patient", "phone", "contact", "pump", "program", "refill")}
    plan_by = desk.supply(maria).plan_by
    row = f"{mrn},Maria,Lopez,+16145550142,,,,,,,SynchroMed III,40,500,100,4,2026-11-20,40,2026-12-10 09:00,M1"
    carer = f"{mrn},Maria,Lopez,+16145550199,,,carer,Jo Lopez,,,,,,,,,,,"
    batch_id = lea.brings(row, carer)
    clock.forward(minutes=1)
    beat()
    assert desk.supply(maria).plan_by != plan_by
    lea.undoes(batch_id)
    beat()
    assert {table: rows_of(line)[table] for table in before} == before
    assert desk.supply(maria).plan_by == plan_by
    assert desk.rows(Appointment) == desk.rows(Reminder) == []
    assert not [step for step in desk.rows(CareStep) if step.appointment_id is not None]


def test_a_new_pump_of_a_patient_without_one_leaves_no_step_behind(
    line: Line, lea: Importer, desk: Desk, clock: FrozenClock, beat: Callable[[], None]
) -> None:
    lea.brings(BEN.replace("2026-12-18 09:00", ""))
    clock.forward(hours=1)
    pump = "SynchroMed II,40,2000,350,4,2026-11-01,40"
    batch_id = lea.brings(f"2,Ben,Ito,+16145550125,,,,,,,{pump},,")
    clock.forward(minutes=1)
    beat()
    assert desk.rows(Supply)
    assert [step for step in desk.rows(CareStep) if step.state is StepState.PLANNED]
    lea.undoes(batch_id)
    beat()
    assert desk.rows(Pump) == desk.rows(Program) == desk.rows(Refill) == desk.rows(Supply) == []
    assert [step for step in desk.rows(CareStep) if step.state is StepState.PLANNED] == []


def test_whoever_texted_since_stops_it(lea: Importer, texts: Callable[..., Any], clock: FrozenClock) -> None:
    batch_id = lea.brings(ANA, LUIS, BEN)
    clock.forward(minutes=5)
    texts("+16145550124", "REFILL")
    assert lea.refused(batch_id) == {Why.TEXTED: 1}


def test_a_visit_that_was_announced_stops_it(
    line: Line, lea: Importer, maria: Someone, live_until: Callable[..., None], clock: FrozenClock
) -> None:
    mrn = patients_of(line)[0].mrn
    batch_id = lea.brings(f"{mrn},Maria,Lopez,+16145550142,,,,,,,,,,,,,,2026-12-10 09:00,")
    live_until(clock() + timedelta(days=4))
    assert lea.refused(batch_id) == {Why.VISIT: 1}


@pytest.mark.parametrize("deed", ["state", "visit", "refill", "confirmed", "dose", "contact"])
def test_whatever_staff_did_since_stops_it(
    deed: str, line: Line, lea: Importer, desk: Desk, clock: FrozenClock
) -> None:
    batch_id = lea.brings(ANA)
    clock.forward(minutes=5)
    [ana], [visit], [program], [contact] = (
        desk.rows(Patient),
        desk.rows(Appointment),
        desk.rows(Program),
        desk.rows(Contact),
    )
    someone = Someone(ana.id, "+16145550123", contact.phone_id)
    match deed:
        case "state":
            set_patient_state(line, ana.id, "paused", clock(), "test")
        case "visit":
            desk.books(someone, clock() + timedelta(days=9))
        case "refill":
            desk.fills(someone)
        case "confirmed":
            desk.change(Appointment, visit.id, confirmed_at=clock())
        case "dose":
            desk.change(Program, program.id, daily_dose_mcg=program.daily_dose_mcg + 10)
        case "contact":
            desk.change(Contact, contact.id, version=2)
    assert lea.refused(batch_id)


def test_a_later_import_is_undone_first(lea: Importer, clock: FrozenClock, desk: Desk) -> None:
    first = lea.brings(ANA)
    clock.forward(hours=1)
    second = lea.brings(ANA.replace("Ruiz", "Rojas"), LUIS.replace("Ruiz", "Rojas"))
    assert Why.LATER in lea.refused(first)
    lea.undoes(second)
    lea.undoes(first)
    assert desk.rows(Patient) == []


def test_a_task_that_only_the_machine_opened_stops_nothing_and_names_nobody_any_more(
    line: Line, lea: Importer, desk: Desk, clock: FrozenClock, beat: Callable[[], None]
) -> None:
    batch_id = lea.brings(ANA.replace("2026-12-17 10:30", "2027-11-17 10:30"))  # long after the pump is empty
    clock.forward(minutes=1)
    beat()
    assert desk.tasks()
    lea.undoes(batch_id)
    assert desk.tasks() == []
    assert {(task.patient_id, task.subject) for task in desk.rows(Task)} == {(None, f"import:{batch_id}")}


def test_after_thirty_days_what_was_replaced_is_forgotten(line: Line, lea: Importer, clock: FrozenClock) -> None:
    lea.brings(BEN.replace("2026-12-18 09:00", ""))
    batch_id = lea.brings(BEN.replace("2026-12-18 09:00", "").replace("Ito", "Itoh"))
    clock.forward(days=29)
    assert forget_imports(line, clock()) == 0
    clock.forward(days=2)
    assert forget_imports(line, clock()) == 2
    assert forget_imports(line, clock()) == 0
    with line.db.read() as session:
        assert session.scalar(select(func.count()).where(ImportChange.old.is_not(None))) == 0
    with pytest.raises(Exception, match="30 days"):
        lea.undoes(batch_id)


def test_a_file_that_nobody_came_back_for_is_not_kept(line: Line, lea: Importer, clock: FrozenClock) -> None:
    batch_id = lea.waits(ANA)
    clock.forward(hours=23)
    assert forget_imports(line, clock()) == 0
    clock.forward(hours=2)
    assert forget_imports(line, clock()) == 1
    with line.db.begin() as session:
        batch = the_batch(session, batch_id)
        assert (batch.state, batch.content) == (ImportState.DROPPED, None)


def test_a_dry_run_says_what_the_import_then_does(line: Line, lea: Importer, clock: FrozenClock) -> None:
    lea.brings(ANA)
    before = rows_of(line)
    waiting = lea.waits(ANA.replace("Ruiz", "Rojas"), LUIS.replace("Ruiz", "Rojas"), BEN)
    findings = lea.batch(waiting).findings or {}
    assert rows_of(line) == before
    lea.commits(waiting)
    counts = lea.batch(waiting).counts or {}
    assert findings["kinds"] == counts["kinds"]
    assert (findings["reminders_planned"], findings["consents"]) == (counts["reminders_planned"], counts["consents"])


def test_every_table_that_refers_to_a_patient_is_thought_of() -> None:
    """A new one must be removed with the patient, or stop the undoing: app/db/import_undo.py, import_remove.py."""
    thought_of = {
        "contact", "pump", "appointment", "task", "outbound_message", "supply", "care_step", "referral", "scan",
        "phone_call", "name_key", "legal_hold",
    }  # fmt: skip
    keys: list[ForeignKey] = [key for table in Base.metadata.sorted_tables for key in table.foreign_keys]
    assert {key.parent.table.name for key in keys if key.column.table.name == "patient"} == thought_of
