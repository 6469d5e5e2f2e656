"""Every route of the application, as every role, as nobody and as a nurse of another clinic: who gets in is the table.

The routes come from the url map, so that a new one is walked without being named here. What its address names is filled
from the fixture `arguments`; a name that is not there fails with a sentence that says so.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Table, select
from werkzeug.routing import Rule

from app.actions.add_staff import add_staff
from app.actions.book_appointment import book_appointment
from app.actions.close_days import DaysToClose, close_days
from app.actions.import_rows import Tally
from app.actions.invitations import invite
from app.actions.line import Line
from app.actions.preview_import import counts_of
from app.db.accounts import Invitation
from app.db.imports import ImportBatch, ImportState
from app.db.messages import InboundMessage
from app.db.people import Contact, Patient
from app.db.tables import Base
from app.db.work import Task
from app.domain.permissions import Permission, Role, may
from app.web import console
from app.web.console.permits import needed_by
from app.web.live import Live
from tests.conftest import FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

STAFF = "/staff"
NOT_CHANGES = {"audit_event", "staff_session", "sign_in_attempt", "job_health", "authenticator"}
HARMLESS = {
    "console.sign_in_form",
    "console.sign_out_form",
    "console.leave_second_step",
}  # they end the session that walks

Answer = tuple[int, str]


@dataclass(frozen=True)
class Route:
    """One method of one rule."""

    method: str
    rule: Rule

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule.rule} ({self.rule.endpoint})"


def routes(app: Flask) -> list[Route]:
    walked = ("GET", "POST", "PUT", "PATCH", "DELETE")
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
    return [Route(method, rule) for rule in rules for method in walked if method in (rule.methods or ())]


def staff_routes(app: Flask) -> list[Route]:
    return [route for route in routes(app) if route.rule.rule.startswith(STAFF)]


def open_to_all(route: Route) -> bool:
    return route.rule.endpoint in console.OPEN_TO_ALL


def permission_of(app: Flask, route: Route) -> Permission | None:
    return needed_by(app.view_functions[route.rule.endpoint])


@pytest.fixture(autouse=True)
def short_streams(app: Flask, line: Line) -> Iterator[None]:
    """A live page stays open for minutes; here its ticks follow each other at once, and it ends."""
    app.extensions["live"] = Live(line.db, tick_seconds=0.001)
    yield
    app.extensions["live"].stop()


@pytest.fixture
def arguments(
    line: Line, maria: Someone, staff_id: int, texts: Callable[..., Any], clock: FrozenClock
) -> dict[str, Any]:
    """One value for every name that an address may hold, all of rows of the first clinic."""
    visit_id = book_appointment(line, maria.id, clock() + timedelta(days=3), clock(), "command")
    texts(maria.phone, "my pump alarm is beeping")
    invite(line.db, 1, "new@clinic.example", "nurse", clock(), staff_id, "command")
    with line.db.read() as reading:
        invitation_id = reading.scalars(select(Invitation.id)).first()
        task_id = reading.scalars(select(Task.id)).first()
        inbound_id = reading.scalars(select(InboundMessage.id)).first()
        contact_id = reading.scalars(select(Contact.id).where(Contact.patient_id == maria.id)).one()
        clinic_id = reading.get_one(Patient, maria.id).clinic_id
    today = clock().date()
    [closure_id] = close_days(line, clinic_id, (DaysToClose(today, today, "Inventory"),), today, clock(), "command")
    batch_id = imported(line, clinic_id, staff_id, clock())
    return {
        "patient_id": maria.id,
        "phone_id": maria.phone_id,
        "visit_id": visit_id,
        "task_id": task_id,
        "inbound_id": inbound_id,
        "staff_id": staff_id,
        "colleague_id": staff_id,
        "invitation_id": invitation_id,
        "passkey_id": 1,
        "contact_id": contact_id,
        "closure_id": closure_id,
        "batch_id": batch_id,
        "filename": "pumpline.css",
    }


def imported(line: Line, clinic_id: int, staff_id: int, now: datetime) -> int:
    """Return an import that was written: one that waits is shown to nobody but its owner."""
    with line.db.begin() as writing:
        counts = counts_of(Tally()) | {"left_out": 0}
        batch = ImportBatch(clinic_id=clinic_id, staff_id=staff_id, form_key="1", state=ImportState.DONE, rows=1)
        batch.counts, batch.created_at, batch.began_at, batch.ended_at = counts, now, now, now
        batch.undo_until = now + timedelta(days=30)
        writing.add(batch)
        writing.flush()
        return batch.id


def path_of(route: Route, arguments: dict[str, Any]) -> str:
    unknown = sorted(route.rule.arguments - arguments.keys())
    assert not unknown, (
        f"{route.name} names {', '.join(unknown)}: add a value of the first clinic to the fixture `arguments` "
        "of tests/web/test_authorisation.py, so that every role is tried on it"
    )
    built = route.rule.build({name: arguments[name] for name in route.rule.arguments})
    assert built is not None, route.name
    return str(built[1])


def names_a_row(route: Route) -> bool:
    return any(name.endswith("_id") for name in route.rule.arguments)


def ask(visitor: Visitor, route: Route, path: str) -> Answer:
    """Do it, with a form that is filled plausibly."""
    if route.method == "GET":
        answer = visitor.get(path)
    else:
        token = form_token(visitor)
        fields = {"csrf_token": token, "version": "1", "outcome": "x", "body": "hello", "query": "Lopez"}
        answer = visitor.client.open(path, method=route.method, data=fields, headers=visitor.headers)
    return answer.status_code, answer.headers.get("Location", "")


def form_token(visitor: Visitor) -> str:
    app = visitor.client.application
    with visitor.client.session_transaction() as cookie:
        held = dict(cookie)
    with app.test_request_context():
        session.update(held)
        token = generate_csrf()
        now = dict(session)
    with visitor.client.session_transaction() as cookie:
        cookie.update(now)
    return token


def everything(line: Line) -> dict[str, list[Any]]:
    """Return all rows that a deed could change."""
    tables: list[Table] = [table for table in Base.metadata.sorted_tables if table.name not in NOT_CHANGES]
    with line.db.engine.connect() as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


@pytest.fixture
def signed(app: Flask, line: Line, clock: FrozenClock) -> Callable[[Role], Visitor]:
    """A member of staff of the first clinic, signed in."""

    def make(role: Role) -> Visitor:
        email = f"{role.value}@clinic.example"
        add_staff(line.db, email, f"Some {role.value.title()}", role.value, PASSWORD, clock())
        found = Visitor(app.test_client())
        assert found.sign_in(email).status_code == 302
        return found

    return make


def to_the_door(answer: Answer) -> bool:
    """Whether it shows the door: a page by leading there, a stream, which cannot, by 401."""
    return answer[0] == 401 or (answer[0] == 302 and answer[1].startswith("/staff/sign-in"))


def test_every_staff_route_declares_what_it_needs(app: Flask) -> None:
    silent = [route.name for route in staff_routes(app) if not open_to_all(route) and not permission_of(app, route)]
    assert silent == [], "these are opened to nobody: put @needs(Permission...) under their route"


def test_every_permission_belongs_to_a_role_and_every_role_can_leave() -> None:
    for permission in Permission:
        assert any(may(role, permission) for role in Role), permission
    assert all(may(role, Permission.OWN_ACCOUNT) for role in Role)
    changes = (Permission.WRITE_PATIENTS, Permission.MANAGE_CONTENT, Permission.APPROVE_LIMITS, Permission.MANAGE_ROTA)
    for role in (Role.AUDITOR, Role.READ_ONLY):
        assert not any(may(role, change) for change in (*changes, Permission.MANAGE_STAFF, Permission.MANAGE_SETTINGS))
    assert not may(Role.ADMINISTRATOR, Permission.READ_PATIENTS)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_the_table_says_and_nothing_else(
    role: Role, app: Flask, line: Line, signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    visitor = signed(role)
    for route in staff_routes(app):
        if open_to_all(route) or route.rule.endpoint in HARMLESS:
            continue
        needed = permission_of(app, route)
        allowed = needed is not None and may(role, needed)
        path = path_of(route, arguments)
        before = None if allowed else everything(line)
        answer = ask(visitor, route, path)
        assert answer[0] < 500, route.name
        assert not to_the_door(answer), f"{route.name} ended the session"
        if allowed:
            assert answer[0] != 403, f"{route.name} is refused to {role.value}, who may {needed}"
            if route.method == "GET":
                assert answer[0] in (200, 302), (route.name, answer)
        elif route.rule.endpoint == "console.today":
            assert answer[0] == 302, "who sees no patient lands on a page that may be seen"
            assert visitor.get(answer[1]).status_code == 200
        else:
            assert answer[0] == 403, f"{route.name} lets {role.value} in, who may not {needed}: {answer}"
            assert everything(line) == before, f"{route.name} changed something though it was refused"


def test_nobody_gets_no_further_than_the_door(
    app: Flask, line: Line, visitor: Visitor, arguments: dict[str, Any]
) -> None:
    before = everything(line)
    for route in staff_routes(app):
        path = path_of(route, arguments)
        answer = ask(visitor, route, path)
        if open_to_all(route):
            assert answer[0] not in {403, 500}, route.name
        else:
            assert to_the_door(answer), f"{route.name} answers {answer} to nobody"
    assert everything(line) == before


def test_a_nurse_of_another_clinic_finds_nothing(
    app: Flask, line: Line, stranger_nurse: Visitor, arguments: dict[str, Any]
) -> None:
    before = everything(line)
    for route in staff_routes(app):
        if open_to_all(route) or not names_a_row(route):
            continue
        needed = permission_of(app, route)
        answer = ask(stranger_nurse, route, path_of(route, arguments))
        wanted = 404 if needed and may(Role.NURSE, needed) else 403
        assert answer[0] == wanted, f"{route.name} answers {answer} to another clinic"
    assert everything(line) == before


def test_a_route_that_declares_nothing_is_refused_to_every_role(
    app: Flask, signed: Callable[[Role], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "console.content", lambda: "open")
    for role in Role:
        assert signed(role).get("/staff/content").status_code == 403, role


def other_routes(app: Flask) -> Iterator[Route]:
    return (route for route in routes(app) if not route.rule.rule.startswith(STAFF))


def test_the_routes_beside_the_staff_pages_know_no_role_and_never_fail(
    app: Flask, line: Line, visitor: Visitor, nurse: Visitor, arguments: dict[str, Any]
) -> None:
    before = everything(line)
    for route in other_routes(app):
        path = path_of(route, arguments)
        answers = [ask(who, route, path)[0] for who in (visitor, nurse)]
        assert answers[0] == answers[1], (route.name, answers)
        # without a signature nothing is taken; without a token in the settings there are no metrics
        wanted = (403,) if path.startswith("/twilio/") else (404,) if path == "/metrics" else (200, 302)
        assert answers[0] in wanted, (route.name, answers)
    assert everything(line) == before


def test_the_simulator_pages_are_all_open_in_the_simulator_and_never_fail(simulator: Flask) -> None:
    """They exist on that channel alone, and act for anybody: there are no real people in it."""
    newcomer = Visitor(simulator.test_client())
    walked = [route for route in routes(simulator) if route.rule.rule.startswith("/simulator")]
    assert walked
    for route in walked:
        assert ask(newcomer, route, path_of(route, {}))[0] in (200, 302, 404), route.name


@pytest.mark.parametrize(
    ("role", "offered"),
    [(Role.NURSE, True), (Role.LEAD_NURSE, True), (Role.AUDITOR, False), (Role.READ_ONLY, False)],
)
def test_buttons_that_would_be_refused_are_left_out(
    role: Role, offered: bool, signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    visitor = signed(role)
    maria = arguments["patient_id"]
    pages = ("", "refills", f"patients/{maria}", f"patients/{maria}/pump", f"phones/{arguments['phone_id']}")
    actions = set(itertools.chain.from_iterable(_actions(visitor.page(f"/staff/{page}")) for page in pages))
    always = {"/staff/sign-out", "/staff/patients/search"}
    assert always <= actions
    assert bool(actions - always) is offered, actions - always


def _actions(page: str) -> list[str]:
    return [found.partition("#")[0] for found in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page)]


def test_an_administrator_sees_no_name_and_no_text_anywhere(
    app: Flask, signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    admin = signed(Role.ADMINISTRATOR)
    for route in staff_routes(app):
        if route.method != "GET" or open_to_all(route):
            continue
        said = admin.get(path_of(route, arguments)).text.lower()
        assert not [words for words in ("lopez", "alarm is beeping") if words in said], route.name


def test_a_refusal_says_in_plain_words_what_and_whom_to_ask(
    signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    reader = signed(Role.READ_ONLY)
    answer = reader.post(f"/staff/patients/{arguments['patient_id']}/visits", seen_on="/staff/", starts_at="x")
    assert answer.status_code == 403
    for words in ("Not yours to do", "read only", "Ask a nurse or a lead nurse of your clinic", "Nothing was changed"):
        assert words in answer.text, words
    refused = signed(Role.ADMINISTRATOR).get("/staff/patients").text
    assert "Not yours to see" in refused
    assert "Ask a nurse or a lead nurse of your clinic" in refused
    nurse = signed(Role.NURSE)
    assert "Ask an auditor of your clinic" in nurse.get("/staff/audit").text
    in_spanish = nurse.get("/staff/audit", **{"Accept-Language": "es"}).text
    for words in ("Su rol aquí es «enfermera»; no le permite leer la auditoría.", "a un auditor de su clínica"):
        assert words in in_spanish, words


def test_only_who_may_see_to_a_patient_is_offered_as_the_owner_of_a_referral(
    signed: Callable[[Role], Visitor], arguments: dict[str, Any]
) -> None:
    nurse = signed(Role.NURSE)
    for role in (Role.LEAD_NURSE, Role.AUDITOR, Role.READ_ONLY, Role.ADMINISTRATOR):
        signed(role)
    page = nurse.page(f"/staff/patients/{arguments['patient_id']}/pump")
    offered = {role for role in Role if f">Some {role.value.title()}</option>" in page}
    assert offered == {Role.NURSE, Role.LEAD_NURSE}
