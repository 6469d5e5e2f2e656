"""A clinic with patients who text and reminders that fall due, made once for each kind of database."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from cryptography.fernet import Fernet

from tests.chaos.clock import SetClock
from tests.chaos.databases import Postgresql, Sqlite
from tests.chaos.weather import Carrier

ON_CALL = "+16145559990"
PUBLIC_URL = "https://pumpline.test"
SECOND = {"account_sid": "AC" + "0" * 31 + "2", "auth_token": "the-second-token", "number": "+16145550170"}
_DATA_KEY = Fernet.generate_key().decode()
_SAYINGS = Path(__file__).parent.parent / "data" / "understanding"
URGENT_SHARE = 0.02
_ROOT = Path(__file__).parents[2]

Held = Sqlite | Postgresql


@dataclass(frozen=True)
class Day:
    """When a run takes place: the clinic is made, the clock starts, reminders are due: ten in the morning at the
    clinic, the day before the visits."""

    name: str
    made_at: datetime
    starts_at: datetime
    due_at: datetime
    visits_on: str


ORDINARY = Day(
    "ordinary",
    datetime(2026, 11, 24, 14, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 14, 59, 50, tzinfo=UTC),
    datetime(2026, 11, 24, 15, 0, tzinfo=UTC),
    "2026-11-25",
)
HOUR_TWICE = Day(  # at 06:00 UTC two o'clock in New York becomes one o'clock
    "hour-twice",
    datetime(2026, 10, 31, 20, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 50, tzinfo=UTC),
    datetime(2026, 11, 1, 15, 0, tzinfo=UTC),
    "2026-11-02",
)
HOUR_MISSING = Day(  # at 07:00 UTC two o'clock becomes three
    "hour-missing",
    datetime(2027, 3, 13, 21, 0, tzinfo=UTC),
    datetime(2027, 3, 14, 6, 50, tzinfo=UTC),
    datetime(2027, 3, 14, 14, 0, tzinfo=UTC),
    "2027-03-15",
)


@dataclass(frozen=True)
class Size:
    """What one run carries. Each text of a patient is answered: texts in, texts out and reminders make `messages`."""

    messages: int

    @property
    def reminders(self) -> int:
        return self.messages // 10

    @property
    def texts(self) -> int:
        return (self.messages - self.reminders) // 2

    @property
    def patients(self) -> int:
        return max(self.reminders, self.texts // 2)


def phone(n: int) -> str:
    return f"+1614556{n:04d}" if n < 10_000 else f"+1614557{n - 10_000:04d}"


def settings(folder: Path, url: str, carrier: Carrier, second: Carrier | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PUMPLINE_")}
    stands_in = {} if second is None else _second(second)
    return (
        clean
        | stands_in
        | {
            "PUMPLINE_CHANNEL": "twilio",
            "PUMPLINE_INSTANCE_DIR": str(folder),
            "PUMPLINE_DATABASE_URL": url,
            "PUMPLINE_PUBLIC_URL": PUBLIC_URL,
            "PUMPLINE_TWILIO_ACCOUNT_SID": carrier.account_sid,
            "PUMPLINE_TWILIO_AUTH_TOKEN": carrier.auth_token,
            "PUMPLINE_TWILIO_SENDER": carrier.number,
            "PUMPLINE_TWILIO_API_URL": carrier.url,
            "PUMPLINE_TWILIO_TIMEOUT_SECONDS": "3",
            "PUMPLINE_OPT_OUT_REPLY": "pumpline",
            "PUMPLINE_ON_CALL_PHONE": ON_CALL,
            "PUMPLINE_CLINIC_PHONE": "+16145550100",
            "PUMPLINE_AFTER_HOURS_PHONE": "+16145550101",
            "PUMPLINE_WORKER_DEAD_AFTER_SECONDS": "4",
            "PUMPLINE_ANSWERS_A_DAY": "0",  # a patient of these runs texts all day
            "PUMPLINE_LONG_CODE_PER_SECOND": "0",  # the pace has tests of its own
            "PUMPLINE_SECRET_KEY": "s" * 40,
            "PUMPLINE_DATA_KEYS": _DATA_KEY,
            "PUMPLINE_LOG_LEVEL": "warning",
            "PYTHONPATH": str(_ROOT),
        }
    )


def _second(carrier: Carrier) -> dict[str, str]:
    return {
        "PUMPLINE_TWILIO_SECOND_ACCOUNT_SID": carrier.account_sid,
        "PUMPLINE_TWILIO_SECOND_AUTH_TOKEN": carrier.auth_token,
        "PUMPLINE_TWILIO_SECOND_SENDER": carrier.number,
        "PUMPLINE_TWILIO_SECOND_API_URL": carrier.url,
    }


def make(held: Held, size: Size, environ: Mapping[str, str], clock: SetClock, day: Day) -> None:
    """Fill an empty database: a clinic, its patients, and visits tomorrow for as many as get a reminder today."""
    clock.to(day.made_at)
    _pumpline(environ, "migrate")
    file = held.folder / "patients.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("mrn", "given_name", "family_name", "phone", "consent", "appointment_at"))
        for n in range(size.patients):
            visit = f"{day.visits_on} {8 + n % 8:02d}:{n // 8 % 60:02d}" if n < size.reminders else ""
            writer.writerow((f"CH-{n:05d}", f"Given{n}", f"Family{n}", phone(n), "yes", visit))
    _pumpline(environ, "import", str(file))


def copied(made: Path, folder: Path) -> None:
    shutil.copytree(made, folder, dirs_exist_ok=True)


def sayings(size: Size, seed: int) -> list[tuple[str, str]]:
    """Return (phone, words) for each text, in order: what people write, none of it a word that stops the texts."""
    chance = Random(seed)
    calm, urgent = [], []
    for file in ("seen-en.jsonl", "seen-es.jsonl"):
        for row in map(json.loads, (_SAYINGS / file).read_text().splitlines()):
            if row["context"] == "none" and row["kind"] == "urgent":
                urgent.append(row["text"])
            elif row["context"] == "none" and row["kind"] == "topic":
                calm.append(row["text"])
    return [
        (phone(n % size.patients), chance.choice(urgent if chance.random() < URGENT_SHARE else calm))
        for n in range(size.texts)
    ]


def _pumpline(environ: Mapping[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.crash_points", *words],
        env=dict(environ),
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    if done.returncode:
        raise RuntimeError(f"pumpline {words[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")
