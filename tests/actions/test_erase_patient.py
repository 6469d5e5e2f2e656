"""Erasing a patient: nothing left says who it was or what was said, and what must be kept is kept."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from app.actions.erase_patient import Erased, erase_patient
from app.actions.errors import Refused
from app.actions.legal_hold import lift_hold, place_hold
from app.actions.line import Line
from app.actions.receive_text import Received
from app.actions.seal_audit import seal_audit
from app.actions.set_patient_state import set_patient_state
from app.actions.verify_audit import verify_audit
from app.db.care import Refill
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.finding import NameKey
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, Patient, PatientState, Phone
from app.db.sealed import rows_sealed, sealed_tables
from app.db.work import AuditEvent, Task
from app.domain.delivery import DeliveryState
from tests.actions.test_rotate_keys import MAEVE, MONDAY, Place, place, url
from tests.conftest import Desk, FrozenClock, Someone

Texts = Callable[..., Received]
__all__ = ["place", "url"]  # fixtures


def everything_sealed(db: Database) -> str:
    """Return all that the data keys open."""
    return "\n".join(
        db.keyring.open(value)
        for one in sealed_tables()
        for batch in rows_sealed(db, one)
        for _, values in batch
        for value in values
        if value is not None
    )


def count(line: Line, table: type[object]) -> int:
    with line.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def erased(line: Line, clock: FrozenClock) -> Callable[..., Erased]:
    """Erase somebody once every text to them has arrived."""

    def erase(someone: Someone) -> Erased:
        with line.db.begin() as session:
            session.execute(update(OutboundMessage).values(state=DeliveryState.DELIVERED))
        return erase_patient(line, someone.id, clock(), "test", pump_in_use_is_known=True)

    return erase


@pytest.fixture
def gone(line: Line, maria: Someone, clock: FrozenClock) -> Someone:
    """Maria has left the clinic."""
    set_patient_state(line, maria.id, PatientState.LEFT, clock(), "test")
    return maria


def test_nothing_left_says_who_it_was_or_what_was_said(
    line: Line, desk: Desk, add_patient: Callable[..., Someone], texts: Texts, erased: Callable[..., Erased]
) -> None:
    someone = add_patient("Wilhelmina", "+16145559876", family_name="Quackenbush")
    desk.adds_carer(someone, "+16145554321", name="Ottokar", relation="second cousin")
    texts(someone.phone, "my zebra ate the pump manual")
    texts(someone.phone, "TRAVEL")
    texts("+16145554321", "Wilhelmina went to the zoo")
    for secret in ("Wilhelmina", "zebra", "+16145554321", "Ottokar"):
        assert secret in everything_sealed(line.db), secret
    erased(someone)
    left = everything_sealed(line.db)
    for secret in ("Wilhelmina", "Quackenbush", "6145559876", "6145554321", "zebra", "zoo", "Ottokar", "cousin"):
        assert secret not in left, secret
    assert "1979-02-14" not in left
    assert count(line, NameKey) == 0
    assert count(line, Contact) == 0


def test_counts_and_the_audit_chain_stay_whole(
    line: Line, desk: Desk, gone: Someone, texts: Texts, erased: Callable[..., Erased], clock: FrozenClock
) -> None:
    texts(gone.phone, "TRAVEL")
    seal_audit(line, clock())
    before = [count(line, table) for table in (InboundMessage, OutboundMessage, Refill, Patient)]
    events = count(line, AuditEvent)
    erased(gone)
    seal_audit(line, clock())
    assert [count(line, table) for table in (InboundMessage, OutboundMessage, Refill, Patient)] == before
    assert count(line, AuditEvent) == events + 1
    chain = verify_audit(line.db)
    assert (chain.broken, chain.unsealed) == (None, 0)


def test_the_number_is_free_for_somebody_else_who_sees_nothing_of_before(
    line: Line, gone: Someone, add_patient: Callable[..., Someone], texts: Texts, erased: Callable[..., Erased]
) -> None:
    texts(gone.phone, "TRAVEL")
    erased(gone)
    other = add_patient("Olga", gone.phone)
    assert other.phone_id != gone.phone_id
    assert texts(gone.phone, "TRAVEL").replies
    with line.db.read() as session:
        assert session.get_one(Phone, other.phone_id).number == gone.phone
        heard = select(func.count()).select_from(InboundMessage).where(InboundMessage.phone_id == other.phone_id)
        assert session.scalar(heard) == 1


@pytest.mark.parametrize("again", ["by text", "by staff"])
def test_a_number_that_said_stop_is_known_by_its_hash_alone_and_not_texted_again(
    line: Line, gone: Someone, texts: Texts, erased: Callable[..., Erased], clock: FrozenClock, again: str
) -> None:
    texts(gone.phone, "STOP")
    done = erased(gone)
    assert done.opt_outs == 1
    assert gone.phone not in everything_sealed(line.db)
    if again == "by text":
        assert not texts(gone.phone, "TRAVEL").replies
    with line.db.begin() as session:
        phone_id = phone_named(line.db, session, session.scalars(select(Clinic.id)).one(), gone.phone, clock())
    with line.db.read() as session:
        phone = session.get_one(Phone, phone_id)
        assert phone.opted_out_at is not None
        assert (phone.number, phone.number_gone, phone.id != gone.phone_id) == (gone.phone, False, True)


def test_an_emergency_from_a_number_that_was_erased_is_answered_and_pages(
    line: Line, desk: Desk, gone: Someone, texts: Texts, erased: Callable[..., Erased]
) -> None:
    texts(gone.phone, "STOP")
    erased(gone)
    assert texts(gone.phone, "my pump is beeping").replies
    assert any(task.kind == "alert" for task in desk.rows(Task))


def test_what_another_patient_texted_from_a_shared_phone_stays_theirs(
    line: Line, maria: Someone, add_patient: Callable[..., Someone], texts: Texts, erased: Callable[..., Erased]
) -> None:
    sister = add_patient("Olga", maria.phone)
    texts(maria.phone, "my zebra ate the manual")
    done = erased(maria)
    assert (done.phones, done.shared) == (0, 1)
    left = everything_sealed(line.db)
    assert "zebra" in left
    assert maria.phone in left
    assert "Maria" not in left
    with line.db.read() as session:
        assert session.scalars(select(Contact.patient_id)).all() == [sister.id]


def test_a_held_record_is_not_erased_until_the_hold_is_lifted(line: Line, gone: Someone, clock: FrozenClock) -> None:
    with line.db.read() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
    for patient_id in (gone.id, None):
        hold = place_hold(line, clinic_id, patient_id, "Letter of 3 May", clock(), "staff:1")
        with pytest.raises(Refused, match="hold keeps"):
            erase_patient(line, gone.id, clock(), "test")
        with pytest.raises(Refused, match="held already"):
            place_hold(line, clinic_id, patient_id, "again", clock(), "staff:1")
        lift_hold(line, hold, clock(), "staff:1")
    erase_patient(line, gone.id, clock(), "test")
    with line.db.read() as session:
        verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.verb.like("hold %"))).all()
    assert verbs == ["hold placed", "hold lifted"] * 2


def test_a_pump_in_use_an_alert_and_a_text_on_its_way_each_stop_it(
    line: Line, desk: Desk, maria: Someone, texts: Texts, owed: Callable[..., int], clock: FrozenClock
) -> None:
    desk.fills(maria)
    with pytest.raises(Refused, match="not taken out"):
        erase_patient(line, maria.id, clock(), "test")
    texts(maria.phone, "my pump is beeping")
    with pytest.raises(Refused, match="alert"):
        erase_patient(line, maria.id, clock(), "test", pump_in_use_is_known=True)
    desk.change(Task, desk.rows(Task)[0].id, state="resolved")
    message = desk.messages()[0].id
    desk.change(OutboundMessage, message, state="unknown")
    with pytest.raises(Refused, match="on its way"):
        erase_patient(line, maria.id, clock(), "test", pump_in_use_is_known=True)
    with line.db.read() as session:
        assert session.get_one(Patient, maria.id).given_name == "Maria"


def test_after_it_nothing_is_sent_about_the_visit_and_nobody_can_write_into_the_record(
    line: Line, desk: Desk, maria: Someone, clock: FrozenClock, live_until: Callable[..., None]
) -> None:
    desk.books(maria, clock() + timedelta(days=3))
    erase_patient(line, maria.id, clock(), "test", pump_in_use_is_known=True)
    live_until(clock() + timedelta(days=5))
    assert not [m for m in desk.messages() if m.provider_id and m.purpose != "page"]
    with pytest.raises(Refused, match="was erased"):
        set_patient_state(line, maria.id, PatientState.ACTIVE, clock(), "test")


def test_it_leaves_nothing_in_clear_either(
    line: Line, gone: Someone, texts: Texts, erased: Callable[..., Erased]
) -> None:
    with line.db.begin() as session:
        session.execute(text("UPDATE appointment SET external_id = 'zebra-77'"))
    erased(gone)
    with line.db.read() as session:
        assert session.scalar(text("SELECT count(*) FROM appointment WHERE external_id IS NOT NULL")) == 0
        assert session.scalars(select(Patient.mrn_hash).where(Patient.id == gone.id)).one() == f"erased:{gone.id}"


def test_on_either_database_the_demos_patients_can_be_erased_one_by_one(place: Place) -> None:
    line = place.line
    place.says(line, "SM1")
    with line.db.begin() as session:
        session.execute(update(OutboundMessage).values(state=DeliveryState.DELIVERED))
        session.execute(update(Task).values(state="resolved"))
        everybody = session.scalars(select(Patient.id).order_by(Patient.id)).all()
        names = set(session.scalars(select(Patient.family_name)))
    texts = count(line, OutboundMessage)
    for patient_id in everybody:
        erase_patient(line, patient_id, MONDAY, "test", pump_in_use_is_known=True)
    left = everything_sealed(line.db)
    assert not [name for name in names if name in left]
    assert MAEVE not in left
    assert count(line, OutboundMessage) == texts
