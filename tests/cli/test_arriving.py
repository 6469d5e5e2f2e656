"""When a request is there, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.arriving import ARRIVES_WITHIN_SECONDS, MAY_TAKE_SECONDS, MOST_HEAD, Arrival
from app.web import LARGEST_FORM

POST = b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\ncOnTent-length:  7\r\n\r\nBody=hi"


@given(st.lists(st.integers(1, 20), min_size=1, max_size=80))
def test_a_form_is_whole_with_its_last_byte_however_it_was_cut(cuts: list[int]) -> None:
    arrival, at = Arrival(0), 0
    for cut in cuts:
        assert arrival.is_whole == (at >= len(POST))
        arrival.take(POST[at : at + cut])
        at += cut
    arrival.take(POST[at:])
    assert arrival.is_whole
    assert bytes(arrival.got) == POST
    assert not arrival.is_long


@pytest.mark.parametrize(
    ("head", "whole", "is_long"),
    [
        (b"GET / HTTP/1.1\r\nHost: x", True, False),
        (b"GET / HTTP/1.0", True, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 3", False, False),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 3", True, False),
        (b"POST / HTTP/1.1\r\nContent-Length: %d" % LARGEST_FORM, False, False),
        (b"POST / HTTP/1.1\r\nContent-Length: %d" % (LARGEST_FORM + 1), True, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4", False, False),
        (b"POST / HTTP/1.1\r\nContent-Length: -3", True, False),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked", True, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue", True, True),
    ],
)
def test_what_follows_the_head_is_waited_for_unless_a_thread_had_better_read_it(
    head: bytes, whole: bool, is_long: bool
) -> None:
    arrival = Arrival(0)
    arrival.take(head + b"\r\n\r")
    assert not arrival.is_whole
    arrival.take(b"\n")
    assert (arrival.is_whole, arrival.is_long) == (whole, is_long)


def test_a_head_without_end_is_too_large() -> None:
    arrival = Arrival(0)
    arrival.take(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MOST_HEAD // 6))
    assert arrival.head_is_too_large
    assert not arrival.is_whole


def test_a_steady_drip_is_late_all_the_same_and_sooner_in_a_crowd() -> None:
    arrival = Arrival(100)
    for _ in range(30):
        arrival.take(b"x")
    assert not arrival.is_late(100 + ARRIVES_WITHIN_SECONDS - 0.1, crowded=False)
    assert arrival.is_late(100 + ARRIVES_WITHIN_SECONDS, crowded=False)
    assert not arrival.is_late(100 + MAY_TAKE_SECONDS - 0.1, crowded=True)
    assert arrival.is_late(100 + MAY_TAKE_SECONDS, crowded=True)
