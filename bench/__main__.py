"""`python -m bench [--quick] [--full] [webhook reminders ...]`: measure, and print against the targets."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.results import LATEST, LATEST_QUICK, Results, table, write

Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None, say: Say | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios against what one would write first.")
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], help=f"what to measure: {', '.join(_PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a minute instead of six; figures mean little")
    parser.add_argument(
        "--full", action="store_true", help="also a million planned reminders and 100,000 imported rows"
    )
    parser.add_argument("--out", type=Path, help="where to write the results")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes and folders are cleared away

    def tell(words: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {words}", file=sys.stderr, flush=True)

    results: Results = {}
    for part in chosen.parts or _PARTS:
        (say or tell)(f"{part} ...")
        results |= _PARTS[part](chosen.quick, chosen.full, say or tell)
    out = chosen.out or (LATEST_QUICK if chosen.quick else LATEST)
    write(results, out, keep=bool(chosen.parts))
    print(table(results))
    print(f"written to {out}")
    return 0


def _webhook(quick: bool, _full: bool, say: Say) -> Results:
    from bench.webhook import QUICK, Effort, webhook

    return webhook(QUICK if quick else Effort(), say)


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
}

if __name__ == "__main__":
    sys.exit(main())
