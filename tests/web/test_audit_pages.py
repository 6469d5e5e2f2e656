"""The audit log and the access report: who may read them, what they say, and what leaves as a file."""

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.db.work import AuditEvent
from app.domain import audit_words
from app.domain.permissions import PERMISSION_WORDS, ROLE_WORDS
from app.web.console.audit_said import about_said, did_said, verb_said, who_said
from app.web.language import tr
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor


@pytest.fixture
def auditor(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    add_staff(line.db, "vera@clinic.example", "Vera Auditor", "auditor", PASSWORD, clock())
    vera = Visitor(app.test_client())
    assert vera.sign_in("vera@clinic.example").status_code == 302
    return vera


def rows_of(page: str) -> list[str]:
    """Return the table's rows as a person reads them."""
    found = re.findall(r'<tr [^>]*id="event-\d+">(.*?)</tr>', page, re.DOTALL)
    return [" | ".join(re.sub(r"<[^>]+>", "", cell).strip() for cell in row.split("</td>")[:-1]) for row in found]


def test_the_access_report_says_who_read_and_changed_a_record_and_nothing_of_others(
    nurse: Visitor,
    auditor: Visitor,
    maria: Someone,
    add_patient: Callable[..., Someone],
    desk: Desk,
    texts: Callable[..., object],
    clock: FrozenClock,
) -> None:
    other = add_patient("Ruth", "+16145550143")
    nurse.get("/staff/patients")
    for someone in (maria, other):
        nurse.get(f"/staff/patients/{someone.id}")
        nurse.get(f"/staff/patients/{someone.id}/pump")
        visit = desk.books(someone, clock() + timedelta(days=5))
        texts(someone.phone, "what about my dog")
        desk.fills(someone)
    said = rows_of(auditor.page(f"/staff/patients/{maria.id}/access"))
    told = [" | ".join(row.split(" | ")[1:3]) for row in said]
    for words in (
        "Ana Lindqvist | Opened the record and conversation",
        "Ana Lindqvist | Opened the pump page",
        "Ana Lindqvist | Saw in the list of patients, with 2 patients shown",
    ):
        assert told.count(words) == 1, words
    assert any(row.startswith("test | Booked") for row in told)
    assert any(row.startswith("test | Refill recorded") for row in told)
    assert sum("Text received" in row for row in told) == 1
    assert f"visit {visit}" not in " ".join(said)
    again = rows_of(auditor.page(f"/staff/patients/{maria.id}/access"))
    assert "Vera Auditor | Opened who read and changed the record" in again[0]


def test_only_those_who_may_are_shown_the_way_to_the_report(nurse: Visitor, auditor: Visitor, maria: Someone) -> None:
    path = f"/staff/patients/{maria.id}"
    assert f"{path}/access" in auditor.page(path)
    assert f"{path}/access" not in nurse.page(path)
    assert nurse.get(f"{path}/access").status_code == 403


def test_the_log_is_filtered_by_person_verb_and_day(
    nurse: Visitor, staff_id: int, auditor: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    nurse.get(f"/staff/patients/{maria.id}")
    desk.books(maria, clock() + timedelta(days=5))
    everything = rows_of(auditor.page("/staff/audit"))
    assert any("Ana Lindqvist" in row for row in everything)
    assert any("Clinic made" in row for row in everything)
    for asked, words in ((f"who={staff_id}", "Ana Lindqvist"), ("verb=booked", "Booked")):
        fitting = rows_of(auditor.page(f"/staff/audit?{asked}"))
        assert fitting
        assert all(words in row for row in fitting), asked
    assert not [row for row in rows_of(auditor.page("/staff/audit?who=others")) if "Lindqvist" in row]
    today = clock().date()
    assert rows_of(auditor.page(f"/staff/audit?from={today}&to={today}"))
    empty = auditor.page(f"/staff/audit?to={today - timedelta(days=1)}")
    assert rows_of(empty) == []
    assert "No event fits these filters" in empty
    assert auditor.get("/staff/audit?who=99999").status_code == 404
    assert auditor.get("/staff/audit?from=nonsense&before=-1&verb=%00").status_code == 200


def test_no_name_stands_in_an_address_of_the_log(nurse: Visitor, auditor: Visitor, maria: Someone) -> None:
    nurse.get(f"/staff/patients/{maria.id}")
    for path in ("/staff/audit", f"/staff/patients/{maria.id}/access"):
        page = auditor.page(path)
        for address in re.findall(r'(?:href|action|hx-get|src|value)="([^"]*)"', page):
            assert not re.search("lopez|maria|lindqvist|555", address, re.IGNORECASE), address


def test_the_log_is_paged_by_key_with_the_same_number_of_queries(
    auditor: Visitor, line: Line, clock: FrozenClock
) -> None:
    def counted(path: str) -> tuple[int, list[str]]:
        asked: list[str] = []

        def on_query(*args: object) -> None:
            asked.append(str(args[2]))

        event.listen(line.db.engine, "before_cursor_execute", on_query)
        try:
            return len(asked), rows_of(auditor.page(path))
        finally:
            event.remove(line.db.engine, "before_cursor_execute", on_query)
            counts.append(len(asked))

    counts: list[int] = []
    counted("/staff/audit")
    many = [
        {"at": clock(), "actor": "system", "verb": "tried", "subject": f"row:{n}", "detail": None} for n in range(350)
    ]
    with line.db.begin() as session:
        session.execute(insert(AuditEvent.__table__), many)
    seen: list[str] = []
    path: str | None = "/staff/audit?verb=tried"
    while path:
        seen += counted(path)[1]
        found = re.search(r'href="(/staff/audit\?before=[^"]*)">Earlier', auditor.page(path))
        path = found[1] if found else None
    assert [row.rsplit(" ", 1)[1] for row in seen] == [str(n) for n in range(349, -1, -1)]
    assert len(set(counts)) == 1
    assert counts[0] <= 25


def test_an_export_is_a_file_without_formulas_and_an_event_of_its_own(
    nurse: Visitor, auditor: Visitor, line: Line, desk: Desk, maria: Someone, clock: FrozenClock
) -> None:
    nurse.get(f"/staff/patients/{maria.id}")
    with line.db.begin() as session:
        values = {"at": clock(), "actor": "test", "verb": "=cmd|' /C calc'!A0", "subject": "@row:1", "detail": None}
        session.execute(insert(AuditEvent.__table__), values)
    answer = auditor.post("/staff/audit/export", seen_on="/staff/audit")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert not [cell for row in lines for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert any(cell.startswith("'=cmd") for row in lines for cell in row)
    [left] = desk.rows(AuditEvent, AuditEvent.verb == "exported the audit log")
    assert left.detail == {"rows": len(lines) - 1}
    report = auditor.post(f"/staff/patients/{maria.id}/access/export", seen_on="/staff/audit")
    [left] = desk.rows(AuditEvent, AuditEvent.verb == "exported an access report")
    assert left.subject == f"patient:{maria.id}"
    assert left.detail == {"rows": len(list(csv.reader(io.StringIO(report.text)))) - 1}


def test_an_export_holds_what_the_filters_show(nurse: Visitor, staff_id: int, auditor: Visitor, maria: Someone) -> None:
    nurse.get(f"/staff/patients/{maria.id}")
    answer = auditor.post("/staff/audit/export", seen_on="/staff/audit", who=staff_id)
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["who"] for row in lines} == {"Ana Lindqvist"}


def test_where_several_clinics_share_it_an_auditor_sees_ones_own_staff_alone(
    nurse: Visitor, stranger_nurse: Visitor, auditor: Visitor, maria: Someone
) -> None:
    nurse.get(f"/staff/patients/{maria.id}")
    stranger_nurse.get("/staff/patients")
    stranger_nurse.get("/staff/content")
    rows = rows_of(auditor.page("/staff/audit"))
    assert rows
    assert all("Ana Lindqvist" in row or "Vera Auditor" in row for row in rows)


ACTIONS = Path(audit_words.__file__).parent.parent / "actions"
HANDED_ON = {"account closed", "account opened again", "attended", "booked", "cancelled", "missed", "moved"}
BY_ACT = {f"thread {act}" for act in ("closed", "reopened", "snoozed")}


def calls_of_audit() -> Iterator[ast.Call]:
    for path in ACTIONS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "audit":
                yield node


def verbs_of_actions() -> set[str]:
    written = [said for call in calls_of_audit() for said in ast.walk(call.args[3])]
    named = {said.value for said in written if isinstance(said, ast.Constant) and isinstance(said.value, str)}
    return {verb for verb in named if verb != "thread "} | HANDED_ON | BY_ACT | {"read", "saw a list"}


def events() -> Iterator[tuple[str, dict[str, Any]]]:
    for verb in verbs_of_actions():
        yield verb, {}
        yield verb, {"state": "booked", "phone": 3, "shared": True, "fields": ["on_call_phone", "name"], "before": None}
    for page in ("pump", "inbox_thread", "nobody_knows_it"):
        yield "read", {"page": page}
        for ids in (" 3 ", " 3 17 "):
            yield "saw a list", {"page": page, "patients": ids}


def test_in_english_a_page_says_what_a_file_says() -> None:
    for verb, detail in events():
        assert did_said(verb, detail) == audit_words.did(verb, detail)
    for subject in ("appointment:12", "inbound:4", "saved_view:2", "strange_thing:1", "nothing"):
        assert about_said(subject) == audit_words.about(subject)
    for actor in ("phone:7", "system", "command", "invitation:3", "staff:9", "test"):
        assert who_said(actor, None) == audit_words.who(actor, None)
    assert who_said("staff:9", "Ana Lindqvist") == "Ana Lindqvist"


def test_every_deed_place_role_and_particular_has_its_spanish(app: Flask) -> None:
    named = {word.arg for call in calls_of_audit() for word in call.keywords if word.arg} - {
        "page",
        "patients",
        "phone",
    }
    with app.test_request_context("/staff/audit", headers={"Accept-Language": "es"}):
        for verb in verbs_of_actions() - {"read", "saw a list"}:
            assert verb_said(verb) != verb, verb
            assert did_said(verb, {}) == verb_said(verb)
        for place in set(audit_words.PAGES.values()) - {"Today"}:
            assert place not in did_said("read", {"page": _page_of(place)}), place
        for name in named:
            assert f"({name.replace('_', ' ')} " not in did_said("booked", {name: 3}), name
        for words in (*ROLE_WORDS.values(), *PERMISSION_WORDS.values()):
            assert tr(words) != words or words == "auditor", words


def _page_of(place: str) -> str:
    return next(page for page, words in audit_words.PAGES.items() if words == place)


def test_in_spanish_the_log_is_spanish_and_its_files_are_english(
    nurse: Visitor, auditor: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    for path in ("/staff/patients", f"/staff/patients/{maria.id}/pump"):
        nurse.get(path)
    desk.books(maria, clock() + timedelta(days=5))
    auditor.headers["Accept-Language"] = "es"
    told = [" | ".join(row.split(" | ")[1:]) for row in rows_of(auditor.page("/staff/audit"))]
    for words in (
        f"Ana Lindqvist | Abrió la página de la bomba | paciente {maria.id}",
        "Ana Lindqvist | Vio en la lista de pacientes, con 1 paciente mostrado | clínica 1",
        "Ana Lindqvist | Inició sesión (forma: contraseña) | cuenta",
        "test | Cita reservada (estado: reservada) | cita",
    ):
        assert any(row.startswith(words) for row in told), words
    assert '<option value="booked">cita reservada</option>' in auditor.page("/staff/audit")
    left = auditor.post("/staff/audit/export", seen_on="/staff/audit").text
    for words in ("opened the pump page", "booked (state booked)", "signed in (way password)"):
        assert words in left, words
