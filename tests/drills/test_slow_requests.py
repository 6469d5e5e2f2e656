"""Slow, endless and broken requests against a real process: everybody else is answered, and the slow one is let go."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.commands.arriving import ARRIVES_WITHIN_SECONDS, MOST_ARRIVING, MOST_HEAD, MOST_LONG
from app.commands.server import THREADS
from app.web.live import MOST_STREAMS
from tests.drills.real_process import Running
from tests.fakes.twilio_server import FakeTwilio

MORE_THAN_THREADS = THREADS + MOST_STREAMS + 24
PATIENCE = 5  # seconds for an answer to somebody else; Twilio waits fifteen


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeTwilio, Running]]:
    folder = tmp_path_factory.mktemp("slow")
    with FakeTwilio() as twilio, Running(folder, twilio) as pumpline:
        twilio.public_url = pumpline.url
        yield twilio, pumpline


@contextmanager
def many(pumpline: Running, count: int, begins: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each with the beginning of a request."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", pumpline.port), timeout=PATIENCE))
            one.sendall(begins)
            opened.append(one)
        yield opened


def end_of(connection: socket.socket) -> bytes:
    """Return what is said until the other side lets go; it must, before long."""
    connection.settimeout(ARRIVES_WITHIN_SECONDS + PATIENCE)
    said = b""
    try:
        while part := connection.recv(4096):
            said += part
    except ConnectionResetError:
        pass
    return said


def answered(twilio: FakeTwilio, pumpline: Running, text: str = "ALARM") -> None:
    answer = twilio.deliver(pumpline.url, "+16145550177", text)
    assert answer.status == 200
    assert answer.replies


def page(pumpline: Running, path: str = "/staff/sign-in") -> int:
    asking = http.client.HTTPConnection("127.0.0.1", pumpline.port, timeout=PATIENCE)
    try:
        asking.request("GET", path)
        return asking.getresponse().status
    finally:
        asking.close()


@pytest.mark.parametrize(
    "begins",
    [
        b"GET /staff/sign-in HTTP/1.1\r\nHost: x\r\nX-a: b",
        b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nBody=half",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX-second: half",
    ],
    ids=["headers", "body", "a second request"],
)
def test_more_slow_ones_than_threads_keep_nobody_else_waiting_and_are_let_go(
    stage: tuple[FakeTwilio, Running], begins: bytes
) -> None:
    twilio, pumpline = stage
    with many(pumpline, MORE_THAN_THREADS, begins) as slow:
        for one in slow[:20]:
            one.sendall(b"y")  # still dripping
        answered(twilio, pumpline)
        assert page(pumpline) == 200
        said = [end_of(one) for one in slow]
        assert all(not words or b"408 Request Timeout" in words for words in said)
        answered(twilio, pumpline)


def test_the_slowest_make_room_when_there_are_very_many(stage: tuple[FakeTwilio, Running]) -> None:
    twilio, pumpline = stage
    with many(pumpline, MOST_ARRIVING + 60, b"GET / HTTP/1.1\r\nX-a: ") as slow:
        answered(twilio, pumpline)
        slow[0].settimeout(ARRIVES_WITHIN_SECONDS / 2)
        assert b"408" in slow[0].recv(100)  # long before its time


def test_long_bodies_hold_few_threads_and_the_rest_are_told_to_come_back(stage: tuple[FakeTwilio, Running]) -> None:
    twilio, pumpline = stage
    upload = b"POST /staff/patients/import HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n"
    upload += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    chunks = b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nBody="
    with many(pumpline, MOST_LONG, upload), many(pumpline, MORE_THAN_THREADS, chunks) as turned_away:
        answered(twilio, pumpline)
        assert page(pumpline) == 200
        assert all(b"503" in end_of(one) for one in turned_away[MOST_LONG:])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nX-a: " + b"y" * (MOST_HEAD + 1), b"431"),
        (b"GET /healthz HTTP/1.1\r\n" + b"X-a: y\r\n" * 100 + b"\r\n", b"431"),
        (b"GET /healthz?" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"POST /twilio/sms HTTP/1.1\r\nContent-Length: 9000000000\r\n\r\n", b"413"),
        (b"POST /twilio/sms HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /twilio/sms HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
    ],
)
def test_what_is_too_large_or_broken_is_refused_at_once(
    stage: tuple[FakeTwilio, Running], sent: bytes, status: bytes
) -> None:
    twilio, pumpline = stage
    with many(pumpline, 1, sent) as (one,):
        assert b" " + status + b" " in one.recv(4096).split(b"\r\n")[0]
    answered(twilio, pumpline)


def test_what_comes_in_parts_in_chunks_or_after_a_go_ahead_is_answered(stage: tuple[FakeTwilio, Running]) -> None:
    _, pumpline = stage
    form = b"email=a&password=b"
    head = b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\n"
    with many(pumpline, 1, head) as (one,):
        one.sendall(b"Content-Length: %d\r\n\r\n" % len(form))
        one.sendall(form[:5])
        one.sendall(form[5:])
        assert b"403" in one.recv(4096).split(b"\r\n")[0]
    with many(pumpline, 1, head + b"Transfer-Encoding: chunked\r\n\r\n") as (one,):
        one.sendall(b"%x\r\n%s\r\n" % (len(form), form))
        one.sendall(b"0\r\n\r\n")
        assert b"403" in one.recv(4096).split(b"\r\n")[0]
    with many(pumpline, 1, head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(form)) as (one,):
        assert b"100 Continue" in one.recv(4096)
        one.sendall(form)
        assert b"403" in one.recv(4096).split(b"\r\n")[0]
    twice = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"
    with many(pumpline, 1, twice) as (one,):
        assert end_of(one).count(b'{"ok":true}') == 3
