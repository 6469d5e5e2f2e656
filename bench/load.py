"""The load generator, a process of its own: texts signed beforehand, sockets kept open, one thread.

Reads one order a line (JSON) and answers each with one line. An order: port, seed, connections, seconds.
"""

import base64
import hmac
import json
import re
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlencode

from bench.house import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, SENDER
from bench.texts import texts

PATH = "/twilio/sms"
MOST_A_SECOND = 6_000  # requests made ready for each second of load
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE_SECONDS = 30


def signed_request(sid: str, sender: str, text: str) -> bytes:
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "Body": text,
        "From": sender,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": SENDER,
    }
    signed = PUBLIC_URL + PATH + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.digest(AUTH_TOKEN.encode(), signed.encode(), "sha1")).decode()
    body = urlencode(form).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: pumpline.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class _Line:
    """One connection, with the answer it waits for."""

    sock: socket.socket
    sent_at: float = 0.0
    got: bytearray = field(default_factory=bytearray)


@dataclass
class Load:
    """Keeps `connections` requests under way until the time is up, then waits for the last answers."""

    port: int
    seed: int
    connections: int
    seconds: float
    latencies: list[float] = field(default_factory=list)
    errors: int = 0

    def run(self) -> dict[str, float]:
        count = int(MOST_A_SECOND * (self.seconds + 0.2)) if self.connections > 1 else int(2_500 * self.seconds)
        self._ready = deque(
            signed_request(f"SM{self.seed:08x}{n:024x}", phone, text)
            for n, (phone, text) in enumerate(islice(texts(self.seed), count))
        )
        self._selector = selectors.DefaultSelector()
        began = time.perf_counter()
        self._until = began + self.seconds
        for _ in range(self.connections):
            self._connect()
        while self._selector.get_map() and time.perf_counter() < self._until + _PATIENCE_SECONDS:
            for key, _ in self._selector.select(1):
                self._receive(key.data)
        self.errors += len(self._selector.get_map())
        for key in list(self._selector.get_map().values()):
            key.data.sock.close()
        self._selector.close()
        return self._summary(time.perf_counter() - began)

    def _summary(self, took: float) -> dict[str, float]:
        ordered = sorted(self.latencies)
        if not ordered:
            return {"answered": 0, "errors": self.errors, "rate": 0.0, "p50": 0.0, "p99": 0.0}
        return {
            "answered": len(ordered),
            "errors": self.errors,
            "rate": len(ordered) / took,
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[int(len(ordered) * 0.99)],
        }

    def _connect(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self.port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(sock)
        self._selector.register(sock, selectors.EVENT_READ, line)
        self._send(line)

    def _send(self, line: _Line) -> None:
        if not self._ready or time.perf_counter() >= self._until:
            self._close(line)
            return
        line.got.clear()
        line.sent_at = time.perf_counter()
        line.sock.sendall(self._ready.popleft())

    def _receive(self, line: _Line) -> None:
        try:
            more = line.sock.recv(65_536)
        except OSError:
            more = b""
        if not more:
            self.errors += 1
            self._close(line)
            if time.perf_counter() < self._until:
                self._connect()
            return
        line.got += more
        head = line.got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(line.got, 0, head + 2)
        if length is None or len(line.got) < head + 4 + int(length[1]):
            return
        if line.got.startswith(b"HTTP/1.1 200") and b"<Response" in line.got:
            self.latencies.append(time.perf_counter() - line.sent_at)
        else:
            self.errors += 1
        self._send(line)

    def _close(self, line: _Line) -> None:
        self._selector.unregister(line.sock)
        line.sock.close()


def main() -> None:
    for order in sys.stdin:
        print(json.dumps(Load(**json.loads(order)).run()), flush=True)


if __name__ == "__main__":
    main()
