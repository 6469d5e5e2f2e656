"""The dry run of an import: it is done for each family in turn, counted, and taken back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.actions.errors import Refused
from app.actions.import_check import Checked, check_file
from app.actions.import_patients import ROWS_AT_ONCE, good_chunks, the_clinic
from app.actions.import_rows import KINDS, Numbered, Tally
from app.actions.import_write import ChunkWriter
from app.actions.line import Line
from app.integrations.csv_columns import RowReader
from app.integrations.csv_format import RowError


class _TakenBack(Exception):
    """Ends a transaction that was only tried."""


def preview_import(line: Line, source: bytes, now: datetime, clinic_id: int) -> dict[str, Any]:
    """Return what importing would do, without a cell of the file: findings_of says how.

    Nothing is written. Each piece is tried in a transaction of its own, so that texts are answered meanwhile.
    Raises FormatError when the file is no table we know.
    """
    clinic = the_clinic(line, clinic_id)
    reader = RowReader(clinic.country, ZoneInfo(clinic.time_zone), now)
    checked = check_file(line.db, source, reader, clinic.id, now)
    rows = [row for chunk in good_chunks(source, reader, checked.bad_patients) for row in chunk]
    tally, refused = Tally(), ""
    try:
        for chunk in families(rows):
            try:
                with line.db.begin() as session:
                    ChunkWriter(line.db, clinic, now, tally).write(session, chunk)
                    raise _TakenBack
            except _TakenBack:
                continue
    except Refused as refusal:  # a row that cannot be reconciled with what is stored
        refused = str(refusal)
    return findings_of(checked, tally, now, refused)


def families(rows: Sequence[Numbered], at_once: int = ROWS_AT_ONCE) -> Iterator[list[Numbered]]:
    """Yield all rows in pieces of about so many; patients who share a phone are never parted, nor one patient's rows.

    So no piece meets what another one, taken back before it, would have written.
    """
    groups: dict[str, str] = {}

    def first(one: str) -> str:
        while (above := groups.setdefault(one, one)) != one:
            groups[one] = groups[above]
            one = groups[one]
        return one

    for _, values in rows:
        groups[first(f"mrn {values.mrn}")] = first(f"phone {values.phone}")
    families: dict[str, list[Numbered]] = {}
    for row in rows:
        families.setdefault(first(f"mrn {row[1].mrn}"), []).append(row)
    piece: list[Numbered] = []
    for family in families.values():
        piece += family
        if len(piece) >= at_once:
            yield piece
            piece = []
    if piece:
        yield piece


def findings_of(checked: Checked, tally: Tally, now: datetime, refused: str = "") -> dict[str, Any]:
    """Return what a dry run found, as it is kept: how many, which errors, and per kind what would be done."""
    return {
        "rows": checked.rows,
        "patients": checked.patients,
        "left_out": len(checked.bad_patients),
        "errors": [asdict(error) for error in checked.errors],
        "error_count": checked.error_count,
        "refused": refused,
        "at": now.isoformat(),
    } | counts_of(tally)


def counts_of(tally: Tally) -> dict[str, Any]:
    """Return what was done, per kind: created, updated, unchanged; and what the page says beside."""
    kinds = {kind: asdict(tally.of(kind)) for kind in KINDS}
    notes = ("reminders_planned", "consents", "consents_left", "visits_left")
    return {"kinds": kinds} | {name: getattr(tally, name) for name in notes}


def errors_of(findings: dict[str, Any]) -> Iterable[RowError]:
    return [RowError(**error) for error in findings["errors"]]
