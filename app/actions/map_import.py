"""Say which column of a waiting file is which of ours; then it is tried, and what was found is kept with it."""

from datetime import datetime

from app.actions.errors import Refused
from app.actions.import_batches import OTHERS, file_of, our_file, the_batch
from app.actions.line import Line
from app.actions.preview_import import preview_import
from app.db.imports import ImportBatch, ImportState
from app.integrations.csv_columns import COLUMNS
from app.integrations.csv_headers import what_lacks


def map_import(line: Line, batch_id: int, version: int, columns: list[str], now: datetime) -> None:
    """Keep the choice and the findings of a dry run. Raises Refused, and keeps nothing, for a choice that cannot be."""
    with line.db.read() as session:
        batch = session.get(ImportBatch, batch_id)
        if batch is None or batch.version != version or batch.state is not ImportState.WAITING:
            raise Refused(OTHERS, "conflict")
        text, clinic_id = file_of(session, batch_id), batch.clinic_id
        known = len(batch.columns or ())
    if len(columns) != known or any(name and name not in COLUMNS for name in columns):
        raise Refused("choose for each column what it holds, or leave it out")
    if what_lacks(columns) or twice(columns):
        raise Refused("a column is missing or chosen twice")
    findings = preview_import(line, our_file(text, columns), now, clinic_id)
    with line.db.begin() as session:
        batch = the_batch(session, batch_id, version)
        if batch.state is not ImportState.WAITING:
            raise Refused(OTHERS, "conflict")
        batch.columns, batch.findings, batch.version = columns, findings, version + 1


def twice(columns: list[str]) -> tuple[str, ...]:
    """Return which of our columns were chosen more than once."""
    return tuple(name for name in COLUMNS if columns.count(name) > 1)
