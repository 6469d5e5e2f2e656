"""How often somebody may be wrong. Nobody can lock another out: a browser that an account knows has its own count.

After OWASP's device cookies: failures from browsers on which an account never signed in count by e-mail and address;
they make such browsers wait, and no other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.db.people import SignInAttempt

WINDOW = timedelta(minutes=15)
TRIES_PER_PAIR = 5  # of one account from one address, on browsers it does not know
TRIES_PER_ADDRESS = 30  # from one address, on unknown browsers
TRIES_PER_ACCOUNT = 50  # of one account, on unknown browsers of the whole world
TRIES_PER_DEVICE = 10  # of one account on a browser it knows
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Tries:
    """Whose tries are counted: keyed hashes. `device` is empty for a browser on which the account never signed in."""

    account: str
    address: str
    device: str = ""

    def take(self, session: Session, now: datetime) -> timedelta | None:
        """Count one try, before it is looked at; return how long to wait instead, where there were too many."""
        if wait := self.wait(session, now):
            return wait
        session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - KEPT))
        session.add(SignInAttempt(email_hash=self.account, address_hash=self.address, device_hash=self.device, at=now))
        return None

    def wait(self, session: Session, now: datetime) -> timedelta | None:
        ends = [found for where, most in self._limits() if (found := _full_until(session, where, most, now))]
        return max(ends) - now if ends else None

    def forget(self, session: Session) -> None:
        """It went well: what was wrong before is forgiven."""
        session.execute(
            delete(SignInAttempt).where(
                SignInAttempt.email_hash == self.account,
                SignInAttempt.address_hash == self.address,
                SignInAttempt.device_hash == self.device,
            )
        )

    def _limits(self) -> list[tuple[list[ColumnElement[bool]], int]]:
        mine, here = SignInAttempt.email_hash == self.account, SignInAttempt.address_hash == self.address
        if self.device:
            return [([mine, SignInAttempt.device_hash == self.device], TRIES_PER_DEVICE)]
        unknown = SignInAttempt.device_hash == ""
        return [
            ([mine, here, unknown], TRIES_PER_PAIR),
            ([here, unknown], TRIES_PER_ADDRESS),
            ([mine, unknown], TRIES_PER_ACCOUNT),
        ]


def _full_until(session: Session, where: list[ColumnElement[bool]], most: int, now: datetime) -> datetime | None:
    recent = select(SignInAttempt.at).where(*where, SignInAttempt.at > now - WINDOW)
    if (session.scalar(select(func.count()).select_from(recent.subquery())) or 0) < most:
        return None
    return session.scalars(recent.order_by(SignInAttempt.at.desc()).offset(most - 1).limit(1)).one() + WINDOW
