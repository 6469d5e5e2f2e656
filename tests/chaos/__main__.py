"""`python -m tests.chaos`: every scenario on SQLite and PostgreSQL; exit 1 where a promise was broken."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.clock import can_be_set
from tests.chaos.line import Size
from tests.chaos.run import Base, try_scenario
from tests.chaos.scenarios import SCENARIOS

_KINDS = ("sqlite", "postgresql")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--database", choices=_KINDS, action="append", help="both unless given")
    parser.add_argument("--messages", type=int, default=10_000, help="texts in and out, a run (default %(default)s)")
    parser.add_argument("--only", action="append", default=[], help="scenarios whose name holds this")
    parser.add_argument("--seed", type=int, default=20261127)
    chosen = parser.parse_args()
    if not can_be_set():
        print("Needs a C compiler, for a clock that can be set: apt-get install gcc libc6-dev", file=sys.stderr)
        return 2
    size, broken = Size(chosen.messages), 0
    told: Counter[str] = Counter()
    place = Path(tempfile.mkdtemp(prefix="pumpline-chaos-"))
    place.chmod(0o755)
    print(f"{size.texts} texts and {size.reminders} reminders a run; seed {chosen.seed}; kept where wrong: {place}")
    for kind in chosen.database or _KINDS:
        bases: dict[str, Base] = {}
        for n, scenario in enumerate(SCENARIOS):
            if kind not in scenario.members or not all(part in scenario.name for part in chosen.only):
                continue
            began, day = time.monotonic(), scenario.day
            if day.name not in bases:
                bases[day.name] = Base.made(place / kind / f"base-{day.name}", kind, size, day)
            base = bases[day.name]
            found = try_scenario(scenario, base, place / kind / str(n), chosen.seed)
            verdict = "broken" if found.wrong else "kept"
            print(f"{verdict:7}{kind:11} {scenario.name} ({time.monotonic() - began:.0f} s)")
            print("        " + "; ".join(f"{name} {count:,}" for name, count in sorted(found.counted.items()) if count))
            for sentence in found.wrong[:20]:
                print(f"        WRONG: {sentence}")
            sys.stdout.flush()
            broken += bool(found.wrong)
            told.update(found.counted)
    print(
        f"{broken} broken; {told['texts in']:,} texts in, {told['at the carrier']:,} at the carrier, "
        f"{told['deaths']:,} kills, {told['twice where nobody could tell']:,} twice where nobody could tell"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
