"""The index of names: what it holds of each patient, and who is found by it. Names themselves stay sealed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    TextClause,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from app.db.crypto import keyed_number
from app.db.engine import Database
from app.db.finding import NameKey
from app.db.people import Patient
from app.db.prepared import Prepared
from app.db.types import words_of
from app.domain.names import beginnings, is_exact, lookup, matches, name_words

INDEXED = text("patient.names_indexed")  # else its keys may be those of the names before
NOT_INDEXED = text("NOT patient.names_indexed")  # as the partial index says it
_KEYS = NameKey.__table__
_INSERT = Prepared(lambda _: insert(_KEYS).inline(), ("key", "patient_id"))


@dataclass(frozen=True)
class Named:
    """A patient whose names are to be indexed."""

    patient_id: int
    clinic_id: int
    given_name: str
    family_name: str


def index_names(db: Database, session: Session, people: Collection[Named]) -> None:
    """Put these names into the index, in the place of what stood there of the same patients."""
    ids = [person.patient_id for person in people]
    if not ids:
        return
    session.flush()
    session.execute(delete(_KEYS).where(_KEYS.c.patient_id.in_(ids)))
    rows = [
        {"key": key, "patient_id": person.patient_id}
        for person in people
        for key in _keys(db, person.clinic_id, beginnings(name_words(person.given_name, person.family_name)))
    ]
    if rows:  # a name may be of signs alone
        _INSERT.run_each(session, rows)
    session.execute(update(Patient.__table__).where(Patient.id.in_(ids)).values(names_indexed=True))


# in the order of the partial index: PostgreSQL takes half of all patients for such until it has counted them, and would
# look through all for the first
_TO_INDEX = select(Patient.id).where(NOT_INDEXED).order_by(Patient.clinic_id)


def any_to_index(session: Session) -> bool:
    return session.scalars(_TO_INDEX.limit(1)).first() is not None


def names_to_index(session: Session, limit: int) -> list[Named]:
    """Return patients who are not in the index, locked: nobody renames them before they are."""
    rows = session.execute(
        _TO_INDEX.with_only_columns(Patient.id, Patient.clinic_id, Patient.given_name, Patient.family_name)
        .limit(limit)
        .with_for_update()
    )
    return [Named(*row) for row in rows]


def named_like(db: Database, session: Session, clinic_id: int, words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that each word begins a word of the patient's name.

    Whoever is not in the index yet is looked at by opening the name: slower, and never "no match" for want of an index.
    """
    indexed = _indexed(db, clinic_id, words)
    opened = set(_opened(db, session, clinic_id, words, NOT_INDEXED))
    if indexed is None:  # nothing that was typed is long enough for the index
        opened |= set(_opened(db, session, clinic_id, words, INDEXED))
        return Patient.id.in_(sorted(opened))
    if all(is_exact(word) for word in words):
        return or_(and_(INDEXED, Patient.id.in_(indexed)), Patient.id.in_(sorted(opened)))
    opened |= set(_opened(db, session, clinic_id, words, and_(INDEXED, Patient.id.in_(indexed))))
    return Patient.id.in_(sorted(opened))


def _indexed(db: Database, clinic_id: int, words: Sequence[str]) -> Select[int] | None:
    wanted = {beginning for word in words if (beginning := lookup(word)) is not None}
    keys = set(_keys(db, clinic_id, wanted))
    if not keys:
        return None
    held = select(_KEYS.c.patient_id).where(_KEYS.c.key.in_(keys))
    return held.group_by(_KEYS.c.patient_id).having(func.count() == len(keys))


def _keys(db: Database, clinic_id: int, wanted: Iterable[str]) -> list[int]:
    """Each clinic has hashes of its own: the same name in two of them has nothing in common."""
    key = db.lookup_key.encode()
    return sorted({keyed_number(key, f"name\0{clinic_id}\0{beginning}") for beginning in wanted})


def _opened(
    db: Database, session: Session, clinic_id: int, words: Sequence[str], which: ColumnElement[bool] | TextClause
) -> list[int]:
    """Open names one by one: about 25 microseconds each."""
    family, given = type_coerce(Patient.family_name, LargeBinary), type_coerce(Patient.given_name, LargeBinary)
    rows = session.execute(select(Patient.id, family, given).where(Patient.clinic_id == clinic_id, which))
    return [
        patient_id
        for patient_id, sealed_family, sealed_given in rows
        if matches(
            name_words(words_of(db.keyring, bytes(sealed_given)), words_of(db.keyring, bytes(sealed_family))), words
        )
    ]
