"""Tables as CSV that a spreadsheet opens as text: no cell is run as a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # also the wide ones


def guarded(cell: object) -> str:
    """Return a cell as text; one that a spreadsheet would run begins with an apostrophe."""
    said = "" if cell is None else str(cell)
    return f"'{said}" if said.startswith(_STARTS_A_FORMULA) else said


BOM = "\ufeff"  # by it a spreadsheet reads the file as UTF-8


def csv_rows(rows: Iterable[Sequence[object]]) -> str:
    """Return rows without headings: for a file that is sent in parts."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
