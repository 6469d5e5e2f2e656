"""What a run measured, against its targets: latest.json and a printed table."""

import json
import operator
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

LATEST = Path(__file__).parent / "results" / "latest.json"
LATEST_QUICK = Path(__file__).parent / "results" / "quick.json"


@dataclass(frozen=True)
class Measured:
    """One figure. `value` is the median of `runs` runs, `min` and `max` their range."""

    value: float
    unit: str
    runs: int
    min: float
    max: float

    @staticmethod
    def of(values: Sequence[float], unit: str) -> "Measured":
        if not values:
            raise ValueError("nothing was measured")
        return Measured(_short(median(values)), unit, len(values), _short(min(values)), _short(max(values)))


Results = dict[str, Measured]


@dataclass(frozen=True)
class Target:
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        above = self.at_least is None or operator.ge(value, self.at_least)
        return above and (self.at_most is None or operator.le(value, self.at_most))

    def __str__(self) -> str:
        sides = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {side:g}" for word, side in sides if side is not None)


TARGETS: dict[str, Target] = {
    "webhook_vs_echo_sqlite": Target(at_least=0.20),
    "webhook_vs_naive": Target(at_least=1.0),
    "webhook_p99_vs_echo": Target(at_most=5),
    "webhook_p50_idle_vs_echo": Target(at_most=4),
    "understand_us": Target(at_most=400),
    "sweep_idle_100k_vs_1k": Target(at_most=1.5),
    "queue_due_100k_vs_1k": Target(at_most=1.5),
    "sweep_idle_1m_vs_1k": Target(at_most=1.5),
    "queue_due_1m_vs_1k": Target(at_most=1.5),
    "plan_bulk_vs_jobs": Target(at_least=20),
    "queue_due_vs_jobs": Target(at_least=1),
    "lost_after_kill": Target(at_most=0),
    "lost_when_late": Target(at_most=0),
    "double_with_two": Target(at_most=0),
    "delivery_utilisation_16": Target(at_least=0.85),
    "rate_limit_accuracy": Target(at_least=0.95, at_most=1.0),
    "start_to_answer_s": Target(at_most=3),
    "import_rows_s": Target(at_most=90),
    "import_peak_mb": Target(at_most=300),
}
TARGETS |= {f"{name}_postgres": target for name, target in TARGETS.items() if "sqlite" not in name}
TARGETS["webhook_vs_echo_postgres"] = Target(at_least=0.15)


def named(results: Results, database: str, workers: int = 1) -> Results:
    """Return figures under their names: those of PostgreSQL, and of several workers, say so."""
    found = {}
    for name, one in results.items():
        base = name.removesuffix("_sqlite")
        side = "_postgres" if database == "postgresql" else "_sqlite" if base != name else ""
        found[f"{base}{side}{f'_w{workers}' if workers > 1 else ''}"] = one
    return found


def write(results: Results, path: Path, *, keep: bool) -> None:
    """Write the results; `keep` leaves figures of earlier runs that this one did not measure."""
    rows: dict[str, object] = {}
    if keep and path.exists():
        rows = json.loads(path.read_text(encoding="utf-8"))
    rows |= {name: asdict(measured) for name, measured in results.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(json.dumps(dict(sorted(rows.items())), indent=1) + "\n")
    os.replace(file.name, path)
    path.chmod(0o644)


def table(results: Results) -> str:
    """Return the figures as lines, those with a target first."""
    names = [name for name in TARGETS if name in results] + [name for name in results if name not in TARGETS]
    return "\n".join(_lines((name, results[name]) for name in names))


def _lines(rows: Iterable[tuple[str, Measured]]) -> Iterable[str]:
    yield f"{'':34}{'median':>10} {'min':>10} {'max':>10}  {'unit':16}target"
    for name, one in rows:
        target = TARGETS.get(name)
        said = f"{target}: {'met' if target.met(one.value) else 'NOT MET'}" if target else ""
        yield f"{name:34}{one.value:>10g} {one.min:>10g} {one.max:>10g}  {one.unit:16}{said}".rstrip()


def _short(value: float) -> float:
    return float(f"{value:.4g}")
