"""Sending: texts a second against a provider that answers in 80 ms, with 16 senders."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.actions.line import Line
from app.actions.outbox import owe
from app.actions.send_outbox import send_outbox
from app.channels.base import Accepted, Channel, Outgoing
from app.db.messages import Purpose
from app.domain.rate import Rates
from app.domain.texts import Rendered
from app.wiring import channel_for
from bench.house import PLANNED_AT, add_patients, folder, open_line, settings_in
from bench.losses import provider
from bench.results import Measured, Results

_SENDERS = 16
_ANSWER_MS = 80.0
_LIMIT = 10


class _Timed:
    """A channel that notes when each text is handed over."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.name = channel.name
        self.at: list[float] = []
        self.find, self.told_of, self.came_since = channel.find, channel.told_of, channel.came_since

    def send(self, message: Outgoing) -> Accepted:
        self.at.append(time.perf_counter())
        return self._channel.send(message)


def _pace(line: Line, channel: Channel, now: datetime) -> float:
    """Return the pace of a limited sender, from its first text to its last, as a share of the limit."""
    timed = _Timed(channel)
    send_outbox(replace(line, rates=Rates(long_code=_LIMIT)), timed, now, senders=_SENDERS)
    return (len(timed.at) - 1) / (timed.at[-1] - timed.at[0]) / _LIMIT


def sending(runs: int, texts: int, say: Callable[[str], None]) -> Results:
    reached = []
    with folder() as place, provider(_ANSWER_MS) as port:
        url = f"http://127.0.0.1:{port}"
        line = open_line(place, url)
        add_patients(line, texts)
        channel = channel_for(settings_in(place, url))
        words = Rendered(
            "Northgate Pump Clinic: your visit is on Tuesday. Reply 1 to confirm.", "text:reminder", 1, False
        )

        def owe_texts(many: int, run: int) -> None:
            with line.db.begin() as session:
                for n in range(1, many + 1):
                    owe(
                        session,
                        clinic_id=1,
                        phone_id=n,
                        words=words,
                        purpose=Purpose.STAFF,
                        dedupe_key=f"bench:{run}:{n}",
                        now=PLANNED_AT,
                    )

        for run in range(runs + 1):
            owe_texts(texts if run else 2 * _SENDERS, run)
            began = time.perf_counter()
            taken = send_outbox(line, channel, PLANNED_AT, senders=_SENDERS)
            if run:  # the first opens connections and imports the library
                reached.append(taken / (time.perf_counter() - began))
                say(f"{reached[-1]:.0f} texts/s")
        paces = []
        for run in range(runs):
            owe_texts(texts // 4, -1 - run)
            paces.append(_pace(line, channel, PLANNED_AT + timedelta(minutes=5 * run)))  # the last run's turns are over
            say(f"{paces[-1]:.3f} of a limit of {_LIMIT} texts/s")
        line.db.close()
    most = _SENDERS / (_ANSWER_MS / 1_000)
    return {
        "delivery_utilisation_16": Measured.of([one / most for one in reached], "share"),
        "rate_limit_accuracy": Measured.of(paces, "share"),
        "delivery_per_s": Measured.of(reached, "texts/s"),
    }
