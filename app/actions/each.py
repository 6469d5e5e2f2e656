"""Doing many things of which one may be bad: it never blocks the rest."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

log = logging.getLogger(__name__)
Key = TypeVar("Key", int, str)  # of a row, or a provider's: it is logged


class SomeFailed(Exception):
    """The others went well; these are tried again at the next beat."""


def each(ids: Iterable[Key], what: str, act: Callable[[Key], bool]) -> int:
    """Do `act` for every id and return how many it did something for.

    Raises SomeFailed at the end, so that the job counts as failed, when any threw.
    """
    done, failed = 0, 0
    for one in ids:
        try:
            done += act(one)
        except Exception as error:
            failed += 1
            log.error("%s %s failed: %s", what, one, type(error).__name__)
    if failed:
        raise SomeFailed(f"{failed} of them")
    return done
