"""What an import changed in rows that were there before is put back, where it still is what the import wrote."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from app.actions.import_journal import TABLES, read_cells
from app.actions.line import Line
from app.actions.reminder_rows import replan_visit
from app.actions.tasks import close_tasks
from app.actions.visit_steps import plan_visit_steps
from app.actions.visits import ABOUT_VISIT, after_change
from app.db.care import Appointment, AppointmentState, Pump, Reminder
from app.db.import_undo import Blocked, Made
from app.db.imports import ImportChange
from app.db.messages import OutboundMessage
from app.db.name_index import Named, index_names
from app.db.people import Patient
from app.domain.import_undo import Why, put_back

AT_ONCE = 500
_VERSIONED = {"patients", "contacts"}


def put_all_back(
    line: Line, session: Session, made: Made, now: datetime, actor: str, found: Blocked, counts: Counter[str]
) -> set[int]:
    """Put every changed row back and return whose they are; where one cannot be, `found` says for whom and why."""
    owners: set[int] = set()
    for kind in ("programs", "refills", "pumps", "contacts", "patients"):
        for row, old, new in _changed(session, made, kind):
            owner = _owner(session, kind, row)
            owners.add(owner)
            stands = {name: getattr(row, name) for name in new}
            cells = put_back(kind, stands, old, new)
            if cells is None:
                found.add(Why.CHANGED, [owner])
                continue
            counts["kept_newer"] += len(new) - len(cells)
            if cells:
                counts["put_back"] += 1
                _write(session, kind, row, cells)
                if kind == "patients":
                    _patient_again(line, session, row, cells, now)
    for visit, old, new in _changed(session, made, "visits"):
        owners.add(visit.patient_id)
        stands = {name: getattr(visit, name) for name in new}
        why = Why.CHANGED if put_back("visits", stands, old, new) is None else _obstacle(session, visit, old, made, now)
        if why is not None:
            found.add(why, [visit.patient_id])
        elif not found:
            counts["put_back"] += 1
            _visit_again(session, visit, old, now, actor)
    return owners


def find_changed(session: Session, made: Made, found: Blocked) -> None:
    """Add those whose pump, dose or refill came with this import and is not as it came any more."""
    for kind in ("pumps", "programs", "refills"):
        kept = session.execute(
            select(ImportChange.row_id, ImportChange.new)
            .where(ImportChange.batch_id == made.batch_id, ImportChange.kind == kind)
            .where(ImportChange.row_id.in_(made.of(kind)))
            .order_by(ImportChange.id)
        )
        cells: dict[int, dict[str, Any]] = {}
        for row_id, new in kept:
            cells[row_id] = cells.get(row_id, {}) | read_cells(kind, new)
        table: Any = TABLES[kind]
        for row in session.scalars(select(table).where(table.id.in_(made.of(kind)))):
            if any(getattr(row, name) != value for name, value in cells[row.id].items()):
                found.add(Why.CHANGED, [_owner(session, kind, row)])


def _changed(session: Session, made: Made, kind: str) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Yield each row that was changed and not created, with what stood in it before the first change and what after
    the last."""
    other = aliased(ImportChange)
    own = exists().where(
        other.batch_id == made.batch_id, other.kind == kind, other.row_id == ImportChange.row_id, other.created
    )
    kept = session.execute(
        select(ImportChange.row_id, ImportChange.old, ImportChange.new)
        .where(ImportChange.batch_id == made.batch_id, ImportChange.kind == kind, ~ImportChange.created, ~own)
        .order_by(ImportChange.row_id, ImportChange.id)
    ).all()
    changes: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    for row_id, several in groupby(kept, key=lambda change: change.row_id):
        old: dict[str, Any] = {}
        new: dict[str, Any] = {}
        for change in several:
            old = read_cells(kind, change.old) | old
            new |= read_cells(kind, change.new)
        changes[row_id] = old, new
    ids = list(changes)
    for start in range(0, len(ids), AT_ONCE):
        table: Any = TABLES[kind]
        rows = session.scalars(
            select(table).where(table.id.in_(ids[start : start + AT_ONCE])).execution_options(populate_existing=True)
        )
        for row in rows.all():  # a contact may have been removed since: there is nothing to put back
            yield row, *changes[row.id]


def _owner(session: Session, kind: str, row: Any) -> int:
    if kind == "patients":
        return int(row.id)
    if kind in ("programs", "refills"):
        return session.get_one(Pump, row.pump_id).patient_id
    return int(row.patient_id)


def _write(session: Session, kind: str, row: Any, cells: dict[str, Any]) -> None:
    table: Any = TABLES[kind]
    newer = {"version": table.version + 1} if kind in _VERSIONED else {}
    session.execute(update(table).where(table.id == row.id).values(**cells, **newer))
    session.refresh(row)


def _patient_again(line: Line, session: Session, patient: Patient, cells: dict[str, Any], now: datetime) -> None:
    if {"given_name", "family_name"} & cells.keys():
        person = Named(patient.id, patient.clinic_id, patient.given_name, patient.family_name)
        index_names(line.db, session, [person])
    if "time_zone" in cells:
        owed = (AppointmentState.BOOKED, AppointmentState.MISSED)
        query = select(Appointment).where(Appointment.patient_id == patient.id, Appointment.state.in_(owed))
        for visit in session.scalars(query).all():
            replan_visit(session, visit, patient, patient.clinic, now, "time zone put back")
            plan_visit_steps(session, visit, patient, patient.clinic, now, "time zone put back")


def _obstacle(session: Session, visit: Appointment, old: dict[str, Any], made: Made, now: datetime) -> Why | None:
    """Return why a visit cannot go back to where it was, None where it can. One that only got a key always can."""
    if "starts_at" not in old:
        return None
    told = select(Reminder.id).join(OutboundMessage, OutboundMessage.reminder_id == Reminder.id)
    since = (Reminder.appointment_id == visit.id, OutboundMessage.created_at >= made.since)
    if session.scalar(told.where(*since).limit(1)) is not None:
        return Why.VISIT
    if old["state"] is AppointmentState.CANCELLED:
        return None
    if old["state"] is not AppointmentState.BOOKED or old["starts_at"] <= now:
        return Why.PAST
    there = select(Appointment.id).where(
        Appointment.patient_id == visit.patient_id,
        Appointment.id != visit.id,
        Appointment.starts_at == old["starts_at"],
        Appointment.state == AppointmentState.BOOKED,
    )
    return Why.PAST if session.scalar(there) is not None else None


def _visit_again(session: Session, visit: Appointment, old: dict[str, Any], now: datetime, actor: str) -> None:
    """Put a visit back as a person would: with its reminders, and what asked for it at the other time closed."""
    for name, cell in old.items():
        setattr(visit, name, cell)
    if "starts_at" not in old:
        return
    patient = session.get_one(Patient, visit.patient_id)
    close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "moved back")
    verb = "cancelled" if visit.state is AppointmentState.CANCELLED else "moved"
    after_change(session, visit, patient, patient.clinic, now, actor, verb)
