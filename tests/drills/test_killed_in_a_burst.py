"""kill -9 in the middle of a burst of texts: none that was acknowledged is lost, none is answered twice."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from threading import Event, Lock

from tests.drills.real_process import Running
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import Answer

TEXTS = 240
KILL_AFTER = 80
WORDS = ("TRAVEL", "my pump is beeping", "refil", "what about my dog", "HELP", "i am so itchy since the refill")


def test_a_burst_survives_kill_9(tmp_path: Path) -> None:
    with FakeTwilio() as twilio, Running(tmp_path, twilio) as pumpline:
        twilio.public_url = pumpline.url
        first = _burst(twilio, pumpline, kill=pumpline.kill)
        acknowledged = {sid: answer.body for sid, answer in first.items() if answer.status == 200}
        assert KILL_AFTER <= len(acknowledged) < TEXTS, "the kill came before or after the burst"

        pumpline.start()
        # Twilio repeats what it got no answer to, and may repeat what it did
        second = _burst(twilio, pumpline)
        assert all(answer.status == 200 for answer in second.values())
        assert {sid: second[sid].body for sid in acknowledged} == acknowledged

        _wait_for(lambda: _count(tmp_path, "outbound_message", "purpose = 'page' AND state = 'queued'") == 0)
        _wait_for(lambda: bool(twilio.accepted))  # a page that was claimed is not yet at the provider
        assert _count(tmp_path, "inbound_message") == TEXTS
        assert _count(tmp_path, "outbound_message", "purpose = 'reply'") == TEXTS
        pages = Counter(message.body for message in twilio.accepted)
        assert pages, "nobody was paged"
        assert set(pages.values()) == {1}, "a page went out twice"
        assert _count(tmp_path, "task", "kind = 'alert'") == _urgent_phones()


def _burst(twilio: FakeTwilio, pumpline: Running, kill: Callable[[], None] | None = None) -> dict[str, Answer]:
    """Text from 16 phones' worth of threads at once; pull the plug once enough were acknowledged."""
    answers: dict[str, Answer] = {}
    lock, killed = Lock(), Event()

    def text(n: int) -> None:
        sid = f"SM{n:032d}"
        try:
            answer = twilio.deliver(pumpline.url, _phone(n), _said(n), sid=sid)
        except (OSError, HTTPException):  # the line went dead, perhaps in the middle of an answer
            return
        with lock:
            answers[sid] = answer
            enough = len(answers) >= KILL_AFTER
        if kill and enough and not killed.is_set():
            killed.set()
            kill()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(text, range(TEXTS)))
    return answers


def _said(n: int) -> str:
    """A question is another each time: who says the same again and again is taken for a machine."""
    words = WORDS[n % len(WORDS)]
    return f"{words}, number {n}" if "dog" in words else words


def _phone(n: int) -> str:
    return f"+1614555{1000 + n % 60:04d}"


def _urgent_phones() -> int:
    urgent = {"my pump is beeping", "i am so itchy since the refill"}
    return len({_phone(n) for n in range(TEXTS) if WORDS[n % len(WORDS)] in urgent})


def _count(folder: Path, table: str, where: str = "1 = 1") -> int:
    with sqlite3.connect(f"file:{folder}/pumpline.db?mode=ro", uri=True) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        return count


def _wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)
