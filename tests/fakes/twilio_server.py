"""Twilio as the wire sees it: a real HTTP server on this machine, for tests and for trying Pumpline without an account.

    python -m tests.fakes.twilio_server --port 9999 --account-sid AC... --auth-token ... --app http://127.0.0.1:8000

prints each text it accepts as one JSON line; with --app, each line "+16145550123 ALARM" typed in goes to Pumpline as a
signed webhook, and everything accepted is reported as delivered.
"""

import argparse
import json
import secrets
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.twilio_api import ApiHandler
from tests.fakes.twilio_webhooks import Answer, Reply, post_form

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "fake-twilio-auth-token"
LONGEST_DELAY_SECONDS = 5.0
HANDED_ON_AFTER = timedelta(seconds=10)


@dataclass
class Message:
    """One text that Twilio holds."""

    sid: str
    to: str
    body: str
    from_: str | None
    messaging_service_sid: str | None
    status_callback: str | None
    validity_period: int | None
    made_at: datetime
    direction: str = "outbound-api"
    status: str = "queued"
    error_code: int | None = None


@dataclass(frozen=True)
class Step:
    """What happens to the next text handed over."""

    accepts: bool = True
    status: int = 201
    code: int | None = None
    answer: bytes | None = None  # instead of the right one
    hangs_up: bool = False
    delay_seconds: float = 0.0
    retry_after: str | None = None


class Quiet(ThreadingHTTPServer):
    """Says nothing of callers that hang up: here they are killed on purpose."""

    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None: ...


@dataclass
class FakeTwilio:
    """Start with `with FakeTwilio(...) as twilio`; then `twilio.url` is what PUMPLINE_TWILIO_API_URL names.

    Each of `accept`, `refuse`, `delay`, `hang_up`, `garbage` adds one step to a script; after it, all is accepted.
    """

    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    public_url: str = "https://pumpline.test"  # what Pumpline's PUMPLINE_PUBLIC_URL says: signatures are over it
    number: str = "+16145550100"  # the clinic's
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    port: int = 0
    app: Any = None  # where webhooks go when the call does not say: a Flask test client or a URL
    on_accept: Callable[[Message], None] = lambda message: None
    account_status: str = "active"
    largest_page: int = 1000
    opted_out: set[str] = field(default_factory=set)  # phones it refuses with 21610
    accepted: list[Message] = field(default_factory=list)  # handed over through the API, in order
    replied: list[Message] = field(default_factory=list)  # taken from TwiML, in order
    came: list[Message] = field(default_factory=list)  # texts in whose webhook was lost
    requests: list[str] = field(default_factory=list)  # "POST Messages.json", as they came

    def __enter__(self) -> Self:
        self._script: deque[Step] = deque()
        self._answered: set[str] = set()
        self._held: list[Message] = []  # whatever a story clears away of the lists it looks at, Twilio keeps
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._server = Quiet(("127.0.0.1", self.port), ApiHandler)
        self._server.daemon_threads = True
        self._server.fake = self  # type: ignore[attr-defined]
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # the script

    def accept(self, times: int = 1) -> None:
        self._add(*[Step()] * times)

    def refuse(self, status: int, code: int | None, times: int = 1, retry_after: str | None = None) -> None:
        """Refuse as Twilio does; with no code, as a proxy in front of it does."""
        self._add(*[Step(accepts=False, status=status, code=code, retry_after=retry_after)] * times)

    def delay(self, seconds: float, accepts: bool = True) -> None:
        """Take it (or not) at once, and answer late: at most five seconds, and never after the end."""
        self._add(Step(accepts=accepts, status=201 if accepts else 500, delay_seconds=seconds))

    def hang_up(self, after_accepting: bool) -> None:
        self._add(Step(accepts=after_accepting, hangs_up=True))

    def garbage(self, answer: bytes = b"<html>so sorry</html>", status: int = 201, accepts: bool = True) -> None:
        self._add(Step(accepts=accepts, status=status, answer=answer))

    def no_more_faults(self) -> None:
        with self.lock:
            self._script.clear()

    def _add(self, *steps: Step) -> None:
        with self.lock:
            self._script.extend(steps)

    def next_step(self) -> Step:
        with self.lock:
            return self._script.popleft() if self._script else Step()

    # what it holds

    def hold(self, form: dict[str, str], direction: str = "outbound-api") -> Message:
        validity = form.get("ValidityPeriod")
        message = Message(
            sid="SM" + secrets.token_hex(16),
            to=form["To"],
            body=form["Body"],
            from_=form.get("From"),
            messaging_service_sid=form.get("MessagingServiceSid"),
            status_callback=form.get("StatusCallback"),
            validity_period=int(validity) if validity else None,
            made_at=self.clock().astimezone(UTC).replace(microsecond=0),
            direction=direction,
        )
        with self.lock:
            self._held.append(message)
            (self.accepted if direction == "outbound-api" else self.replied).append(message)
        self.on_accept(message)
        return message

    def held(self) -> list[Message]:
        """Return everything, newest first, as the list resource does."""
        with self.lock:
            held = [*reversed(self.came), *reversed(self._held)]
        return sorted(held, key=lambda message: message.made_at, reverse=True)

    def told_of(self, sid: str) -> Message | None:
        """Return one by its id; whatever was not reported otherwise has long been handed to the carrier."""
        found = next((message for message in self._held if message.sid == sid), None)
        if found is not None and found.status == "queued" and self.clock() - found.made_at > HANDED_ON_AFTER:
            return replace(found, status="sent")
        return found

    def miss(self, sender: str, text: str, sid: str | None = None) -> Message:
        """Take a text in for us whose webhook never arrives."""
        message = Message(
            sid=sid or "SM" + secrets.token_hex(16),
            to=self.number,
            body=text,
            from_=sender,
            messaging_service_sid=None,
            status_callback=None,
            validity_period=None,
            made_at=self.clock().astimezone(UTC).replace(microsecond=0),
            direction="inbound",
            status="received",
        )
        with self.lock:
            self.came.append(message)
        return message

    # webhooks

    def deliver(
        self,
        app: Any,
        sender: str,
        text: str,
        sid: str | None = None,
        media: Iterable[tuple[str, str]] = (),
        **params: str,
    ) -> Answer:
        """Deliver one text to Pumpline, signed. `media` is (address, content type). Replies are held like any text."""
        self.app = app
        sid = sid or "SM" + secrets.token_hex(16)
        form = {
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "AccountSid": self.account_sid,
            "From": sender,
            "To": self.number,
            "Body": text,
            "NumMedia": str(len(files := list(media))),
            "NumSegments": "1",
            "ApiVersion": "2010-04-01",
            "SmsStatus": "received",
        }
        for n, (url, content_type) in enumerate(files):
            form |= {f"MediaUrl{n}": url, f"MediaContentType{n}": content_type}
        answer = post_form(app, self.public_url, "/twilio/sms", form | params, self.auth_token)
        with self.lock:  # a repeated webhook: Twilio uses one answer only
            first = answer.status == 200 and sid not in self._answered
            if first:
                self._answered.add(sid)
        if first:
            for reply in answer.replies:
                self._take(reply, sender)
        return answer

    def report(self, message: Message, status: str, error_code: int | None = None, app: Any = None) -> Answer | None:
        """Post a signed status callback for a message; None when it did not ask for any."""
        message.status, message.error_code = status, error_code
        if not message.status_callback:
            return None
        form = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "AccountSid": self.account_sid,
            "From": message.from_ or self.number,
            "To": message.to,
            "MessageStatus": status,
            "SmsStatus": status,
            "ApiVersion": "2010-04-01",
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        path = message.status_callback.removeprefix(self.public_url)
        return post_form(app or self.app, self.public_url, path, form, self.auth_token)

    def _take(self, reply: Reply, recipient: str) -> None:
        form = {"To": recipient, "From": self.number, "Body": reply.body}
        if callback := reply.action or reply.status_callback:
            form["StatusCallback"] = callback
        self.hold(form, direction="outbound-reply")


def main() -> None:
    parser = argparse.ArgumentParser(description="A Twilio of your own, on this machine only.")
    parser.add_argument("--port", type=int, default=9999)
    parser.add_argument("--account-sid", default=ACCOUNT_SID)
    parser.add_argument("--auth-token", default=AUTH_TOKEN)
    parser.add_argument("--number", default="+16145550100", help="the clinic's number, which people text")
    parser.add_argument("--app", help="where Pumpline listens, for example http://127.0.0.1:8000")
    parser.add_argument("--public-url", help="what PUMPLINE_PUBLIC_URL says; by default --app")
    chosen = parser.parse_args()

    def show(message: Message) -> None:
        row = {"direction": message.direction, "sid": message.sid, "to": message.to, "body": message.body}
        row |= {"from": message.from_ or message.messaging_service_sid, "at": message.made_at.isoformat()}
        print(json.dumps(row, ensure_ascii=False), flush=True)
        if chosen.app:  # a little later: the answer that names the text must arrive first
            threading.Timer(0.5, lambda: [twilio.report(message, status) for status in ("sent", "delivered")]).start()

    twilio = FakeTwilio(
        account_sid=chosen.account_sid,
        auth_token=chosen.auth_token,
        public_url=(chosen.public_url or chosen.app or "http://127.0.0.1:8000").rstrip("/"),
        number=chosen.number,
        port=chosen.port,
        app=chosen.app,
        on_accept=show,
    )
    with twilio, suppress(KeyboardInterrupt):
        print(f"Listening: PUMPLINE_TWILIO_API_URL={twilio.url}", file=sys.stderr, flush=True)
        for typed in sys.stdin if chosen.app else ():
            sender, _, text = typed.rstrip("\n").partition(" ")
            try:
                outcome = f"answered {twilio.deliver(chosen.app, sender, text).status}"
            except OSError as error:
                outcome = f"did not answer: {error}"
            print(f"Pumpline {outcome}", file=sys.stderr, flush=True)
        twilio.closing.wait()


if __name__ == "__main__":
    main()
