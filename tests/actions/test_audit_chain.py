"""The audit log: sealed in a chain that shows every change, every gap and every cut, whoever writes at once."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from app.actions.audit import audit
from app.actions.line import Line
from app.actions.seal_audit import BATCH, seal_audit
from app.actions.verify_audit import verify_audit
from app.db.work import AuditEvent
from app.domain.audit_chain import BEGINNING
from tests.conftest import Desk, FrozenClock

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def writes(line: Line, *subjects: str, verb: str = "tried") -> None:
    with line.db.begin() as session:
        for subject in subjects:
            audit(session, NOW, "test", verb, subject, of=subject)


def tamper(line: Line, *statements: str) -> None:
    """Change the file as somebody would who has it and knows SQL: the triggers go first."""
    with sqlite3.connect(Path(line.db.url.removeprefix("sqlite:///"))) as connection:
        for guard in ("audit_event_no_change", "audit_event_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {guard}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_what_was_there_before_is_chained_at_the_first_sealing(line: Line, desk: Desk) -> None:
    before = len(desk.rows(AuditEvent))
    assert before  # preparing wrote some, unsealed
    writes(line, "row:1", "row:2")
    assert seal_audit(line, NOW) == before + 2
    assert seal_audit(line, NOW) == 0
    chain = verify_audit(line.db)
    assert (chain.events, chain.unsealed, chain.broken) == (before + 2, 0, None)
    events = desk.rows(AuditEvent)
    assert [event.position for event in events] == list(range(1, before + 3))
    assert [event.prev_hash for event in events] == [BEGINNING, *(event.hash for event in events[:-1])]
    assert chain.head == events[-1].hash


def test_a_deed_that_is_rolled_back_leaves_no_event_and_no_gap(line: Line) -> None:
    def fails() -> None:
        with line.db.begin() as session:
            audit(session, NOW, "test", "tried", "row:1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    writes(line, "row:2")
    seal_audit(line, NOW)
    assert verify_audit(line.db).broken is None


def test_more_than_a_batch_is_sealed_at_once(line: Line) -> None:
    many = [{"at": NOW, "actor": "test", "verb": "v", "subject": f"row:{n}", "detail": None} for n in range(BATCH + 5)]
    with line.db.begin() as session:
        session.execute(insert(AuditEvent.__table__), many)
    assert seal_audit(line, NOW) > BATCH + 5 - 1
    assert verify_audit(line.db).unsealed == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'staff:9' WHERE subject = 'row:1'",
        "UPDATE audit_event SET detail = '{}' WHERE subject = 'row:1'",
        "UPDATE audit_event SET hash = NULL WHERE subject = 'row:1'",
        "UPDATE audit_event SET position = 99 WHERE subject = 'row:1'",
        "DELETE FROM audit_event WHERE subject = 'row:1'",
        "DELETE FROM audit_event",
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_the_database_itself_refuses_to_change_or_delete(line: Line, statement: str, sealed: bool) -> None:
    writes(line, "row:1", "row:2")
    if sealed:
        seal_audit(line, NOW)
    with pytest.raises(DBAPIError, match="only ever added to"), line.db.begin() as session:
        session.execute(text(statement))
    seal_audit(line, NOW)
    assert verify_audit(line.db).broken is None


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_event SET actor = 'staff:9' WHERE subject = 'row:2'", "was changed"),
        ("UPDATE audit_event SET at = '2020-01-01 00:00:00.000000' WHERE subject = 'row:2'", "was changed"),
        ("UPDATE audit_event SET detail = '{\"of\": \"row:3\"}' WHERE subject = 'row:2'", "was changed"),
        ("UPDATE audit_event SET prev_hash = 'x' WHERE subject = 'row:2'", "does not go on"),
        ("UPDATE audit_event SET hash = 'x' WHERE subject = 'row:2'", "was changed"),
    ],
)
def test_the_first_event_that_was_changed_is_named(line: Line, desk: Desk, statement: str, said: str) -> None:
    writes(line, "row:1", "row:2", "row:3")
    seal_audit(line, NOW)
    [touched] = desk.rows(AuditEvent, AuditEvent.subject == "row:2")
    tamper(line, statement)
    broken = verify_audit(line.db).broken
    assert broken is not None
    assert broken.startswith(f"event {touched.id}:")
    assert said in broken


def test_an_event_taken_out_of_the_middle_is_missed(line: Line, desk: Desk) -> None:
    writes(line, "row:1", "row:2", "row:3")
    seal_audit(line, NOW)
    [after] = desk.rows(AuditEvent, AuditEvent.subject == "row:3")
    tamper(line, "DELETE FROM audit_event WHERE subject = 'row:2'")
    broken = verify_audit(line.db).broken
    assert broken is not None
    assert broken.startswith(f"event {after.id}:")
    assert "is missing" in broken


def test_an_end_that_was_cut_off_is_found_by_a_head_noted_earlier(line: Line) -> None:
    writes(line, "row:1", "row:2")
    seal_audit(line, NOW)
    noted = verify_audit(line.db).head
    writes(line, "row:3")
    seal_audit(line, NOW)
    assert verify_audit(line.db, noted).has_head
    tamper(line, "DELETE FROM audit_event WHERE subject IN ('row:2', 'row:3')")
    chain = verify_audit(line.db, noted)
    assert chain.broken is None  # what is left is whole
    assert not chain.has_head


def test_writers_and_sealers_at_once_make_one_chain(line: Line, desk: Desk) -> None:
    one_chain_out_of_many_writers(line, desk.rows)


def one_chain_out_of_many_writers(line: Line, rows: Callable[..., list[AuditEvent]]) -> None:
    """Six write, some take their deed back, three seal all the while: nothing is lost, forked or skipped."""
    start, done = Barrier(9), Event()

    def write(who: int) -> int:
        start.wait(20)
        kept = 0
        for n in range(25):
            try:
                with line.db.begin() as session:
                    audit(session, NOW + timedelta(seconds=n), f"writer:{who}", "tried", f"row:{n}")
                    if n % 5 == 4:
                        raise LookupError
                kept += 1
            except LookupError:
                pass
        return kept

    def seal() -> None:
        start.wait(20)
        while not done.is_set():
            seal_audit(line, NOW)

    with ThreadPoolExecutor(9) as pool:
        sealers = [pool.submit(seal) for _ in range(3)]
        try:
            kept = sum(pool.map(write, range(6)))
        finally:
            done.set()
        for sealer in sealers:
            sealer.result()
    seal_audit(line, NOW)
    events = rows(AuditEvent)
    assert len([event for event in events if event.actor.startswith("writer:")]) == kept == 120
    assert sorted(event.position or 0 for event in events) == list(range(1, len(events) + 1))
    chain = verify_audit(line.db)
    assert (chain.events, chain.unsealed, chain.broken) == (len(events), 0, None)


def test_the_heartbeat_seals(line: Line, clock: FrozenClock, beat: Callable[[], None]) -> None:
    writes(line, "row:1")
    beat()
    assert verify_audit(line.db).unsealed == 0
