"""Whether what cannot be read ends the deed, or is said so in its place.

A text that leaves, and a number that it goes to, must be what was kept: who sends meets an error. A page is better
shown with a gap than not at all: one damaged row would else close the console to all nurses of a clinic.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass
class Gaps:
    """What a page met on the way."""

    met: bool = False


_gaps: ContextVar[Gaps | None] = ContextVar("gaps", default=None)
_exactly: ContextVar[bool] = ContextVar("exactly", default=False)


def with_gaps() -> Token[Gaps | None]:
    """Show what cannot be read as a gap, from here on in this context; `end` ends it."""
    return _gaps.set(Gaps())


def end(token: Token[Gaps | None]) -> None:
    _gaps.reset(token)


@contextmanager
def passing_over() -> Iterator[None]:
    """Have a row be read though something in it cannot be: for whoever needs the rest of it.

    To be entered where the statements run: a deed of `Database.write` may be done by another thread.
    """
    token = with_gaps()
    try:
        yield
    finally:
        end(token)


def gaps() -> Gaps | None:
    return _gaps.get()


@contextmanager
def exactly() -> Iterator[None]:
    """Have nothing be passed over: for whoever looks whether all can be read."""
    token = _exactly.set(True)
    try:
        yield
    finally:
        _exactly.reset(token)


def is_exact() -> bool:
    return _exactly.get()
