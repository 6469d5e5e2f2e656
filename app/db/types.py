"""Column types: instants are aware UTC, secrets are sealed, doses and volumes are exact."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator

from app.db.crypto import Keyring, WrongDataKey
from app.db.reading import gaps, is_exact
from app.domain.unreadable import UNREADABLE, Unreadable

log = logging.getLogger(__name__)

# One keyring an engine: a type decorator is handed the engine's dialect, so that is where the keys hang.
_keyrings: WeakKeyDictionary[Dialect, Keyring] = WeakKeyDictionary()

Id = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers only an INTEGER key by itself


def use_keyring(dialect: Dialect, keyring: Keyring) -> None:
    _keyrings[dialect] = keyring


def keyring_of(dialect: Dialect) -> Keyring:
    try:
        return _keyrings[dialect]
    except KeyError:
        raise RuntimeError("this engine has no data keys: make it with app.db.engine.Database") from None


class Instant(TypeDecorator[datetime]):
    """An instant. Refuses naive values; returns aware UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite, write what its own type writes, in one step: every text binds a dozen instants."""
        return _as_sqlite_has_it if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is not an instant: give it a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


def _as_sqlite_has_it(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime is not an instant: give it a time zone")
    return _written(value if value.tzinfo is UTC else value.astimezone(UTC))


@lru_cache(maxsize=4096)  # most rows of a transaction are of one instant, and reminders of few
def _written(moment: datetime) -> str:
    """Write an instant in UTC: in a zone whose clocks go back, two that differ pass as equal."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=1024)  # each is told of once in a process
def _told(_: int) -> None:
    log.error("something kept cannot be read, and is passed over: `pumpline doctor` says of whom it is")


def _gap(error: WrongDataKey) -> str:
    """Return what stands for words that cannot be read. Raises the error for whoever wants to know."""
    if is_exact():
        raise error
    if (met := gaps()) is not None:
        met.met = True
    return Unreadable(UNREADABLE)


class Sealed(TypeDecorator[str]):
    """A text that is encrypted at rest with the engine's keyring, and used as it is: a number, the words of a text.

    Where it cannot be read, reading raises WrongDataKey; a page shows a gap (app.db.reading).
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        if isinstance(value, Unreadable):
            raise WrongDataKey("what cannot be read is not written down again")
        return None if value is None else keyring_of(dialect).seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return keyring_of(dialect).open(bytes(value))
        except WrongDataKey as error:
            instead = self._instead(error)
            _told(hash(bytes(value)))
            return instead

    def _instead(self, error: WrongDataKey) -> str | None:
        """Return what stands for what cannot be read, or raise."""
        if gaps() is None:
            raise error
        return _gap(error)


class SealedKey(Sealed):
    """What opens or proves something, or is read by a machine: it is right, or it is an error."""

    cache_ok = True

    def _instead(self, error: WrongDataKey) -> str | None:
        raise error


class SealedWords(Sealed):
    """A name, a reason, a note: words that tell people something. A gap in them stops nothing."""

    cache_ok = True

    def _instead(self, error: WrongDataKey) -> str | None:
        return _gap(error)


class SealedOrNone(Sealed):
    """What counts as not given where it cannot be read."""

    cache_ok = True

    def _instead(self, error: WrongDataKey) -> str | None:
        if is_exact():
            raise error
        return None


def words_of(keyring: Keyring, token: bytes) -> str:
    """Return what a `SealedWords` would give of a value that was read as it lies there."""
    try:
        return keyring.open(token)
    except WrongDataKey as error:
        instead = _gap(error)
        _told(hash(token))
        return instead


class Exact(TypeDecorator[Decimal]):
    """A dose, volume or concentration, kept as text so that no database turns it into a float."""

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError("doses and volumes are Decimal")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)
