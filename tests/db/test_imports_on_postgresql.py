"""Importing and undoing on PostgreSQL: new patients, changed ones, and one that cannot be undone."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.actions.import_batches import the_batch
from app.actions.line import Line
from app.actions.plan_care import plan_new_pumps
from app.actions.undo_import import CannotUndo, undo_import
from app.db.care import Appointment
from app.db.people import Patient, Phone
from app.domain.import_undo import Why
from tests.actions.test_undo_import import Importer, rows_of
from tests.cli.test_import import ANA, BEN, LUIS
from tests.conftest import FrozenClock
from tests.db.test_postgresql import MONDAY, app, line, pytestmark, says, url

__all__ = ["app", "line", "pytestmark", "url"]  # the stage is that of the other stories


def test_an_import_is_tried_written_changed_and_undone(line: Line) -> None:
    clock = FrozenClock(MONDAY)
    lea = Importer(line, clock)
    before = rows_of(line)
    first = lea.brings(ANA.replace("yes", "", 1), LUIS, BEN)
    plan_new_pumps(line, clock())
    clock.forward(hours=1)
    second = lea.brings(
        ANA.replace("yes", "", 1).replace("Ruiz", "Rojas").replace("350", "400").replace("12-17", "12-21"),
        LUIS.replace("Ruiz", "Rojas", 1),
    )
    with pytest.raises(CannotUndo) as refusal:
        lea.undoes(first)
    assert Why.LATER in refusal.value.found.by_why
    lea.undoes(second)
    with line.db.begin() as session:  # a visit that moved was touched: that one import leaves a trace in the log
        visit = session.scalars(select(Appointment).where(Appointment.external_id == "V1")).one()
        assert visit.starts_at.day == 17
        batch = the_batch(session, first)
        version = batch.version
    with pytest.raises(CannotUndo):
        undo_import(line, first, version, clock(), lea.staff_id)
    third = lea.brings(BEN.replace("2,Ben", "3,Bo").replace("5125", "5126"))
    clock.forward(minutes=1)
    lea.undoes(third)
    after = rows_of(line)
    assert len(after["patient"]) == len(before["patient"]) + 2


def test_what_was_new_goes_without_a_trace(line: Line) -> None:
    clock = FrozenClock(MONDAY)
    lea = Importer(line, clock)
    before = rows_of(line)
    batch = lea.brings(ANA.replace("yes", "", 1), LUIS, BEN)
    clock.forward(minutes=1)
    plan_new_pumps(line, clock())
    undone = lea.undoes(batch)
    after = rows_of(line)
    assert {name for name in before if before[name] != after[name]} <= {"task"}
    assert (undone["patients"], undone["phones"]) == (2, 3)


def test_whoever_texted_stops_it(line: Line) -> None:
    clock = FrozenClock(MONDAY - timedelta(minutes=1))
    lea = Importer(line, clock)
    batch = lea.brings(ANA, LUIS)
    says(line, "REFILL", "SM1", "+16145550123")
    assert lea.refused(batch) == {Why.TEXTED: 1}
    with line.db.read() as session:
        assert session.scalars(select(Patient).where(Patient.id == max(session.scalars(select(Patient.id))))).one()
        assert session.scalars(select(Phone)).all()
