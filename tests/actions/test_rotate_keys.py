"""Data keys change while texts come in, on either database; a run that is killed is begun again and loses nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from app import create_app
from app.actions.line import Line
from app.actions.prepare import prepare
from app.actions.receive_text import InboundText, receive_text
from app.actions.replay_spool import replay_spool
from app.actions.rotate_keys import RESEAL, keys_in_use, rotate_keys
from app.actions.seed_demo import seed_demo
from app.db import sealed
from app.db.crypto import Keyring, WrongDataKey
from app.db.engine import Database
from app.db.messages import InboundMessage
from app.db.migrate import migrate
from app.db.people import Patient
from app.db.spool import Spool
from app.settings import Settings
from app.wiring import first_clinic
from tests.db.test_postgresql import SERVER
from tests.db.test_postgresql import url as postgresql_url

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MAEVE = "+16145550142"
on_postgresql = pytest.param("postgresql", marks=pytest.mark.skipif(not SERVER, reason="no PostgreSQL to try"))


class Place:
    """One database with the demo's patients, opened with whatever keys a process of it has."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.old, self.new = url, folder, Keyring.new_key(), Keyring.new_key()
        self._opened: list[Database] = []
        self.line = self.opened_by(self.old)
        migrate(self.line.db)
        prepare(self.line.db, first_clinic(self._settings(self.old)), MONDAY)
        seed_demo(self.line, MONDAY)

    def _settings(self, *keys: str) -> Settings:
        return Settings(
            instance_dir=self.folder,
            database_url=self.url,
            secret_key=SecretStr("s" * 32),
            data_keys=SecretStr(",".join(keys)),
            scheduler=False,
        )

    def opened_by(self, *keys: str) -> Line:
        """Return the line as a process with these keys holds it."""
        line: Line = create_app(self._settings(*keys), clock=lambda: MONDAY).extensions["line"]
        self._opened.append(line.db)
        return line

    def says(self, line: Line, sid: str) -> None:
        receive_text(line, InboundText(sid, MAEVE, "", "TRAVEL", channel="simulator"), MONDAY)

    def close(self) -> None:
        for db in self._opened:
            db.close()


@pytest.fixture(params=["sqlite", on_postgresql])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = f"sqlite:///{tmp_path}/pumpline.db" if request.param == "sqlite" else request.getfixturevalue("url")
    place = Place(url, tmp_path)
    yield place
    place.close()


url = postgresql_url


def opens_with_the_new_key_alone(place: Place) -> bool:
    db = place.opened_by(place.new).db
    with db.read() as session:
        session.execute(select(Patient.given_name, Patient.mrn)).all()
        session.execute(select(InboundMessage.body, InboundMessage.trace)).all()
    return not keys_in_use(db, None).lost_count


def test_after_rotating_the_new_key_alone_opens_everything_and_nothing_else_changed(place: Place) -> None:
    place.says(place.line, "SM1")
    ask = select(Patient.id, Patient.given_name, Patient.family_name, Patient.born_on, Patient.version)
    with place.line.db.read() as session:
        before = session.execute(ask.order_by(Patient.id)).all()
    both = place.opened_by(place.new, place.old)
    done = rotate_keys(both.db, None, MONDAY, "command")
    assert done.resealed == done.use.values
    assert done.use.by_old(both.db.keyring) == done.use.lost_count == 0
    assert opens_with_the_new_key_alone(place)
    with place.opened_by(place.new).db.read() as session:
        assert session.execute(ask.order_by(Patient.id)).all() == before
    assert rotate_keys(both.db, None, MONDAY, "command").resealed == 0


def test_texts_that_come_in_meanwhile_are_answered_and_sealed_with_the_new_key(place: Place) -> None:
    both, web = place.opened_by(place.new, place.old), place.opened_by(place.new, place.old)
    over = Event()

    def texting() -> int:
        count = 0
        while not over.is_set() or count < 5:
            count += 1
            place.says(web, f"SM{count}")
        return count

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(texting)
        try:
            done = rotate_keys(both.db, None, MONDAY, "command")
        finally:
            over.set()
        sent = written.result()
    assert done.use.by_old(both.db.keyring) == 0
    with both.db.read() as session:
        assert len(session.scalars(select(InboundMessage.id)).all()) == sent
    assert opens_with_the_new_key_alone(place)


class Killed(BaseException):
    """As a process that is gone."""


def test_killed_half_way_it_is_begun_again_and_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "AT_ONCE", 3)
    both, batches = place.opened_by(place.new, place.old), 0

    def told(part: str, _rows: int) -> None:
        nonlocal batches
        batches += part == RESEAL
        if batches == 4:
            raise Killed

    with pytest.raises(Killed):
        rotate_keys(both.db, None, MONDAY, "command", told)
    half = keys_in_use(both.db, None)
    assert 0 < half.by_key[both.db.keyring.ids[0]] < half.values
    done = rotate_keys(both.db, None, MONDAY, "command")
    assert done.resealed == half.by_old(both.db.keyring)
    assert opens_with_the_new_key_alone(place)


def test_what_somebody_changed_after_it_was_read_is_left_as_they_wrote_it(place: Place) -> None:
    both = place.opened_by(place.new, place.old)
    [one] = [one for one in sealed.sealed_tables() if one.name == "patient"]
    [batch] = list(sealed.rows_sealed(both.db, one))
    column = [column.name for column in one.columns].index("given_name")
    row_id, values = batch[0]
    stale = values[column]
    assert stale is not None
    with both.db.begin() as session:
        session.get_one(Patient, row_id).given_name = "Renamed"
    changed = {"given_name": [sealed.Resealed(row_id, stale, both.db.keyring.reseal(stale))]}
    sealed.replace_sealed(both.db, one, changed)
    with both.db.read() as session:
        assert session.get_one(Patient, row_id).given_name == "Renamed"


@pytest.mark.skipif(not SERVER, reason="no PostgreSQL to try")
def test_on_postgresql_it_waits_for_no_row_that_somebody_is_writing(tmp_path: Path, url: str) -> None:
    place = Place(url, tmp_path)
    both = place.opened_by(place.new, place.old)
    with place.line.db.begin() as session:
        patient_id = session.scalars(select(Patient.id).limit(1)).one()
        session.execute(text("SELECT 1 FROM patient WHERE id = :id FOR UPDATE"), {"id": patient_id})
        done = rotate_keys(both.db, None, MONDAY, "command")
    assert done.use.by_old(both.db.keyring) == 4  # that patient's number, names and birthday
    assert rotate_keys(both.db, None, MONDAY, "command").use.by_old(both.db.keyring) == 0
    place.close()


def test_a_process_that_goes_on_sealing_with_the_old_key_is_noticed(place: Place) -> None:
    both = place.opened_by(place.new, place.old)
    rotate_keys(both.db, None, MONDAY, "command")
    place.says(place.opened_by(place.old, place.new), "SM9")
    use = keys_in_use(both.db, None)
    assert use.by_old(both.db.keyring) > 0
    assert use.newest_of_old is not None


def test_a_value_that_no_key_opens_is_named_by_its_place_and_left(place: Place) -> None:
    both = place.opened_by(place.new, place.old)
    foreign = Keyring([Keyring.new_key()]).seal("?")
    with both.db.begin() as session:
        session.execute(text("UPDATE contact SET relation = :it WHERE id = 1"), {"it": foreign})
    done = rotate_keys(both.db, None, MONDAY, "command")
    assert (done.use.lost, done.use.lost_count) == (["contact.relation of 1"], 1)
    with both.db.read() as session:
        assert bytes(session.execute(text("SELECT relation FROM contact WHERE id = 1")).scalar_one()) == foreign


def test_what_waits_in_the_spool_is_sealed_anew_and_still_taken_in(place: Place) -> None:
    form = {"MessageSid": "SM" + "7" * 32, "From": MAEVE, "To": "+16145550100", "Body": "TRAVEL"}
    Spool(place.folder / "spool", Keyring([place.old])).keep("sms", form, MONDAY)
    both = place.opened_by(place.new, place.old)
    assert both.spool is not None
    assert rotate_keys(both.db, both.spool, MONDAY, "command").use.by_old(both.db.keyring) == 0
    with pytest.raises(WrongDataKey):
        Keyring([place.old]).open(both.spool.waiting()[0].read_bytes())
    only_new = place.opened_by(place.new)
    assert replay_spool(only_new, MONDAY) == 1


def test_every_table_with_sealed_columns_is_among_them() -> None:
    names = {f"{one.name}.{column.name}" for one in sealed.sealed_tables() for column in one.columns}
    assert names >= {"authenticator.secret", "import_batch.content", "import_change.old", "saved_view.name"}
    assert names >= {"installation.lookup_key", "thread_note.body", "phone_call.note", "patient_search.query"}
