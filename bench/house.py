"""A clinic to measure on: its folder, its settings, its patients and visits."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.actions.line import Line
from app.actions.prepare import prepare
from app.db.migrate import migrate
from app.keys import keys_for
from app.settings import Settings, load_settings
from app.wiring import first_clinic, line_for
from bench.postgres import url_for
from bench.texts import known_phone

ROOT = Path(__file__).parent.parent
ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "bench-auth-token"
PUBLIC_URL = "https://pumpline.test"
SENDER = "+16145550100"

PLANNED_AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # 09:00 in New York
DUE_AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 10:00: the day before the soon visits
_SOON = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)  # only its one-day reminder is still to come
_LATER = datetime(2026, 12, 20, 16, 0, tzinfo=UTC)  # the whole ladder of four is
_CHUNK = 10_000


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk this project lives on (memory would make every commit cheap), removed at the end."""
    place = ROOT / "bench" / ".work"
    place.mkdir(exist_ok=True)
    (place / ".gitignore").write_text("*\n")
    made = Path(tempfile.mkdtemp(dir=place))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def environment(
    instance: Path, *, port: int = 8000, provider: str | None = None, scheduler: bool = True
) -> dict[str, str]:
    """Return the environment of a Pumpline on Twilio's channel, whose API is a stand-in on this machine."""
    ours = {
        "PUMPLINE_CHANNEL": "twilio",
        "PUMPLINE_INSTANCE_DIR": str(instance),
        "PUMPLINE_PORT": str(port),
        "PUMPLINE_PUBLIC_URL": PUBLIC_URL,
        "PUMPLINE_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "PUMPLINE_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUMPLINE_TWILIO_SENDER": SENDER,
        "PUMPLINE_LONG_CODE_PER_SECOND": "0",
        "PUMPLINE_TWILIO_API_URL": provider or "http://127.0.0.1:9",  # nobody listens: nothing leaves this machine
        "PUMPLINE_SCHEDULER": "yes" if scheduler else "no",
        "PUMPLINE_LOG_LEVEL": "error",
        "PUMPLINE_STRANGER_ANSWERS_AN_HOUR": "1000000",  # one text in seven is a stranger's
        "PUMPLINE_STRANGER_ANSWERS_A_DAY": "1000",
    }
    if url := url_for(instance):
        ours["PUMPLINE_DATABASE_URL"] = url
    return {name: value for name, value in os.environ.items() if not name.startswith("PUMPLINE_")} | ours


def settings_in(instance: Path, provider: str | None = None) -> Settings:
    chosen = environment(instance, provider=provider)
    return load_settings({name: value for name, value in chosen.items() if name.startswith("PUMPLINE_")})


def open_line(instance: Path, provider: str | None = None) -> Line:
    """Return the line of a prepared folder, made ready where it is new."""
    settings = settings_in(instance, provider)
    line = line_for(settings, keys_for(settings))
    migrate(line.db)
    prepare(line.db, first_clinic(settings), PLANNED_AT)
    return line


def add_patients(line: Line, count: int, *, soon: int = 0) -> None:
    """Add patients with a phone, a pump and a booked visit each: the first `soon` tomorrow, the others weeks ahead.

    Names repeat a few sealed ones, so that setting up a million is bearable; opening them costs the same.
    """
    sealed = [line.db.keyring.seal(f"Name{n}") for n in range(50)]
    numbers = [line.db.keyring.seal(known_phone(n)) for n in range(count)] if count <= 20_000 else None
    for start in range(0, count, _CHUNK):
        ids = range(start + 1, min(start + _CHUNK, count) + 1)
        with line.db.begin() as session:
            _insert(session, "patient", [_patient(n, sealed) for n in ids])
            _insert(session, "phone", [_phone(line, n, numbers) for n in ids])
            _insert(session, "contact", [_contact(n) for n in ids])
            _insert(session, "appointment", [_visit(n, n <= soon) for n in ids])
            _insert(session, "pump", [_pump(n) for n in ids])
            _insert(session, "supply", [_supply(n) for n in ids])


def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows as the database stores them, past the column types, which would seal every value anew."""
    names, connection = list(rows[0]), session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
    connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])
    if connection.dialect.name != "sqlite" and "id" in names:  # the next row of the application's comes after ours
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        )


def stored_as(at: datetime) -> str:
    """Return an instant as SQLite stores it, and as PostgreSQL reads it in a session that keeps UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _patient(n: int, sealed: list[bytes]) -> dict[str, Any]:
    name = sealed[n % len(sealed)]
    return {
        "id": n,
        "clinic_id": 1,
        "mrn": name,
        "mrn_hash": f"{n:064x}",
        "given_name": name,
        "family_name": name,
        "language": "en",
        "time_zone": "America/New_York",
        "state": "active",
        "version": 1,
        "created_at": stored_as(PLANNED_AT),
    }


def _pump(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "patient_id": n,
        "model": "SynchroMed II",
        "reservoir_size_ml": "40",
        "dated": True,
        "created_at": stored_as(PLANNED_AT),
    }


def _supply(n: int) -> dict[str, Any]:
    at = stored_as(PLANNED_AT)
    return {"patient_id": n, "clinic_id": 1, "pump_id": n, "stale": False, "computed_at": at}


def _phone(line: Line, n: int, numbers: list[bytes] | None) -> dict[str, Any]:
    number = known_phone(n - 1)
    return {
        "id": n,
        "clinic_id": 1,
        "number": numbers[n - 1] if numbers else line.db.keyring.seal(number),
        "number_hash": line.db.hash_of(number),
        "created_at": stored_as(PLANNED_AT),
    }


def _contact(n: int) -> dict[str, Any]:
    return {
        "patient_id": n,
        "phone_id": n,
        "kind": "patient",
        "gets_reminders": True,
        "created_at": stored_as(PLANNED_AT),
    }


def _visit(n: int, soon: bool) -> dict[str, Any]:
    starts_at = _SOON if soon else _LATER + timedelta(days=n % 60)
    return {
        "id": n,
        "clinic_id": 1,
        "patient_id": n,
        "starts_at": stored_as(starts_at),
        "state": "booked",
        "version": 1,
        "created_at": stored_as(PLANNED_AT),
    }


@contextmanager
def process(*arguments: str, env: dict[str, str] | None = None, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a module of ours as a process; it and its children are gone at the end."""
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=env, text=True, start_new_session=True, **more
    )
    try:
        yield started
    finally:
        end(started)


def end(started: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> None:
    if started.poll() is None:
        os.killpg(started.pid, how)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait(10)
