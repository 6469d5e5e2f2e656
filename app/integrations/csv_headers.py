"""The header of somebody else's file: what its columns are called, which of ours each may be, and our names for them.

A file that passes here is UTF-8, a table with a header, and small enough to be read within one request.
"""

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from app.integrations.csv_columns import COLUMNS, REQUIRED
from app.integrations.csv_format import BOM, OTHER_ENCODINGS, FormatError, numbered

LARGEST_FILE = 5 * 1024 * 1024  # bytes
MOST_ROWS = 20_000
MOST_COLUMNS = 200
LONGEST_NAME = 60  # of a column, as it is shown

_SEPARATORS = (",", ";", "\t")

# As other systems and spreadsheets call them, in small letters and without accents or signs; ours are known anyway.
_CALLED: dict[str, tuple[str, ...]] = {
    "mrn": (
        "medical record number", "record number", "record no", "record id", "patient id", "patient number",
        "patient no", "patient mrn", "chart number", "chart no", "id", "numero de historia", "historia clinica", "nhc",
        "numero de historia clinica", "expediente", "numero de expediente", "id del paciente", "id paciente",
    ),
    "given_name": (
        "first name", "firstname", "first", "given", "given names", "forename", "patient first name", "nombre",
        "nombres", "primer nombre", "nombre de pila",
    ),
    "family_name": (
        "last name", "lastname", "last", "surname", "family", "patient last name", "apellido", "apellidos",
        "primer apellido",
    ),
    "born_on": (
        "born", "dob", "date of birth", "birth date", "birthdate", "birthday", "patient dob", "fecha de nacimiento",
        "f nacimiento", "fecha nacimiento", "nacimiento", "nacido",
    ),
    "language": ("lang", "preferred language", "patient language", "idioma", "lengua", "idioma preferido"),
    "time_zone": ("timezone", "tz", "zona horaria", "huso horario"),
    "phone": (
        "phone number", "phone no", "mobile", "mobile phone", "mobile number", "cell", "cell phone", "cellphone",
        "cell number", "telephone", "telephone number", "tel", "contact phone", "contact number", "patient phone",
        "telefono", "telefono movil", "movil", "celular", "numero de telefono", "numero de celular",
    ),
    "contact": ("contact type", "phone owner", "whose phone", "contacto", "tipo de contacto", "de quien"),
    "carer_name": (
        "carer", "caregiver", "caregiver name", "care giver", "carer full name", "cuidador", "nombre del cuidador",
        "cuidadora", "nombre cuidador",
    ),
    "relation": ("relationship", "relation to patient", "carer relation", "relacion", "parentesco"),
    "reminders": ("gets reminders", "reminder", "appointment reminders", "recordatorios", "recordatorio"),
    "told_if_missed": ("told of a missed refill", "tell if missed", "avisar si falta", "avisar si no viene"),
    "consent": (
        "consent to text", "sms consent", "text consent", "texting consent", "opt in", "optin", "consentimiento",
        "consentimiento sms", "acepta mensajes",
    ),
    "pump_model": ("pump", "model", "device", "device model", "pump type", "bomba", "modelo", "modelo de bomba"),
    "reservoir_size_ml": (
        "reservoir size", "reservoir", "pump size", "pump volume", "reservoir ml", "size ml", "reservorio",
        "tamano del reservorio", "capacidad del reservorio", "volumen de la bomba",
    ),
    "implanted_on": (
        "implanted", "implant date", "date of implant", "implantation date", "date implanted", "pump implant date",
        "fecha de implante", "fecha de implantacion", "implantada", "implante",
    ),
    "concentration_mcg_per_ml": (
        "concentration", "concentration mcg ml", "drug concentration", "baclofen concentration", "conc", "mcg ml",
        "concentracion", "concentracion mcg ml",
    ),
    "daily_dose_mcg": (
        "daily dose", "dose", "dose mcg", "dose mcg day", "daily dose mcg day", "mcg day", "total daily dose",
        "dosis", "dosis diaria", "dosis mcg dia", "dosis diaria mcg",
    ),
    "alarm_volume_ml": (
        "alarm volume", "low reservoir alarm", "low reservoir alarm volume", "alarm ml", "volumen de alarma", "alarma",
    ),
    "last_filled_on": (
        "last refill", "last refill date", "refill date", "last filled", "date of last refill", "filled on",
        "ultima recarga", "fecha de ultima recarga", "fecha de la ultima recarga", "fecha de recarga",
    ),
    "reservoir_volume_ml": (
        "refill volume", "volume", "filled volume", "fill volume", "reservoir volume", "volume ml",
        "volumen de recarga", "volumen", "volumen recargado",
    ),
    "appointment_at": (
        "appointment", "next appointment", "next refill", "next visit", "appointment date", "appointment time",
        "appointment date time", "visit date", "next refill date", "cita", "proxima cita", "fecha de la cita",
        "fecha de cita", "proxima recarga", "proxima visita",
    ),
    "appointment_id": ("appointment no", "appointment number", "visit id", "visit number", "id de la cita", "id cita"),
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """The columns of a file as it calls them, in their order. A name may be blank, and may be somebody's by mistake."""

    names: tuple[str, ...]
    separator: str
    rows: int  # without the header and blank ones


def read_text(content: bytes) -> str:
    """Return what a file says, with plain line ends. Raises FormatError, with the remedy, for what is no UTF-8 text."""
    if content.startswith(OTHER_ENCODINGS):
        raise FormatError('the file is UTF-16: save it as "CSV UTF-8"')
    content = content.removeprefix(BOM)
    if not content.strip():
        raise FormatError("the file is empty: choose another")
    if b"\0" in content:
        raise FormatError('the file is no CSV: open it in the spreadsheet and save it as "CSV UTF-8"')
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FormatError(f'line {line} is not UTF-8: save the file as "CSV UTF-8"') from None


def read_header(text: str) -> Header:
    """Return the columns of a file. Raises FormatError for what is no table with a header, or too long a one."""
    first = text.partition("\n")[0]
    tried = {sign: cells for sign in _SEPARATORS if (cells := _cells(first, sign))}
    if not tried:
        raise FormatError("the header is broken: look for a quotation mark that is not closed")
    separator = max(tried, key=lambda sign: len(tried[sign]))
    names = [cell.strip() for cell in tried[separator]]
    while names and not names[-1]:
        names.pop()  # spreadsheets leave empty columns at the end
    if len(names) < len(REQUIRED):
        raise FormatError("row 1 names too few columns: it must be the header, separated by commas, semicolons or tabs")
    if len(names) > MOST_COLUMNS:
        raise FormatError(f"the file has more than {MOST_COLUMNS} columns: keep those that Pumpline knows")
    rows = _count_rows(text, separator)
    if rows == 0:
        raise FormatError("the file has a header and no rows: nothing would be imported")
    if rows > MOST_ROWS:
        raise FormatError(
            f"the file has more than {MOST_ROWS} rows: split it, or have it imported with `pumpline import`"
        )
    return Header(tuple(names), separator, rows)


def guess_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return which of our columns each of the file's seems to be, by its name alone; "" for none. None comes twice."""
    found: list[str] = [""] * len(names)
    for known in (_OURS, _OTHERS):  # an exact name before a synonym, wherever it stands
        for place, name in enumerate(names):
            ours = known.get(_simple(name), "")
            if ours and not found[place] and ours not in found:
                found[place] = ours
    return tuple(found)


def what_lacks(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that every file needs and that nothing was chosen for."""
    chosen = set(columns)
    return tuple(name for name in REQUIRED if name not in chosen)


def with_our_names(text: str, header: Header, columns: Sequence[str]) -> bytes:
    """Return the file with our names in its header; a column that is left out is called x_ and its place.

    Raises ValueError unless there is a choice for every column.
    """
    if len(columns) != len(header.names):
        raise ValueError("a choice for each column is needed")
    names = [name or f"x_{place}" for place, name in enumerate(columns, start=1)]
    return f"{header.separator.join(names)}\n{text.partition(chr(10))[2]}".encode()


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line, none where it cannot be read."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []


def _count_rows(text: str, separator: str) -> int:
    """Count the rows that hold anything, the header aside; stops where there are too many."""
    rows = numbered(StringIO(text, newline="\n"), separator)
    return max(0, sum(1 for _ in islice(rows, MOST_ROWS + 2)) - 1)


def _simple(name: str) -> str:
    """Return a name in small letters, without accents, its words with one blank between them."""
    plain = unicodedata.normalize("NFKD", name[:LONGEST_NAME])
    kept = "".join(" " if not sign.isalnum() else sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(kept.casefold().split())


_OURS = {_simple(name): name for name in COLUMNS}
_OTHERS = {called: ours for ours, names in _CALLED.items() for called in names}
