"""One damaged row, or one sealed with a key that is gone, closes no page of the console: it shows a gap and says so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.legal_hold import place_hold
from app.actions.line import Line
from app.actions.record_call import record_call
from app.actions.resolve_task import resolve_task
from app.actions.save_view import save_view
from app.actions.search_patients import keep_search
from app.actions.write_note import write_note
from app.db.accounts import Authenticator
from app.db.people import Contact, Patient, Phone
from app.db.tables import Base
from app.db.types import Sealed, SealedKey
from app.domain.permissions import Role, may
from app.domain.unreadable import UNREADABLE
from tests.conftest import Desk, FrozenClock, Someone
from tests.damage import damage
from tests.web.conftest import Visitor
from tests.web.test_accounts import second
from tests.web.test_accounts import secret as secret
from tests.web.test_accounts import someone_new as someone_new
from tests.web.test_authorisation import HARMLESS, ask, open_to_all, path_of, permission_of, staff_routes
from tests.web.test_authorisation import arguments as arguments
from tests.web.test_authorisation import short_streams as short_streams
from tests.web.test_authorisation import signed as signed
from tests.web.test_patient_details import at, filled, saves, search

ROLES = (Role.LEAD_NURSE, Role.ADMINISTRATOR, Role.AUDITOR)
WARNS = "What \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} stands for cannot be read"
SHOWN = [
    (table.name, column.name)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Sealed) and not isinstance(column.type, SealedKey)
]


@pytest.fixture
def lived_in(
    arguments: dict[str, Any], desk: Desk, line: Line, staff_id: int, texts: Callable[..., Any], clock: FrozenClock
) -> dict[str, Any]:
    """A clinic with a row in every table that has something sealed."""
    patient_id, phone_id = arguments["patient_id"], arguments["phone_id"]
    maria = Someone(patient_id, "+16145550142", phone_id)
    desk.adds_carer(maria, "+16145550171", name="Luis", relation="husband", gets_reminders=True)
    texts(maria.phone, "STOP")
    texts(maria.phone, "START")
    write_note(line, phone_id, "Her husband has moved.", clock(), staff_id)
    record_call(line, patient_id, "spoke", "Will ring back.", clock(), staff_id)
    save_view(line, 1, staff_id, "Lopez and others", "query=Lopez", clock())
    keep_search(line, staff_id, "Lopez", clock())
    place_hold(line, 1, patient_id, "Letter of 3 May", clock(), "command")
    [task, *_] = desk.tasks()
    resolve_task(line, task.id, "She is well.", clock(), staff_id)
    texts(maria.phone, "my pump alarm is beeping")
    desk.books(maria, clock() + timedelta(days=5))
    return arguments


def walked(app: Flask, arguments: dict[str, Any], visitors: dict[Role, Visitor]) -> Iterator[tuple[str, int, str]]:
    """Open every page by whoever may, and the live stream."""
    for route in staff_routes(app):
        if route.method != "GET" or open_to_all(route):
            continue
        needed = permission_of(app, route)
        role = next(one for one in ROLES if needed is None or may(one, needed))
        path = path_of(route, arguments)
        answer = visitors[role].get(path)
        yield path, answer.status_code, answer.get_data(as_text=True)


def test_every_page_opens_and_says_what_it_lacks(
    app: Flask, lived_in: dict[str, Any], line: Line, signed: Callable[[Role], Visitor]
) -> None:
    visitors = {role: signed(role) for role in ROLES}
    before = {path: status for path, status, _ in walked(app, lived_in, visitors)}
    assert set(before.values()) <= {200, 302, 404}
    for table, column in SHOWN:  # where there was nothing, too
        damage(line, table, column)
    after = {path: (status, page) for path, status, page in walked(app, lived_in, visitors)}
    assert {path: status for path, (status, _) in after.items()} == before
    with_gaps = {path for path, (_, page) in after.items() if UNREADABLE in page.replace(WARNS, "")}
    assert {path for path, (_, page) in after.items() if WARNS in page} >= {
        path for path in with_gaps if "<html" in after[path][1]
    }
    patient = f"/staff/patients/{lived_in['patient_id']}"
    assert {"/staff/", "/staff/inbox", "/staff/patients", "/staff/refills", patient} <= with_gaps


def test_every_form_is_answered(
    app: Flask, lived_in: dict[str, Any], line: Line, signed: Callable[[Role], Visitor]
) -> None:
    visitors = {role: signed(role) for role in ROLES}
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    for table, column in SHOWN:
        damage(line, table, column)
    answers = {}
    for route in staff_routes(app):
        if route.method == "GET" or open_to_all(route) or route.rule.endpoint in HARMLESS:
            continue
        needed = permission_of(app, route)
        role = next(one for one in ROLES if needed is None or may(one, needed))
        answers[route.name] = ask(visitors[role], route, path_of(route, lived_in))[0]
    assert len(answers) > 50
    assert {name: status for name, status in answers.items() if status >= 500} == {}


def test_a_page_without_gaps_warns_of_none(nurse: Visitor, maria: Someone, line: Line) -> None:
    damage(line, "patient", "given_name")
    assert WARNS in nurse.page("/staff/patients")
    assert WARNS not in nurse.page("/staff/help")


def test_a_damaged_name_is_typed_anew_and_the_patient_is_found_by_it(
    nurse: Visitor, maria: Someone, desk: Desk, line: Line
) -> None:
    damage(line, "patient", "given_name", "born_on", row_id=maria.id)
    assert filled(nurse.page(at(maria)))["given_name"] == UNREADABLE
    assert saves(nurse, maria, given_name="Mariana", born_on="14-Feb-1979").status_code == 302
    [kept] = desk.rows(Patient, Patient.id == maria.id)
    assert (kept.given_name, kept.family_name, kept.born_on) == ("Mariana", "Lopez", "1979-02-14")
    assert search(nurse, "mariana") == f"/staff/patients/{maria.id}"


def test_a_damaged_number_is_typed_anew_at_its_contact(nurse: Visitor, maria: Someone, desk: Desk, line: Line) -> None:
    damage(line, "phone", "number", row_id=maria.phone_id)
    contacts = f"/staff/patients/{maria.id}/contacts"
    assert UNREADABLE in nurse.page(contacts)
    [contact] = desk.rows(Contact, Contact.patient_id == maria.id)
    form = {"kind": "patient", "version": contact.version, "gets_reminders": "1"}
    answer = nurse.post(f"{contacts}/{contact.id}", seen_on=contacts, number="(614) 555-0142", **form)
    assert answer.status_code == 302
    assert [phone.number for phone in desk.rows(Phone)] == [maria.phone]


def test_what_nobody_typed_anew_stays_as_it_lies_there(
    nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock
) -> None:
    """A key that is given again later opens it then."""
    damage(line, "patient", "given_name", "mrn", row_id=maria.id)
    kept = raw(line, "patient")
    form = filled(nurse.page(at(maria)))
    assert saves(nurse, maria, form, language="es").status_code == 302
    assert raw(line, "patient") == kept


def raw(line: Line, table: str) -> list[tuple[bytes, ...]]:
    with line.db.engine.connect() as connection:
        columns = Base.metadata.tables[table].c
        sealed = [column for column in columns if isinstance(column.type, Sealed)]
        query = f"SELECT {', '.join(column.name for column in sealed)} FROM {table} ORDER BY id"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_a_damaged_authenticator_lets_nobody_in_but_a_recovery_code(
    someone_new: Callable[[], Visitor], nurse: Visitor, secret: str, line: Line, clock: FrozenClock
) -> None:
    damage(line, "authenticator", "secret")
    assert nurse.get("/staff/account").status_code == 200
    ana = someone_new()
    ana.sign_in("ana@clinic.example")
    assert second(ana, pyotp.TOTP(secret).at(clock())) == 401
    assert second(ana, nurse.codes[0]) == 302  # type: ignore[attr-defined]


def test_one_that_was_not_confirmed_yet_is_begun_anew(nurse: Visitor, line: Line) -> None:
    nurse.page("/staff/account/authenticator")
    damage(line, "authenticator", "secret")
    assert nurse.get("/staff/account/authenticator").status_code == 200
    with line.db.read() as session:
        assert session.scalars(select(Authenticator)).one().secret
