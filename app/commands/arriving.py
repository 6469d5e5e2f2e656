"""How a request arrives: read by the one loop of a web process, and given a thread only once it is there.

gunicorn's threads read a request themselves, for as long as it takes: some sixty connections that each send a byte now
and then would hold them all, and no text would be answered any more. Here a slow one holds a place in a list.
"""

import re
import threading
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http.errors import NoMoreData  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from app.web import LARGEST_FORM

ARRIVES_WITHIN_SECONDS = 10.0  # from the first look until the last byte, however steadily they drip
MOST_HEAD = 32 * 1024  # request line and headers; the proxy in deploy/ takes as much
MOST_ARRIVING = 200  # above that the slowest make room
MAY_TAKE_SECONDS = 1.0  # in a crowd: who is quicker than this is never pushed out
MOST_CONNECTIONS = 600  # with the files of the database below the usual limit of 1,024
LONG_WITHIN_SECONDS = 60.0  # a file, or a body of no said length: a thread reads it
MOST_LONG = 4  # and so few threads do
REST_WITHIN_SECONDS = 2.0  # whatever a thread still looks for after all has come
SENT_WITHIN_SECONDS = 30.0  # each answer, and each part of a live page's stream
_PART = 64 * 1024

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_NO_SAID_LENGTH = re.compile(rb"^(?:transfer-encoding|expect):", re.IGNORECASE | re.MULTILINE)


class Arrival:
    """What has come of one request."""

    def __init__(self, began: float) -> None:
        """`began`: seconds of the steady clock."""
        self.began = began
        self.got = bytearray()
        self.is_long = False
        self._looked = 0
        self._ends: int | None = None

    def take(self, part: bytes) -> None:
        self.got += part
        if self._ends is not None:
            return
        end = self.got.find(b"\r\n\r\n", max(0, self._looked - 3))
        self._looked = len(self.got)
        if end >= 0:
            self._ends = end + 4 + self._body(bytes(self.got[: end + 2]))

    def _body(self, head: bytes) -> int:
        """Return how much of the body to wait for: all of it, or nothing where a thread had better read it."""
        if _NO_SAID_LENGTH.search(head):  # chunks; or a client that sends only once it is told to go on
            self.is_long = True
            return 0
        length = max((int(said) for said in _LENGTH.findall(head)), default=0)
        self.is_long = length > LARGEST_FORM
        return 0 if self.is_long else length

    @property
    def is_whole(self) -> bool:
        return self._ends is not None and len(self.got) >= self._ends

    @property
    def head_is_too_large(self) -> bool:
        return len(self.got) > MOST_HEAD if self._ends is None else False

    def is_late(self, now: float, *, crowded: bool) -> bool:
        return now - self.began >= (MAY_TAKE_SECONDS if crowded else ARRIVES_WITHIN_SECONDS)


class Punctual(SocketUnreader):  # type: ignore[misc]
    """Reads on from a connection until an instant of the steady clock, and no longer."""

    due = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left, before = self.due - time.monotonic(), self.sock.gettimeout()
        if left <= 0:
            raise NoMoreData()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            part: bytes = super().chunk(size_hint)
        except TimeoutError as error:
            raise NoMoreData() from error
        finally:
            self.sock.settimeout(before)
        return part


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, where a request waits without one until it has come."""

    def init_process(self) -> None:
        self._arriving: dict[TConn, Arrival] = {}  # the oldest first
        self._long = threading.BoundedSemaphore(MOST_LONG)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Begin to wait for a request: on a new connection, a kept one, or one that was read ahead."""
        arrival = Arrival(time.monotonic())
        if conn.parser is not None:
            arrival.take(conn.parser.unreader.take_buffered())
        conn.sock.setblocking(False)
        self._arriving[conn] = arrival
        self.poller.register(conn.sock, EVENT_READ, partial(self._arrives, conn))
        self._arrives(conn)

    def _arrives(self, conn: TConn, _: Any = None) -> None:
        arrival = self._arriving[conn]
        if not arrival.is_whole:
            try:
                part = conn.sock.recv(_PART)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            if not part:
                self._turn_away(conn)
                return
            arrival.take(part)
        if arrival.head_is_too_large:
            self._turn_away(conn, 431, "Request Header Fields Too Large")
        elif arrival.is_whole and arrival.is_long and not self._long.acquire(blocking=False):
            self._turn_away(conn, 503, "Service Unavailable")
        elif arrival.is_whole:
            self._leave(conn)
            done = self.tpool.submit(self._handle, conn, arrival)
            done.add_done_callback(lambda how: self.method_queue.defer(self.finish_request, conn, how))

    def _handle(self, conn: TConn, arrival: Arrival) -> Any:
        """In a thread: have gunicorn handle what has come."""
        try:
            conn.sock.setblocking(True)
            conn.init()
            if not isinstance(conn.parser.unreader, Punctual):
                conn.parser.unreader = Punctual(conn.sock)
            rest = LONG_WITHIN_SECONDS if arrival.is_long else REST_WITHIN_SECONDS
            conn.parser.unreader.due = time.monotonic() + rest
            conn.parser.unreader.unread(bytes(arrival.got))
            return self.handle(conn)
        finally:
            if arrival.is_long:
                self._long.release()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        conn.sock.settimeout(SENT_WITHIN_SECONDS)  # one who does not read holds no thread either
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Each second: end what does not arrive. A worker that stops waits for nobody who has sent nothing."""
        super().murder_pending()
        now, too_many = time.monotonic(), len(self._arriving) - MOST_ARRIVING
        for conn, arrival in list(self._arriving.items()):
            if arrival.is_late(now, crowded=too_many > 0) or not (self.alive or arrival.got):
                self._turn_away(conn, *((408, "Request Timeout") if arrival.got else ()))
                too_many -= 1
            elif self.alive:
                break

    def _turn_away(self, conn: TConn, code: int = 0, words: str = "") -> None:
        self._leave(conn)
        self.nr_conns -= 1
        if code:
            said = f"HTTP/1.1 {code} {words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            try:
                conn.sock.send(said.encode())
            except OSError:
                pass
        util.close(conn.sock)

    def _leave(self, conn: TConn) -> None:
        del self._arriving[conn]
        self.poller.unregister(conn.sock)
