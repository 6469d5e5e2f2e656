"""How our accounts at the provider do, and clinics' own senders: one row each, the same for every machine."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.inserts import insert_once
from app.db.people import Clinic
from app.domain.breaker import Breaker, Via, with_sender


class ProviderAccount(Base):
    """An account, or the own sender of a clinic, that has had a fault; one without a row never had any."""

    __tablename__ = "provider_account"
    via: Mapped[str] = mapped_column(primary_key=True)  # first, second, clinic:4
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


_OF_CLINIC = "clinic:"


def sender_of(clinic_id: int) -> str:
    """Return the key of a clinic's own sender."""
    return f"{_OF_CLINIC}{clinic_id}"


@dataclass(frozen=True)
class Breakers:
    """How all do. `own`: of the clinics whose own sender has had a fault."""

    accounts: Mapping[Via, Breaker]
    own: Mapping[int, Breaker]

    def for_clinic(self, clinic_id: int) -> Mapping[Via, Breaker]:
        return with_sender(self.accounts, self.own.get(clinic_id))

    def by_name(self) -> dict[str, Breaker]:
        return {str(via): one for via, one in self.accounts.items()} | {
            sender_of(clinic_id): one for clinic_id, one in self.own.items()
        }


def all_breakers(session: Session) -> Breakers:
    rows = {row.via: row.breaker() for row in session.scalars(select(ProviderAccount))}
    own = {int(key.removeprefix(_OF_CLINIC)): one for key, one in rows.items() if key.startswith(_OF_CLINIC)}
    if own:  # a number that was taken away from its clinic fails nobody any more
        still = set(session.scalars(select(Clinic.id).where(Clinic.sender.is_not(None))))
        own = {clinic_id: one for clinic_id, one in own.items() if clinic_id in still}
    return Breakers({via: rows.get(via, Breaker()) for via in Via}, own)


def breakers(session: Session) -> Mapping[Via, Breaker]:
    """Return how each account does."""
    return all_breakers(session).accounts


def change_breaker(session: Session, key: str, change: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
    """Change how an account or a sender does, for every machine; return how it was and how it is.

    Last in its transaction, but for the tally: whoever holds this row must wait for no other. Of two, the account's
    comes first.
    """
    query = select(ProviderAccount).where(ProviderAccount.via == key).with_for_update()
    row = session.scalar(query)
    if row is None:
        insert_once(session, ProviderAccount, ("via",), via=str(key), faults=0, tries=0, answers=False)
        row = session.scalars(query).one()
    before = row.breaker()
    after = change(before)
    if after != before:
        for name, value in asdict(after).items():
            setattr(row, name, value)
        session.flush()
    return before, after
