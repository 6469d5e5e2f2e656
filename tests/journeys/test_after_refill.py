"""After a refill, a dose change or a scan: how somebody is, who must confirm, what must be checked; and the battery."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.actions.add_staff import add_staff
from app.actions.change_program import change_program
from app.actions.confirm_entry import confirm_refill, decline_refill
from app.actions.errors import Refused
from app.actions.programs import Entry
from app.actions.pumps import PumpEntry, record_pump, record_replacement_indicator
from app.actions.receive_text import Received
from app.actions.record_refill import RefillEntry, preview_refill, record_refill
from app.actions.record_scan import record_scan
from app.actions.referrals import move_referral, open_referral
from app.db.care import EntryState, Program, Refill
from app.db.people import Staff
from app.db.supply import Referral, ReferralState, StepState
from app.db.work import TaskKind
from tests.conftest import MONDAY, Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

Live = Callable[[datetime], None]
Texts = Callable[..., Received]
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def to(phone: str, twilio: FakeTwilio) -> list[Message]:
    return [message for message in twilio.accepted if message.to == phone]


def asked(phone: str, twilio: FakeTwilio) -> list[datetime]:
    return [message.made_at for message in to(phone, twilio) if "how are you since" in message.body]


@pytest.fixture
def staff(desk: Desk, clock: FrozenClock) -> Callable[[str], int]:
    def add(name: str) -> int:
        add_staff(desk.line.db, f"{name}@clinic.example", name, "nurse", "a long enough password", clock())
        return desk.rows(Staff, Staff.email == f"{name}@clinic.example")[0].id

    return add


def test_how_are_you_is_asked_four_hours_and_a_day_after_a_refill(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    desk.fills(maria)
    live_until(MONDAY + timedelta(days=4))
    assert asked(maria.phone, twilio) == [MONDAY + timedelta(hours=4), MONDAY + timedelta(hours=24)]


def test_it_is_asked_in_waking_hours_and_once_when_both_would_come_together(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    clock.to(datetime(2026, 11, 23, 23, 30, tzinfo=UTC))  # 18:30: four hours later is night
    desk.fills(maria)
    live_until(MONDAY + timedelta(days=4))
    assert asked(maria.phone, twilio) == [
        datetime(2026, 11, 24, 13, 0, tzinfo=UTC),
        datetime(2026, 11, 24, 23, 30, tzinfo=UTC),
    ]


def test_marked_attended_and_recorded_is_still_one_refill(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    visit = desk.books(maria, MONDAY + timedelta(minutes=30))
    clock.forward(minutes=45)
    desk.attends(visit)
    clock.forward(hours=1)
    desk.fills(maria)
    live_until(MONDAY + timedelta(days=4))
    assert len(asked(maria.phone, twilio)) == 2


def test_as_usual_is_thanked_for_and_nobody_is_called(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.fills(maria)
    live_until(MONDAY + timedelta(hours=4))
    [reply] = texts(maria.phone, "1").replies
    assert reply.body.startswith("Thank you, good to know.")
    assert desk.tasks() == []


@pytest.mark.parametrize(
    ("digit", "category", "first"),
    [
        ("2", "overdose", 'Call 911 now and say "baclofen pump"'),
        ("3", "withdrawal", 'Call 911 now and say "baclofen pump"'),
        ("4", "withdrawal", "Call us now, day or night"),
    ],
)
def test_any_other_digit_is_an_emergency(
    digit: str, category: str, first: str, maria: Someone, desk: Desk, live_until: Live, texts: Texts
) -> None:
    desk.fills(maria)
    live_until(MONDAY + timedelta(hours=4))
    [reply] = texts(maria.phone, digit).replies
    assert reply.urgent
    assert reply.body.startswith(first)
    [alert] = desk.tasks(TaskKind.ALERT)
    assert (alert.category, alert.patient_id) == (category, maria.id)
    assert ("Reply 1 yes, 2 no" in reply.body) is (digit == "4")


def test_a_digit_a_day_later_is_no_answer_any_more(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts, clock: FrozenClock
) -> None:
    desk.fills(maria)
    live_until(MONDAY + timedelta(days=3))
    texts(maria.phone, "3")
    assert desk.tasks(TaskKind.ALERT) == []


def test_a_carer_of_two_answers_for_each(
    maria: Someone, add_patient: Callable[..., Someone], desk: Desk, live_until: Live, texts: Texts, twilio: FakeTwilio
) -> None:
    hugo = add_patient("Hugo", "+16145550199")
    carer = "+16145550180"
    for patient in (maria, hugo):
        desk.adds_carer(patient, carer)
        desk.fills(patient)
    live_until(MONDAY + timedelta(hours=4))
    bodies = sorted(message.body for message in to(carer, twilio))  # sent side by side, they arrive in any order
    assert "how is Hugo since the visit? Reply 5 as usual, 6 sleepy" in bodies[0]
    assert "how is Maria since the visit? Reply 1 as usual, 2 sleepy" in bodies[1]
    texts(carer, "1")
    assert desk.tasks(TaskKind.ALERT) == []
    texts(carer, "7")
    [alert] = desk.tasks(TaskKind.ALERT)
    assert (alert.patient_id, alert.category) == (hugo.id, "withdrawal")


def test_a_dose_change_is_asked_about_too(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=20)
    change_program(
        desk.line, maria.id, Entry(Decimal(2000), Decimal(2), Decimal(440)), date(2026, 11, 23), clock(), "test"
    )
    live_until(MONDAY + timedelta(hours=4))
    assert len(asked(maria.phone, twilio)) == 1


# ── amounts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_dose_moves_the_dates_and_old_and_new_stand_side_by_side(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=30)
    outcome = change_program(
        desk.line, maria.id, Entry(Decimal(2000), Decimal(2), Decimal(480)), date(2026, 11, 23), clock(), "test"
    )
    assert outcome.old is not None
    assert outcome.new is not None
    assert (outcome.old.plan_by, outcome.new.plan_by) == (date(2027, 1, 10), date(2027, 1, 2))
    assert desk.supply(maria).plan_by == outcome.new.plan_by


def test_a_jump_waits_for_a_second_member_of_staff(
    maria: Someone, desk: Desk, staff: Callable[[str], int], clock: FrozenClock
) -> None:
    ana, marcus = staff("ana"), staff("marcus")
    desk.fills(maria, days_ago=70)
    before = desk.supply(maria).plan_by
    outcome = desk.fills(maria, concentration="1000", staff_id=ana)
    assert outcome.waits
    assert outcome.refill_id is not None
    assert desk.supply(maria).plan_by == before
    [task] = desk.tasks(TaskKind.SECOND_PERSON)
    assert task.reason.startswith("waits for a second member of staff")
    with pytest.raises(Refused, match="a second member of staff must confirm"):
        confirm_refill(desk.line, outcome.refill_id, clock(), ana)
    confirm_refill(desk.line, outcome.refill_id, clock(), marcus)
    assert desk.tasks(TaskKind.SECOND_PERSON) == []
    assert outcome.new is not None
    assert desk.supply(maria).plan_by == outcome.new.plan_by
    [program] = desk.rows(Program, Program.concentration_mcg_per_ml == Decimal(1000))
    assert (program.state, program.confirmed_by) == (EntryState.EFFECTIVE, marcus)


def test_a_declined_jump_changes_nothing(
    maria: Someone, desk: Desk, staff: Callable[[str], int], clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=70)
    before = desk.supply(maria)
    outcome = desk.fills(maria, dose="900", staff_id=staff("ana"))
    assert outcome.refill_id is not None
    decline_refill(desk.line, outcome.refill_id, clock(), staff("marcus"))
    assert (desk.supply(maria).plan_by, desk.tasks(TaskKind.SECOND_PERSON)) == (before.plan_by, [])
    [task] = desk.tasks(TaskKind.RECORD_REFILL)  # the pump runs with something: somebody reads it
    assert task.reason == "an entry for 23-Nov-2026 was declined: read the pump, and record what it shows"


def test_while_a_higher_dose_waits_its_earlier_dates_count_already(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=30)
    higher = Entry(Decimal(2000), Decimal(2), Decimal(800))
    outcome = change_program(desk.line, maria.id, higher, date(2026, 11, 23), clock(), "test")
    assert outcome.waits
    assert outcome.new is not None
    assert desk.supply(maria).early_empty_on == outcome.new.early_empty_on


def test_aspirated_far_from_expected_opens_a_task_and_the_amounts_stand_as_they_were(
    maria: Someone, desk: Desk
) -> None:
    desk.fills(maria, days_ago=70)  # 20 mL less 70 days of 0.2 mL: 6 mL
    desk.fills(maria, aspirated="9.5")
    [task] = desk.tasks(TaskKind.CHECK_PUMP)
    assert task.reason == "aspirated 9.5 mL where 6 mL were expected, 3.5 mL more: check the pump"
    [refill] = desk.rows(Refill, Refill.aspirated_ml.is_not(None))
    assert (refill.aspirated_ml, refill.expected_ml) == (Decimal("9.5"), Decimal(6))


def test_aspirated_close_to_expected_is_no_task(maria: Someone, desk: Desk) -> None:
    desk.fills(maria, days_ago=70)
    desk.fills(maria, aspirated="8")  # two millilitres off: at the limit, not beyond
    assert desk.tasks(TaskKind.CHECK_PUMP) == []


@pytest.mark.parametrize(
    ("volume", "dose", "concentration", "days_ago", "says"),
    [
        ("20", "400", "2", 0, "2000"),
        ("20", "2500", "2000", 0, "2000"),
        ("20", "400", "1500", 0, "concentration"),
        ("21", "400", "2000", 0, "20"),
        ("20", "-4", "2000", 0, "dose"),
        ("20", "400", "2000", -1, "future"),
        ("20", "400", "2000", 901, "implant"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    volume: str, dose: str, concentration: str, days_ago: int, says: str, maria: Someone, desk: Desk
) -> None:
    with pytest.raises(Refused, match=says):
        desk.fills(maria, days_ago, volume=volume, dose=dose, concentration=concentration)
    assert desk.rows(Refill) == []


def test_the_same_day_again_corrects_that_days_refill(maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    desk.fills(maria)
    desk.fills(maria, volume="18")
    [refill] = desk.rows(Refill, Refill.state == EntryState.EFFECTIVE)
    assert refill.reservoir_volume_ml == Decimal(18)
    entry = RefillEntry(date(2026, 11, 23), Decimal(19))  # the program of this morning goes on
    record_refill(desk.line, maria.id, entry, clock(), "test")
    [program] = desk.rows(Program, Program.state == EntryState.EFFECTIVE)
    assert program.daily_dose_mcg == Decimal(400)
    assert desk.supply(maria).empty_on == date(2026, 11, 23) + timedelta(days=95)


def test_a_preview_writes_nothing(maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    entry = RefillEntry(date(2026, 11, 23), Decimal(20), None, Entry(Decimal(2000), Decimal(2), Decimal(400)))
    outcome = preview_refill(desk.line, maria.id, entry, clock())
    assert outcome.new is not None
    assert outcome.new.plan_by == date(2027, 2, 9)
    assert desk.rows(Refill) == []


# ── scans ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_scan_it_is_asked_whether_the_pump_was_checked(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, texts: Texts, clock: FrozenClock
) -> None:
    record_scan(desk.line, maria.id, clock() - timedelta(hours=3), clock(), "test")
    live_until(MONDAY + timedelta(minutes=1))
    assert "since your MRI scan, has a clinic checked (read) your pump?" in to(maria.phone, twilio)[-1].body
    texts(maria.phone, "1")
    live_until(MONDAY + timedelta(days=3))
    assert len(to(maria.phone, twilio)) == 1
    assert desk.tasks() == []


def test_a_pump_that_nobody_checked_is_an_emergency(
    maria: Someone, desk: Desk, live_until: Live, texts: Texts, clock: FrozenClock
) -> None:
    record_scan(desk.line, maria.id, clock() - timedelta(hours=3), clock(), "test")
    live_until(MONDAY + timedelta(minutes=1))
    [reply] = texts(maria.phone, "2").replies
    assert reply.body.startswith("Call us now, day or night")
    [alert] = desk.tasks(TaskKind.ALERT)
    assert alert.category == "scan_unchecked"


def test_no_answer_after_a_day_is_asked_again_and_called_about(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    record_scan(desk.line, maria.id, clock() - timedelta(hours=3), clock(), "test")
    live_until(MONDAY + timedelta(days=2))
    assert len(to(maria.phone, twilio)) == 2
    [task] = desk.tasks()
    assert task.kind is TaskKind.CHECK_PUMP


# ── the battery ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_battery_warns_staff_twelve_six_and_three_months_before(
    maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    implanted = date(2020, 5, 1)  # to be replaced by 1 May 2027
    record_pump(desk.line, maria.id, PumpEntry("SynchroMed II", Decimal(20), implanted), MONDAY, "test")
    live_until(MONDAY + timedelta(minutes=1))
    [task] = desk.tasks(TaskKind.BATTERY)
    assert task.reason == "the pump must be replaced within 6 months: no referral is sent"
    assert task.needed_by == date(2027, 5, 1)
    live_until(datetime(2027, 2, 2, 15, 0, tzinfo=UTC))
    [task] = desk.tasks(TaskKind.BATTERY)
    assert task.reason.startswith("the pump must be replaced within 3 months")
    assert [step.step for step in desk.steps(maria, "battery") if step.state is StepState.DONE] == [
        "battery:6",
        "battery:3",
    ]
    assert twilio.accepted == []  # for staff, not for patients


def test_the_replacement_indicator_starts_ninety_days_with_their_own_ladder(
    maria: Someone, desk: Desk, live_until: Live, clock: FrozenClock, staff: Callable[[str], int]
) -> None:
    record_replacement_indicator(desk.line, maria.id, date(2026, 11, 23), clock(), "test")
    live_until(MONDAY + timedelta(minutes=1))
    [task] = desk.tasks(TaskKind.BATTERY)
    assert task.reason.startswith("the replacement indicator shows: at most 90 days until the pump may stop")
    assert task.needed_by == date(2027, 2, 21)
    live_until(MONDAY + timedelta(days=75))
    assert desk.tasks(TaskKind.ALERT) == []
    live_until(MONDAY + timedelta(days=76))
    [alert] = desk.tasks(TaskKind.ALERT)
    assert alert.category == "battery"
    record_pump(
        desk.line, maria.id, PumpEntry("SynchroMed II", Decimal(20), date(2027, 2, 7), replaces=True), clock(), "test"
    )
    assert desk.tasks(TaskKind.BATTERY, TaskKind.ALERT) == []


def test_a_referral_has_an_owner_and_moves_on_or_is_asked_about(
    maria: Someone, desk: Desk, live_until: Live, clock: FrozenClock, staff: Callable[[str], int]
) -> None:
    ana = staff("ana")
    referral = open_referral(desk.line, maria.id, ana, clock(), "test")
    with pytest.raises(Refused, match="a referral is open"):
        open_referral(desk.line, maria.id, ana, clock(), "test")
    live_until(MONDAY + timedelta(days=14))
    [task] = desk.tasks(TaskKind.BATTERY)
    assert task.reason.startswith("the replacement referral has been sent for two weeks")
    move_referral(desk.line, referral, clock(), "test", state=ReferralState.BOOKED)
    with pytest.raises(Refused, match="only moves forward"):
        move_referral(desk.line, referral, clock(), "test", state=ReferralState.SENT)
    move_referral(desk.line, referral, clock(), "test", state=ReferralState.DONE)
    [row] = desk.rows(Referral)
    assert (row.owner_id, row.state) == (ana, ReferralState.DONE)
    assert desk.tasks(TaskKind.BATTERY) == []
