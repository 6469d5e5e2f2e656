"""The processes of one line: started as an operator starts them, killed without warning, and started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.chaos.crash_points import VARIABLE, asked_for
from tests.drills.real_process import free_port

_LOOK_EVERY = 0.1
_UP_WITHIN = 60.0


@dataclass
class Member:
    """One command of the line. `port`: where it serves, if it does."""

    name: str
    words: tuple[str, ...]
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Fleet:
    """Start with `with Fleet(...)`; a watcher starts whatever died again, as systemd would."""

    folder: Path
    environ: Mapping[str, str]
    members: Sequence[Member]
    deaths: int = 0
    points: list[str] = field(default_factory=list)  # crash points still to be tried, in this order

    def __enter__(self) -> "Fleet":
        self._lock = threading.RLock()
        self._ended = threading.Event()
        for member in self.members:
            self.start(member.name)
        self.wait_until_up()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()
        for member in self.members:
            self._kill(member)

    @property
    def webs(self) -> list[str]:
        return [member.url for member in self.members if member.port]

    def member(self, name: str) -> Member:
        return next(member for member in self.members if member.name == name)

    def start(self, name: str) -> None:
        with self._lock:
            member = self.member(name)
            member.wanted = True
            member.starts += 1
            log = (self.folder / f"{name}.log").open("ab")
            environ = {**self.environ, **self._armed(member)}
            if member.port:
                environ["PUMPLINE_PORT"] = str(member.port)
            # a session of its own: a kill takes what it forked too, as a power cut would
            member.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.crash_points", *member.words],
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            log.close()

    def kill(self, name: str, *, for_good: bool = False) -> None:
        """kill -9, all of it; the watcher starts it again unless it is for good."""
        with self._lock:
            member = self.member(name)
            member.wanted = not for_good
            self._kill(member)

    def stop(self, name: str, seconds: float = 40) -> int:
        """Ask it to stop; return how it ended."""
        with self._lock:
            member = self.member(name)
            member.wanted = False
        if member.process is None:
            return 0
        member.process.send_signal(signal.SIGTERM)
        return member.process.wait(seconds)

    def wait_until_up(self, seconds: float = _UP_WITHIN) -> None:
        self.wait_for(lambda: all(_answers(url) for url in self.webs), "no web process answers", seconds)

    def wait_for(self, true: Callable[[], object], what: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not true():
            if time.monotonic() > until:
                raise RuntimeError(f"{what} within {seconds:.0f} s; logs in {self.folder}")
            time.sleep(_LOOK_EVERY)

    def said(self) -> str:
        """Return everything that the processes logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def fired(self, point: str) -> bool:
        return self._marker(point).exists()

    def _marker(self, point: str) -> Path:
        return self.folder / f"{point.replace(' ', '_').replace(',', '')}.fired"

    def _armed(self, member: Member) -> dict[str, str]:
        """Arm the next point: one at a time for a line, so that each is reached from a whole one."""
        if not self.points or self.fired(self.points[0]) or not self._may_hold(member):
            return {}
        return {VARIABLE: asked_for(self.points[0], self._marker(self.points[0]))}

    def _may_hold(self, member: Member) -> bool:
        from tests.chaos.crash_points import SPOOL, WEB

        serves, beats = bool(member.port), member.words[0] != "web"
        if self.points[0] in SPOOL:  # who takes texts in also takes in what it kept: no worker does
            return serves
        return serves if self.points[0] in WEB else beats

    def next_point(self) -> str | None:
        """Go on to the next point once this one has killed, restarting whoever must be armed for it."""
        if not self.points or not self.fired(self.points[0]):
            return self.points[0] if self.points else None
        with self._lock:
            self.points.pop(0)
            if self.points:
                for member in self.members:
                    if self._may_hold(member):
                        self._kill(member)
        return self.points[0] if self.points else None

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            for member in self.members:
                with self._lock:
                    gone = member.process is not None and member.process.poll() is not None
                    if member.wanted and (gone or member.process is None):
                        self.deaths += 1
                        self.start(member.name)
                        time.sleep(0.2)  # one that ends at once is not started a thousand times

    def _kill(self, member: Member) -> None:
        if member.process is None:
            return
        try:
            os.killpg(member.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        member.process.wait()


def one_machine() -> list[Member]:
    return [Member("run", ("run", "--workers", "1"), free_port())]


def two_on_one_file() -> list[Member]:
    return [
        Member("run", ("run", "--workers", "1"), free_port()),
        Member("also", ("run", "--workers", "1"), free_port()),
    ]


def many_machines() -> list[Member]:
    return [
        Member("web-a", ("web", "--workers", "1"), free_port()),
        Member("web-b", ("web", "--workers", "1"), free_port()),
        Member("worker-a", ("worker", "--name", "worker-a")),
        Member("worker-b", ("worker", "--name", "worker-b")),
    ]


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/healthz", timeout=2):
            return True
    except (URLError, OSError):
        return False
