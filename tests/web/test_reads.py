"""What staff read is in the audit log: whose record, by whom, on which page; a list once, with the ids it showed."""

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.actions.line import Line
from app.db.audit_log import LISTED, READ
from app.db.people import ContactKind
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor

Seen = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def seen(desk: Desk) -> Seen:
    """Return who read what where, so far."""

    def look() -> list[tuple[str, str, str]]:
        found = desk.rows(AuditEvent, AuditEvent.verb.in_((READ, LISTED)))
        return [
            (event.actor, event.subject if event.verb == READ else detail["patients"], detail["page"])
            for event in found
            if (detail := event.detail or {})
        ]

    return look


def test_each_page_of_a_patient_is_a_read(nurse: Visitor, staff_id: int, maria: Someone, seen: Seen) -> None:
    for page in (f"patients/{maria.id}", f"patients/{maria.id}/pump", f"phones/{maria.phone_id}"):
        assert nurse.get(f"/staff/{page}").status_code == 200
    who, whose = f"staff:{staff_id}", f"patient:{maria.id}"
    assert seen() == [(who, whose, "patient"), (who, whose, "pump"), (who, whose, "phone")]
    nurse.get(f"/staff/patients/{maria.id}")
    assert len(seen()) == 4, "opened again, it is read again"


def test_a_phone_of_two_is_a_read_of_both_and_one_of_nobody_of_itself(
    nurse: Visitor, staff_id: int, maria: Someone, add_patient: Callable[..., Someone], texts: object, seen: Seen
) -> None:
    son = add_patient("Leo", maria.phone, kind=ContactKind.CARER)
    nurse.get(f"/staff/phones/{maria.phone_id}")
    assert {whose for _, whose, _ in seen()} == {f"patient:{maria.id}", f"patient:{son.id}"}


def test_a_list_is_one_event_with_the_ids_it_showed(
    nurse: Visitor, staff_id: int, maria: Someone, add_patient: Callable[..., Someone], seen: Seen
) -> None:
    other = add_patient("Ruth", "+16145550143")
    nurse.get("/staff/patients")
    nurse.get("/staff/refills")
    nurse.post("/staff/patients/search", seen_on="/staff/content", query="Lopez")
    ids = f" {maria.id} {other.id} "
    assert [(shown, page) for _, shown, page in seen()] == [(ids, "patients"), (ids, "refills"), (ids, "search")]


def test_a_page_that_refreshes_itself_is_not_counted_again_but_what_is_new_on_it_is(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], seen: Seen
) -> None:
    refresh = {"HX-Request": "true"}
    for path in ("/staff/patients", f"/staff/patients/{maria.id}"):
        nurse.get(path)
        for _ in range(3):
            nurse.get(path, **refresh)
    assert len(seen()) == 2
    new = add_patient("Ruth", "+16145550143")
    nurse.get("/staff/patients", **refresh)
    assert seen()[2][1:] == (f" {new.id} ", "patients")


def test_calling_itself_a_refresh_hides_no_first_read(nurse: Visitor, maria: Someone, seen: Seen) -> None:
    nurse.get(f"/staff/patients/{maria.id}", **{"HX-Request": "true"})
    assert [page for _, _, page in seen()] == ["patient"]


def test_a_form_shown_again_is_a_read_and_a_deed_that_leads_on_is_none(
    nurse: Visitor, maria: Someone, seen: Seen
) -> None:
    path = f"/staff/patients/{maria.id}"
    assert nurse.post(f"{path}/visits", seen_on="/staff/content", starts_at="nonsense").status_code == 422
    assert [page for _, _, page in seen()] == ["book"]
    assert nurse.post(f"{path}/visits", seen_on="/staff/content", starts_at="2026-12-03T10:30").status_code == 302
    assert len(seen()) == 1


def test_what_is_refused_or_not_there_is_no_read(
    nurse: Visitor, stranger_nurse: Visitor, maria: Someone, seen: Seen
) -> None:
    assert stranger_nurse.get(f"/staff/patients/{maria.id}").status_code == 404
    assert nurse.get("/staff/patients/999").status_code == 404
    assert seen() == []


def test_the_urgent_strip_names_a_patient_once_to_each_person(
    nurse: Visitor, staff_id: int, maria: Someone, texts: Callable[..., object], seen: Seen
) -> None:
    texts(maria.phone, "my pump alarm is beeping")
    for _ in range(3):
        nurse.get("/staff/content")
    assert seen() == [(f"staff:{staff_id}", f" {maria.id} ", "urgent strip")]


def test_a_page_is_shown_even_where_the_read_cannot_be_written_and_the_log_says_so(
    nurse: Visitor, line: Line, maria: Someone, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    with line.db.begin() as session:
        session.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        )
    with caplog.at_level(logging.ERROR):
        assert "Lopez" in nurse.page(f"/staff/patients/{maria.id}").title()
    assert "was not recorded" in caplog.text
    assert "Lopez" not in caplog.text
