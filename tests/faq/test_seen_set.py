"""What is found today in the seen set stays found: a change that loses an emergency there says which."""

from pathlib import Path

import pytest

from faq.context import Context
from faq.evaluate import Labelled, read_labelled
from faq.library import Library, load
from faq.understand import prepare, understand

DATA = Path(__file__).parent.parent / "data" / "understanding"
MISSED = frozenset((DATA / "seen-missed.txt").read_text("utf-8").split())  # by id; may only shrink
SEEN = [m for language in ("en", "es") for m in read_labelled((DATA / f"seen-{language}.jsonl").open("rb"))]


@pytest.fixture(scope="module")
def library() -> Library:
    library = load()
    prepare(library)
    return library


@pytest.mark.parametrize("message", [m for m in SEEN if m.kind == "urgent"], ids=lambda m: m.id)
def test_an_emergency_that_was_found_stays_found(message: Labelled, library: Library) -> None:
    found = understand(message.text, Context(), library).kind == "urgent"
    assert found or message.id in MISSED
    assert not (found and message.id in MISSED), "found now: take it off the list"
