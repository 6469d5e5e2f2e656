"""What the stories about the inbox share: how a list and a page are read."""

import re
from collections.abc import Callable

from app.actions.receive_text import Received
from tests.conftest import Someone

Text = Callable[..., Received]
Add = Callable[..., Someone]
NONSENSE = "purple monkey dishwasher"  # fits no answer: a nurse is wanted


def rows(page: str) -> list[str]:
    """Return each thread of the list as a reader sees it."""
    found = re.findall(r'<li id="row-\d+".*?</li>', page, re.DOTALL)
    return [seen(row) for row in found]


def names(page: str) -> list[str]:
    """Return the family names of the list, in its order."""
    return [row.split(" ,")[0] for row in rows(page)]


def seen(page: str) -> str:
    """Return a page as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).strip()


def part(page: str, element_id: str, ends: str) -> str:
    """Return what is read between an element and the next thing."""
    start = page.index(f'id="{element_id}"')
    return seen("<x " + page[start : page.index(ends, start)])


def composer_of(page: str) -> str:
    """Return what stands in the reply's text field."""
    found = re.search(r'<textarea id="reply"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found
    return found[1]
