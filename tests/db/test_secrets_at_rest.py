"""Names, numbers and texts cannot be read in the file; keys rotate; a wrong key says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from app.actions.line import Line
from app.actions.open_sealed import open_some
from app.actions.prepare import prepare
from app.actions.receive_text import Received
from app.db.crypto import Keyring, WrongDataKey, keyed_hash
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.people import Clinic, Patient, PatientState, Phone
from app.db.reading import passing_over
from app.db.types import Sealed
from tests.conftest import Desk, Someone
from tests.damage import damage
from tests.db.conftest import CLINIC, NOW


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.name.startswith("pumpline.db"))


def test_nothing_about_a_person_can_be_read_in_the_file(
    texts: Callable[..., Received], add_patient: Callable[..., Someone], desk: Desk, tmp_path: Path
) -> None:
    someone = add_patient("Wilhelmina", "+16145559876", family_name="Quackenbush")
    desk.adds_carer(someone, "+16145554321")
    texts(someone.phone, "my zebra ate the pump manual")
    texts(someone.phone, "please stop texting me")
    stored = on_disk(tmp_path)
    assert b"inbound_message" in stored
    for secret in ("Wilhelmina", "Quackenbush", "6145559876", "6145554321", "zebra", "stop texting", "1979-02-14"):
        assert secret.encode() not in stored, secret
        assert secret.encode("utf-16-le") not in stored, secret


def test_what_we_answered_cannot_be_read_in_the_file(
    texts: Callable[..., Received], maria: Someone, tmp_path: Path
) -> None:
    [reply] = texts(maria.phone, "TRAVEL").replies
    assert reply.body[:40].encode() not in on_disk(tmp_path)


def test_the_on_call_phone_cannot_be_read_in_the_file(clinic: Clinic, tmp_path: Path) -> None:
    assert clinic.on_call_phone == "+16145550190"
    assert b"6145550190" not in on_disk(tmp_path)


def test_every_column_that_names_or_quotes_somebody_is_sealed() -> None:
    from app.db.tables import Base

    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Sealed)
    }
    assert sealed >= {
        *("patient.given_name", "patient.family_name", "patient.born_on", "patient.mrn", "phone.number"),
        *("contact.name", "contact.relation", "inbound_message.body", "inbound_message.media"),
        *("inbound_message.trace", "outbound_message.body", "consent_event.words", "task.outcome"),
        *("installation.lookup_key", "clinic.on_call_phone"),
    }


def add_phone(db: Database, number: str) -> int:
    with db.begin() as session:
        return phone_named(db, session, session.scalars(select(Clinic.id)).one(), number, NOW)


def number_of(db: Database, phone_id: int) -> str:
    with db.read() as session:
        return session.scalars(select(Phone.number).where(Phone.id == phone_id)).one()


def raw_number(db: Database, phone_id: int) -> bytes:
    with db.engine.connect() as connection:
        return bytes(connection.execute(text("SELECT number FROM phone WHERE id = :id"), {"id": phone_id}).scalar_one())


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(
    db: Database, key: str, open_with: Callable[..., Database]
) -> None:
    old = add_phone(db, "+16145550142")
    new_key = Keyring.new_key()
    rotated = open_with(new_key, key)
    assert number_of(rotated, old) == "+16145550142"
    new = add_phone(rotated, "+16145550143")
    only_new = Keyring([new_key])
    assert only_new.open(raw_number(db, new)) == "+16145550143"
    with pytest.raises(WrongDataKey):
        only_new.open(raw_number(db, old))


def test_a_phone_is_found_again_after_the_keys_rotated(
    db: Database, key: str, open_with: Callable[..., Database]
) -> None:
    first = add_phone(db, "+16145550142")
    assert add_phone(open_with(Keyring.new_key(), key), "+16145550142") == first


def test_resealing_moves_a_secret_to_the_first_key() -> None:
    old, new = Keyring.new_key(), Keyring.new_key()
    token = Keyring([new, old]).reseal(Keyring([old]).seal("Maria"))
    assert Keyring([new]).open(token) == "Maria"


def test_a_wrong_key_says_which_setting_to_mend_and_nothing_else(
    db: Database, open_with: Callable[..., Database]
) -> None:
    phone = add_phone(db, "+16145550142")
    other = open_with(Keyring.new_key())
    with pytest.raises(WrongDataKey, match="PUMPLINE_DATA_KEYS"):
        number_of(other, phone)
    with pytest.raises(WrongDataKey):
        prepare(other, CLINIC, NOW)
    with pytest.raises(WrongDataKey):
        other.hash_of("+16145550142")


def test_what_cannot_be_read_is_not_written_down_as_if_it_had_been(
    line: Line, maria: Someone, add_patient: Callable[..., Someone]
) -> None:
    other = add_patient("Rosa", "+16145550143")
    damage(line, "patient", "family_name", row_id=maria.id)
    damage(line, "phone", "number", row_id=maria.phone_id)
    with passing_over(), pytest.raises(StatementError, match="not written down again"), line.db.begin() as session:
        session.get_one(Patient, other.id).family_name = session.get_one(Phone, maria.phone_id).number
    with pytest.raises(StatementError, match="not written down again"), line.db.begin() as session:
        session.get_one(Patient, other.id).family_name = session.get_one(Patient, maria.id).family_name
    with line.db.read() as session:
        assert session.get_one(Patient, other.id).family_name == "Lopez"
    with pytest.raises(WrongDataKey), line.db.read() as session:
        session.get_one(Phone, maria.phone_id)


def test_whoever_looks_whether_all_can_be_read_is_told_the_truth(line: Line, maria: Someone) -> None:
    assert open_some(line.db) > 0
    damage(line, "patient", "given_name", row_id=maria.id)
    with pytest.raises(WrongDataKey):
        open_some(line.db)


def test_two_databases_in_one_process_keep_their_keys_apart(tmp_path: Path, db: Database) -> None:
    phone = add_phone(db, "+16145550142")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}", Keyring([Keyring.new_key()]))
    assert number_of(db, phone) == "+16145550142"
    other.close()


@pytest.mark.parametrize("keys", [[], ["short"], [""], [Keyring.new_key(), "x" * 44]])
def test_what_is_no_key_is_refused_at_once(keys: list[str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 each says it in its own words
        Keyring(keys)


@pytest.mark.parametrize("words", ["", "a" * 1600, "🙂 ñ \0 \ud800", "<script>"])
def test_any_text_can_be_sealed_and_opened(words: str) -> None:
    ring = Keyring([Keyring.new_key()])
    assert ring.open(ring.seal(words)) == words
    assert ring.seal(words) != ring.seal(words)


def test_the_hash_of_a_phone_is_of_no_use_without_the_key() -> None:
    assert keyed_hash("one", "+16145550142") != keyed_hash("two", "+16145550142")
    assert len(keyed_hash("one", "+16145550142")) == 64


def test_a_patient_reads_back_as_written(db: Database) -> None:
    with db.begin() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
        values = {"mrn": "A-1", "mrn_hash": "h", "given_name": "Zoë", "family_name": "O'Neill", "born_on": None}
        session.add(
            Patient(
                clinic_id=clinic_id,
                language="en",
                time_zone="UTC",
                state=PatientState.ACTIVE,
                created_at=NOW,
                **values,
            )
        )
    with db.read() as session:
        found = session.scalars(select(Patient)).one()
        assert {name: getattr(found, name) for name in values} == values
