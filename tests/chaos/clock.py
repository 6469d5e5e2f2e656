"""One wall clock for every process of a run, which the run can step: `clock.c`, compiled for the occasion.

Not libfaketime: what it makes of Python's waits (3.11, by the steady clock) lets threads that wait for the
interpreter spin, and `time.sleep` fail.
"""

import mmap
import shutil
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


def can_be_set() -> bool:
    return shutil.which("cc") is not None


class SetClock:
    """The wall clock of all processes started with `environ`. The steady clock stays the machine's, as in life."""

    def __init__(self, folder: Path, at: datetime) -> None:
        self._library, self._file = folder / "clock.so", folder / "clock"
        if not self._library.exists():
            compiler = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE), "-ldl"]
            subprocess.run(compiler, check=True)
        self._file.write_bytes(struct.pack("q", 0))
        self._file.chmod(0o644)
        with self._file.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)
        self.to(at)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def to(self, at: datetime) -> None:
        self._set(at - datetime.now(UTC))

    def step(self, by: timedelta) -> None:
        self._set(self._ahead + by)

    def _set(self, ahead: timedelta) -> None:
        seconds = round(ahead.total_seconds())
        self._ahead = timedelta(seconds=seconds)
        self._page[:8] = struct.pack("q", seconds)

    @property
    def environ(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "PUMPLINE_TEST_CLOCK": str(self._file)}
