"""The declarative base: what every table shares."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Enum, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase

from app.db.types import Exact, Instant

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    if TYPE_CHECKING:
        __table__: ClassVar[Table]  # of every class here; for statements past the ORM

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012
        datetime: Instant(),
        Decimal: Exact(),
        str: String(),
    }


def state_column(states: type[StrEnum]) -> Enum:
    """A state kept as its word, so that a row can be read and a state added without a migration of types."""
    return Enum(
        states, native_enum=False, create_constraint=False, length=24, values_callable=lambda s: [m.value for m in s]
    )
