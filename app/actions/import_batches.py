"""What the steps of an import from the console share: its batch, locked, and its file in our own columns."""

from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.actions.errors import Refused
from app.db.imports import ImportBatch, ImportState
from app.integrations.csv_headers import read_header, with_our_names

GIVEN_UP_AFTER = timedelta(minutes=5)  # longer than any file takes: whoever wrote it has stopped
GONE = "the file is not kept any more: upload it again"
OTHERS = "this import was changed meanwhile, in another window: look at it again"


def the_batch(session: Session, batch_id: int, version: int | None = None) -> ImportBatch:
    """Return the batch, locked. Raises Refused where it is gone, or changed since `version`."""
    batch = session.get(ImportBatch, batch_id, with_for_update=True)
    if batch is None:
        raise Refused("there is no such import", "missing")
    if version is not None and batch.version != version:
        raise Refused(OTHERS, "conflict")
    return batch


def file_of(session: Session, batch_id: int) -> str:
    """Return what the file says. Raises Refused where it is not kept any more."""
    query = select(ImportBatch).where(ImportBatch.id == batch_id).options(undefer(ImportBatch.content))
    batch = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if batch is None or batch.content is None:
        raise Refused(GONE, "missing")
    return batch.content


def our_file(text: str, columns: list[str]) -> bytes:
    return with_our_names(text, read_header(text), columns)


class _Moving(Protocol):
    @property
    def state(self) -> ImportState: ...
    @property
    def moved_at(self) -> datetime | None: ...


def is_stuck(batch: _Moving, now: datetime) -> bool:
    """Whether it was being written by something that stopped."""
    began = batch.moved_at
    return batch.state is ImportState.WRITING and began is not None and now - began > GIVEN_UP_AFTER
