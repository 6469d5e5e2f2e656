"""`python -m bench [--quick] [--full] [webhook reminders ...]`: measure, and print against the targets."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.charts import draw
from bench.results import LATEST, LATEST_QUICK, Results, named, table, write

Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None, say: Say | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios against what one would write first.")
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], help=f"what to measure: {', '.join(_PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a minute instead of six; figures mean little")
    parser.add_argument(
        "--full", action="store_true", help="also a million planned reminders and 100,000 imported rows"
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--out", type=Path, help="where to write the results")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes and folders are cleared away

    def tell(words: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {words}", file=sys.stderr, flush=True)

    results: Results = {}
    out, keep = chosen.out or (LATEST_QUICK if chosen.quick else LATEST), bool(chosen.parts)
    for database in ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,):
        with _on(database):
            for part in chosen.parts or _PARTS:
                if database == "postgresql" and part in _NO_DATABASE:
                    continue
                (say or tell)(f"{part} on {database} ...")
                for workers in (1, 2, 4) if part == "webhook" and not chosen.quick else (1,):
                    measure = partial(_webhook, workers=workers) if part == "webhook" else _PARTS[part]
                    measured = measure(chosen.quick, chosen.full, say or tell)
                    results |= named(measured, database, workers)
                    write(results, out, keep=keep)  # at once: a part that fails takes no other with it
    for chart in draw(out):
        print(f"drawn: {chart}")
    print(table(results))
    print(f"written to {out}")
    return 0


@contextmanager
def _on(database: str) -> Iterator[None]:
    """Measure on this database: with PostgreSQL, a server of our own runs meanwhile."""
    if database == "sqlite":
        yield
        return
    from bench.house import folder
    from bench.postgres import cluster

    with folder() as place, cluster(place):
        yield


def _webhook(quick: bool, _full: bool, say: Say, workers: int = 1) -> Results:
    from bench.webhook import QUICK, Effort, webhook

    effort = QUICK if quick else Effort() if workers == 1 else Effort(rounds=5)
    return webhook(effort, say, workers)


def _stored(quick: bool, full: bool, say: Say) -> Results:
    from bench.stored import stored

    sizes = [0, 1_000] if quick else [0, 10_000, 100_000, 1_000_000, *([5_000_000] if full else [])]
    return stored(sizes, 20 if quick else 300, say)


def _understanding(quick: bool, _full: bool, _say: Say) -> Results:
    from bench.starting import understanding

    return understanding(2 if quick else 7)


def _starting(quick: bool, _full: bool, say: Say) -> Results:
    from bench.starting import starting

    return starting(1 if quick else 3, say)


def _reminders(quick: bool, full: bool, say: Say) -> Results:
    from bench.reminders import QUICK, SIZES, Effort, reminders

    sizes = {"1k": 1_000, "10k": 10_000} if quick else SIZES
    return reminders(QUICK if quick else Effort(), full, say, sizes)


def _losses(quick: bool, _full: bool, say: Say) -> Results:
    from bench.losses import losses

    return losses(1, say, killed=200, late=50, shared=100) if quick else losses(1, say)


def _sending(quick: bool, _full: bool, say: Say) -> Results:
    from bench.sending import sending

    return sending(1, 160, say) if quick else sending(3, 640, say)


def _importing(quick: bool, full: bool, say: Say) -> Results:
    from bench.starting import importing

    return importing(100_000 if full else 2_000 if quick else 20_000, say)


_PARTS: dict[str, Callable[[bool, bool, Say], Results]] = {
    "webhook": _webhook,
    "understanding": _understanding,
    "starting": _starting,
    "reminders": _reminders,
    "losses": _losses,
    "sending": _sending,
    "importing": _importing,
    "stored": _stored,
}
_NO_DATABASE = ("understanding",)

if __name__ == "__main__":
    sys.exit(main())
