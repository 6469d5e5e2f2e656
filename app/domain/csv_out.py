"""Tables as CSV that a spreadsheet opens as text: no cell is run as a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: object) -> str:
    """Return a cell as text; one that a spreadsheet would run begins with an apostrophe."""
    said = "" if cell is None else str(cell)
    return f"'{said}" if said.startswith(_STARTS_A_FORMULA) else said


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
