"""The import file: bytes in, checked rows or readable errors out. docs/import.md describes every column.

Errors name row, column and remedy, and never the value: it may be a name or a phone number.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from app.integrations.csv_columns import COLUMNS, REQUIRED, RowReader, Values

TEMPLATE_ROWS = (
    {
        "mrn": "NG-1001", "given_name": "Maria", "family_name": "Alvarez", "born_on": "1984-03-09",
        "language": "en", "time_zone": "America/New_York", "phone": "+16145550123", "contact": "patient",
        "reminders": "yes", "consent": "yes", "pump_model": "SynchroMed II", "reservoir_size_ml": "40",
        "implanted_on": "2023-05-17", "concentration_mcg_per_ml": "2000", "daily_dose_mcg": "350",
        "alarm_volume_ml": "4", "last_filled_on": "{filled}", "reservoir_volume_ml": "40",
        "appointment_at": "{visit} 10:30", "appointment_id": "V-2001",
    },
    {
        "mrn": "NG-1001", "given_name": "Maria", "family_name": "Alvarez", "phone": "+16145550124",
        "contact": "carer", "carer_name": "Luis Alvarez", "relation": "husband", "reminders": "yes",
        "told_if_missed": "yes", "consent": "yes",
    },
)  # fmt: skip

OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
BOM = b"\xef\xbb\xbf"


def template(today: date) -> list[list[str]]:
    """Return the rows of a file to start from: the header and an example patient, with a refill just past and a visit
    to come."""
    fill = {"{filled}": str(today - timedelta(days=30)), "{visit}": str(today + timedelta(days=45))}
    rows = [list(COLUMNS)]
    for row in TEMPLATE_ROWS:
        cells = [row.get(name, "") for name in COLUMNS]
        for mark, day in fill.items():
            cells = [cell.replace(mark, day) for cell in cells]
        rows.append(cells)
    return rows


class FormatError(Exception):
    """The file as a whole cannot be read; says what is wrong and what to do."""


@dataclass(frozen=True)
class RowError:
    """`row` counts as a spreadsheet does: the header is row 1. `column` is None when the whole row is meant."""

    row: int
    column: str | None
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.what}; {self.remedy}"


@dataclass(frozen=True)
class Row:
    """One row. `values` is None when it has errors; `mrn` is given as soon as it can be read."""

    number: int
    mrn: str | None
    values: Values | None
    errors: tuple[RowError, ...] = ()


class Progress:
    """How many bytes of the file have been read so far."""

    def __init__(self) -> None:
        self.bytes_read = 0


def read_rows(lines: Iterable[bytes], reader: RowReader, progress: Progress | None = None) -> Iterator[Row]:
    """Yield every row of a file, checked by itself; blank rows are left out.

    Raises FormatError when the file is no table we know, before the first row or where it stops being UTF-8.
    """
    text = _decoded(lines, progress or Progress())
    header = next(text, "")
    if not header.strip():
        raise FormatError("the file is empty: start from `pumpline import --template`")
    delimiter = _delimiter(header)
    names = _header(header, delimiter)
    for number, cells in numbered(text, delimiter, first=2):
        yield _row(number, names, cells, reader)


def numbered(lines: Iterable[str], delimiter: str, *, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, each with its number as a spreadsheet counts. Raises FormatError."""
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    for number in count(first):
        try:
            cells = next(table, None)
        except csv.Error:
            raise FormatError(f"row {number} is broken: look for a quotation mark that is not closed") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield number, cells


def _decoded(lines: Iterable[bytes], progress: Progress) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        progress.bytes_read += len(line)
        if number == 1:
            if line.startswith(OTHER_ENCODINGS):
                raise FormatError('the file is UTF-16: save it as "CSV UTF-8"')
            line = line.removeprefix(BOM)
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError(f'line {number} is not UTF-8: save the file as "CSV UTF-8"') from None


def _delimiter(header: str) -> str:
    """Return the separator that splits the header into most columns we know."""

    def known(delimiter: str) -> int:
        return sum(_name(cell) in COLUMNS for cell in header.split(delimiter))

    return max((",", ";", "\t"), key=known)


def _name(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _header(line: str, delimiter: str) -> list[str]:
    try:
        names = [_name(cell) for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        raise FormatError("the header is broken: look for a quotation mark that is not closed") from None
    while names and not names[-1]:
        names.pop()  # spreadsheets leave empty columns at the end
    if not any(name in COLUMNS for name in names):
        raise FormatError(f"row 1 is not a header: it must name columns, at least {', '.join(REQUIRED)}")
    strange = [name or "(no name)" for name in names if name not in COLUMNS and not name.startswith("x_")]
    if strange:
        raise FormatError(
            f"unknown column {', '.join(strange)}: remove it, or put x_ before its name to have it ignored"
        )
    if missing := [name for name in REQUIRED if name not in names]:
        raise FormatError(f"the column {', '.join(missing)} is missing: see `pumpline import --template`")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FormatError(f"the column {', '.join(twice)} stands there twice: keep one")
    return names


def _row(number: int, names: list[str], cells: list[str], reader: RowReader) -> Row:
    given = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in COLUMNS}
    if any(cell.strip() for cell in cells[len(names) :]):
        error = RowError(number, None, "has more cells than the header", "put cells that hold a separator in quotes")
        return Row(number, given.get("mrn") or None, None, (error,))
    values, problems = reader.read({name: cell for name, cell in given.items() if cell})
    errors = tuple(RowError(number, column, what, remedy) for column, what, remedy in problems)
    return Row(number, given.get("mrn") or None, values, errors)
