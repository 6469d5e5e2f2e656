"""When an account at the provider counts as failing, when it is tried again, and by which account a text leaves. Pure.

What counts is said of the account or of its sender: credentials refused, no connection, no clear answer, a number that
may not send. A clinic's own sender counts for that clinic alone. What is wrong with one text or one phone counts for
nothing here. docs/decisions/0018-two-accounts.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FAULTS = 3  # in a row
FORGOTTEN_AFTER = timedelta(minutes=15)  # so long without another one, and the next counts as the first
ASKED_FIRST, ASKED_AT_LEAST_EVERY = timedelta(minutes=1), timedelta(minutes=15)
TRIAL_LASTS = timedelta(minutes=2)  # then another text may be the trial: nobody recorded what became of the last
STEADY_AFTER = timedelta(hours=1)  # well for so long, and the next failure is a new one


class Via(StrEnum):
    """An account at the provider, with its sender."""

    FIRST = "first"
    SECOND = "second"

    @property
    def other(self) -> "Via":
        return Via.SECOND if self is Via.FIRST else Via.FIRST


@dataclass(frozen=True)
class Breaker:
    """How one account has done lately."""

    faults: int = 0  # in a row
    fault_at: datetime | None = None
    failing_since: datetime | None = None
    try_at: datetime | None = None  # while it fails: when it is asked next
    tries: int = 0  # how often in vain
    answers: bool = False  # it fails, but answered when asked: one routine text may try it
    well_since: datetime | None = None  # after it failed

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None

    def is_asked(self, now: datetime) -> bool:
        """Whether it is to be asked now how it is."""
        return self.is_failing and not self.answers and (self.try_at is None or self.try_at <= now)

    @property
    def is_spotless(self) -> bool:
        """Whether a success would change nothing."""
        return not self.faults and not self.is_failing


def after_fault(
    breaker: Breaker, now: datetime, well_at: datetime | None, *, trial: bool = False, certain: bool = False
) -> Breaker:
    """Return how it is after a fault. `well_at`: when a text last went well; `certain`: the provider itself says so."""
    if breaker.is_failing:
        if not trial:
            return breaker  # a text that was under way when it began to fail
        tries = breaker.tries + 1
        return replace(breaker, tries=tries, answers=False, try_at=now + _wait(tries))
    at = breaker.fault_at
    in_a_row = at is not None and now - at <= FORGOTTEN_AFTER and (well_at is None or well_at < at)
    faults = breaker.faults + 1 if in_a_row else 1
    if faults < FAULTS and not certain:
        return replace(breaker, faults=faults, fault_at=now)
    again = breaker.well_since is not None and now - breaker.well_since < STEADY_AFTER
    tries = breaker.tries + 1 if again else 0
    return Breaker(faults, now, failing_since=now, try_at=now + _wait(tries), tries=tries)


def after_success(breaker: Breaker, now: datetime) -> Breaker:
    """Return how it is after it took a text."""
    if not breaker.is_failing:
        return replace(breaker, faults=0)
    return Breaker(tries=breaker.tries, well_since=now)


def after_asking(breaker: Breaker, now: datetime, *, answered: bool) -> Breaker:
    """Return how it is after it was asked."""
    if answered:
        return replace(breaker, answers=True)
    tries = breaker.tries + 1
    return replace(breaker, tries=tries, try_at=now + _wait(tries))


def after_trial_began(breaker: Breaker, now: datetime) -> Breaker:
    """Return how it is while one text tries it: no second one does meanwhile."""
    return replace(breaker, answers=False, try_at=now + TRIAL_LASTS)


def way_for(accounts: Mapping[Via, Breaker], *, wanted: Via | None, urgent: bool, routine: bool) -> tuple[Via, bool]:
    """Return by which account a text leaves, and whether it is the trial of one that failed.

    `wanted`: for an urgent text, the one that did not refuse it last time. Only a `routine` text is ever a trial.
    Where both fail, as if none did: somebody must be tried.
    """
    if routine and accounts[Via.FIRST].is_failing and accounts[Via.FIRST].answers:
        return Via.FIRST, True
    if urgent and wanted and not accounts[wanted].is_failing:
        return wanted, False
    for via in Via:
        if not accounts[via].is_failing:
            return via, False
    return (wanted if urgent and wanted else Via.FIRST), False


def with_sender(accounts: Mapping[Via, Breaker], own: Breaker | None) -> Mapping[Via, Breaker]:
    """Return how both ways do for a clinic whose own sender does like this: the account is first to be well."""
    if own is None or accounts[Via.FIRST].is_failing:
        return accounts
    return {**accounts, Via.FIRST: own}


def _wait(tries: int) -> timedelta:
    return min(ASKED_FIRST * (1 << min(tries, 10)), ASKED_AT_LEAST_EVERY)
