"""Starting, importing, and understanding a text."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from pathlib import Path

from app.clock import system_clock
from app.domain.texts import load_words
from bench.house import environment, folder, open_line, process
from bench.load import Load
from bench.results import Measured, Results
from bench.texts import known_phone, questions, texts
from bench.webhook import free_port
from faq.context import Context
from faq.library import Library
from faq.understand import understand

_COLUMNS = (
    *("mrn", "given_name", "family_name", "born_on", "phone", "consent", "pump_model", "reservoir_size_ml"),
    *("concentration_mcg_per_ml", "daily_dose_mcg", "alarm_volume_ml"),
    *("last_filled_on", "reservoir_volume_ml", "appointment_at"),
)
_PUMPLINE = Path(sys.executable).with_name("pumpline")


def starting(runs: int, say: Callable[[str], None]) -> Results:
    """From `pumpline run` on a migrated database to the first answered text."""
    took = []
    for run in range(runs):
        with folder() as place:
            open_line(place).db.close()
            port = free_port()
            began = time.perf_counter()
            with process("app.cli", "run", env=environment(place, port=port), stdout=subprocess.DEVNULL) as server:
                while not _answered(port, run) and server.poll() is None:
                    time.sleep(0.01)
                took.append(time.perf_counter() - began)
                if server.poll() is not None:
                    raise RuntimeError("pumpline run ended")
        say(f"answered after {took[-1]:.1f} s")
    return {"start_to_answer_s": Measured.of(took, "s")}


def _answered(port: int, seed: int) -> bool:
    try:
        return Load(port=port, seed=seed, connections=1, seconds=0.001).run()["answered"] > 0
    except OSError:
        return False


def importing(rows: int, say: Callable[[str], None]) -> Results:
    """Import a file of patients with pump, program and visit by the command line; its time and peak memory."""
    with folder() as place:
        open_line(place).db.close()
        file = place / "patients.csv"
        _write_patients(file, rows)
        began = time.perf_counter()
        pid = os.spawnve(
            os.P_NOWAIT, str(_PUMPLINE), [str(_PUMPLINE), "import", str(file)], environment(place, scheduler=False)
        )
        _, status, usage = os.wait4(pid, 0)
        took = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            raise RuntimeError("the import failed")
        say(f"{rows:,} rows in {took:.0f} s")
    name = "" if rows == 100_000 else f"_{rows // 1_000}k"  # only the whole file is held against the target
    return {
        f"import_rows{name}_s": Measured.of([took], "s"),
        f"import_peak{name}_mb": Measured.of([usage.ru_maxrss / 1024], "MB"),
    }


def _write_patients(file: Path, rows: int) -> None:
    today = system_clock().date()
    with file.open("w", encoding="utf-8", newline="") as to:
        table = csv.writer(to)
        table.writerow(_COLUMNS)
        filled = today - timedelta(days=30)
        for n in range(rows):
            visit = f"{today + timedelta(days=20 + n % 60)} {8 + n % 9:02}:30"
            who = (f"B-{n}", "Bench", f"Patient {n}", "1980-01-01", known_phone(n), "yes")
            table.writerow((*who, "SynchroMed II", 40, 2000, 350, 4, filled, 40, visit))


def understanding(runs: int) -> Results:
    """Median microseconds to understand a text, over the mix of the webhook and over every question alone."""
    library = load_words().library
    mix = [text for _, text in islice(texts(1), 2_000)]
    asked = list(questions())
    understand("hello", Context(), library)
    return {
        "understand_us": Measured.of([_median_us(mix, library) for _ in range(runs)], "us"),
        "understand_questions_us": Measured.of([_median_us(asked * 10, library) for _ in range(runs)], "us"),
    }


def _median_us(said: list[str], library: Library) -> float:
    took = []
    for text in said:
        began = time.perf_counter()
        understand(text, Context(), library)
        took.append(time.perf_counter() - began)
    return 1e6 * sorted(took)[len(took) // 2]
