"""What is older than its period goes at night, a few rows at a time; what is held stays; texts come in meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from app.actions.forget_old import forget_now, forget_old
from app.actions.legal_hold import lift_hold, place_hold
from app.actions.line import Line
from app.actions.receive_text import Received
from app.actions.seal_audit import seal_audit
from app.actions.verify_audit import verify_audit
from app.db import aging
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.db.people import Clinic, SignInAttempt
from app.db.retention import GONE
from app.domain.retention import is_night
from tests.actions.test_rotate_keys import MONDAY, Place, place, url
from tests.conftest import MONDAY as TEN_O_CLOCK
from tests.conftest import FrozenClock, Someone

__all__ = ["place", "url"]  # fixtures
Texts = Callable[..., Received]
YEARS = timedelta(days=3660)


def bodies(line: Line) -> list[str]:
    with line.db.read() as session:
        return list(session.scalars(select(InboundMessage.body).order_by(InboundMessage.id)))


def hold(line: Line, clock: FrozenClock, patient_id: int | None) -> int:
    with line.db.read() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
    return place_hold(line, clinic_id, patient_id, "Letter of 3 May", clock(), "test")


def test_old_texts_go_and_newer_ones_stay_and_counts_are_as_they_were(
    line: Line, maria: Someone, texts: Texts, clock: FrozenClock
) -> None:
    texts(maria.phone, "my zebra ate the manual")
    clock.to(clock() + YEARS)
    texts(maria.phone, "TRAVEL")
    forget_now(line, clock(), "test")
    assert bodies(line) == [GONE, "TRAVEL"]
    with line.db.read() as session:
        out = list(session.scalars(select(OutboundMessage.body).order_by(OutboundMessage.id)))
        assert session.scalars(select(InboundMessage.trace).order_by(InboundMessage.id)).first() == "[]"
    assert out[0] == GONE
    assert GONE not in out[-1]
    seal_audit(line, clock())
    assert verify_audit(line.db).broken is None
    assert forget_now(line, clock(), "test") == 0


def test_pictures_delivery_reports_and_sign_ins_have_shorter_periods(
    line: Line, maria: Someone, texts: Texts, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    with line.db.begin() as session:
        session.execute(update(InboundMessage).values(media="[]"))
        session.execute(insert(DeliveryEvent).values(status="sent", moved=True, at=clock()))
        session.execute(insert(SignInAttempt).values(email_hash="e", address_hash="a", device_hash="", at=clock()))
    clock.to(clock() + timedelta(days=91))
    forget_now(line, clock(), "test")
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0
        assert session.scalar(select(func.count()).select_from(DeliveryEvent)) == 1
    clock.to(clock() + timedelta(days=300))
    forget_now(line, clock(), "test")
    with line.db.read() as session:
        assert session.scalar(select(func.count()).select_from(DeliveryEvent)) == 0
        assert session.scalars(select(InboundMessage.media)).all() == [None]
    assert bodies(line) == ["TRAVEL"]


def test_a_held_patients_texts_survive_and_go_once_the_hold_is_lifted(
    line: Line, maria: Someone, add_patient: Callable[..., Someone], texts: Texts, clock: FrozenClock
) -> None:
    olga = add_patient("Olga", "+16145550143")
    texts(maria.phone, "TRAVEL")
    texts(olga.phone, "ALARM")
    held = hold(line, clock, maria.id)
    clock.to(clock() + YEARS)
    forget_now(line, clock(), "test")
    assert bodies(line) == ["TRAVEL", GONE]
    with line.db.read() as session:
        assert GONE not in session.scalars(
            select(OutboundMessage.body).where(OutboundMessage.phone_id == maria.phone_id)
        )
    lift_hold(line, held, clock(), "test")
    forget_now(line, clock(), "test")
    assert bodies(line) == [GONE, GONE]


def test_a_hold_on_the_clinic_keeps_everything(line: Line, maria: Someone, texts: Texts, clock: FrozenClock) -> None:
    texts(maria.phone, "TRAVEL")
    with line.db.begin() as session:
        session.execute(insert(DeliveryEvent).values(message_id=1, status="sent", moved=True, at=clock()))
        session.execute(insert(SignInAttempt).values(email_hash="e", address_hash="a", device_hash="", at=clock()))
    hold(line, clock, None)
    clock.to(clock() + YEARS)
    assert forget_now(line, clock(), "test") == 0
    assert bodies(line) == ["TRAVEL"]


def test_it_works_at_night_alone_and_a_part_at_a_time(
    line: Line, maria: Someone, texts: Texts, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.aging.AT_ONCE", 2)
    monkeypatch.setattr("app.actions.forget_old.MOST_BATCHES", 1)
    for _ in range(5):
        texts(maria.phone, "TRAVEL")
    clock.to(clock() + YEARS)
    assert not is_night(clock(), "America/New_York")
    assert forget_old(line, clock()) == 0
    clock.to((TEN_O_CLOCK + YEARS).replace(hour=7))  # two in the morning
    beats = []
    for _ in range(4):
        forget_old(line, clock())
        beats.append(bodies(line).count(GONE))
    assert beats == [2, 4, 5, 5]


def test_a_text_that_comes_meanwhile_is_answered_between_two_batches(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is a transaction of its own and of bounded size: nobody waits for the whole."""
    monkeypatch.setattr(aging, "AT_ONCE", 5)
    line, web, sizes = place.line, place.opened_by(place.old), list[int]()
    place.says(line, "SMfirst")
    with line.db.begin() as session:
        old = dict(session.execute(select(InboundMessage.__table__)).mappings().one())
        del old["id"]
        session.execute(update(InboundMessage).values(received_at=MONDAY - YEARS))
        rows = [old | {"provider_id": f"old{n}", "received_at": MONDAY - YEARS} for n in range(60)]
        session.execute(insert(InboundMessage.__table__), rows)

    def told(_kind: str, rows: int) -> None:
        sizes.append(rows)
        if len(sizes) == 3:
            place.says(web, "SMwhile")

    forget_now(line, MONDAY, "test", told)
    assert max(sizes) == 5
    assert len(sizes) >= 12
    with line.db.read() as session:
        bodies = dict(session.execute(select(InboundMessage.provider_id, InboundMessage.body)).all())
    assert bodies.pop("SMwhile") == "TRAVEL"
    assert set(bodies.values()) == {GONE}
