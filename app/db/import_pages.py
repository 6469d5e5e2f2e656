"""Imports as their pages show them: who, when, how many. A file that waits is its owner's alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from app.db.imports import ImportBatch, ImportState
from app.db.people import Patient, Staff

SHOWN = 50
MOST_NAMES = 20


@dataclass(frozen=True)
class ImportRow:
    """One import. `file_kept`: whether it can go on, or be imported at all."""

    id: int
    who: str
    state: ImportState
    rows: int
    columns: list[str] | None
    findings: dict[str, Any] | None
    counts: dict[str, Any] | None
    valid_only: bool
    version: int
    created_at: datetime
    moved_at: datetime | None
    ended_at: datetime | None
    undo_until: datetime | None
    undone_at: datetime | None
    undone_by: str | None
    file_kept: bool


def imports_of(session: Session, clinic_id: int, staff_id: int) -> list[ImportRow]:
    """Return a clinic's newest imports, and whatever of this person's waits."""
    seen = or_(ImportBatch.state != ImportState.WAITING, ImportBatch.staff_id == staff_id)
    query = _rows().where(ImportBatch.clinic_id == clinic_id, ImportBatch.state != ImportState.DROPPED, seen)
    return [ImportRow(*row) for row in session.execute(query.order_by(ImportBatch.id.desc()).limit(SHOWN))]


def import_row(session: Session, batch_id: int) -> ImportRow:
    return ImportRow(*session.execute(_rows().where(ImportBatch.id == batch_id)).one())


def may_see(session: Session, batch_id: int, clinic_id: int, staff_id: int) -> bool:
    """Whether somebody of a clinic may know of an import: one that waits, or was given up, is its owner's."""
    row = session.execute(
        select(ImportBatch.clinic_id, ImportBatch.staff_id, ImportBatch.state).where(ImportBatch.id == batch_id)
    ).first()
    if row is None or row.clinic_id != clinic_id:
        return False
    return row.staff_id == staff_id or row.state not in (ImportState.WAITING, ImportState.DROPPED)


@dataclass(frozen=True)
class Name:
    id: int
    given_name: str
    family_name: str


def names_of(session: Session, patient_ids: Collection[int]) -> list[Name]:
    """Return the first of these patients, by id."""
    some = sorted(patient_ids)[:MOST_NAMES]
    query = select(Patient.id, Patient.given_name, Patient.family_name).where(Patient.id.in_(some))
    return [Name(*row) for row in session.execute(query.order_by(Patient.id))]


def _rows() -> Select[Any]:
    owner, other = aliased(Staff), aliased(Staff)
    batch = ImportBatch
    return (
        select(
            batch.id,
            owner.name,
            batch.state,
            batch.rows,
            batch.columns,
            batch.findings,
            batch.counts,
            batch.valid_only,
            batch.version,
            batch.created_at,
            batch.moved_at,
            batch.ended_at,
            batch.undo_until,
            batch.undone_at,
            other.name,
            batch.content.is_not(None),
        )
        .join(owner, owner.id == batch.staff_id)
        .outerjoin(other, other.id == batch.undone_by)
    )
