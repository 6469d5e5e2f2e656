"""Texts through Twilio's Programmable Messaging."""

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from app.channels.base import Accepted, Came, ChannelError, Outgoing, Rejected, Told, Unknown, error_for
from app.domain.delivery import Failure, Next
from app.domain.silence import CLOCKS_APART

_LONGEST_VALIDITY_SECONDS = 36_000  # Twilio's queue holds ten hours; docs/messaging.md
_LARGEST_PAGE = 1000
_NO_SUCH_THING = 20404
_MOST_MISSED = 50_000  # texts of a day, both ways
_CUT = Failure(Next.ASK, "Twilio holds more texts than were asked for")
_OUT_OF_ORDER = timedelta(minutes=10)
_LOOK_BACK = 400  # texts to one phone that `find` looks through: months, for one patient
_TRIAL_PREFIX = "Sent from your Twilio trial account - "  # a trial account puts it before every body
_UNREADABLE = Failure(Next.ASK, "Twilio's answer could not be read")


class TwilioSms:
    """Safe to share between threads. The library is imported when it is first needed, not at start."""

    name = "twilio"

    def __init__(
        self, account_sid: str, auth_token: str, sender: str, api_url: str | None = None, timeout_seconds: float = 10
    ) -> None:
        """`sender` is E.164, a short code, or a Messaging Service (MG...). `api_url` replaces scheme and host only."""
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._sender = sender
        self._api_url = api_url
        self._timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._made: Any = None

    def send(self, message: Outgoing) -> Accepted:
        """Hand one text to Twilio.

        Raises NotSent (safe to repeat), Rejected or OptedOut (never repeat), or Unknown (Twilio may hold it: `find`
        before repeating).
        """
        try:
            message.body.encode()
        except UnicodeEncodeError:  # raised below, half-way through the library, it would look like a lost answer
            raise Rejected(Failure(Next.NEVER, "the text holds a character that cannot be sent")) from None
        outcome = self._hand_over(message)
        if isinstance(outcome, ChannelError):
            raise outcome  # here, not where it was caught: the library's own error repeats the number
        return outcome

    def find(self, recipient: str, body: str, made_at: datetime, but: Collection[str] = ()) -> str | None:
        """Return the id of the text to `recipient` with exactly this body that Twilio got nearest to `made_at`.

        `but`: ids that are not looked for.

        By when it was made, not by Twilio's DateSent filter: a text still in the queue has no such date.
        Raises Unknown when Twilio cannot be asked.
        """
        held = self._held(recipient)
        if isinstance(held, Failure):
            raise Unknown(held)
        wanted = (body.strip(), (_TRIAL_PREFIX + body).strip())
        made_at = made_at.replace(microsecond=0)  # Twilio's dates have whole seconds
        found = [
            (-abs(one.date_created - made_at), one.date_created, one.sid)
            for one in held
            if str(one.direction).startswith("outbound")
            and (one.body or "").strip() in wanted
            and one.date_created
            and one.date_created >= made_at - CLOCKS_APART
            and one.sid not in but
        ]
        return str(max(found)[-1]) if found else None

    def told_of(self, provider_id: str) -> Told | None:
        """Return what Twilio says of a text; None where it knows nothing of it. Raises Unknown."""
        try:
            one = self._client().messages(provider_id).fetch()
        except Exception as error:
            refusal = self._error_after(error)
        else:
            code = str(one.error_code)
            return Told(str(one.status), int(code) if code.isdecimal() else None)
        if refusal.code == _NO_SUCH_THING:
            return None
        raise Unknown(Failure(Next.ASK, f"Twilio could not be asked: {refusal}"), refusal.code) from None

    def came_since(self, since: datetime) -> tuple[Came, ...]:
        """Return the texts that came in to this account at `since` or later. Raises Unknown when it cannot be asked.

        Twilio's filter may know days only, and its list is newest first: it is read until it lies before `since`.
        """
        found: list[Came] = []
        listed = 0
        earliest = since.replace(microsecond=0)
        try:
            for one in self._client().messages.stream(
                date_sent_after=since, limit=_MOST_MISSED, page_size=_LARGEST_PAGE
            ):
                listed += 1
                if str(one.direction) != "inbound" or not (one.sid and one.from_ and one.date_created):
                    continue
                if one.date_created < earliest - _OUT_OF_ORDER:
                    break
                if one.date_created >= earliest:
                    found.append(_came(one))
        except Exception as error:
            problem: Failure | None = Failure(Next.ASK, f"Twilio could not be asked: {self._error_after(error)}")
        else:  # a list that was cut may have left out the oldest
            problem = (
                Failure(Next.ASK, "Twilio holds more texts than were asked for") if listed == _MOST_MISSED else None
            )
        if problem:
            raise Unknown(problem)
        return tuple(found)

    def check_credentials(self) -> str:
        """Return one sentence on the account, for `doctor`. Raises NotSent, Rejected or Unknown with what is wrong."""
        try:
            account = self._client().api.v2010.accounts(self._account_sid).fetch()
            status, trial = str(account.status), account.type == "Trial"
        except Exception as error:  # any of the library's: each becomes a sentence
            problem: ChannelError | None = self._error_after(error)
        else:
            problem = None
        if problem:
            raise problem
        if status != "active":
            raise Rejected(Failure(Next.NEVER, f"Twilio says the account is {status}"))
        return "Twilio knows the account and its token" + (
            "; a trial account texts only phones verified with Twilio" if trial else ""
        )

    def _hand_over(self, message: Outgoing) -> Accepted | ChannelError:
        messages = self._client().messages
        sender = message.sender or self._sender
        wanted: dict[str, Any] = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        if message.status_callback:
            wanted["status_callback"] = message.status_callback
        if message.validity_seconds is not None:
            wanted["validity_period"] = min(max(message.validity_seconds, 1), _LONGEST_VALIDITY_SECONDS)
        try:
            sent = messages.create(to=message.recipient, body=message.body, **wanted)
        except Exception as error:  # whatever it is, Twilio may hold the text by now
            return self._error_after(error)
        if not isinstance(sent.sid, str) or not sent.sid:
            return Unknown(_UNREADABLE)
        segments = str(sent.num_segments)
        return Accepted(sent.sid, int(segments) if segments.isdecimal() and int(segments) else 1)

    def _held(self, recipient: str) -> list[Any] | Failure:
        try:
            return list(self._client().messages.stream(to=recipient, limit=_LOOK_BACK, page_size=_LOOK_BACK))
        except Exception as error:  # even a refusal says nothing about the text we ask for
            return Failure(Next.ASK, f"Twilio could not be asked: {self._error_after(error)}")

    @staticmethod
    def _error_after(error: Exception) -> ChannelError:
        from app.channels.twilio_http import failure_after, wait_last_told

        return error_for(*failure_after(error), wait_last_told())

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                from app.channels.twilio_http import client

                self._made = client(self._account_sid, self._auth_token, self._api_url, self._timeout_seconds)
            return self._made


def _came(one: Any) -> Came:
    return Came(
        provider_id=str(one.sid),
        at=one.date_created,
        sender=str(one.from_),
        recipient=str(one.to or ""),
        body=one.body or "",
        media=int(one.num_media) if str(one.num_media).isdecimal() else 0,
    )
