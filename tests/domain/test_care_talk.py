"""Answers to what we asked about a pump: whose they are, what they mean, and that harm is an alert."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import care_talk, triage
from app.domain.conversation import OF_THE_PUMP, Ask, Asked
from app.domain.effects import (
    Decision,
    OpenTask,
    Person,
    RaiseAlert,
    RecordCheckIn,
    RecordScan,
    RecordWhy,
    Remember,
    Sender,
    Visit,
)
from app.domain.inbound import decide
from app.domain.turn import Turn
from faq.library import Library, load
from faq.understand import Understanding, understand

ASKED_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NOW = ASKED_AT + timedelta(hours=1)
UNTIL = ASKED_AT + timedelta(days=1)
LIBRARY: Library = load()
KINDS = tuple(OF_THE_PUMP)

NOTHING_SET = ("nurse_call", "", "nurse_call", "earlier_slot", "nurse_call")  # offers by reason, ill left empty
WITH_A_DESK = ("transport", "", "home_refill", "earlier_slot", "nurse_call", "614-555-0177")


def question(kind: str, patient: int = 1, *, at: datetime = ASKED_AT, until: datetime = UNTIL) -> Ask:
    """What we ask about a patient: the missed visit has the number 10 and the patient's, the scan 20."""
    return Ask(
        kind,
        at,
        until,
        appointment_id=10 + patient if kind == "why" else None,
        topics=NOTHING_SET if kind == "why" else (),
        patient_id=patient,
        subject_id=20 + patient if kind == "scan" else None,
    )


def asking(*questions: Ask) -> Asked:
    asked = Asked()
    for ask in questions:
        asked, _ = asked.with_care(ask, OF_THE_PUMP[ask.kind])
    return asked


def phone(*questions: Ask, people: int = 1, opted_out: bool = False) -> Sender:
    persons = tuple(Person(number, is_carer=people > 1) for number in range(1, people + 1))
    return Sender(people=persons, asked=asking(*questions), opted_out=opted_out)


def says(sender: Sender, text: str, now: datetime = NOW, **more: int) -> Decision:
    return decide(understand(text, sender.asked.context(now, "en"), LIBRARY), text, sender, LIBRARY, now, **more)


def digit_alone(asked: Asked, digit: int, now: datetime = NOW) -> Decision | None:
    """What the digit means for questions about a pump, without looking at anything else."""
    turn = Turn(str(digit), Understanding("unknown", "en"), Sender(asked=asked), LIBRARY, now)
    return care_talk.answer(turn)


def told(decision: Decision) -> list[str]:
    return [reply.text_id for reply in decision.replies]


def done(decision: Decision) -> list[str]:
    """Effects as words, with what tells them apart; what is remembered is told by the next text."""
    words = []
    for effect in decision.effects:
        match effect:
            case RaiseAlert(category, _, patient):
                words.append(f"alert {category} of {patient}")
            case OpenTask(kind, subject):
                words.append(f"{kind} {subject}")
            case RecordCheckIn(patient, digit):
                words.append(f"checked in {patient}: {digit}")
            case RecordWhy(appointment, reason):
                words.append(f"why {appointment}: {reason}")
            case RecordScan(scan, checked):
                words.append(f"scan {scan}: {checked}")
            case Remember():
                pass
            case _:
                words.append(type(effect).__name__)
    return words


def remembered(decision: Decision) -> Asked:
    [asked] = [effect.asked for effect in decision.effects if isinstance(effect, Remember)]
    return asked


def about(decision: Decision | None) -> tuple[str, int] | None:
    """The kind of question that was answered, and about which patient."""
    if decision is None:
        return None
    for effect in decision.effects:
        match effect:
            case RecordCheckIn(patient, _):
                return "checkin", patient
            case RecordWhy(appointment, _):
                return "why", appointment - 10
            case RecordScan(scan, _):
                return "scan", scan - 20
            case OpenTask(reason="wants to book a visit: call", patient_id=patient) if patient is not None:
                return "book", patient
    return None


# ── what an answer means ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "text", "said", "does"),
    [
        ("book", "1", ["text:book_called"], ["reschedule patient:1"]),
        ("why", "1", ["text:why_nurse"], ["why 11: ride", "missed_refill appointment:11"]),
        ("why", "2", ["text:why_ill"], ["why 11: ill", "alert missed_refill_symptoms of 1"]),
        ("why", "3", ["text:why_nurse"], ["why 11: cost", "missed_refill appointment:11"]),
        ("why", "4", ["text:why_earlier"], ["why 11: weather", "missed_refill appointment:11"]),
        ("why", "5", ["text:why_nurse"], ["why 11: other", "missed_refill appointment:11"]),
        ("checkin", "1", ["text:checkin_fine"], ["checked in 1: 1"]),
        ("checkin", "2", ["text:urgent_overdose"], ["checked in 1: 2", "alert overdose of 1"]),
        ("checkin", "3", ["text:urgent_withdrawal"], ["checked in 1: 3", "alert withdrawal of 1"]),
        ("checkin", "4", ["text:urgent_vague"], ["checked in 1: 4", "alert withdrawal of 1"]),
        ("scan", "1", ["text:mri_checked"], ["scan 21: True"]),
        ("scan", "2", ["text:mri_unchecked"], ["scan 21: False", "alert scan_unchecked of 1"]),
        # a digit however it is written
        ("checkin", " 2. ", ["text:urgent_overdose"], ["checked in 1: 2", "alert overdose of 1"]),
        ("checkin", "#3!", ["text:urgent_withdrawal"], ["checked in 1: 3", "alert withdrawal of 1"]),
        ("scan", "(2)", ["text:mri_unchecked"], ["scan 21: False", "alert scan_unchecked of 1"]),
        # a digit that was not offered reaches a nurse
        ("book", "2", ["text:unknown"], ["question phone"]),
        ("why", "6", ["text:unknown"], ["question phone"]),
        ("checkin", "5", ["text:unknown"], ["question phone"]),
        ("scan", "3", ["text:unknown"], ["question phone"]),
        ("checkin", "0", ["text:unknown"], ["question phone"]),
        # urgent words are urgent, whatever was asked
        ("checkin", "1 but I can't breathe", ["text:urgent_breathing"], ["alert breathing of None"]),
        ("why", "the pump is beeping", ["text:urgent_alarm"], ["alert alarm of None"]),
        ("book", "1 my pump is beeping", ["text:urgent_alarm"], ["alert alarm of None"]),
    ],
)
def test_an_answer_to_what_we_asked_about_the_pump_leads_to_this(
    kind: str, text: str, said: list[str], does: list[str]
) -> None:
    decision = says(phone(question(kind)), text)
    assert (told(decision), done(decision)) == (said, does)


@pytest.mark.parametrize(
    ("kind", "digit", "category"),
    [
        ("why", "2", "missed_refill_symptoms"),
        ("checkin", "2", "overdose"),
        ("checkin", "3", "withdrawal"),
        ("checkin", "4", "withdrawal"),
        ("scan", "2", "scan_unchecked"),
    ],
)
def test_after_an_answer_that_may_mean_harm_the_phone_counts_as_urgent_for_some_hours(
    kind: str, digit: str, category: str
) -> None:
    decision = says(phone(question(kind)), digit)
    assert [reply.urgent for reply in decision.replies] == [True]
    urgent = remembered(decision).still(NOW + timedelta(hours=3)).last("urgent")
    assert urgent is not None
    assert urgent.topics == (category,)
    later = replace(phone(), asked=remembered(decision))
    assert told(says(later, "is anybody there", NOW + timedelta(hours=1))) == ["text:triage_call"]


@pytest.mark.parametrize(("kind", "digit"), [("book", "1"), ("why", "3"), ("checkin", "1"), ("scan", "1")])
def test_a_harmless_answer_raises_nothing_and_makes_nothing_urgent(kind: str, digit: str) -> None:
    decision = says(phone(question(kind)), digit)
    assert not any(isinstance(effect, RaiseAlert) for effect in decision.effects)
    assert not any(reply.urgent for reply in decision.replies)
    assert remembered(decision).last("urgent") is None


def test_something_else_is_urgent_at_once_and_then_narrowed_by_one_question_at_a_time() -> None:
    vague = says(phone(question("checkin")), "4")
    assert vague.replies[0].adds == f"triage_{triage.QUESTIONS[0].name}"
    yes = says(replace(phone(), asked=remembered(vague)), "yes", NOW + timedelta(minutes=1))
    assert told(yes) == ["text:triage_red"]
    assert done(yes) == ["alert breathing of None", "NoteOnAlert"]
    no = says(replace(phone(), asked=remembered(vague)), "2", NOW + timedelta(minutes=1))
    assert told(no) == [f"text:triage_{triage.QUESTIONS[1].name}"]


def test_self_harm_is_not_forgotten_over_a_bad_check_in() -> None:
    spoke = phone(question("checkin"))
    spoke = replace(spoke, asked=spoke.asked.with_urgent(NOW - timedelta(minutes=5), "self_harm"))
    urgent = remembered(says(spoke, "2")).last("urgent")
    assert urgent is not None
    assert urgent.topics == ("self_harm",)


def test_a_picture_beside_an_answer_is_kept_for_a_nurse() -> None:
    decision = says(phone(question("checkin")), "2", media=1)
    assert told(decision) == ["text:urgent_overdose"]
    assert done(decision) == ["checked in 1: 2", "alert overdose of 1", "media phone"]


@pytest.mark.parametrize(
    ("kind", "digit", "said", "does"),
    [
        ("book", "1", [], ["reschedule patient:1"]),
        ("why", "3", [], ["why 11: cost", "missed_refill appointment:11"]),
        ("why", "2", ["text:why_ill"], ["why 11: ill", "alert missed_refill_symptoms of 1"]),
        ("checkin", "1", [], ["checked in 1: 1"]),
        ("checkin", "3", ["text:urgent_withdrawal"], ["checked in 1: 3", "alert withdrawal of 1"]),
        ("scan", "1", [], ["scan 21: True"]),
        ("scan", "2", ["text:mri_unchecked"], ["scan 21: False", "alert scan_unchecked of 1"]),
    ],
)
def test_who_has_opted_out_is_heard_and_told_only_what_may_save_somebody(
    kind: str, digit: str, said: list[str], does: list[str]
) -> None:
    decision = says(phone(question(kind), opted_out=True), digit)
    assert (told(decision), done(decision)) == (said, does)


def test_every_answer_says_what_it_did_and_why() -> None:
    for kind, digits in OF_THE_PUMP.items():
        for digit in range(1, digits + 1):
            decision = digit_alone(asking(question(kind)), digit)
            assert decision is not None
            assert all(decision.trace)


# ── why a visit was missed ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "said", "does"),
    [
        ("no ride", ["text:why_nurse"], ["why 11: ride", "missed_refill appointment:11"]),
        ("No ride!", ["text:why_nurse"], ["why 11: ride", "missed_refill appointment:11"]),
        ("no car", ["text:why_nurse"], ["why 11: ride", "missed_refill appointment:11"]),
        ("ILL", ["text:why_ill"], ["why 11: ill", "alert missed_refill_symptoms of 1"]),
        ("enferma", ["text:why_ill"], ["why 11: ill", "alert missed_refill_symptoms of 1"]),
        ("cost", ["text:why_nurse"], ["why 11: cost", "missed_refill appointment:11"]),
        ("The weather", ["text:why_earlier"], ["why 11: weather", "missed_refill appointment:11"]),
        ("something else", ["text:why_nurse"], ["why 11: other", "missed_refill appointment:11"]),
    ],
)
def test_the_name_of_a_reason_counts_like_its_digit(text: str, said: list[str], does: list[str]) -> None:
    decision = says(phone(question("why")), text)
    assert (told(decision), done(decision)) == (said, does)
    assert remembered(decision).last("why") is None


@pytest.mark.parametrize("text", ["sick", "unwell", "mal", "not well"])
def test_whoever_says_they_were_unwell_is_an_alert_by_whichever_way(text: str) -> None:
    decision = says(phone(question("why")), text)
    assert any(isinstance(effect, RaiseAlert) for effect in decision.effects)
    assert decision.replies[0].urgent


@pytest.mark.parametrize("text", ["no ride", "weather", "cost", "other"])
def test_the_name_of_a_reason_is_no_answer_to_another_question(text: str) -> None:
    for asked in (phone(), phone(question("checkin")), phone(question("why", until=NOW))):
        assert about(says(asked, text)) is None


def test_the_name_of_a_reason_answers_the_visit_asked_about_last() -> None:
    family = phone(question("why", 2), question("why", 1, at=NOW - timedelta(minutes=5)), people=2)
    assert done(says(family, "no ride")) == ["why 11: ride", "missed_refill appointment:11"]


@pytest.mark.parametrize(
    ("digit", "said", "fill"),
    [
        ("1", "text:why_ride", (("desk", "614-555-0177"),)),
        ("3", "text:why_home", (("desk", "614-555-0177"),)),
        ("4", "text:why_earlier", (("desk", "614-555-0177"),)),
        ("5", "text:why_nurse", (("desk", "614-555-0177"),)),
    ],
)
def test_the_clinics_offer_for_a_reason_is_made_and_the_desk_can_be_called(
    digit: str, said: str, fill: tuple[tuple[str, str], ...]
) -> None:
    [reply] = says(phone(replace(question("why"), topics=WITH_A_DESK)), digit).replies
    assert (reply.text_id, reply.fill) == (said, fill)


@pytest.mark.parametrize("offer", ["transport", "home_refill", "earlier_slot", "nurse_call"])
def test_who_was_ill_is_offered_nothing_but_a_call_now(offer: str) -> None:
    [reply] = says(phone(replace(question("why"), topics=(offer,) * 5)), "2").replies
    assert (reply.text_id, reply.urgent, reply.fill) == ("text:why_ill", True, ())


def test_where_there_is_no_transport_desk_none_is_named() -> None:
    [reply] = says(phone(question("why")), "1").replies
    assert (reply.text_id, reply.fill) == ("text:why_nurse", ())


def test_without_offers_a_nurse_calls_for_every_reason() -> None:
    asked = phone(replace(question("why"), topics=()))
    assert {told(says(asked, digit))[0] for digit in "1345"} == {"text:why_nurse"}


# ── several questions on one phone ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [("book", 1, 2), ("scan", 1, 3), ("checkin", 1, 5), ("why", 1, 6)],
)
def test_the_same_question_about_a_second_patient_has_the_next_digits(kind: str, first: int, second: int) -> None:
    asked = asking(question(kind, 1), question(kind, 2))
    assert [ask.digit for ask in asked.asks] == [first, second]


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("1", ["checked in 1: 1"]),
        ("3", ["checked in 1: 3", "alert withdrawal of 1"]),
        ("5", ["checked in 2: 1"]),
        ("6", ["checked in 2: 2", "alert overdose of 2"]),
        ("8", ["checked in 2: 4", "alert withdrawal of 2"]),
        ("9", ["question phone"]),
    ],
)
def test_a_carer_of_two_can_say_how_each_of_them_is(text: str, does: list[str]) -> None:
    assert done(says(phone(question("checkin", 1), question("checkin", 2), people=2), text)) == does


households = st.lists(st.integers(1, 12), min_size=1, max_size=12)


@given(st.sampled_from(KINDS), households)
def test_every_digit_of_a_kind_of_question_answers_about_one_patient(kind: str, patients: list[int]) -> None:
    asked = asking(*(question(kind, patient) for patient in patients))
    digits = OF_THE_PUMP[kind]
    assert sorted(ask.patient_id or 0 for ask in asked.asks) == sorted(set(patients))
    taken = [ask.digit + place for ask in asked.asks for place in range(digits)]
    assert len(set(taken)) == len(taken)
    for ask in asked.asks:
        for place in range(digits):
            decision = digit_alone(asked, ask.digit + place)
            assert about(decision) == (kind, ask.patient_id)
    assert digit_alone(asked, max(taken) + 1) is None


@given(st.sampled_from(KINDS), households, st.integers(1, 12))
def test_asked_again_a_question_keeps_its_digits_and_counts_from_now(
    kind: str, patients: list[int], again: int
) -> None:
    before = asking(*(question(kind, patient) for patient in (*patients, again)))
    later = question(kind, again, at=NOW, until=NOW + timedelta(days=2))
    after, ask = before.with_care(later, OF_THE_PUMP[kind])
    digits = {a.patient_id: a.digit for a in before.asks}
    assert {a.patient_id: a.digit for a in after.asks} == digits
    assert len(after.asks) == len(digits)
    assert (ask.asked_at, ask.until) == (later.asked_at, later.until)


@pytest.mark.parametrize("kind", KINDS)
def test_the_digits_we_named_stay_right_when_lower_ones_are_free_again(kind: str) -> None:
    asked = asking(question(kind, 1), question(kind, 2))
    answered = digit_alone(asked, 1)
    assert answered is not None
    again, ask = remembered(answered).with_care(question(kind, 2, at=NOW), OF_THE_PUMP[kind])
    assert ask.digit == 1 + OF_THE_PUMP[kind]
    assert about(digit_alone(again, ask.digit)) == (kind, 2)


def test_two_missed_visits_and_two_scans_of_one_patient_are_kept_apart() -> None:
    for ask in (question("why"), question("scan")):
        another = replace(ask, appointment_id=99) if ask.kind == "why" else replace(ask, subject_id=99)
        asked = asking(ask, another)
        assert [a.digit for a in asked.asks] == [1, 1 + OF_THE_PUMP[ask.kind]]


@given(st.sampled_from(KINDS), st.lists(st.integers(1, 12), min_size=2, max_size=8, unique=True), st.data())
def test_an_answered_question_is_not_answered_twice_and_the_others_wait(
    kind: str, patients: list[int], data: st.DataObject
) -> None:
    asked = asking(*(question(kind, patient) for patient in patients))
    mine = data.draw(st.sampled_from(asked.asks))
    digit = mine.digit + data.draw(st.integers(0, OF_THE_PUMP[kind] - 1))
    decision = digit_alone(asked, digit)
    assert decision is not None
    rest = remembered(decision)
    assert [ask for ask in rest.asks if ask.kind == kind] == [ask for ask in asked.asks if ask != mine]
    assert digit_alone(rest, digit) is None


def by_a_reminder(at: datetime) -> Ask:
    return Ask("confirm", at, UNTIL, appointment_id=7)


def by_a_menu(at: datetime) -> Ask:
    return Ask("choices", at, UNTIL, topics=("travel", "swimming", "mri"))


def by_an_answer(at: datetime) -> Ask:
    return Ask("helped", at, UNTIL, topics=("travel", "en"))


def by_more_to_say(at: datetime) -> Ask:
    return Ask("more", at, UNTIL, topics=("travel",))


def booked_and(kind: str, *others: Ask) -> Sender:
    """A phone with a visit to come, asked about a pump at three, and other things at their times."""
    sender = phone(question(kind))
    visits = (Visit(7, 1, "Maria", NOW + timedelta(days=3)),)
    return replace(sender, visits=visits, asked=Asked((*sender.asked.asks, *others)))


BEFORE, AFTER = ASKED_AT - timedelta(minutes=5), ASKED_AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("other", "text", "said"),
    [
        (by_a_reminder(AFTER), "1", ["text:confirmed"]),
        (by_a_menu(AFTER), "1", ["answer:travel"]),
        (by_an_answer(AFTER), "1", ["text:helped_yes"]),
    ],
)
def test_a_digit_answers_another_question_that_was_put_later(other: Ask, text: str, said: list[str]) -> None:
    decision = says(booked_and("why", other), text)
    assert told(decision) == said
    assert about(decision) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "other",
    [by_a_reminder(BEFORE), by_a_menu(BEFORE), by_an_answer(BEFORE), by_more_to_say(BEFORE), by_more_to_say(AFTER)],
)
def test_a_digit_answers_the_question_about_the_pump_where_that_was_put_later(kind: str, other: Ask) -> None:
    assert about(says(booked_and(kind, other), "1")) == (kind, 1)


@pytest.mark.parametrize("other", [by_a_reminder(AFTER), by_a_menu(AFTER), by_an_answer(AFTER)])
def test_a_digit_that_no_later_question_takes_still_answers_ours(other: Ask) -> None:
    decision = says(booked_and("checkin", other), "4")
    assert done(decision) == ["checked in 1: 4", "alert withdrawal of 1"]


@pytest.mark.parametrize(
    ("kind", "other", "text", "said"),
    [
        ("book", by_a_reminder(BEFORE), "2", ["text:change"]),
        ("book", Ask("confirm", BEFORE, UNTIL, appointment_id=7, digit=3), "3", ["text:confirmed"]),
    ],
)
def test_a_digit_that_ours_does_not_take_is_left_to_the_others(
    kind: str, other: Ask, text: str, said: list[str]
) -> None:
    assert told(says(booked_and(kind, other), text)) == said


def test_a_question_about_an_emergency_put_last_comes_first() -> None:
    sender = booked_and("checkin", Ask("triage", AFTER, UNTIL))
    assert told(says(sender, "1")) == ["text:triage_red"]
    assert told(says(sender, "2")) == [f"text:triage_{triage.QUESTIONS[1].name}"]


def test_a_question_about_the_pump_put_after_one_about_an_emergency_has_its_digits() -> None:
    sender = booked_and("checkin", Ask("triage", BEFORE, UNTIL))
    assert done(says(sender, "2")) == ["checked in 1: 2", "alert overdose of 1"]


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_of_two_questions_with_the_same_digits_the_later_one_is_answered_first(first: str, second: str) -> None:
    older, later = question(first, 1), question(second, 2, at=AFTER)
    for asks in ((older, later), (later, older)):
        decision = digit_alone(Asked(asks), 1)
        assert about(decision) == (second, 2)
        assert decision is not None
        assert [ask for ask in remembered(decision).asks if ask.kind in KINDS] == [older]


# ── until when it counts ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_counts_until_its_time_and_not_at_it(kind: str) -> None:
    sender = phone(question(kind))
    assert about(says(sender, "1", UNTIL - timedelta(seconds=1))) == (kind, 1)
    late = says(sender, "1", UNTIL)
    assert (told(late), done(late)) == (["text:unknown"], ["question phone"])


@given(st.sampled_from(KINDS), st.integers(1, 9), st.integers(-48 * 60, 48 * 60))
def test_no_digit_counts_after_its_time(kind: str, digit: int, minutes: int) -> None:
    now = UNTIL + timedelta(minutes=minutes)
    counts = minutes < 0 and digit <= OF_THE_PUMP[kind]
    assert about(digit_alone(asking(question(kind)), digit, now)) == ((kind, 1) if counts else None)


def test_a_later_question_that_no_longer_counts_leaves_the_digit_to_ours() -> None:
    sender = booked_and("why", replace(by_a_reminder(AFTER), until=NOW))
    assert about(says(sender, "1")) == ("why", 1)


def test_while_we_wait_for_a_digit_any_other_text_is_understood_as_always() -> None:
    assert told(says(phone(question("checkin")), "TRAVEL")) == ["answer:travel"]
    assert told(says(phone(question("scan")), "NURSE")) == ["text:human"]
    assert told(says(phone(question("why")), "STOP")) == ["text:opted_out"]


# ── stored and read again ──────────────────────────────────────────────────────────────────────────────


asks = st.builds(
    Ask,
    kind=st.sampled_from([*KINDS, "confirm", "choices", "more", "triage", "helped", "urgent"]),
    asked_at=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    until=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    appointment_id=st.none() | st.integers(1, 10**9),
    digit=st.integers(1, 99),
    topics=st.lists(st.sampled_from([*NOTHING_SET, "614-555-0177", "travel"]), max_size=6).map(tuple),
    patient_id=st.none() | st.integers(1, 10**9),
    subject_id=st.none() | st.integers(1, 10**9),
)


@given(st.lists(asks, max_size=6).map(tuple))
def test_what_was_asked_about_a_pump_survives_being_stored(kept: tuple[Ask, ...]) -> None:
    stored = json.dumps(Asked(kept).to_json())
    assert Asked.from_json(json.loads(stored)) == Asked(kept)


@pytest.mark.parametrize(
    "ask",
    [
        Ask("confirm", ASKED_AT, UNTIL, appointment_id=7, digit=3),
        Ask("choices", ASKED_AT, UNTIL, topics=("travel", "mri")),
    ],
)
def test_what_an_earlier_version_stored_is_read_as_it_was_meant(ask: Ask) -> None:
    stored = {
        "kind": ask.kind,
        "asked_at": "2026-11-23T15:00:00+00:00",
        "until": "2026-11-24T15:00:00+00:00",
        "appointment_id": ask.appointment_id,
        "digit": ask.digit,
        "topics": list(ask.topics),
    }
    assert Asked.from_json({"asks": [stored]}) == Asked((ask,))
    assert ask.to_json() == stored  # and an earlier version can read what is stored now


def test_the_oldest_stored_question_names_only_its_kind_and_its_times() -> None:
    stored = {"kind": "more", "asked_at": "2026-11-23T15:00:00+00:00", "until": "2026-11-24T15:00:00+00:00"}
    assert Ask.from_json(stored) == Ask("more", ASKED_AT, UNTIL)


def test_an_answer_after_a_restart_is_still_about_the_right_patient() -> None:
    family = phone(question("checkin", 1), question("checkin", 2), people=2)
    stored = json.loads(json.dumps(family.asked.to_json()))
    again = replace(family, asked=Asked.from_json(stored))
    assert done(says(again, "6")) == ["checked in 2: 2", "alert overdose of 2"]
    assert done(says(again, "3")) == ["checked in 1: 3", "alert withdrawal of 1"]
