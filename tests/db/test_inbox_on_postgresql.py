"""The inbox on PostgreSQL: its order, its counts, its union of notes and changes, and what its migration makes."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.assign_thread import assign_thread
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.mark_read import mark_read
from app.actions.prepare import DEMO_SIGN_IN
from app.actions.reply_by_hand import reply_by_hand
from app.actions.undo_thread import undo_thread
from app.actions.write_note import write_note
from app.db.inbox import Wanted, tab_counts, threads
from app.db.inbox_thread import beside, head
from app.db.migrate import migrate
from app.db.people import Staff
from app.db.threads import REST, PhoneThread
from tests.db.test_postgresql import MONDAY, app, line, pytestmark, says, url
from tests.web.conftest import Visitor

__all__ = ["app", "line", "pytestmark", "url"]  # the stage is that of the other stories


def test_the_inbox_lists_claims_notes_and_puts_back(app: Flask, line: Line) -> None:
    says(line, "striped umbrella", "SM1")
    says(line, "i am so itchy", "SM2", "+16145550145")
    says(line, "TRAVEL", "SM3", "+16145550177")
    with line.db.read() as session:
        nurse, clinic_id = session.execute(select(Staff.id, Staff.clinic_id).order_by(Staff.id)).first() or (0, 0)
        rows, more = threads(session, clinic_id, nurse, Wanted())
        behind, _ = threads(session, clinic_id, nurse, Wanted(after=rows[0].key))
        assert [row.unread for row in rows] == [1, 1, 1]
        assert tab_counts(session, clinic_id, nurse) == {"urgent": 1, "mine": 0, "unassigned": 3, "all": 3}
    assert (rows[0].urgent_since is not None, more) == (True, False)
    assert [row.phone_id for row in behind] == [row.phone_id for row in rows[1:]]
    phone_id = rows[1].phone_id
    claimed = assign_thread(line, phone_id, nurse, None, MONDAY, nurse)
    write_note(line, phone_id, "Her son drives.", MONDAY, nurse)
    mark_read(line, phone_id, nurse, 10**9)
    reply_by_hand(line, phone_id, None, "Hello", MONDAY, nurse, due_at=MONDAY + timedelta(seconds=10))
    with line.db.read() as session:
        assert [entry.did for entry in beside(session, phone_id)] == ["assigned", "note"]
        top = head(session, phone_id, nurse)
        assert (top.assignee_id, top.state.value) == (nurse, "waiting_on_patient")
    with pytest.raises(Refused):
        undo_thread(line, phone_id, claimed or 0, MONDAY, nurse)
    browser = Visitor(app.test_client())
    browser.sign_in(*DEMO_SIGN_IN)
    for path in ("/staff/inbox", "/staff/inbox?status=closed", f"/staff/inbox/{phone_id}", "/staff/urgent"):
        assert browser.get(path).status_code == 200, path


def test_threads_are_made_of_the_texts_there_are(line: Line) -> None:
    says(line, "striped umbrella", "SM1")
    says(line, "i am so itchy", "SM2", "+16145550145")
    kept = (PhoneThread.phone_id, PhoneThread.state, PhoneThread.rank, PhoneThread.last_in_id, PhoneThread.last_out_id)
    with line.db.read() as session:
        before = {tuple(row) for row in session.execute(select(*kept).where(PhoneThread.rank < REST))}
    assert len(before) == 2
    migrate(line.db, "0004")
    migrate(line.db)
    with line.db.read() as session:
        assert {tuple(row) for row in session.execute(select(*kept).where(PhoneThread.rank < REST))} == before
