"""What a browser fetches at its first visit: compressed, and small enough for a slow line."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.web.conftest import Visitor
from tests.web.test_authorisation import arguments as arguments

MOST_BYTES = 250 * 1024
ASSET = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def fetched(visitor: Visitor, path: str) -> int:
    """Return how many bytes travel for one file."""
    answer = visitor.get(path, **{"Accept-Encoding": "gzip, deflate, br"})  # as browsers do
    assert answer.status_code == 200, path
    if not path.endswith(".woff2") and len(answer.get_data()) > 1000:
        assert answer.headers.get("Content-Encoding") in ("br", "gzip", "deflate"), path
    return len(answer.get_data())


@pytest.mark.parametrize(
    "page", ["/staff/", "/staff/inbox/{phone_id}", "/staff/patients/{patient_id}", "/staff/schedule", "/staff/patients"]
)
def test_a_first_visit_is_at_most_250_kb(app: Flask, nurse: Visitor, arguments: dict[str, Any], page: str) -> None:
    path = page.format(**arguments)
    html = nurse.get(path).text
    files = {found.partition("?")[0] for found in ASSET.findall(html)}
    assert any(name.endswith(".css") for name in files)
    files.add("/static/vendor/inter-latin-wght-normal.woff2")
    total = fetched(nurse, path) + sum(fetched(nurse, name) for name in files)
    assert total <= MOST_BYTES, f"{total / 1024:.0f} KB"


def test_the_live_stream_is_not_held_back_to_be_compressed(nurse: Visitor) -> None:
    with nurse.client.get("/staff/live", buffered=False, headers={"Accept-Encoding": "gzip"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert next(answer.response).startswith(b"retry:")
    nurse.client.application.extensions["live"].stop()
