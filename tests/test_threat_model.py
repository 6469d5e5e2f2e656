"""The threat model says what is so: its tests and files exist, and no threat that was asked about is left out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL = (ROOT / "docs/threat-model.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in MODEL.splitlines()
    if re.match(r"\| [STRIDE] \|", line)
]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", MODEL)))
ASKED = (
    "forged webhook",
    "replayed webhook",
    "header-chosen host or algorithm",
    "SSRF through media",
    "script in a text or a name",
    "CSV formula injection",
    "IDs of another clinic",
    "session fixation",
    "brute force",
    "timing of sign-in",
    "oversized request",
    "slow request",
    "SMS pumping and toll fraud",
    "secrets in logs and errors",
    "stolen backup",
    "package with a known hole",
)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda part: part.rpartition("/")[2])
def test_every_test_that_it_names_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    assert tests
    assert not test or test in tests


def test_every_threat_has_a_defence_and_a_test() -> None:
    assert len(ROWS) > 35
    for row in ROWS:
        assert len(row) >= 5, row
        assert row[3], row
        assert "`tests/" in row[4], row


def test_every_file_that_it_names_exists() -> None:
    files = set(re.findall(r"`((?:app|deploy|tools|faq|scheduler)/[\w/.-]+\.\w+)`", MODEL))
    assert len(files) > 20
    assert [file for file in sorted(files) if not (ROOT / file).is_file()] == []


def test_no_threat_that_was_asked_about_is_left_out() -> None:
    told = {row[1].lower() for row in ROWS}
    assert [threat for threat in ASKED if threat.lower() not in told] == []
