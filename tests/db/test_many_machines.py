"""What many processes on one PostgreSQL ask of its tables: migrating at once, old beside new, changes seen."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from app.actions.audit import audit
from app.actions.outbox import owe
from app.actions.prepare import prepare
from app.db import migrate as history
from app.db.crypto import Keyring
from app.db.directory import phone_named
from app.db.engine import GONE, Database
from app.db.messages import Purpose
from app.db.people import Clinic
from app.db.pulse import pulse
from app.domain.delivery import DeliveryState
from app.domain.texts import Rendered
from app.web.live import Live
from tests.db.conftest import CLINIC, NOW
from tests.db.test_postgresql import pytestmark, url

__all__ = ["pytestmark", "url"]


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    """One for all these stories: none leaves anything that another would stumble over."""
    made = url.__wrapped__()  # type: ignore[attr-defined]
    opened = Database(next(made), Keyring([Keyring.new_key()]))
    history.migrate(opened)
    prepare(opened, CLINIC, NOW)
    yield opened
    opened.close()
    next(made, None)


def test_two_that_migrate_at_once_make_one_set_of_tables_and_one_clinic(url: str) -> None:
    key, start = Keyring.new_key(), Barrier(2)

    def bring_up(_: int) -> None:
        db = Database(url, Keyring([key]))
        start.wait(20)
        history.migrate(db)
        prepare(db, CLINIC, NOW)
        db.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(bring_up, range(2)))
    db = Database(url, Keyring([key]))
    assert history.missing(db) is None
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Clinic)) == 1
    db.close()


def test_a_table_in_use_stops_a_migration_soon_and_nothing_is_changed(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not wait for long: whoever wants the table meanwhile waits behind it."""
    monkeypatch.setattr(history, "LONGEST_WAIT_SECONDS", 0.2)
    with db.begin() as session:
        session.execute(text("SELECT 1 FROM installation FOR UPDATE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            history.migrate(db, "base")
    assert history.missing(db) is None


def test_a_database_that_a_newer_version_migrated_is_used(db: Database) -> None:
    with db.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert history.missing(db) is None
    with db.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0010'"))
    assert "run `pumpline migrate`" in (history.missing(db) or "")
    with db.begin() as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{history.newest()}'"))


def test_a_machine_that_lost_its_power_holds_no_row_for_long(db: Database) -> None:
    with db.engine.connect() as connection:
        connection.rollback()
        names = connection.execute(text("SELECT name FROM pg_settings WHERE name LIKE 'tcp_%'")).scalars()
        assert set(GONE) <= set(names)
    plain = db.conninfo()
    assert "dbname=pumpline_" in plain
    assert "context" not in plain


def in_the_wrong_order(db: Database, write: Callable[..., None]) -> bool:
    """Whether an open page hears of a row that is committed after one with a higher id."""
    with db.begin() as early:
        write(early, 0)
        with db.begin() as later:
            write(later, 1)
        with db.read() as session:
            before = pulse(session)
    with db.read() as session:
        return pulse(session) != before


def test_a_row_that_was_committed_late_is_seen(db: Database) -> None:
    with db.begin() as session:
        clinic = session.scalars(select(Clinic.id)).one()
        phones = [phone_named(db, session, clinic, f"+1614555012{n}", NOW) for n in range(2)]

    def text_out(session: object, n: int) -> None:
        owe(
            session,  # type: ignore[arg-type]
            clinic_id=clinic,
            phone_id=phones[n],
            words=Rendered("Please call us.", "by hand", 1, draft=False),
            purpose=Purpose.STAFF,
            dedupe_key=f"test:{n}",
            now=NOW,
            state=DeliveryState.HANDED_OVER,
        )

    def deed(session: object, n: int) -> None:
        audit(session, NOW, "test", "patient changed", f"patient:{n}")  # type: ignore[arg-type]

    assert in_the_wrong_order(db, text_out)
    assert in_the_wrong_order(db, deed)
    with db.read() as session:
        assert pulse(session) == pulse(session)


def test_a_page_hears_what_another_process_changed(db: Database) -> None:
    """Two processes have nothing in common but the database: here, two connections to it."""
    live = Live(db)
    before = live.look()
    other = Database(db.url, db.keyring)
    with other.begin() as session:
        audit(session, NOW, "test", "patient changed", "patient:1")
    other.close()
    assert live.look().changes == before.changes + 1
    assert live.look().changes == before.changes + 1
