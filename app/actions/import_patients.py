"""Import patients, phones, pumps and visits from a file: everything checked first, then written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.import_check import Checked, Seen, Source, check_file, file_lines, patient_key
from app.actions.import_journal import keep_changes
from app.actions.import_rows import Tally
from app.actions.import_write import ChunkWriter
from app.actions.line import Line
from app.collecting import little_collecting
from app.db.people import Clinic
from app.integrations.csv_columns import RowReader, Values
from app.integrations.csv_format import RowError, read_rows

ROWS_AT_ONCE = 1000

_CHANGED = "the file changed while it was read: leave it alone and import it again"


@dataclass
class Watch:
    """Whoever shows progress hears of bytes checked and rows written."""

    checked: Seen = field(default=lambda _: None)
    written: Seen = field(default=lambda _: None)


@dataclass(frozen=True)
class ImportReport:
    """`written` is None when nothing was: a dry run, or errors without `valid_only`."""

    checked: Checked
    written: Tally | None

    @property
    def errors(self) -> tuple[RowError, ...]:
        return self.checked.errors


@little_collecting()
def import_patients(
    line: Line,
    source: Source,
    now: datetime,
    *,
    clinic_id: int | None = None,
    valid_only: bool = False,
    dry_run: bool = False,
    one_transaction: bool = False,
    actor: str = "command",
    watch: Watch | None = None,
    batch_id: int | None = None,
) -> ImportReport:
    """Import a file into one clinic, the first unless named, and report what was found and done.

    Everything is checked before anything is written. Then every thousand rows are one transaction, so that texts are
    answered meanwhile; if the machine stops in the middle, importing again finishes it. `one_transaction` makes the
    file one, and texts wait for it. What is written for a batch is kept with it, in the same transaction.
    Raises FormatError when the file is no table we know, Refused when a row cannot be reconciled with what is stored.
    """
    watch = watch or Watch()
    clinic = the_clinic(line, clinic_id)
    reader = RowReader(clinic.country, ZoneInfo(clinic.time_zone), now)
    checked = check_file(line.db, source, reader, clinic.id, now, watch.checked)
    if dry_run or (checked.error_count and not valid_only):
        return ImportReport(checked, None)
    tally = Tally(journal=None if batch_id is None else [])
    writer = ChunkWriter(line.db, clinic, now, tally, actor)
    chunks = good_chunks(source, reader, checked.bad_patients)
    if one_transaction:
        with line.db.begin() as session:
            for chunk in chunks:
                writer.write(session, chunk)
                watch.written(len(chunk))
            _note(session, now, actor, clinic, writer, batch_id)
    else:
        for chunk in chunks:
            with line.db.begin() as session:
                writer.write(session, chunk)
                _note(session, now, actor, clinic, writer, batch_id)
            watch.written(len(chunk))
    return ImportReport(checked, tally)


def the_clinic(line: Line, clinic_id: int | None) -> Clinic:
    with line.db.read() as session:
        query = select(Clinic).order_by(Clinic.id).limit(1)
        clinic = session.scalar(query if clinic_id is None else query.where(Clinic.id == clinic_id))
        if clinic is None:
            raise Refused("there is no clinic yet: run `pumpline run` once", "missing")
        session.expunge(clinic)  # it is read for as long as the file takes
    return clinic


def good_chunks(source: Source, reader: RowReader, bad: frozenset[bytes]) -> Iterator[list[tuple[int, Values]]]:
    """Yield the good rows. A patient with an error in any row is left out altogether."""
    chunk: list[tuple[int, Values]] = []
    for row in read_rows(file_lines(source), reader):
        if row.mrn is None or patient_key(row.mrn) in bad:
            continue
        if row.values is None:
            raise Refused(_CHANGED, "conflict")
        chunk.append((row.number, row.values))
        if len(chunk) == ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _note(
    session: Session, now: datetime, actor: str, clinic: Clinic, writer: ChunkWriter, batch_id: int | None
) -> None:
    named = {} if batch_id is None else {"batch": batch_id}
    if changes := writer.changes_since_noted():
        audit(session, now, actor, "import", f"clinic:{clinic.id}", **changes, **named)
    if batch_id is not None:
        keep_changes(session, batch_id, writer.written_since_noted())
