"""Looking for garbage less often, where very much is made and little of it goes round in circles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def little_collecting() -> Iterator[None]:
    """Look for garbage in circles far more seldom: for a command that makes rows by the hundred thousand.

    A fifth of an import went into looking through what stays (a hundred thousand patients, two slow cores).
    """
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
