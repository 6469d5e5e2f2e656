"""Around a visit: asked again, called, not arrived, missed by days of drug left, and why."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.actions.change_care_policy import CarePolicyChange, change_care_policy
from app.actions.receive_text import Received
from app.actions.record_why import reasons_counted
from app.db.care import AppointmentState
from app.db.people import Clinic, Phone
from app.db.work import TaskKind, TaskState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

ON_CALL = "+16145550190"
VISIT = datetime(2026, 12, 10, 15, 30, tzinfo=UTC)  # a Thursday, 10:30 in New York
NOTICED = VISIT + timedelta(minutes=60)
NOON_BEFORE = datetime(2026, 12, 9, 17, 0, tzinfo=UTC)

Live = Callable[[datetime], None]
Texts = Callable[..., Received]


def to(phone: str, twilio: FakeTwilio) -> list[Message]:
    return [message for message in twilio.accepted if message.to == phone]


def test_two_days_before_whoever_has_not_confirmed_is_asked_in_other_words(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, texts: Texts
) -> None:
    desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=2))
    assert "we have not heard from you about your visit on Thu Dec 10" in to(maria.phone, twilio)[-1].body
    assert len([text for text in to(maria.phone, twilio) if text.made_at.date() == date(2026, 12, 8)]) == 1
    texts(maria.phone, "1")
    live_until(VISIT - timedelta(hours=23))
    assert to(maria.phone, twilio)[-1].body.startswith("Northgate Pump Clinic: your visit is on Thu Dec 10")


def test_a_confirmed_visit_gets_the_plain_two_day_text(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, texts: Texts
) -> None:
    desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=7))
    texts(maria.phone, "1")
    live_until(VISIT - timedelta(days=2))
    assert to(maria.phone, twilio)[-1].body.startswith("Northgate Pump Clinic: your visit is on Thu Dec 10")


def test_at_noon_the_day_before_a_nurse_calls_whoever_has_not_confirmed(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.books(maria, VISIT)
    live_until(NOON_BEFORE - timedelta(minutes=1))
    assert desk.tasks() == []
    live_until(NOON_BEFORE)
    [task] = desk.tasks()
    assert (task.kind, task.reason) == (TaskKind.UNCONFIRMED, "has not confirmed the visit: call today")
    texts(maria.phone, "1")
    assert desk.tasks() == []  # confirmed since: nobody needs to call


def test_nobody_is_called_who_has_confirmed(maria: Someone, desk: Desk, live_until: Live, texts: Texts) -> None:
    desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=7))
    texts(maria.phone, "1")
    live_until(NOON_BEFORE)
    assert desk.tasks() == []


def test_who_confirmed_and_has_not_arrived_an_hour_after_is_a_same_day_alert(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=7))
    texts(maria.phone, "1")
    live_until(NOTICED)
    [task] = desk.tasks(TaskKind.NOT_ARRIVED)
    assert (task.due_at, task.reason.split(":")[0]) == (NOTICED, "same-day alert")
    desk.attends(visit)
    assert desk.tasks() == []


def test_who_came_and_was_marked_is_no_alert(maria: Someone, desk: Desk, live_until: Live, texts: Texts) -> None:
    visit = desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=7))
    texts(maria.phone, "1")
    live_until(VISIT + timedelta(minutes=10))
    desk.attends(visit)
    live_until(VISIT + timedelta(hours=3))
    assert desk.tasks() == []


# The pump was filled so many days before that this much is left, by the early edge, on the day of the visit.
@pytest.mark.parametrize(
    ("left", "says", "due", "needed_by", "alerts", "text"),
    [
        (40, "call within a working day", timedelta(days=1), False, False, "we missed you on Thu Dec 10. Call"),
        (15, "call within a working day", timedelta(days=1), False, False, "we missed you on Thu Dec 10. Call"),
        (14, "call today", timedelta(hours=12, minutes=30), False, False, "we missed you on Thu Dec 10. Call"),
        (8, "call today", timedelta(hours=12, minutes=30), False, False, "we missed you on Thu Dec 10. Call"),
        (7, "call now", timedelta(0), True, False, "Your refill cannot wait"),
        (4, "call now", timedelta(0), True, False, "Your refill cannot wait"),
        (3, "call now", timedelta(0), True, True, "Call us NOW, day or night"),
        (0, "call now", timedelta(0), True, True, "Call us NOW, day or night"),
    ],
)
def test_the_fewer_days_of_drug_are_left_the_louder_a_missed_refill_is(
    left: int,
    says: str,
    due: timedelta,
    needed_by: bool,
    alerts: bool,
    text: str,
    maria: Someone,
    desk: Desk,
    live_until: Live,
    twilio: FakeTwilio,
) -> None:
    desk.fills(maria, days_ago=86 - left - 17)
    desk.books(maria, VISIT, late_reason="as the story needs it")
    live_until(NOTICED - timedelta(seconds=1))
    sent = len(to(maria.phone, twilio))
    live_until(NOTICED)
    [task] = desk.tasks(TaskKind.MISSED_REFILL)
    assert task.reason.endswith(says)
    assert f"{left} day{'' if left == 1 else 's'} of drug left" in task.reason
    assert task.due_at == NOTICED + due
    assert (task.needed_by is not None) is needed_by
    assert text in to(maria.phone, twilio)[sent].body
    alert = [task for task in desk.tasks(TaskKind.ALERT) if task.reason.startswith("missed a refill visit")]
    assert [task.raised_at for task in alert] == ([NOTICED] if alerts else [])
    assert bool([task for task in alert if task.next_page_at]) is alerts


def test_a_missed_refill_with_days_to_spare_grows_louder_by_itself(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    desk.fills(maria, days_ago=86 - 16 - 17)  # 16 days left at the visit
    desk.books(maria, VISIT)
    live_until(VISIT + timedelta(days=3))
    [missed] = desk.tasks(TaskKind.MISSED_REFILL)
    assert "16 days" in missed.reason
    [supply] = desk.tasks(TaskKind.SUPPLY)
    assert "missed, and not booked again" in supply.reason
    live_until(VISIT + timedelta(days=14))
    assert desk.tasks(TaskKind.ALERT)
    assert to(maria.phone, twilio)[-1].body.startswith("Call us NOW")


def test_an_urgent_missed_refill_waits_for_no_morning(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    evening = datetime(2026, 12, 11, 1, 30, tzinfo=UTC)  # 20:30; noticed at 21:30, outside the hours of texts
    desk.fills(maria, days_ago=86 - 2 - 17)
    desk.books(maria, evening, late_reason="as the story needs it")
    live_until(evening + timedelta(minutes=60))
    assert to(maria.phone, twilio)[-1].made_at == evening + timedelta(minutes=60)
    assert to(maria.phone, twilio)[-1].body.startswith("Call us NOW")


@pytest.mark.parametrize(("left", "told"), [(9, False), (6, True), (2, True)])
def test_a_carer_who_may_be_told_is_told_when_it_cannot_wait(
    left: int, told: bool, maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    may, may_not = "+16145550171", "+16145550172"
    desk.adds_carer(maria, may, gets_reminders=False, told_if_missed=True)
    desk.adds_carer(maria, may_not, gets_reminders=False, told_if_missed=False)
    desk.fills(maria, days_ago=86 - left - 17)
    desk.books(maria, VISIT, late_reason="as the story needs it")
    live_until(NOTICED + timedelta(minutes=5))
    assert [text.body[:50] for text in to(may, twilio)] == (
        ["Northgate Pump Clinic: Maria missed a visit that ca"[:50]] if told else []
    )
    assert to(may_not, twilio) == []


def test_attended_stops_every_step_at_once(maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio) -> None:
    desk.fills(maria, days_ago=86 - 2 - 17)
    visit = desk.books(maria, VISIT, late_reason="as the story needs it")
    live_until(NOTICED)
    assert desk.tasks(TaskKind.ALERT)
    desk.attends(visit)
    paged = len(to(ON_CALL, twilio))
    assert desk.tasks(TaskKind.ALERT, TaskKind.MISSED_REFILL, TaskKind.SUPPLY, TaskKind.UNCONFIRMED) == []
    [task] = desk.tasks()
    assert task.kind is TaskKind.RECORD_REFILL  # the volumes are still to be written down
    live_until(VISIT + timedelta(days=4))
    assert len(to(ON_CALL, twilio)) == paged
    assert not [text for text in to(maria.phone, twilio) if text.made_at > NOTICED and "how are you" not in text.body]
    desk.fills(maria, days_ago=4)
    assert desk.tasks() == []


# ── why ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def asked_why(maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio) -> int:
    """Maria's missed visit; she has just been asked what kept her."""
    visit = desk.books(maria, VISIT)
    live_until(NOTICED + timedelta(minutes=1))
    assert "Reply 1 no ride, 2 unwell, 3 cost, 4 weather, 5 something else." in to(maria.phone, twilio)[-1].body
    return visit


@pytest.mark.parametrize(
    ("said", "reason", "answer"),
    [
        ("1", "ride", "A nurse will call you to find a new time"),
        ("3", "cost", "A nurse will call you to find a new time"),
        ("4", "weather", "A nurse will call you with the next free time"),
        ("5.", "other", "A nurse will call you to find a new time"),
        ("no ride", "ride", "A nurse will call you to find a new time"),
        ("Snow", "weather", "A nurse will call you with the next free time"),
    ],
)
def test_the_reason_is_kept_counted_and_answered_with_an_offer(
    said: str, reason: str, answer: str, asked_why: int, maria: Someone, desk: Desk, texts: Texts
) -> None:
    [reply] = texts(maria.phone, said).replies
    assert answer in reply.body
    assert desk.visit(asked_why).missed_reason == reason
    with desk.line.db.read() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
        assert reasons_counted(session, clinic_id)[reason] == 1
    [task] = desk.tasks(TaskKind.MISSED_REFILL)
    assert task.reason.startswith("missed a refill visit")


def test_an_offer_is_what_the_clinic_sets(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts, clock: FrozenClock
) -> None:
    offers = {"ride": "transport", "cost": "home_refill"}
    change_care_policy(desk.line, CarePolicyChange(offers=offers, transport_phone="+16145550133"), clock(), "test")
    desk.books(maria, VISIT)
    live_until(NOTICED + timedelta(minutes=1))
    [reply] = texts(maria.phone, "1").replies
    assert "transport desk can help you get here: 614-555-0133" in reply.body


def test_unwell_is_an_emergency_until_somebody_has_spoken_to_them(
    asked_why: int, maria: Someone, desk: Desk, texts: Texts
) -> None:
    [reply] = texts(maria.phone, "2").replies
    assert reply.urgent
    assert reply.body.startswith("Call us now, day or night")
    [alert] = desk.tasks(TaskKind.ALERT)
    assert (alert.category, alert.patient_id) == ("missed_refill_symptoms", maria.id)
    assert desk.visit(asked_why).missed_reason == "ill"


# ── giving up a visit by text ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", ["cancel my visit", "can't come, cancel", "2", "please cancel the appointment"])
def test_without_another_day_in_time_the_visit_is_kept_and_a_nurse_has_a_day_to_find_one_by(
    words: str, maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.fills(maria, days_ago=40)
    visit = desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=2))
    texts(maria.phone, words)
    assert desk.visit(visit).state is AppointmentState.BOOKED
    [task] = desk.tasks(TaskKind.RESCHEDULE)
    assert task.needed_by == desk.supply(maria).plan_by
    assert "find a day on or before 31-Dec-2026" in task.reason
    with desk.line.db.read() as session:
        assert session.get_one(Phone, maria.phone_id).opted_out_at is None


@pytest.mark.parametrize("words", ["cancel the visit on Dec 10", "2"])
def test_with_another_day_in_time_the_visit_is_given_up(
    words: str, maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.fills(maria, days_ago=40)
    visit = desk.books(maria, VISIT)
    other = desk.books(maria, VISIT + timedelta(days=5))
    live_until(VISIT - timedelta(days=7))
    [reply] = texts(maria.phone, words).replies
    if words == "2":
        assert desk.visit(visit).state is AppointmentState.CANCELLED
        assert reply.body.startswith(
            "We cancelled your visit on Thu Dec 10, 10:30 AM. Your next visit is on Tue Dec 15"
        )
        assert desk.tasks() == []
    assert desk.visit(other).state is AppointmentState.BOOKED


def test_with_another_day_that_is_too_late_the_visit_is_kept(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.fills(maria, days_ago=40)
    visit = desk.books(maria, VISIT)
    desk.books(maria, VISIT + timedelta(days=60))
    live_until(VISIT - timedelta(days=2))
    texts(maria.phone, "2")
    assert desk.visit(visit).state is AppointmentState.BOOKED
    assert desk.tasks(TaskKind.RESCHEDULE)


@pytest.mark.parametrize("word", ["CANCEL", "cancel", " Cancel "])
def test_cancel_alone_is_an_opt_out_by_the_carriers_rule_and_somebody_asks_what_was_meant(
    word: str, maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(VISIT - timedelta(days=2))
    texts(maria.phone, word)
    [task] = desk.tasks(TaskKind.CALL_INSTEAD)
    assert task.reason == "opted out, or meant the visit?: call"
    assert desk.visit(visit).state is AppointmentState.BOOKED
    texts(maria.phone, "START")
    assert desk.tasks(TaskKind.CALL_INSTEAD) == []


def test_a_task_taken_before_the_visit_was_missed_is_told_what_is_new(
    maria: Someone, desk: Desk, live_until: Live, nurse_takes: Callable[[int], None]
) -> None:
    desk.books(maria, VISIT)
    live_until(NOON_BEFORE)
    nurse_takes(desk.tasks(TaskKind.UNCONFIRMED)[0].id)
    live_until(NOTICED)
    assert [(task.kind, task.state) for task in desk.tasks()] == [(TaskKind.MISSED_REFILL, TaskState.OPEN)]
