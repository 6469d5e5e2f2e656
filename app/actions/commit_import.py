"""Write a file that waits: all of it, or the patients without errors; once, however often it is asked for."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from app.actions.errors import Refused
from app.actions.import_batches import OTHERS, file_of, is_stuck, our_file, the_batch
from app.actions.import_patients import import_patients
from app.actions.import_rows import KINDS, Tally
from app.actions.line import Line
from app.actions.preview_import import counts_of, preview_import
from app.db.imports import ImportChange, ImportState

UNDO_WITHIN = timedelta(days=30)
BEING_WRITTEN = "this import is being written: wait a moment, and open it again"


def commit_import(line: Line, batch_id: int, version: int, now: datetime, staff_id: int, *, valid_only: bool) -> None:
    """Import the file of a batch and forget the file. A batch that is imported already is left as it is.

    Whoever comes first claims the batch; where that one stopped in the middle, doing it again goes on. Raises Refused
    when nothing was written, or FormatError.
    """
    claimed = _claim(line, batch_id, version, now, valid_only=valid_only)
    if claimed is None:
        return
    text, columns, clinic_id = claimed
    source = our_file(text, columns)
    try:
        report = import_patients(
            line,
            source,
            now,
            clinic_id=clinic_id,
            valid_only=valid_only,
            actor=f"staff:{staff_id}",
            batch_id=batch_id,
        )
        findings = None if report.written else preview_import(line, source, now, clinic_id)
    except BaseException:
        _stopped(line, batch_id)
        raise
    with line.db.begin() as session:
        batch = the_batch(session, batch_id)
        batch.version += 1
        if report.written is None:
            batch.state, batch.findings = _at_rest(session, batch_id), findings
        else:
            batch.state, batch.content, batch.ended_at = ImportState.DONE, None, now
            batch.undo_until = now + UNDO_WITHIN
            batch.counts = _counts(session, batch_id, report.written) | {"left_out": len(report.checked.bad_patients)}
    if report.written is None:
        raise Refused("rows have errors: mend them, or import only the patients without any", "conflict")


def _claim(
    line: Line, batch_id: int, version: int, now: datetime, *, valid_only: bool
) -> tuple[str, list[str], int] | None:
    with line.db.begin() as session:
        batch = the_batch(session, batch_id)
        if batch.state is ImportState.DONE:
            return None
        if batch.state is ImportState.WRITING and not is_stuck(batch, now):
            raise Refused(BEING_WRITTEN, "conflict")
        if batch.state in (ImportState.UNDONE, ImportState.DROPPED) or batch.version != version:
            raise Refused(OTHERS, "conflict")
        if batch.findings is None or batch.columns is None:
            raise Refused("say first which column is which", "conflict")
        text = file_of(session, batch_id)
        batch.state, batch.moved_at, batch.valid_only = ImportState.WRITING, now, valid_only
        batch.began_at = batch.began_at or now
        batch.version += 1
        return text, batch.columns, batch.clinic_id


def _stopped(line: Line, batch_id: int) -> None:
    with line.db.begin() as session:
        batch = the_batch(session, batch_id)
        batch.state, batch.version = _at_rest(session, batch_id), batch.version + 1


def _at_rest(session: Session, batch_id: int) -> ImportState:
    """Return the state of a batch that nobody writes: it waits as before, unless something of it is in."""
    written = select(ImportChange.id).where(ImportChange.batch_id == batch_id).limit(1)
    return ImportState.WAITING if session.scalar(written) is None else ImportState.STOPPED


def _counts(session: Session, batch_id: int, tally: Tally) -> dict[str, Any]:
    """Return what the batch did, in one go or in several."""
    other = aliased(ImportChange)
    made = select(other.id).where(
        other.batch_id == batch_id, other.kind == ImportChange.kind, other.row_id == ImportChange.row_id, other.created
    )
    rows = session.execute(
        select(ImportChange.kind, ImportChange.created, func.count(ImportChange.row_id.distinct()))
        .where(ImportChange.batch_id == batch_id, or_(ImportChange.created, ~made.exists()))
        .group_by(ImportChange.kind, ImportChange.created)
    )
    found = {(kind, created): count for kind, created, count in rows}
    counts = counts_of(tally)
    for kind in KINDS:
        last = tally.of(kind)
        met = last.created + last.updated + last.unchanged
        created = found.get((kind, True), 0)
        updated = found.get((kind, False), 0)
        counts["kinds"][kind] = {"created": created, "updated": updated, "unchanged": met - created - updated}
    return counts
