from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import OF_THE_PUMP, Ask, Asked

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def test_the_first_visit_asked_about_has_1_and_2_and_the_next_3_and_4() -> None:
    asked, first = Asked().with_confirm(7, NOW, LATER)
    asked, second = asked.with_confirm(8, NOW, LATER)
    assert (first.digit, second.digit) == (1, 3)


def test_a_visit_asked_about_again_keeps_its_digit() -> None:
    asked, _ = Asked().with_confirm(7, NOW, LATER)
    asked, _ = asked.with_confirm(8, NOW, LATER)
    asked, again = asked.without_confirm(7).with_confirm(8, LATER, LATER + timedelta(days=1))
    assert again.digit == 3
    assert len(asked.confirms) == 1


@given(st.lists(st.integers(1, 6), max_size=12))
def test_no_two_visits_of_one_phone_ever_share_a_digit(visits: list[int]) -> None:
    asked = Asked()
    for visit in visits:
        asked, _ = asked.with_confirm(visit, NOW, LATER)
    digits = [ask.digit for ask in asked.confirms]
    assert len(set(digits)) == len(digits) == len(set(visits))


def test_a_question_counts_until_its_end_and_not_at_it() -> None:
    asked, ask = Asked().with_confirm(7, NOW, LATER)
    assert asked.still(LATER - timedelta(seconds=1)).asks == (ask,)
    assert asked.still(LATER).asks == ()


def test_topics_to_choose_from_count_for_a_day() -> None:
    asked = Asked().with_topic("choices", ("travel", "mri"), NOW)
    assert asked.context(NOW + timedelta(hours=23), "en").choices == ("travel", "mri")
    assert asked.context(NOW + timedelta(hours=24), "en").asked == "none"


def test_the_newest_question_decides_what_a_bare_answer_means() -> None:
    asked, _ = Asked().with_confirm(7, NOW, LATER)
    asked = asked.with_topic("choices", ("travel",), NOW + timedelta(hours=1))
    assert asked.context(NOW + timedelta(hours=2), "en").asked == "choices"
    asked, _ = asked.with_confirm(7, NOW + timedelta(hours=3), LATER)
    assert asked.context(NOW + timedelta(hours=4), "en").asked == "confirm"


def test_more_does_not_hide_what_else_was_asked() -> None:
    asked, _ = Asked().with_confirm(7, NOW, LATER)
    context = asked.with_topic("more", ("travel",), NOW + timedelta(hours=1)).context(NOW + timedelta(hours=2), None)
    assert (context.asked, context.topic) == ("confirm", "travel")


asks = st.builds(
    Ask,
    kind=st.sampled_from(["confirm", "choices", "more"]),
    asked_at=st.just(NOW),
    until=st.just(LATER),
    appointment_id=st.none() | st.integers(1, 99),
    digit=st.integers(1, 9),
    topics=st.lists(st.sampled_from(["travel", "mri"])).map(tuple),
)


@given(st.lists(asks).map(tuple))
def test_what_was_asked_survives_being_stored(kept: tuple[Ask, ...]) -> None:
    assert Asked.from_json(Asked(kept).to_json()) == Asked(kept)


def narrowing(asked: Asked, at: datetime) -> Asked:
    """A phone that is asked about an emergency, yes or no."""
    return Asked((*asked.asks, Ask("triage", at, at + timedelta(hours=4))))


@pytest.mark.parametrize("kind", sorted(OF_THE_PUMP))
def test_1_and_2_are_kept_for_an_emergency_that_is_narrowed_down(kind: str) -> None:
    asked = narrowing(Asked(), NOW)
    asked, ask = asked.with_care(Ask(kind, NOW + timedelta(minutes=5), LATER, patient_id=1), OF_THE_PUMP[kind])
    asked, visit = asked.with_confirm(7, NOW + timedelta(minutes=6), LATER)
    assert min(ask.digit, visit.digit) > 2
    assert asked.context(NOW + timedelta(minutes=7), "en").asked == "triage"


def test_a_visit_asked_about_again_gives_up_its_digits_to_an_emergency_and_only_while_it_lasts() -> None:
    asked, _ = Asked().with_confirm(7, NOW, LATER)
    asked = narrowing(asked, NOW)
    _, meanwhile = asked.with_confirm(7, NOW + timedelta(minutes=5), LATER)
    _, later = asked.with_confirm(7, NOW + timedelta(hours=5), LATER)
    assert (meanwhile.digit, later.digit) == (3, 1)


@pytest.mark.parametrize(
    "kept", ["x", [], 7, {"confirms": []}, {"asks": None}, {"asks": ["x", 5, None, {"kind": "confirm"}]}]
)
def test_what_another_version_kept_or_a_fault_left_is_no_question_any_more(kept: object) -> None:
    assert Asked.from_json(kept) == Asked()
    asked, ask = Asked().with_confirm(7, NOW, LATER)
    beside = {"asks": [{"kind": "unheard of"}, *(asked.to_json() or {})["asks"]]}
    assert Asked.from_json(beside) == Asked((ask,))
