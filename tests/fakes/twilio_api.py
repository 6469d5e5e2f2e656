"""The REST resources we use, in Twilio's wire format."""

import base64
import hmac
import json
import re
import socket
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from faq.segments import measure

if TYPE_CHECKING:
    from tests.fakes.twilio_server import FakeTwilio, Message, Step

_LONGEST_BODY = 1600
_SAYS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "The 'To' number {to} is not a valid phone number.",
    21603: "A 'From' phone number is required.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit.",
}


class ApiHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the second half of an answer would wait 40 ms for the first to be acknowledged

    @property
    def fake(self) -> "FakeTwilio":
        return self.server.fake  # type: ignore[attr-defined,no-any-return]

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = dict(parse_qsl(sent, keep_blank_values=True))
        if self._asks_for() != "messages":
            return None
        step = self.fake.next_step()
        refusal = None if not step.accepts or step.answer else self._wrong_with(form)
        if refusal:
            return self._refuse(400, refusal, form.get("To", ""))
        message = self.fake.hold(form) if step.accepts else None
        return self._play(step, message, form)

    def do_GET(self) -> None:
        match self._asks_for():
            case "messages":
                self._list(parse_qs(urlsplit(self.path).query))
            case sid if sid and sid.startswith("SM"):
                found = self.fake.told_of(sid)
                self._answer(200, self._as_json(found)) if found else self._refuse(404, 20404)
            case "account":
                account = {"sid": self.fake.account_sid, "status": self.fake.account_status, "type": "Full"}
                self._answer(200, account | {"friendly_name": "A clinic"})

    def _asks_for(self) -> str | None:
        """Return which of our resources is asked for; None, and an answer, when it is not ours to give."""
        path = urlsplit(self.path).path
        self.fake.requests.append(f"{self.command} {path.rpartition('/')[2]}")
        wanted = f"{self.fake.account_sid}:{self.fake.auth_token}".encode()
        given = (self.headers.get("Authorization") or "").removeprefix("Basic ")
        if not hmac.compare_digest(given.encode(), base64.b64encode(wanted)):
            self._refuse(401, 20003)
            return None
        account = f"/2010-04-01/Accounts/{self.fake.account_sid}"
        name = {f"{account}/Messages.json": "messages", f"{account}.json": "account"}.get(path)
        if one := re.fullmatch(re.escape(account) + r"/Messages/(SM\w{32})\.json", path):
            name = one[1]
        if name is None:
            self._refuse(404, 20404)
        return name

    def _wrong_with(self, form: dict[str, str]) -> int | None:
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return 21603
        if not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")):
            return 21211
        if len(form.get("Body", "")) > _LONGEST_BODY:
            return 21617
        return 21610 if form["To"] in self.fake.opted_out else None

    def _play(self, step: "Step", message: "Message | None", form: dict[str, str]) -> None:
        if step.delay_seconds:
            from tests.fakes.twilio_server import LONGEST_DELAY_SECONDS

            self.fake.closing.wait(min(step.delay_seconds, LONGEST_DELAY_SECONDS))
        if step.hangs_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif step.answer is not None:
            self._write(step.status, step.answer, "text/html")
        elif message:
            self._answer(step.status, self._as_json(message))
        elif step.code is None:
            self._write(step.status, b"<html>from something in between</html>", "text/html")
        else:
            self._refuse(step.status, step.code, form.get("To", ""), step.retry_after)

    def _list(self, query: dict[str, list[str]]) -> None:
        held = self.fake.held()
        if "To" in query:
            held = [message for message in held if message.to == query["To"][0]]
        for name, keeps in (
            ("DateSent>", lambda day, limit: day >= limit),
            ("DateSent<", lambda day, limit: day <= limit),
        ):
            if name in query:  # a queued text has no such date yet, and is left out
                limit = query[name][0][:10]
                held = [m for m in held if m.status != "queued" and keeps(m.made_at.date().isoformat(), limit)]
        size = min(int(query.get("PageSize", ["50"])[0]), self.fake.largest_page)
        page = int(query.get("Page", ["0"])[0])
        rows = held[page * size : (page + 1) * size]
        following = None
        if len(held) > (page + 1) * size:
            again = urlencode(
                {name: values[0] for name, values in query.items()} | {"Page": page + 1, "PageSize": size}
            )
            following = f"{urlsplit(self.path).path}?{again}"
        body = {"messages": [self._as_json(message) for message in rows], "page": page, "page_size": size}
        self._answer(200, body | {"next_page_uri": following, "uri": self.path})

    def _as_json(self, message: "Message") -> dict[str, Any]:
        made = format_datetime(message.made_at)
        return {
            "sid": message.sid,
            "account_sid": self.fake.account_sid,
            "to": message.to,
            "from": message.from_,
            "messaging_service_sid": message.messaging_service_sid,
            "body": message.body,
            "status": message.status,
            "direction": message.direction,
            "num_segments": str(measure(message.body).count),
            "num_media": "0",
            "date_created": made,
            "date_updated": made,
            "date_sent": None if message.status == "queued" else made,
            "error_code": message.error_code,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{self.fake.account_sid}/Messages/{message.sid}.json",
        }

    def _refuse(self, status: int, code: int, to: str = "", retry_after: str | None = None) -> None:
        says = _SAYS.get(code, "It cannot be done: {to}").replace("{to}", to)  # the real one repeats numbers too
        more = f"https://www.twilio.com/docs/errors/{code}"
        self._answer(status, {"code": code, "message": says, "more_info": more, "status": status}, retry_after)

    def _answer(self, status: int, body: dict[str, Any], retry_after: str | None = None) -> None:
        self._write(status, json.dumps(body).encode(), "application/json", retry_after)

    def _write(self, status: int, body: bytes, content_type: str, retry_after: str | None = None) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if retry_after:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # the other side did not wait
            self.close_connection = True
