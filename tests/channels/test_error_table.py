"""docs/messaging.md promises what the code does."""

import re
from datetime import timedelta
from pathlib import Path

import yaml

from app.domain import delivery
from app.domain.delivery import Next, failure

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/messaging.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d{5}) \| ([^|]+) \| ([^|]+) \| (?:(\d+) min)? ?\| ", DOC, re.MULTILINE)


def test_the_table_of_errors_says_what_the_code_does() -> None:
    assert {int(code) for code, *_ in ROWS} == set(delivery._CODES)
    for code, means, does, minutes in ROWS:
        told = failure(400, int(code))
        assert told.next == Next(does), code
        assert told.of_account == ("(account)" in means), code
        if told.next is Next.REPEAT:
            assert told.wait == timedelta(minutes=int(minutes)), code


def test_every_source_named_exists() -> None:
    known = yaml.safe_load((ROOT / "faq/sources.yaml").read_text("utf-8"))
    assert set(re.findall(r"\[(M\d+)\]", DOC)) <= set(known)
