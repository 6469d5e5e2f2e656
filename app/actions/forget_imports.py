"""Forget files that nobody came back for, and what imports replaced, once they cannot be undone any more."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.actions.line import Line
from app.db.imports import ImportBatch, ImportChange, ImportState

FILE_KEPT = timedelta(days=1)
_UNFINISHED = (ImportState.WAITING, ImportState.WRITING, ImportState.STOPPED)


def forget_imports(line: Line, now: datetime) -> int:
    """Return how many imports were made to forget something. Where nothing is due, nothing is written."""
    stale = select(ImportBatch.id).where(
        ImportBatch.state.in_(_UNFINISHED), ImportBatch.created_at < now - FILE_KEPT, ImportBatch.content.is_not(None)
    )
    past = select(ImportBatch.id).where(ImportBatch.undo_until < now)
    with line.db.read() as session:
        files, values = session.scalars(stale).all(), session.scalars(past).all()
    if not files and not values:
        return 0
    with line.db.begin() as session:
        for batch in session.scalars(select(ImportBatch).where(ImportBatch.id.in_(files)).with_for_update()):
            batch.content, batch.version = None, batch.version + 1
            batch.state = ImportState.DROPPED if batch.state is ImportState.WAITING else ImportState.STOPPED
        for batch_id in values:
            session.execute(update(ImportChange).where(ImportChange.batch_id == batch_id).values(old=None, new=None))
        session.execute(update(ImportBatch).where(ImportBatch.id.in_(values)).values(undo_until=None))
    return len(files) + len(values)
