"""Looking for garbage less often, where very much is made and little of it goes round in circles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_SELDOM = (50_000, 20, 100)
_USUAL = gc.get_threshold()

_lock = Lock()
_within = 0  # how many threads are at such work now: the thresholds are the whole process's


@contextmanager
def little_collecting() -> Iterator[None]:
    """Look for garbage in circles far more seldom: for work that makes rows by the thousand.

    A fifth of an import, and a quarter of planning reminders, went into looking through what stays.
    """
    _enter(1)
    try:
        yield
    finally:
        _enter(-1)


def _enter(step: int) -> None:
    global _within
    with _lock:
        _within += step
        gc.set_threshold(*(_SELDOM if _within else _USUAL))
