"""The large demo, made small: a clinic in order with a last day behind it, the same from the same seed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.prepare import prepare
from app.db.care import Appointment
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.messages import InboundMessage, OutboundMessage
from app.db.migrate import migrate
from app.db.people import Patient
from app.db.threads import PhoneThread, ThreadState
from app.demo.large import Made, Sizes, make_large
from app.domain.texts import load_words
from app.settings import Settings
from app.wiring import first_clinic
from tests.conftest import Someone

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SIZES = Sizes(patients=12, visits=120, messages=600)


def made(folder: Path, seed: int) -> tuple[Line, Made]:
    folder.mkdir()
    settings = Settings(channel="simulator", instance_dir=folder)
    database = Database(settings.database_url, Keyring([Fernet.generate_key().decode()]))
    line = Line(database, load_words(None), settings.public_url, "simulator")
    migrate(database)
    prepare(database, first_clinic(settings), NOW)
    return line, make_large(line, NOW, SIZES, seed, lambda _name, _count: None)


def words(line: Line) -> list[str]:
    with line.db.read() as session:
        names = [patient.family_name for patient in session.scalars(select(Patient).order_by(Patient.id))]
        texts = session.scalars(select(InboundMessage).order_by(InboundMessage.id).limit(100))
        return names + [text.body for text in texts]


def test_it_has_what_was_asked_for_and_conversations_that_are_in_step(tmp_path: Path) -> None:
    line, count = made(tmp_path / "one", 7)
    assert count.patients == SIZES.patients
    assert SIZES.visits <= count.visits <= SIZES.visits * 1.2
    assert abs(count.messages - SIZES.messages) < SIZES.messages * 0.2
    with line.db.read() as session:
        talking = set(session.scalars(select(InboundMessage.phone_id))) | set(
            session.scalars(select(OutboundMessage.phone_id).where(OutboundMessage.patient_id.is_not(None)))
        )
        threads = {thread.phone_id: thread for thread in session.scalars(select(PhoneThread))}
        assert talking <= threads.keys()
        newest = dict(
            session.execute(
                select(InboundMessage.phone_id, func.max(InboundMessage.id)).group_by(InboundMessage.phone_id)
            ).all()
        )
        assert {phone: threads[phone].last_in_id for phone in newest} == newest
        assert any(thread.state is ThreadState.CLOSED for thread in threads.values())
        assert session.scalar(select(func.count()).select_from(Appointment)) == count.visits
    line.db.close()


def test_the_same_seed_gives_the_same_people_and_words_and_another_seed_others(tmp_path: Path) -> None:
    (one, _), (again, _), (other, _) = (made(tmp_path / name, seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert words(one) == words(again)
    assert words(one) != words(other)
    for line in (one, again, other):
        line.db.close()


def test_it_is_made_once_and_never_beside_real_patients_or_on_a_live_line(
    tmp_path: Path, line: Line, maria: Someone
) -> None:
    small, _ = made(tmp_path / "one", 7)
    with pytest.raises(Refused, match="here already"):
        make_large(small, NOW, SIZES, 7, lambda _name, _count: None)
    small.db.close()
    with pytest.raises(Refused, match="this line is live"):
        make_large(line, NOW, SIZES, 7, lambda _name, _count: None)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [(Sizes(0, 0, 0), "--patients"), (Sizes(10, 201, 0), "--visits"), (Sizes(10, 10, 10_001), "--messages")],
)
def test_sizes_that_cannot_be_are_told(tmp_path: Path, sizes: Sizes, said: str) -> None:
    settings = Settings(channel="simulator", instance_dir=tmp_path)
    database = Database(settings.database_url, Keyring([Fernet.generate_key().decode()]))
    migrate(database)
    line = Line(database, load_words(None), settings.public_url, "simulator")
    with pytest.raises(Refused, match=said):
        make_large(line, NOW, sizes, 7, lambda _name, _count: None)
    database.close()
