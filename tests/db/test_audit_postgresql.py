"""The audit chain on PostgreSQL, where ids are given before they are committed. Left out without a server."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.actions.prepare import DEMO_SIGN_IN
from app.actions.seal_audit import seal_audit
from app.actions.verify_audit import verify_audit
from app.db.work import AuditEvent
from tests.actions.test_audit_chain import NOW, one_chain_out_of_many_writers, writes
from tests.db.test_postgresql import SERVER, app, line, url
from tests.web.conftest import PASSWORD, Visitor

__all__ = ["app", "line", "url"]

pytestmark = pytest.mark.skipif(not SERVER, reason="PUMPLINE_TEST_POSTGRESQL_URL is not set: no PostgreSQL to try")


def rows(line: Line, *conditions: Any) -> list[AuditEvent]:
    with line.db.read() as session:
        found = list(session.scalars(select(AuditEvent).where(*conditions).order_by(*inspect(AuditEvent).primary_key)))
        session.expunge_all()
        return found


def test_an_id_that_is_committed_late_takes_a_later_place(line: Line) -> None:
    seal_audit(line, NOW)
    with line.db.begin() as slow:
        slow.execute(text("INSERT INTO audit_event (at, actor, verb, subject) VALUES (now(), 'a', 'slow', 'row:1')"))
        writes(line, "row:2", verb="quick")
        assert seal_audit(line, NOW) == 1
    assert seal_audit(line, NOW) == 1
    quick, late = rows(line, AuditEvent.verb == "quick")[0], rows(line, AuditEvent.verb == "slow")[0]
    assert late.id < quick.id
    assert late.position == (quick.position or 0) + 1
    assert late.prev_hash == quick.hash
    chain = verify_audit(line.db, quick.hash)
    assert (chain.broken, chain.unsealed, chain.has_head) == (None, 0, True)


def test_writers_and_sealers_at_once_make_one_chain(line: Line) -> None:
    one_chain_out_of_many_writers(line, lambda _: rows(line))


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'staff:9' WHERE subject = 'row:1'",
        "UPDATE audit_event SET detail = '{}' WHERE subject = 'row:1'",
        "UPDATE audit_event SET hash = NULL WHERE subject = 'row:1'",
        "DELETE FROM audit_event WHERE subject = 'row:1'",
        "TRUNCATE audit_event",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete(line: Line, statement: str, sealed: bool) -> None:
    writes(line, "row:1")
    if sealed:
        seal_audit(line, NOW)
    with pytest.raises(DBAPIError, match="only ever added to"), line.db.begin() as session:
        session.execute(text(statement))
    assert verify_audit(line.db).broken is None


def test_reads_are_written_and_an_auditor_reads_them(app: Flask, line: Line) -> None:
    nurse, auditor = Visitor(app.test_client()), Visitor(app.test_client())
    add_staff(line.db, "vera@clinic.example", "Vera Auditor", "auditor", PASSWORD, NOW)
    assert nurse.sign_in(*DEMO_SIGN_IN).status_code == 302
    assert auditor.sign_in("vera@clinic.example").status_code == 302
    for page in ("patients", "patients/1", "patients/1/pump"):
        nurse.page(f"/staff/{page}")
    report = auditor.page("/staff/patients/1/access")
    for words in ("Opened the record and conversation", "Opened the pump page", "Saw in the list of patients"):
        assert words in report, words
    assert "Ana Lindqvist" in auditor.page("/staff/audit?who=1&verb=read&from=2020-01-01")
    assert auditor.post("/staff/audit/export", seen_on="/staff/audit").mimetype == "text/csv"
    assert auditor.post("/staff/patients/1/access/export", seen_on="/staff/audit").mimetype == "text/csv"
