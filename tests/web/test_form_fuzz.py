"""Rubbish into every form and every address of the staff pages: a sentence comes back, never a 500.

The forms are found on the pages, the pages in the url map, so that a new one is tried without being named here.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from app.actions.line import Line
from app.domain.permissions import Role
from tests.web.conftest import Visitor
from tests.web.test_authorisation import HARMLESS, Route, form_token, open_to_all, path_of, staff_routes

# what the stage of the walk sets
from tests.web.test_authorisation import arguments as arguments
from tests.web.test_authorisation import short_streams as short_streams
from tests.web.test_authorisation import signed as signed

RUBBISH = (
    "", " ", "\n", "0", "-1", "1", "007", "1e999", "-0", "NaN", "Infinity", "1,5", "1.2.3", "99999999999999999999",
    "9" * 400, "0x10", "\u0662\u0663", "\u00bd", "\u00b2", "true", "None", "null", "[]", "{}", "{visit_day}",
    "{{7*7}}", "%s%n", "%00", "\x00", "a\x00b", "\ud7ff", "\U0001f600" * 50, "e\u0301" * 30, "\u202eabc", "\ufeff",
    "\u00a0", "' OR 1=1 --", "<script>x</script>", "../../etc/passwd", "//evil.example/x", "https://evil.example",
    "javascript:x", "a" * 100_000, "2026-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "0001-01-01",
    "2026-11-23", "2026-11-23T25:61", "2026-11-23T09:00", "9999-12-31T23:59", "0001-01-01T00:00", "24:00", "-00:30",
    "+3m", "+9999999y", "America/New_York", "Not/AZone", "en", "xx", "+16145550142", "+1", "+" + "9" * 60,
    "=cmd|' /C calc'!A0", "\t", "\r\nSet-Cookie: a=b",
)  # fmt: skip
EACH = 8  # of one field, the others as they stood
VARIANTS = 12  # of all fields at once
SEED = 20261126


@dataclass
class Form:
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """Forms that differ only in the row they are about are one kind."""
        shape = "/".join("#" if part.isdecimal() else part for part in urlsplit(self.action).path.split("/"))
        return self.method, shape, tuple(sorted(self.fields))


class Forms(HTMLParser):
    """Collect the forms of a page, with what stands in their fields, and the query strings of its links."""

    def __init__(self, page: str, at: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.links: list[str] = []
        self._at, self._select = at, ""
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, form = given.get("name", ""), self._by_id.get(given.get("form", ""), self._open)
        if tag == "form":
            self._open = Form(given.get("method", "get").lower(), given.get("action") or self._at)
            self.found.append(self._open)
            self._by_id[given.get("id", "-")] = self._open
        elif tag == "a" and "?" in given.get("href", ""):
            self.links.append(given["href"])
        elif tag == "select":
            self._select = name
            if form is not None:
                form.fields[name] = ""
        elif tag == "option" and form is not None and self._select and "selected" in given:
            form.fields[self._select] = given.get("value", "")
        elif tag in ("input", "textarea", "button") and name and form is not None:
            form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = ""


def variants(form: Form, chance: random.Random) -> Iterator[dict[str, str]]:
    kept = {name: value for name, value in form.fields.items() if name != "csrf_token"}
    for name in kept:
        for value in chance.sample(RUBBISH, EACH):
            yield kept | {name: value}
        yield {other: value for other, value in kept.items() if other != name}
    for _ in range(VARIANTS):
        yield {name: chance.choice(RUBBISH) for name in kept}
    yield {}


def send(visitor: Visitor, form: Form, values: dict[str, str], token: str) -> int:
    if form.method == "get":
        return visitor.client.get(form.action, query_string=values, headers=visitor.headers).status_code
    data = values | {"csrf_token": token}
    return visitor.client.post(form.action, data=data, headers=visitor.headers).status_code


def pages(app: Flask, arguments: dict[str, Any]) -> list[str]:
    taken = [route for route in staff_routes(app) if route.method == "GET" and not open_to_all(route)]
    return [path_of(route, arguments) for route in taken]


@pytest.mark.parametrize("role", [Role.LEAD_NURSE, Role.AUDITOR, Role.ADMINISTRATOR])
def test_no_form_and_no_address_gives_a_500(
    role: Role, app: Flask, signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    visitor, chance = signed(role), random.Random(SEED)
    forms: dict[Any, Form] = {}
    queries: dict[Any, Form] = {}
    for path in pages(app, arguments):
        answer = visitor.get(path)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        page = Forms(answer.text, path)
        for form in page.found:
            if not any(form.action.startswith(door) for door in ("/staff/sign-out", "/staff/sign-in")):
                forms.setdefault(form.kind, form)
        for link in page.links:
            asked = Form("get", urlsplit(link).path, dict(parse_qsl(urlsplit(link).query)))
            queries.setdefault(asked.kind, asked)
    assert len(forms) > 1
    broke = []
    token = form_token(visitor)
    for form in (*forms.values(), *queries.values()):
        for values in variants(form, chance):
            if send(visitor, form, values, token) >= 500:
                broke.append((form.method, form.action, {name: value[:40] for name, value in values.items()}))
    assert broke == []


def test_a_number_that_no_row_can_have_finds_nothing(
    app: Flask, signed: Callable[[Role], Visitor], arguments: dict[str, Any], line: Line
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = False
    visitor = signed(Role.LEAD_NURSE)
    for number in (0, 2**31, 2**63, 10**30):
        impossible = {name: number if name.endswith("_id") else value for name, value in arguments.items()}
        for route in staff_routes(app):
            if open_to_all(route) or route.rule.endpoint in HARMLESS or not _names_a_row(route):
                continue
            path = path_of(route, impossible)
            if route.method == "GET":
                status = visitor.get(path).status_code
            else:
                token = form_token(visitor)
                status = visitor.client.post(path, data={"csrf_token": token, "version": "1"}).status_code
            assert status in (403, 404), (route.name, number, status)


def _names_a_row(route: Route) -> bool:
    return any(name.endswith("_id") for name in route.rule.arguments)
