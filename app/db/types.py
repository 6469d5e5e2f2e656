"""Column types: instants are aware UTC, secrets are sealed, doses and volumes are exact."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator

from app.db.crypto import Keyring

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


class Sealed(TypeDecorator[str]):
    """A text that is encrypted at rest with the engine's keyring."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring_of(dialect).seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring_of(dialect).open(bytes(value))


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
