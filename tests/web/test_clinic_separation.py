"""A nurse of another clinic finds nothing of this one, by any route."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from app.actions.book_appointment import book_appointment
from app.actions.close_days import DaysToClose, close_days
from app.actions.line import Line
from app.db.care import Appointment
from app.db.messages import InboundMessage
from app.db.people import Contact, Patient
from app.db.work import Task, TaskState
from app.domain.permissions import Role, may
from app.web.console.permits import needed_by
from tests.conftest import FrozenClock, Someone
from tests.web.conftest import Visitor

NUMBERED = re.compile(r"<int:(\w+)>")


@pytest.fixture
def rows(line: Line, maria: Someone, texts: object, clock: FrozenClock) -> dict[str, int]:
    """One row of each kind that an address can name, all of the first clinic."""
    visit_id = book_appointment(line, maria.id, clock() + timedelta(days=3), clock(), "command")
    texts(maria.phone, "my pump alarm is beeping")  # type: ignore[operator]
    with line.db.read() as session:
        task_id = session.scalars(select(Task.id)).one()
        inbound_id = session.scalars(select(InboundMessage.id)).one()
        contact_id = session.scalars(select(Contact.id).where(Contact.patient_id == maria.id)).one()
        clinic_id = session.get_one(Patient, maria.id).clinic_id
    today = clock().date()
    [closure_id] = close_days(line, clinic_id, (DaysToClose(today, today, "Inventory"),), today, clock(), "command")
    return {
        "patient_id": maria.id,
        "phone_id": maria.phone_id,
        "visit_id": visit_id,
        "task_id": task_id,
        "inbound_id": inbound_id,
        "contact_id": contact_id,
        "closure_id": closure_id,
        "passkey_id": 1,
    }


def numbered_routes(app: Flask) -> list[tuple[str, str]]:
    return [
        ("GET" if "GET" in (rule.methods or ()) else "POST", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/staff") and NUMBERED.search(rule.rule) and for_nurses(app, rule)
    ]


def for_nurses(app: Flask, rule: Rule) -> bool:
    """Whether a nurse may open it at all: for all else test_authorisation walks every role."""
    needed = needed_by(app.view_functions[rule.endpoint])
    return needed is None or may(Role.NURSE, needed)


def test_every_route_that_names_a_row_answers_404_to_another_clinic(
    app: Flask, stranger_nurse: Visitor, nurse: Visitor, rows: dict[str, int], line: Line, clock: FrozenClock
) -> None:
    routes = numbered_routes(app)
    assert len(routes) >= 10
    for method, rule in routes:
        path = NUMBERED.sub(lambda found: str(rows[found[1]]), rule)
        fields = {"version": 1, "outcome": "x", "body": "x", "phone": rows["phone_id"]}
        fields |= {"starts_at": f"{clock() + timedelta(days=9):%Y-%m-%dT%H:%M}"}
        if method == "GET":
            assert stranger_nurse.get(path).status_code == 404, path
            assert nurse.get(path).status_code == 200, path
        else:
            assert stranger_nurse.post(path, seen_on="/staff/", **fields).status_code == 404, path
    with line.db.read() as session:
        visit = session.get_one(Appointment, rows["visit_id"])
        task = session.get_one(Task, rows["task_id"])
        assert (visit.starts_at, visit.state.value) == (clock() + timedelta(days=3), "booked")
        assert task.state is TaskState.OPEN


def test_rows_that_are_not_there_answer_the_same(nurse: Visitor, rows: dict[str, int]) -> None:
    for path in ("/staff/patients/9999", "/staff/phones/9999", f"/staff/patients/{2**70}", "/staff/phones/0"):
        assert nurse.get(path).status_code == 404


def test_lists_and_search_hold_only_ones_own_clinic(
    stranger_nurse: Visitor, nurse: Visitor, rows: dict[str, int]
) -> None:
    assert "Lopez" in nurse.page("/staff/patients")
    for page in ("/staff/", "/staff/patients", "/staff/content"):
        assert "Lopez" not in stranger_nurse.page(page), page
        assert "alarm is beeping" not in stranger_nurse.page(page), page
    for query in ("Lopez", "mar", "+16145550142", "MRN Maria +16145550142"):
        answer = stranger_nurse.post("/staff/patients/search", seen_on="/staff/", query=query)
        assert "No match" in answer.text, query


def test_a_reply_goes_only_to_a_phone_of_that_patient(
    nurse: Visitor, rows: dict[str, int], add_patient: object
) -> None:
    other: Someone = add_patient("Other", "+16145550143")  # type: ignore[operator]
    path = f"/staff/patients/{rows['patient_id']}"
    answer = nurse.post(f"{path}/reply", seen_on=path, body="hello", phone=other.phone_id)
    assert answer.status_code == 404
