"""Undo an import: what it created is removed, what it changed is put back; all of it in one transaction, or nothing."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.import_batches import OTHERS, is_stuck, the_batch
from app.actions.import_put_back import find_changed, put_all_back
from app.actions.import_remove import remove_all, surviving_owners
from app.actions.line import Line
from app.db.import_undo import Blocked, Made, blocked
from app.db.imports import ImportBatch, ImportChange, ImportState
from app.db.people import Patient
from app.db.supply import Supply

MEANWHILE = "something was written into one of these records at the same moment: nothing was undone, try again"
TOO_LATE = "an import can be undone for 30 days: what it replaced is not kept any longer"


class CannotUndo(Exception):
    """Nothing was undone; says for whom it cannot be, and why."""

    def __init__(self, found: Blocked) -> None:
        super().__init__("the import cannot be undone")
        self.found = found


def undo_import(line: Line, batch_id: int, version: int, now: datetime, staff_id: int) -> None:
    """Undo a whole import. Undoing it twice changes nothing.

    Consents and the audit log stay, and so do phones that anything refers to. Raises CannotUndo where a record has
    grown since, Refused where there is nothing that can be undone.
    """
    try:
        with line.db.begin() as session:
            batch = the_batch(session, batch_id)
            if batch.state is ImportState.UNDONE:
                return
            _check(batch, version, now)
            counts = _undo(line, session, batch, now, staff_id)
            batch.state, batch.undone_at, batch.undone_by = ImportState.UNDONE, now, staff_id
            batch.content, batch.undo_until, batch.version = None, None, batch.version + 1
            batch.counts = (batch.counts or {}) | {"undone": dict(counts)}
            session.execute(update(ImportChange).where(ImportChange.batch_id == batch_id).values(old=None, new=None))
            actor = f"staff:{staff_id}"
            audit(session, now, actor, "import undone", f"clinic:{batch.clinic_id}", batch=batch_id, **counts)
    except IntegrityError as error:  # the database's own guard: a row refers to one that was to go
        raise Refused(MEANWHILE, "conflict") from error


def _check(batch: ImportBatch, version: int, now: datetime) -> None:
    if batch.version != version:
        raise Refused(OTHERS, "conflict")
    stopped = batch.state is ImportState.STOPPED or is_stuck(batch, now)
    if batch.state is not ImportState.DONE and not stopped:
        raise Refused("only an import that was written can be undone", "conflict")
    if not stopped and (batch.undo_until is None or batch.undo_until < now):
        raise Refused(TOO_LATE, "conflict")


def _undo(line: Line, session: Session, batch: ImportBatch, now: datetime, staff_id: int) -> Counter[str]:
    assert batch.began_at is not None
    made = Made(batch.id, batch.began_at)
    session.execute(select(Patient.id).where(Patient.id.in_(made.of("patients"))).with_for_update()).all()
    found = blocked(session, made)
    find_changed(session, made, found)
    owners = surviving_owners(session, made)
    counts: Counter[str] = Counter()
    owners |= put_all_back(line, session, made, now, f"staff:{staff_id}", found, counts)
    if found:
        raise CannotUndo(found)
    remove_all(session, made, now, counts)
    _dates_are_stale(session, sorted(owners))
    return counts


def _dates_are_stale(session: Session, patients: Sequence[int]) -> None:
    for start in range(0, len(patients), 500):
        some = patients[start : start + 500]
        session.execute(update(Supply).where(Supply.patient_id.in_(some)).values(stale=True))
