"""A provider of a drill's own: it speaks Twilio's language on this machine, and fails when told to.

Only what Pumpline asks for: texts handed over, one looked up, those to a phone listed, the account. What it says is as
in https://www.twilio.com/docs/messaging/api/message-resource.
"""

import base64
import json
import re
import secrets
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit


class Mood(Enum):
    """What it does with everything it is asked for."""

    WELL = "answers"
    REVOKED = "refuses our credentials"
    BROKEN = "answers with errors"
    GONE = "does not listen"
    HANGING_UP = "takes texts and hangs up before it says so"


@dataclass(frozen=True)
class Held:
    """One text that it took."""

    sid: str
    to: str
    body: str
    at: datetime


@dataclass
class Carrier:
    """One account. `with Carrier(...) as carrier`: then `carrier.url` is where it listens. `now`: the drill's time."""

    now: datetime
    sid: str = field(default_factory=lambda: "AC" + secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    mood: Mood = Mood.WELL
    held: list[Held] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.lock = threading.Lock()
        self._port = 0
        self._listen()
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def set_mood(self, mood: Mood) -> None:
        if mood is Mood.GONE:
            self._close()
        elif self.mood is Mood.GONE:
            self._listen()
        self.mood = mood

    def _listen(self) -> None:
        self._server: _Server | None = _Server(("127.0.0.1", self._port), _Handler)
        self._server.carrier, self._port = self, self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.close_all()
            self._server = None

    def take(self, form: dict[str, str]) -> Held:
        taken = Held("SM" + secrets.token_hex(16), form["To"], form["Body"], self.now)
        with self.lock:
            self.held.append(taken)
        return taken


class _Server(ThreadingHTTPServer):
    carrier: Carrier
    daemon_threads = True

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_all(self) -> None:
        """Listen no more, and end what is open: a caller that kept its connection is refused too."""
        self.server_close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller that is gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def carrier(self) -> Carrier:
        return self.server.carrier  # type: ignore[attr-defined,no-any-return]

    def log_message(self, *_: Any) -> None:
        """Say nothing: addresses hold numbers."""

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        if self._answers() and self._is_messages():
            taken = self.carrier.take(form)
            if self.carrier.mood is Mood.HANGING_UP:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._say(201, _as_json(taken))

    def do_GET(self) -> None:
        if not self._answers():
            return
        url = urlsplit(self.path)
        with self.carrier.lock:
            held = list(self.carrier.held)
        if self._is_messages():
            to = parse_qs(url.query).get("To", [""])[0]
            found = [_as_json(one) for one in reversed(held) if one.to == to]
            self._say(200, {"messages": found, "next_page_uri": None, "uri": url.path, "page": 0, "page_size": 1000})
        elif one := re.search(r"/Messages/(SM\w+)\.json$", url.path):
            told = [_as_json(text) for text in held if text.sid == one[1]]
            self._say(*((200, told[0]) if told else (404, {"code": 20404, "message": "not found", "status": 404})))
        else:
            self._say(200, {"sid": self.carrier.sid, "status": "active", "type": "Full"})

    def _is_messages(self) -> bool:
        return urlsplit(self.path).path.endswith("/Messages.json")

    def _answers(self) -> bool:
        """Whether it does what it is asked for; if not, it has said so."""
        wanted = base64.b64encode(f"{self.carrier.sid}:{self.carrier.token}".encode()).decode()
        if self.carrier.mood is Mood.REVOKED or self.headers.get("Authorization") != f"Basic {wanted}":
            self._say(401, {"code": 20003, "message": "Authenticate", "status": 401})
        elif self.carrier.mood is Mood.BROKEN:
            self._say(503, {"message": "no"})
        else:
            return True
        return False

    def _say(self, status: int, body: dict[str, Any]) -> None:
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


def _as_json(text: Held) -> dict[str, Any]:
    made = format_datetime(text.at)
    return {
        "sid": text.sid,
        "to": text.to,
        "body": text.body,
        "status": "sent",
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "date_created": made,
        "date_updated": made,
        "date_sent": made,
        "error_code": None,
    }
