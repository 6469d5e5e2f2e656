"""How each of our accounts at the provider does: one row an account, the same for every machine."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.inserts import insert_once
from app.domain.breaker import Breaker, Via


class ProviderAccount(Base):
    """An account that has had a fault; one without a row never had any."""

    __tablename__ = "provider_account"
    via: Mapped[str] = mapped_column(primary_key=True)  # first, second
    faults: Mapped[int] = mapped_column(default=0)
    fault_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    try_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    answers: Mapped[bool] = mapped_column(default=False)
    well_since: Mapped[datetime | None]

    def breaker(self) -> Breaker:
        return Breaker(
            self.faults,
            self.fault_at,
            self.failing_since,
            self.try_at,
            self.tries,
            self.answers,
            self.well_since,
        )


def breakers(session: Session) -> Mapping[Via, Breaker]:
    """Return how each account does."""
    found = {Via(row.via): row.breaker() for row in session.scalars(select(ProviderAccount))}
    return {via: found.get(via, Breaker()) for via in Via}


def change_breaker(session: Session, via: Via, change: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
    """Change how an account does, for every machine; return how it was and how it is.

    Last in its transaction, but for the tally: whoever holds this row must wait for no other.
    """
    query = select(ProviderAccount).where(ProviderAccount.via == via).with_for_update()
    row = session.scalar(query)
    if row is None:
        insert_once(session, ProviderAccount, ("via",), via=via.value, faults=0, tries=0, answers=False)
        row = session.scalars(query).one()
    before = row.breaker()
    after = change(before)
    if after != before:
        for name, value in asdict(after).items():
            setattr(row, name, value)
        session.flush()
    return before, after
