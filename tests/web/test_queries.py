"""How often each page asks the database: at most 25 times, and as often with many rows as with few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.domain.permissions import Role
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor
from tests.web.test_authorisation import arguments as arguments
from tests.web.test_authorisation import open_to_all, path_of, permission_of, staff_routes
from tests.web.test_authorisation import short_streams as short_streams
from tests.web.test_authorisation import signed as signed

MOST = 25
NOT_PAGES = {"console.live", "console.second_step"}
MANY = 60


@contextmanager
def counted(line: Line) -> Iterator[list[str]]:
    """Collect what reads; whatever is written down about the reading itself is not counted."""
    said: list[str] = []

    def heard(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            said.append(statement)

    event.listen(line.db.engine, "before_cursor_execute", heard)
    yield said
    event.remove(line.db.engine, "before_cursor_execute", heard)


def count(visitor: Visitor, line: Line, path: str) -> int:
    visitor.get(path)
    with counted(line) as said:
        assert visitor.get(path).status_code in (200, 302), path
    return len(said)


@pytest.mark.parametrize("role", [Role.LEAD_NURSE, Role.AUDITOR, Role.ADMINISTRATOR])
def test_every_page_reads_as_often_with_many_rows_as_with_few(
    role: Role,
    app: Flask,
    line: Line,
    signed: Callable[[Role], Visitor],
    arguments: dict[str, Any],
    add_patient: Callable[..., Someone],
    texts: Callable[..., Any],
    desk: Desk,
    clock: FrozenClock,
    maria: Someone,
) -> None:
    visitor = signed(role)
    desk.fills(maria, days_ago=60)
    for n in range(MANY):  # more than a page shows of one conversation: how many there are is then counted
        texts(maria.phone, f"can somebody tell me about the elephant {n}")
    paths = [
        path_of(route, arguments)
        for route in staff_routes(app)
        if route.method == "GET"
        and not open_to_all(route)
        and route.rule.endpoint not in NOT_PAGES
        and permission_of(app, route)
        and visitor.get(path_of(route, arguments)).status_code == 200
    ]
    assert len(paths) > 3
    few = {path: count(visitor, line, path) for path in paths}
    for n in range(MANY):
        someone = add_patient(f"P{n}", f"+1614555{1000 + n}")
        desk.fills(someone, days_ago=30 + n)
        texts(someone.phone, "my pump alarm is beeping" if n % 3 == 0 else "can somebody tell me about the elephant")
        book_appointment(line, someone.id, clock() + timedelta(days=1 + n % 6, minutes=n), clock(), "command", **WHY)
    many = {path: count(visitor, line, path) for path in paths}
    assert {path: (few[path], many[path]) for path in paths if many[path] > MOST or many[path] > few[path]} == {}


WHY = {"late_reason": "as agreed", "room_reason": "as agreed"}
