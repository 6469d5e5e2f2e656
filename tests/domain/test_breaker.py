"""An account fails after three faults in a row, is asked ever more rarely, and is tried by one routine text."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.breaker import (
    ASKED_AT_LEAST_EVERY,
    FAULTS,
    FORGOTTEN_AFTER,
    STEADY_AFTER,
    Breaker,
    Via,
    after_asking,
    after_fault,
    after_success,
    after_trial_began,
    way_for,
    with_sender,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WELL = Breaker()


def failing(at: datetime = NOW) -> Breaker:
    breaker = WELL
    for n in range(FAULTS):
        breaker = after_fault(breaker, at + n * SECOND, None)
    assert breaker.is_failing
    return breaker


def test_two_faults_are_no_failure_and_three_in_a_row_are() -> None:
    breaker = after_fault(after_fault(WELL, NOW, None), NOW + SECOND, None)
    assert not breaker.is_failing
    assert after_fault(breaker, NOW + 2 * SECOND, None).is_failing


def test_a_text_that_went_well_in_between_starts_the_count_anew() -> None:
    breaker = after_fault(after_fault(WELL, NOW, None), NOW + SECOND, None)
    assert not after_fault(breaker, NOW + 3 * SECOND, NOW + 2 * SECOND).is_failing
    assert not after_fault(after_success(breaker, NOW), NOW + 3 * SECOND, None).is_failing


def test_faults_far_apart_are_not_in_a_row() -> None:
    breaker = WELL
    for n in range(10):
        breaker = after_fault(breaker, NOW + n * (FORGOTTEN_AFTER + SECOND), None)
    assert not breaker.is_failing


def test_what_the_provider_says_for_certain_needs_to_be_said_once() -> None:
    assert after_fault(WELL, NOW, None, certain=True).is_failing


def test_it_is_asked_after_a_minute_and_then_ever_more_rarely() -> None:
    breaker, at, waits = failing(), NOW, []
    for _ in range(7):
        assert breaker.try_at is not None
        assert not breaker.is_asked(breaker.try_at - SECOND)
        assert breaker.is_asked(breaker.try_at)
        waits.append(breaker.try_at - at)
        at = breaker.try_at
        breaker = after_asking(breaker, at, answered=False)
    assert waits[:4] == [timedelta(seconds=62), *(timedelta(minutes=n) for n in (2, 4, 8))]
    assert waits[4:] == [ASKED_AT_LEAST_EVERY] * 3


def test_texts_that_were_under_way_when_it_began_to_fail_change_nothing() -> None:
    breaker = failing()
    assert after_fault(breaker, NOW + 5 * SECOND, None) == breaker


def test_one_text_tries_it_and_brings_it_back() -> None:
    breaker = after_asking(failing(), NOW + timedelta(minutes=2), answered=True)
    assert breaker.answers
    trying = after_trial_began(breaker, NOW + timedelta(minutes=3))
    assert not trying.answers
    assert after_success(trying, NOW + timedelta(minutes=3)).is_failing is False
    again = after_fault(trying, NOW + timedelta(minutes=3), None, trial=True)
    assert again.is_failing
    assert again.try_at == NOW + timedelta(minutes=5)


def test_one_that_keeps_failing_after_it_came_back_is_tried_ever_more_rarely() -> None:
    breaker, at = failing(), NOW
    for _ in range(6):
        at += timedelta(minutes=16)
        breaker = after_success(breaker, at)
        breaker = after_fault(breaker, at + SECOND, None, certain=True)
    assert breaker.try_at == at + SECOND + ASKED_AT_LEAST_EVERY
    at += 2 * STEADY_AFTER
    breaker = after_success(breaker, at)
    assert after_fault(breaker, at + STEADY_AFTER + SECOND, None, certain=True).tries == 0


def accounts(first: Breaker = WELL, second: Breaker = WELL) -> dict[Via, Breaker]:
    return {Via.FIRST: first, Via.SECOND: second}


ANSWERING = after_asking(failing(), NOW + timedelta(minutes=2), answered=True)


@pytest.mark.parametrize(
    ("first", "second", "wanted", "urgent", "goes", "trial"),
    [
        (WELL, WELL, None, False, Via.FIRST, False),
        (WELL, WELL, None, True, Via.FIRST, False),
        (failing(), WELL, None, False, Via.SECOND, False),
        (failing(), WELL, None, True, Via.SECOND, False),
        (ANSWERING, WELL, None, False, Via.FIRST, True),
        (ANSWERING, WELL, None, True, Via.SECOND, False),  # nobody in danger is a trial
        (WELL, WELL, Via.SECOND, True, Via.SECOND, False),  # the first one has just refused it
        (WELL, WELL, Via.SECOND, False, Via.FIRST, False),
        (WELL, failing(), Via.SECOND, True, Via.FIRST, False),
        (failing(), failing(), None, False, Via.FIRST, False),
        (failing(), failing(), Via.SECOND, True, Via.SECOND, False),  # turn and turn about
    ],
)
def test_by_which_account_a_text_leaves(
    first: Breaker, second: Breaker, wanted: Via | None, urgent: bool, goes: Via, trial: bool
) -> None:
    chosen = way_for(accounts(first, second), wanted=wanted, urgent=urgent, routine=not urgent)
    assert chosen == (goes, trial)


@pytest.mark.parametrize(
    ("first", "own", "goes", "trial"),
    [
        (WELL, None, Via.FIRST, False),
        (WELL, failing(), Via.SECOND, False),
        (WELL, ANSWERING, Via.FIRST, True),
        (failing(), WELL, Via.SECOND, False),  # a number is no better than its account
        (failing(), ANSWERING, Via.SECOND, False),
        (failing(), failing(), Via.SECOND, False),
    ],
)
def test_a_clinics_own_sender_counts_while_its_account_is_well(
    first: Breaker, own: Breaker | None, goes: Via, trial: bool
) -> None:
    known = with_sender(accounts(first, WELL), own)
    assert way_for(known, wanted=None, urgent=False, routine=True) == (goes, trial)
