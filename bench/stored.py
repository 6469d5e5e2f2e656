"""How the cost of one text, and of a sweep with nothing due, grows with the messages that are stored already."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.channels.simulator import SimulatorChannel
from app.jobs import run_due
from bench.house import PLANNED_AT, add_patients, folder, open_line, stored_as
from bench.results import Measured, Results
from bench.texts import KNOWN_PHONES, known_phone

_CHUNK = 100_000
_SAYS = ("REFILL", "TRAVEL", "can i swim with my pump", "thanks", "what is this number")
_NUMBERS = "WITH RECURSIVE n(v) AS (SELECT {first} UNION ALL SELECT v + 1 FROM n WHERE v < {last}) "
_IN = (
    "INSERT INTO inbound_message (provider_id, clinic_id, phone_id, channel, body, kind, topic, trace, received_at) "
    "{numbers}SELECT 'SMb' || v, 1, v % {phones} + 1, 'twilio', {mark}, 'topic', 'bathing', {mark}, {at} FROM n"
)
_OUT = (
    "INSERT INTO outbound_message (clinic_id, phone_id, patient_id, dedupe_key, token, purpose, urgent, body, text_id, "
    "text_version, segments, state, state_at, due_at, created_at, attempts) "
    "{numbers}SELECT 1, v % {phones} + 1, v % {phones} + 1, 'bench:' || v, 'bench' || v, 'reply', {no}, {mark}, "
    "'answer:bathing', 1, 1, 'delivered', {at}, {at}, {at}, 1 FROM n"
)


def stored(sizes: Sequence[int], texts: int, say: Callable[[str], None]) -> Results:
    """Fill one database up to each size in turn, and measure at each: one text in, and a beat of all jobs."""
    results: Results = {}
    with folder() as place:
        line = open_line(place)
        add_patients(line, KNOWN_PHONES)
        beat, there, came = run_due(line, SimulatorChannel()), 0, 0
        for size in sizes:
            _fill(line, there, size)
            there = size
            _settle(line)
            took = []
            for n in range(texts):
                came += 1
                inbound = InboundText(f"SMt{came}", known_phone(came * 7 % KNOWN_PHONES), "", _SAYS[n % len(_SAYS)])
                began = time.perf_counter()
                receive_text(line, inbound, PLANNED_AT + timedelta(seconds=came))
                took.append(1e6 * (time.perf_counter() - began))
            beats = []
            beat(PLANNED_AT)
            for _ in range(9):
                began = time.perf_counter()
                beat(PLANNED_AT)
                beats.append(1e3 * (time.perf_counter() - began))
            results[f"text_in_{_called(size)}_stored_us"] = Measured.of(
                sorted(took)[len(took) // 4 : -len(took) // 4], "us"
            )
            results[f"sweep_{_called(size)}_stored_ms"] = Measured.of(beats, "ms")
            say(f"{size:,} stored: {results[f'text_in_{_called(size)}_stored_us'].value:g} us a text in")
        line.db.close()
    first, last = (results[f"text_in_{_called(size)}_stored_us"].value for size in (sizes[0], sizes[-1]))
    results[f"text_in_{_called(sizes[-1])}_vs_none"] = Measured.of([last / first], "ratio")
    return results


def _called(size: int) -> str:
    for unit, name in ((1_000_000, "m"), (1_000, "k")):
        if size >= unit:
            return f"{size // unit}{name}"
    return str(size)


def _fill(line: Line, there: int, size: int) -> None:
    """Add messages up to `size`, half in and half out, with bodies that are sealed as ours are."""
    sealed, trace = line.db.keyring.seal("can i go in the hot tub at the Y"), line.db.keyring.seal('["Answer bathing"]')
    sqlite = line.db.engine.dialect.name == "sqlite"
    at = f"'{stored_as(PLANNED_AT - timedelta(days=30))}'"
    how = {
        "phones": KNOWN_PHONES,
        "mark": "?" if sqlite else "%s",
        "at": at if sqlite else f"{at}::timestamptz",
        "no": "0" if sqlite else "false",
    }
    for first in range(there // 2, size // 2, _CHUNK):
        numbers = _NUMBERS.format(first=first + 1, last=min(first + _CHUNK, size // 2))
        if not sqlite:
            how_in, how_out = (words.replace("v % ", "v %% ") for words in (_IN, _OUT))
        else:
            how_in, how_out = _IN, _OUT
        with line.db.begin() as session:
            connection = session.connection()
            connection.exec_driver_sql(how_in.format(numbers=numbers, **how), (sealed, trace))
            connection.exec_driver_sql(how_out.format(numbers=numbers, **how), (sealed,))


def _settle(line: Line) -> None:
    """Let the database know how large its tables are, as it finds out by itself in time."""
    if line.db.engine.dialect.name == "postgresql":
        with line.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
