"""What makes pages live: one watcher a process looks at the database each second, and every open page hears of it.

A page is told that something changed, never what: it fetches itself again, through the same doors as ever.
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.db.engine import Database
from app.db.pulse import Pulse, pulse

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 1.0
TICK_SECONDS = 10.0  # a quiet stream still says that it lives, and whether anybody waits
MOST_STREAMS = 40  # each holds a thread of the server; who comes after that asks every few seconds instead
LONGEST_TICKS = 60  # then the browser opens a new one, and whatever was left behind is freed


@dataclass(frozen=True)
class Beat:
    """What the watcher saw: how often something changed, the newest text that came, and who waits at which clinic."""

    changes: int = 0
    newest_text: int = 0
    waiting: dict[int, int] = field(default_factory=dict)


class Live:
    """Open streams of this process, and the watcher that serves them while there are any."""

    def __init__(
        self, db: Database, look_every: float = LOOK_EVERY_SECONDS, tick_seconds: float = TICK_SECONDS
    ) -> None:
        self._db = db
        self._look_every = look_every
        self._tick_seconds = tick_seconds
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._watching = False
        self._streams = 0
        self._seen: Pulse | None = None
        self._beat = Beat()
        self._name = secrets.token_hex(4)  # of this process: another one counts otherwise

    def mark(self, beat: Beat | None = None) -> str:
        """Return what names a beat, the newest one unless told.

        A page that is made after taking it shows at least what that beat saw: a stream that begins with the same one
        has nothing to tell.
        """
        return f"{self._name}.{(beat or self._beat).changes}"

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """End every stream soon: the server is to stop, and must not wait for browsers. Called in a signal handler, so
        it takes no lock; the streams look each second."""
        self._stopping.set()

    def open(self) -> Beat | None:
        """Count one stream, and have somebody watch; return the beat to begin with, None where there is no room."""
        with self._news:
            if self._streams >= MOST_STREAMS or self.stopped:
                return None
            self._streams += 1
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="live", daemon=True).start()
        self._try_to_look()  # what was acknowledged a moment ago sounds no more
        with self._news:
            return self._beat

    def close(self) -> None:
        with self._news:
            self._streams -= 1

    def after(self, beat: Beat, seconds: float | None = None) -> Beat:
        """Wait until something changed since that beat, at most so long (a tick); return the newest one."""
        left = self._tick_seconds if seconds is None else seconds
        with self._news:
            while self._beat.changes == beat.changes and left > 0 and not self.stopped:
                self._news.wait(min(1.0, left))
                left -= 1.0
            return self._beat

    def _watch(self) -> None:
        """Look as long as anybody listens. What cannot be looked at now is looked at again."""
        while not self._stopping.wait(self._look_every):
            with self._news:
                if not self._streams:
                    self._watching = False
                    return
            self._try_to_look()

    def _try_to_look(self) -> None:
        try:
            self.look()
        except Exception as error:
            log.warning("the live pages cannot look at the database: %s", type(error).__name__)

    def look(self) -> Beat:
        """Look once, and tell who waits if anything moved."""
        with self._db.read() as session:
            now = pulse(session)
        with self._news:
            before, self._seen = self._seen, now
            if before != now:
                self._beat = Beat(self._beat.changes + 1, now.texts_in, now.waiting)
                self._news.notify_all()
            return self._beat


def stream(
    live: Live,
    beat: Beat,
    clinic_id: int,
    still_signed_in: Callable[[], bool],
    came: Callable[[int], tuple[int, int]],
) -> Iterator[str]:
    """Speak server-sent events to one page: `changed` as soon as something did, `tick` when nothing did for a while.

    Both tell how many alerts nobody has acknowledged, and how many texts came since the last one, to the clinic and to
    threads of whoever looks (`came` counts them after a text's id); `over` ends the stream of an ended session. The id
    of each is its mark: a page that has the first one's already need not fetch itself again.
    """
    quiet = {"waiting": beat.waiting.get(clinic_id, 0), "texts": 0, "mine": 0}
    yield "retry: 2000\n" + _event("tick", live.mark(beat), quiet)
    for _ in range(LONGEST_TICKS):
        newer = live.after(beat)
        if live.stopped:
            return
        if not still_signed_in():
            yield _event("over", live.mark(newer), {})
            return
        name = "changed" if newer.changes != beat.changes else "tick"
        began = beat.changes > 0  # before that nobody had looked, and no text is news
        texts, mine = came(beat.newest_text) if began and newer.newest_text != beat.newest_text else (0, 0)
        waiting = newer.waiting.get(clinic_id, 0)
        yield _event(name, live.mark(newer), {"waiting": waiting, "texts": texts, "mine": mine})
        beat = newer


def _event(name: str, mark: str, data: dict[str, int]) -> str:
    return f"id: {mark}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
