"""Sending: texts a second against a provider that answers in 80 ms, with 16 senders."""

import time
from collections.abc import Callable

from app.actions.outbox import owe
from app.actions.send_outbox import send_outbox
from app.db.messages import Purpose
from app.domain.texts import Rendered
from app.wiring import channel_for
from bench.house import PLANNED_AT, add_patients, folder, open_line, settings_in
from bench.losses import provider
from bench.results import Measured, Results

_SENDERS = 16
_ANSWER_MS = 80.0


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
        for run in range(runs + 1):
            with line.db.begin() as session:
                for n in range(1, (texts if run else 2 * _SENDERS) + 1):
                    owe(
                        session,
                        clinic_id=1,
                        phone_id=n,
                        words=words,
                        purpose=Purpose.STAFF,
                        dedupe_key=f"bench:{run}:{n}",
                        now=PLANNED_AT,
                    )
            began = time.perf_counter()
            taken = send_outbox(line, channel, PLANNED_AT, senders=_SENDERS)
            if run:  # the first opens connections and imports the library
                reached.append(taken / (time.perf_counter() - began))
                say(f"{reached[-1]:.0f} texts/s")
        line.db.close()
    most = _SENDERS / (_ANSWER_MS / 1_000)
    return {
        "delivery_utilisation_16": Measured.of([one / most for one in reached], "share"),
        "delivery_per_s": Measured.of(reached, "texts/s"),
    }
