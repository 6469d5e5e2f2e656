"""What we are made of: a bill that names everything, and an audit that never calls clean what it could not look up."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.audit import ROOT, Ignored, ignored_in, judge
from tools.sbom import bill, locked, vendored

TODAY = date(2026, 11, 27)
BILL = json.loads(bill())


def purls(components: list[dict[str, Any]]) -> set[str]:
    inner = [purls(one.get("components", [])) for one in components]
    return {one["purl"] for one in components if "purl" in one}.union(*inner)


# the bill


def test_every_package_of_the_lock_is_in_the_bill() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines() if line[:1].isalnum()]
    assert len(lines) > 90
    assert len(locked()) == len(lines)
    assert {f"pkg:pypi/{name}@{version}" for name, version in locked()} <= purls(BILL["components"])


def test_every_vendored_file_is_in_the_bill_with_its_licence_and_what_it_holds() -> None:
    files = {one["name"]: one for one in BILL["components"] if one["type"] == "file"}
    there = {
        str(path.relative_to(ROOT))
        for folder in ("app/static/vendor", "tests/vendor")
        for path in (ROOT / folder).iterdir()
        if path.is_file() and path.name != "manifest.json" and path.suffix != ".txt"
    }
    assert set(files) == there == {path for path, _ in vendored()}
    assert all(one["licenses"] and one["hashes"] for one in files.values())
    assert "pkg:npm/preact@" in " ".join(purls([files["app/static/vendor/fullcalendar.min.js"]]))


def test_nearly_every_package_says_its_licence() -> None:
    silent = [one["name"] for one in BILL["components"] if not one.get("licenses")]
    assert len(silent) <= 8, silent  # those of other systems, which are not installed here


def test_the_bill_is_cyclonedx_and_the_same_each_time() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(BILL)) is None
    assert bill() == bill()


# the audit


def report(**vulns: list[dict[str, Any]]) -> dict[str, Any]:
    return {"dependencies": [{"name": name, "version": "1.0", "vulns": found} for name, found in vulns.items()]}


FOUND = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1111"], "fix_versions": ["1.1"], "description": "x"}


def test_a_vulnerability_fails_and_says_what_mends_it() -> None:
    verdict = judge(report(flask=[FOUND], jinja2=[]), (), TODAY)
    assert verdict.failed
    assert verdict.lines[0] == "VULNERABLE: flask 1.0: PYSEC-2026-1, mended in 1.1"


@pytest.mark.parametrize("known", ["PYSEC-2026-1", "CVE-2026-1111"])
def test_an_ignored_one_is_told_and_fails_again_after_its_day(known: str) -> None:
    excuse = Ignored(known, "we never call what it is in", TODAY)
    verdict = judge(report(flask=[FOUND]), [excuse], TODAY)
    assert not verdict.failed
    assert "we never call what it is in" in verdict.lines[0]
    assert judge(report(flask=[FOUND]), [excuse], date(2026, 11, 28)).failed


@pytest.mark.parametrize("said", [None, {"dependencies": [{"name": "flask", "skip_reason": "Dependency not found"}]}])
def test_what_could_not_be_asked_is_not_called_clean(said: dict[str, Any] | None) -> None:
    verdict = judge(said, (), TODAY)
    assert not verdict.failed
    assert verdict.lines[0].startswith("WARNING: NOT AUDITED")
    assert "no vulnerability" not in verdict.lines[0]


def test_what_was_left_out_is_counted() -> None:
    some = report(flask=[])
    some["dependencies"].append({"name": "odd", "skip_reason": "Dependency not found"})
    assert "1 of 2 packages are unknown" in " ".join(judge(some, (), TODAY).lines)


def test_without_a_network_it_says_so_and_stops_nobody() -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    nowhere |= {name.lower(): value for name, value in nowhere.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | nowhere,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "NOT AUDITED" in done.stdout


def test_each_ignored_one_has_its_reason_and_day(tmp_path: Path) -> None:
    ignored_in()
    for wrong in (
        'id = "X"\nuntil = 2027-01-01',
        'id = "X"\nreason = "because it is so, we say"',
        "until = 2027-01-01",
    ):
        file = tmp_path / "list.toml"
        file.write_text(f"[[ignored]]\n{wrong}\n")
        with pytest.raises(ValueError, match="each entry needs"):
            ignored_in(file)
