"""What the writers of an import share: the tally, and how rows are merged, compared and inserted in bulk."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from app.actions.import_journal import Change, created, updated
from app.integrations.csv_columns import Values

Numbered = tuple[int, Values]  # with the row's number in the file

KINDS = ("patients", "phones", "contacts", "pumps", "programs", "refills", "visits")


_PAGE = 4096


class Numbers:
    """A set of ids in a bit each, page by page: a million of neighbouring ones take some 130 KB."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Add it, and return whether it is new."""
        page, place = divmod(number, _PAGE)
        bits = self._pages.get(page)
        if bits is None:
            bits = self._pages[page] = bytearray(_PAGE // 8)
        byte, mask = place >> 3, 1 << (place & 7)
        new = not bits[byte] & mask
        bits[byte] |= mask
        return new


@dataclass
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class Tally:
    """What an import did, by kind of row; `changes` are gathered only where somebody keeps them."""

    patients: Counts = field(default_factory=Counts)
    phones: Counts = field(default_factory=Counts)
    contacts: Counts = field(default_factory=Counts)
    pumps: Counts = field(default_factory=Counts)
    programs: Counts = field(default_factory=Counts)
    refills: Counts = field(default_factory=Counts)
    visits: Counts = field(default_factory=Counts)
    consents: int = 0  # opt-ins recorded
    consents_left: int = 0  # phones that opted out: a file never overrules that
    visits_left: int = 0  # attended, cancelled at that very time, or of a patient who is not active
    reminders_planned: int = 0
    journal: list[Change] | None = None
    _settled: dict[str, Numbers] = field(default_factory=lambda: {kind: Numbers() for kind in KINDS})  # count once

    def created(self, kind: str, rows: Iterable[int] | Mapping[int, Mapping[str, Any]]) -> None:
        """Count new rows; where their cells are given, they are kept with them."""
        cells = rows if isinstance(rows, Mapping) else {}
        for row_id in rows:
            self._settled[kind].add(row_id)
            self.of(kind).created += 1
            if self.journal is not None:
                self.journal.append(created(kind, row_id, cells.get(row_id)))

    def met(self, kind: str, row: Any, changed: Mapping[str, Any]) -> None:
        """Count a row as it stood, by the first thing that happened to it, and what was changed in it."""
        if changed and self.journal is not None:
            self.journal.append(updated(kind, row, changed))
        if not self._settled[kind].add(row.id):
            return
        if changed:
            self.of(kind).updated += 1
        else:
            self.of(kind).unchanged += 1

    def of(self, kind: str) -> Counts:
        counts: Counts = getattr(self, kind)
        return counts

    def taken(self) -> list[Change]:
        """Return what was gathered since this was last asked."""
        journal = self.journal or []
        if self.journal is not None:
            self.journal = []
        return journal

    def changes(self) -> dict[str, int]:
        """Return how many rows of each kind were created or updated so far."""
        return {kind: self.of(kind).created + self.of(kind).updated for kind in KINDS} | {"consents": self.consents}


@dataclass
class Patients:
    """The patients of one chunk: ids by record number, time zones by id, and what is special about some."""

    ids: dict[str, int] = field(default_factory=dict)
    zones: dict[int, str] = field(default_factory=dict)
    created: set[int] = field(default_factory=set)
    zone_changed: set[int] = field(default_factory=set)
    inactive: set[int] = field(default_factory=set)

    def add(self, mrn: str, patient_id: int, time_zone: str) -> None:
        self.ids[mrn] = patient_id
        self.zones[patient_id] = time_zone


def merged(
    rows: Iterable[Values], key: Callable[[Values], Hashable], cells: Callable[[Values], dict[str, Any]]
) -> dict[Any, dict[str, Any]]:
    """Return one dict of given cells a key: rows agree (the first pass saw to it), and fill each other's blanks."""
    wanted: dict[Any, dict[str, Any]] = {}
    for values in rows:
        given = {name: cell for name, cell in cells(values).items() if cell is not None}
        wanted.setdefault(key(values), {}).update(given)
    return wanted


def differing(row: Any, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that say something else than the stored row."""
    return {name: cell for name, cell in cells.items() if getattr(row, name) != cell}


def insert_returning(session: Session, table: Table, rows: list[dict[str, Any]], *columns: str) -> list[Any]:
    """Insert all rows and return id and the named columns of each, in any order."""
    if not rows:
        return []
    returned = [table.c.id, *(table.c[name] for name in columns)]
    return list(session.execute(insert(table).returning(*returned), rows))
