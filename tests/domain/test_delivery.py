from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.delivery import FAILURES, FINAL, DeliveryState, Failure, Next, failure, moves, state_named, wait_before

S = DeliveryState
FORWARD = (S.QUEUED, S.SENDING, S.UNKNOWN, S.ACCEPTED, S.SENT, S.UNCONFIRMED)


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_a_text_moves_only_forward(old: S, new: S) -> None:
    step = {state: n for n, state in enumerate(FORWARD)} | {S.HANDED_OVER: 3}
    allowed = old in step and (new not in step or step[new] > step[old])
    assert moves(old, new) is allowed


def test_an_end_is_an_end() -> None:
    assert set(S) - {*FORWARD, S.HANDED_OVER} == FINAL
    assert FAILURES < FINAL


@given(st.permutations(list(S)))
def test_in_whatever_order_news_comes_no_state_is_entered_twice(news: list[S]) -> None:
    state, seen = S.QUEUED, [S.QUEUED]
    for new in news:
        if moves(state, new):
            state = new
            seen.append(new)
    assert len(set(seen)) == len(seen)
    assert state in FINAL


@pytest.mark.parametrize("order", list(permutations(["queued", "sending", "sent", "delivered"])))
def test_twilios_reports_in_any_order_end_in_delivered(order: tuple[str, ...]) -> None:
    state = S.HANDED_OVER
    for word in order:
        new = state_named(word)
        assert new is not None
        state = new if moves(state, new) else state
    assert state is S.DELIVERED


@pytest.mark.parametrize("word", ["", "received", "delivery_unknown", "sent!"])
def test_an_unknown_word_is_no_state(word: str) -> None:
    assert state_named(word) is None


@pytest.mark.parametrize(
    ("status", "code", "then"),
    [
        (400, 21610, Next.OPTED_OUT),
        (400, 63014, Next.OPTED_OUT),
        *((400, code, Next.REPEAT) for code in (21611, 30001, 30003, 30008)),
        (429, 20429, Next.REPEAT),
        (429, None, Next.REPEAT),
        (401, 20003, Next.REPEAT),
        (403, None, Next.REPEAT),
        *((400, code, Next.NEVER) for code in (21211, 21614, 21617, 30004, 30005, 30006, 30007, 30019, 30034)),
        (400, 12345, Next.NEVER),
        (404, None, Next.NEVER),
        (None, None, Next.NEVER),
        (500, None, Next.ASK),
        (503, 20503, Next.ASK),
    ],
)
def test_what_may_be_done_after_a_failure(status: int | None, code: int | None, then: Next) -> None:
    assert failure(status, code).next is then


def test_an_unreachable_phone_is_left_alone_for_half_an_hour() -> None:
    assert wait_before(1, failure(400, 30003)) == timedelta(minutes=30)


@given(st.integers(0, 200), st.timedeltas(timedelta(seconds=1), timedelta(hours=3)))
def test_waits_grow_and_stay_within_an_hour_or_their_first(attempt: int, first: timedelta) -> None:
    reason = Failure(Next.REPEAT, "because", first)
    assert first <= wait_before(attempt, reason) <= wait_before(attempt + 1, reason) <= max(timedelta(hours=1), first)
