"""Ask whether a package of the lock has a known vulnerability.

Run as `python -m tools.audit`, or `make audit`. Exits 1 where one has, and it is not in tools/audit_ignored.toml. Where
nobody can be asked (no network, or a mirror that knows nothing of it) it says so in so many words and exits 0: what was
not looked up is never called clean.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
IGNORED = ROOT / "tools" / "audit_ignored.toml"
WITHIN_SECONDS = 240
_ASK_SECONDS = 10


@dataclass(frozen=True)
class Ignored:
    """A vulnerability that does not stop us, why not, and until when that holds."""

    id: str
    reason: str
    until: date


@dataclass(frozen=True)
class Verdict:
    lines: tuple[str, ...]
    failed: bool


def ignored_in(file: Path = IGNORED) -> tuple[Ignored, ...]:
    """Read the list. Raises ValueError where an entry has no reason or no day."""
    entries = tomllib.loads(file.read_text("utf-8")).get("ignored", [])
    found = []
    for entry in entries:
        known, reason, until = entry.get("id", ""), entry.get("reason", ""), entry.get("until")
        if not known or len(reason) < 20 or type(until) is not date:
            raise ValueError(f"{file.name}: each entry needs an id, a reason in a sentence, and until = YYYY-MM-DD")
        found.append(Ignored(known, reason, until))
    return tuple(found)


def judge(report: dict[str, Any] | None, ignored: Sequence[Ignored], today: date) -> Verdict:
    """Say what a report of pip-audit means; None: it could not ask."""
    packages = report["dependencies"] if report else []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        why = "nothing it could ask knows these packages" if packages else "no network, or no answer in time"
        return Verdict(
            (f"WARNING: NOT AUDITED: {why}. Nothing is known of these versions, good or bad.",), failed=False
        )
    live = {one.id: one for one in ignored if one.until >= today}
    lines, failed = [], False
    for package in asked:
        for found in package["vulns"]:
            names = {found["id"], *found.get("aliases", ())}
            where = f"{package['name']} {package['version']}: {found['id']}"
            if excuse := next((live[name] for name in sorted(names) if name in live), None):
                lines.append(f"ignored until {excuse.until}: {where}: {excuse.reason}")
                continue
            failed = True
            mended = ", ".join(found.get("fix_versions", ())) or "no version yet"
            lines.append(f"VULNERABLE: {where}, mended in {mended}")
    lines += [f"WARNING: {one.id} was ignored until {one.until}: look again" for one in ignored if one.until < today]
    if left := len(packages) - len(asked):
        lines.append(
            f"WARNING: {left} of {len(packages)} packages are unknown to whoever was asked, and were not audited"
        )
    lines.append(f"{len(asked)} packages audited, {'a vulnerability stands' if failed else 'no vulnerability stands'}")
    return Verdict(tuple(lines), failed)


def ask(lock: Path = LOCK) -> dict[str, Any] | None:
    """Have pip-audit ask about every package of the lock; None where it got no answer."""
    words = ["--requirement", str(lock), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    words += ["--timeout", str(_ASK_SECONDS), "--format", "json"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_SECONDS,
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report if isinstance(report, dict) and "dependencies" in report else None


def main() -> int:
    verdict = judge(ask(), ignored_in(), datetime.now(UTC).date())
    print("\n".join(verdict.lines))
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main())
