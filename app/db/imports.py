"""Imports from the console: the file that waits, what an import wrote, and what stood there before."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.types import Id, SealedKey


class ImportState(StrEnum):
    WAITING = "waiting"  # uploaded; nothing of it is written
    WRITING = "writing"  # since moved_at; a machine that stopped leaves it so
    STOPPED = "stopped"  # some of it may be written: it can go on, or be undone
    DONE = "done"
    UNDONE = "undone"
    DROPPED = "dropped"  # given up, by hand or because nobody came back


class ImportBatch(Base):
    """One file that somebody brought in, from the upload on. Its content goes once it is written or given up."""

    __tablename__ = "import_batch"
    __table_args__ = (Index("ix_import_batch_clinic_id", "clinic_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))  # who uploaded it, and alone sees it until it is in
    form_key: Mapped[str] = mapped_column(unique=True)  # the same form sent twice is one upload
    state: Mapped[ImportState] = mapped_column(state_column(ImportState), default=ImportState.WAITING)
    content: Mapped[str | None] = mapped_column(SealedKey, deferred=True)
    rows: Mapped[int]
    columns: Mapped[list[str] | None] = mapped_column(JSON)  # ours, for each of the file's in turn; "" is left out
    findings: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # of the dry run: counts and errors, never a cell
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # of what was written, by kind
    valid_only: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    began_at: Mapped[datetime | None]  # writing
    moved_at: Mapped[datetime | None]  # since when it is being written
    ended_at: Mapped[datetime | None]
    undo_until: Mapped[datetime | None]  # then what it replaced is forgotten
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ImportChange(Base):
    """One row that an import created or updated. What stood there and what was written is sealed, by column.

    The rows stay when the values are forgotten: a number once given to a patient is never given again.
    """

    __tablename__ = "import_change"
    __table_args__ = (
        Index("ix_import_change_batch_id", "batch_id", "kind", "created"),
        Index("ix_import_change_row_id", "row_id", "kind"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    kind: Mapped[str]  # patients, phones, contacts, pumps, programs, refills, visits
    row_id: Mapped[int] = mapped_column(Id)
    created: Mapped[bool]
    old: Mapped[str | None] = mapped_column(SealedKey)  # JSON
    new: Mapped[str | None] = mapped_column(SealedKey)  # JSON
