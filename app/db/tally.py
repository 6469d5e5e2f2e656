"""Counts that only grow and that every process adds to: a counter in memory would die with its process."""

from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.inserts import insert_once
from app.db.types import Id

PROVIDER_ERRORS = "provider_errors"  # by what may be done next and the provider's own code: "never repeat:30005"


class Tally(Base):
    """How often something happened."""

    __tablename__ = "tally"
    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)  # a word and a code of ours: never a name, number or text
    number: Mapped[int] = mapped_column(Id, default=0)


def count_provider_error(session: Session, outcome: str, code: int | None) -> None:
    """Count one. Last in its transaction: whoever holds this row must wait for no other."""
    add_one(session, PROVIDER_ERRORS, f"{outcome}:{code or 'none'}")


def add_one(session: Session, name: str, label: str) -> None:
    insert_once(session, Tally, ("name", "label"), name=name, label=label, number=0)
    session.execute(
        update(Tally)
        .where(Tally.name == name, Tally.label == label)
        .values(number=Tally.number + 1)
        .execution_options(synchronize_session=False)
    )


def tallies(session: Session, name: str) -> dict[str, int]:
    rows = session.execute(select(Tally.label, Tally.number).where(Tally.name == name))
    return {row.label: row.number for row in rows}
