"""A carrier that misbehaves as often as it is told to, by a seeded choice: in what it answers, and what it reports."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from heapq import heappop, heappush
from http.client import HTTPException
from itertools import count
from queue import Empty, Queue
from random import Random
from typing import Any

from tests.fakes.twilio_server import FakeTwilio, Message, Step

_CLERKS = 6


@dataclass(frozen=True)
class Weather:
    """Shares, 0 to 1, of the texts handed over and of the reports sent."""

    slow: float = 0.0  # takes it at once, answers after 1.5 s
    too_slow: float = 0.0  # takes it, answers after our patience
    busy: float = 0.0  # 429, not taken
    broken: float = 0.0  # 503, not taken
    broken_after: float = 0.0  # 503, and taken all the same
    hangs_up: float = 0.0  # not taken
    hangs_up_after: float = 0.0  # taken
    garbage: float = 0.0  # taken, and the answer is no JSON
    hides: float = 0.0  # taken, and not in its list for two minutes: nobody can tell
    report_twice: float = 0.0
    report_lost: float = 0.0
    report_first_last: float = 0.0  # "delivered" comes before "sent"
    webhook_twice: float = 0.0  # the same text, delivered again at the same time


FAIR = Weather()
FOUL = Weather(
    slow=0.03,
    busy=0.03,
    broken=0.02,
    broken_after=0.02,
    hangs_up=0.02,
    hangs_up_after=0.03,
    garbage=0.01,
    report_twice=0.1,
    report_lost=0.05,
    report_first_last=0.1,
    webhook_twice=0.1,
)

_STEPS = (
    ("slow", Step(delay_seconds=1.5)),
    ("too_slow", Step(delay_seconds=4.0)),
    ("busy", Step(accepts=False, status=429, code=20429)),
    ("broken", Step(accepts=False, status=503)),
    ("broken_after", Step(status=503, answer=b"<html>upstream</html>")),
    ("hangs_up", Step(accepts=False, hangs_up=True)),
    ("hangs_up_after", Step(hangs_up=True)),
    ("garbage", Step(answer=b"<html>so sorry</html>")),
)
HIDDEN_FOR = timedelta(minutes=2)


@dataclass
class Carrier(FakeTwilio):
    """FakeTwilio, with weather, and with clerks who report to any of our web processes what became of each text."""

    weather: Weather = FAIR
    seed: int = 1
    webs: Sequence[str] = ()
    when_taken: Callable[[Message], None] = lambda message: None
    hidden: list[Message] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)
        self._due: list[tuple[float, int, Message, str]] = []
        self._order = count()
        self._reports: Queue[tuple[Message, str]] = Queue()
        self.on_accept = self._took

    def __enter__(self) -> "Carrier":
        super().__enter__()
        for work in (self._hand_out, *[self._clerk] * _CLERKS):
            threading.Thread(target=work, daemon=True).start()
        return self

    def happens(self, share: float) -> bool:
        with self.lock:
            return self._chance.random() < share

    def next_step(self) -> Step:
        with self.lock:
            drawn, name = self._chance.random(), "fair"
            chosen = Step()
            for name, step in _STEPS:
                drawn -= getattr(self.weather, name)
                if drawn < 0:
                    chosen = step
                    break
            else:
                name = "fair"
            self.counted[name] += 1
        return replace(chosen)

    def held(self) -> list[Message]:
        now = self.clock()
        with self.lock:
            hidden = {id(message) for message in self.hidden if now - message.made_at < HIDDEN_FOR}
        return [message for message in super().held() if id(message) not in hidden]

    def told_of(self, sid: str) -> Message | None:
        """Whatever became of a report: whoever asks later hears that the text arrived."""
        found = super().told_of(sid)
        return replace(found, status="delivered") if found is not None and found.status == "sent" else found

    # what it reports

    def quiet(self) -> bool:
        with self.lock:
            return not self._due and self._reports.empty()

    def _took(self, message: Message) -> None:
        if message.direction == "outbound-api" and self.happens(self.weather.hides):
            with self.lock:
                self.hidden.append(message)
        self.when_taken(message)
        words = ["sent", "delivered"]
        if self.happens(self.weather.report_first_last):
            words.reverse()
        for n, word in enumerate(words):
            if self.happens(self.weather.report_lost):
                self.counted["report lost"] += 1
                continue
            for _ in range(2 if self.happens(self.weather.report_twice) else 1):
                with self.lock:
                    at = time.monotonic() + 0.3 + 0.3 * n + self._chance.random() * 0.5
                    heappush(self._due, (at, next(self._order), message, word))

    def _hand_out(self) -> None:
        while not self.closing.wait(0.05):
            with self.lock:
                while self._due and self._due[0][0] <= time.monotonic():
                    _, _, message, word = heappop(self._due)
                    self._reports.put((message, word))

    def _clerk(self) -> None:
        while not self.closing.is_set():
            try:
                message, word = self._reports.get(timeout=0.2)
            except Empty:
                continue
            if not self._reported(message, word):
                self.counted["report not taken"] += 1

    def _reported(self, message: Message, word: str) -> bool:
        """As Twilio: one report is tried once more elsewhere, and is then gone."""
        for web in self._in_turn():
            try:
                answer = self.report(message, word, app=web)
            except (OSError, HTTPException):
                continue
            if answer is None or answer.status < 500:
                return True
        return False

    # what patients text

    def text(self, sender: str, words: str, sid: str) -> bool:
        """Deliver one text as Twilio does: to the address, then to the fallback address; True once it was answered.

        Where neither answers it stays in the list of what came, for us to find.
        """
        self.miss(sender, words, sid)
        twice = self.happens(self.weather.webhook_twice)
        again: Any = None
        if twice:
            again = threading.Thread(target=self._post, args=(sender, words, sid))
            again.start()
        answered = self._post(sender, words, sid)
        if again is not None:
            again.join()
        self.counted["answered" if answered else "not answered"] += 1
        return answered

    def _post(self, sender: str, words: str, sid: str) -> bool:
        for web in self._in_turn():
            try:
                if self.deliver(web, sender, words, sid).status == 200:
                    return True
            except (OSError, HTTPException):
                continue
        return False

    def _in_turn(self) -> Sequence[str]:
        first = next(self._order) % max(1, len(self.webs))
        order = [*self.webs[first:], *self.webs[:first]]
        return order if len(order) > 1 else order * 2
