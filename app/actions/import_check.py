"""First pass over an import file: every row checked, alone and against the others, in bounded memory.

Of what was read, only short hashes and row numbers are kept: a hundred thousand rows take some 60 MB.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState
from app.db.engine import Database
from app.db.people import Patient
from app.integrations.csv_columns import RowReader, Values
from app.integrations.csv_format import Progress, Row, RowError, read_rows

SHOWN_ERRORS = 100
VISITS_AT_ONCE = 500

Source = Path | bytes  # a file, or what was in it
Seen = Callable[[int], None]  # told how many bytes, or rows, were dealt with since it was told last

_HASH = 6  # bytes; two different cells of one patient pass as equal once in 2^48
_BLANK = bytes(_HASH)


@dataclass(frozen=True)
class Checked:
    """What the first pass found. `bad_patients` holds hashes of record numbers with an error in any row."""

    rows: int
    patients: int
    phones: int
    visits: int
    errors: tuple[RowError, ...]  # the first hundred, by row
    error_count: int
    bad_patients: frozenset[bytes]


def patient_key(mrn: str) -> bytes:
    """Return a short hash that stands for a record number while a file is read."""
    return blake2b(mrn.encode(), digest_size=12).digest()


def file_lines(source: Source) -> Iterator[bytes]:
    with source.open("rb") if isinstance(source, Path) else BytesIO(source) as file:
        yield from file


def check_file(
    db: Database, source: Source, reader: RowReader, clinic_id: int, now: datetime, seen: Seen = lambda _: None
) -> Checked:
    """Read the whole file and return what is wrong with it. Raises FormatError when it is no table we know."""
    checks = _Checks(now)
    progress, told = Progress(), 0
    with db.read() as session:
        for row in read_rows(file_lines(source), reader, progress):
            checks.add(row)
            if row.number % 1000 == 0:
                seen(progress.bytes_read - told)
                told = progress.bytes_read
            if len(checks.to_compare) >= VISITS_AT_ONCE:
                checks.compare_visits(session, db, clinic_id)
        checks.compare_visits(session, db, clinic_id)
    seen(progress.bytes_read - told)
    return checks.result()


@dataclass
class _Checks:
    now: datetime
    rows: int = 0
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0
    bad: set[bytes] = field(default_factory=set)
    to_compare: list[tuple[int, Values]] = field(default_factory=list)  # with the visits stored
    _known: dict[bytes, bytes] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=lambda: {"patient": 0, "phone": 0, "visit": 0})

    def add(self, row: Row) -> None:
        self.rows += 1
        for error in row.errors:
            self._fail(error, row.mrn)
        if row.values is None:
            return
        for column, other_row in self._contradictions(row.number, row.values):
            what = f"says something else than row {other_row}, about the same {_SUBJECT.get(column, 'patient')}"
            self._fail(RowError(row.number, column, what, "make the two rows agree, or leave one cell blank"), row.mrn)
        at = row.values.appointment_at
        if at is not None and (at <= self.now or row.values.appointment_id is not None):
            self.to_compare.append((row.number, row.values))

    def _fail(self, error: RowError, mrn: str | None) -> None:
        self.error_count += 1
        if len(self.errors) < 2 * SHOWN_ERRORS:  # errors about past visits come a little late: keep room to sort
            self.errors.append(error)
        if mrn:
            self.bad.add(patient_key(mrn))

    def _contradictions(self, number: int, values: Values) -> Iterator[tuple[str, int]]:
        mrn = values.mrn
        yield from self._compare(
            number,
            "patient",
            patient_key(mrn),
            {
                "given_name": values.given_name,
                "family_name": values.family_name,
                "born_on": values.born_on,
                "language": values.language,
                "time_zone": values.time_zone,
                "pump_model": values.pump and (values.pump.model, values.pump.reservoir_size_ml),
                "implanted_on": values.pump and values.pump.implanted_on,
                "daily_dose_mcg": values.program,
                "last_filled_on": values.refill,
            },
        )
        phone = {
            "contact": values.contact,
            "carer_name": values.carer_name,
            "relation": values.relation,
            "reminders": values.reminders,
            "told_if_missed": values.told_if_missed,
        }
        yield from self._compare(number, "phone", _key("phone", mrn, values.phone), phone)
        if values.appointment_at is None:
            return
        at = values.appointment_at.isoformat()
        by_time = {"appointment_id": values.appointment_id}
        yield from self._compare(number, "visit", _key("at", mrn, at), by_time)
        if values.appointment_id is not None:
            yield from self._compare(number, "", _key("id", mrn, values.appointment_id), {"appointment_at": at})

    def _compare(self, number: int, kind: str, key: bytes, cells: dict[str, Any]) -> Iterator[tuple[str, int]]:
        """Compare with what earlier rows said under this key, and remember what is new."""
        said = self._known.get(key)
        hashes = [_BLANK if cell is None else _hash(cell) for cell in cells.values()]
        if said is None:
            if kind:
                self._counts[kind] += 1
            self._known[key] = number.to_bytes(4, "big") + b"".join(hashes)
            return
        merged = []
        for place, (column, new) in enumerate(zip(cells, hashes, strict=True)):
            old = said[4 + place * _HASH : 4 + (place + 1) * _HASH]
            if _BLANK not in (old, new) and old != new:
                yield column, int.from_bytes(said[:4], "big")
            merged.append(new if old == _BLANK else old)
        self._known[key] = said[:4] + b"".join(merged)

    def compare_visits(self, session: Session, db: Database, clinic_id: int) -> None:
        """Find what stored visits make impossible: a visit in the past that nobody knows (a slipped year would leave
        a patient unreminded), and a move to a time at which the patient has another one."""
        if not self.to_compare:
            return
        hash_of = {values.mrn: db.hash_of(values.mrn) for _, values in self.to_compare}
        rows = session.execute(
            select(Patient.mrn_hash, Appointment.starts_at, Appointment.external_id, Appointment.state)
            .join(Patient, Patient.id == Appointment.patient_id)
            .where(Patient.clinic_id == clinic_id, Patient.mrn_hash.in_(set(hash_of.values())))
        ).all()
        by_time = {(row.mrn_hash, row.starts_at): row for row in rows}
        by_id = {(row.mrn_hash, row.external_id): row for row in rows if row.external_id is not None}
        booked = {key: row for key, row in by_time.items() if row.state is AppointmentState.BOOKED}
        for number, values in self.to_compare:
            at, mrn_hash = values.appointment_at, hash_of[values.mrn]
            named = by_id.get((mrn_hash, values.appointment_id))
            if at is None:
                continue
            if at <= self.now and named is None and (mrn_hash, at) not in by_time:
                remedy = "give the next visit, or leave appointment_at blank"
                self._fail(RowError(number, "appointment_at", "is in the past", remedy), values.mrn)
            other = booked.get((mrn_hash, at))
            if at > self.now and named is not None and other is not None and other is not named:
                what = "would move this visit to a time at which the patient has another one booked"
                remedy = "move or cancel one of them in Pumpline, then import again"
                self._fail(RowError(number, "appointment_id", what, remedy), values.mrn)
        self.to_compare.clear()

    def result(self) -> Checked:
        return Checked(
            rows=self.rows,
            patients=self._counts["patient"],
            phones=self._counts["phone"],
            visits=self._counts["visit"],
            errors=tuple(sorted(self.errors, key=lambda error: error.row)[:SHOWN_ERRORS]),
            error_count=self.error_count,
            bad_patients=frozenset(self.bad),
        )


_SUBJECT = {
    "contact": "phone",
    "carer_name": "phone",
    "relation": "phone",
    "reminders": "phone",
    "told_if_missed": "phone",
    "appointment_id": "visit",
    "appointment_at": "visit",
}


def _key(*parts: str) -> bytes:
    return blake2b("\x1f".join(parts).encode(), digest_size=12).digest()


def _hash(cell: Any) -> bytes:
    return blake2b(repr(cell).encode(), digest_size=_HASH).digest()
