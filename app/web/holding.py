"""What a texter is answered while the database cannot be written: emergency words where the text is urgent, else that
we have it and whom to call. Nothing here needs the database."""

from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.actions.line import Line, staff_link, voice_of
from app.actions.receive_text import InboundText
from app.actions.render import render_reply
from app.db.people import Clinic
from app.domain.effects import Sender
from app.domain.inbound import decide
from app.domain.texts import ClinicVoice, Rendered
from faq.understand import Context, Understanding, understand

LEARN_EVERY = timedelta(minutes=1)


class Holding:
    """Knows each clinic's phones from when the database last answered. Safe to share between threads."""

    def __init__(self, line: Line, first: ClinicVoice, country: str = "US") -> None:
        """`first`: the clinic of the settings, for a start without a database."""
        self._line, self._first, self._country = line, first, country
        self._by_sender: dict[str, tuple[ClinicVoice, str]] = {}
        self._learnt_at: datetime | None = None
        self._lock = Lock()

    def learn(self, now: datetime) -> None:
        """Read the clinics where that is a minute ago: a number that was changed must not be told any more.

        What does not work now changes nothing: the text that was just taken in is answered all the same.
        """
        with self._lock:
            if self._learnt_at is not None and timedelta(0) <= now - self._learnt_at < LEARN_EVERY:
                return
            self._learnt_at = now
        try:
            with self._line.db.read() as session:
                found = [
                    (clinic.sender or "", (voice_of(clinic), clinic.country))
                    for clinic in session.scalars(select(Clinic).order_by(Clinic.id))
                ]
        except SQLAlchemyError:
            return
        if found:
            with self._lock:
                self._by_sender = dict(found)
                self._first, self._country = found[0][1]

    def words_for(self, inbound: InboundText, now: datetime) -> tuple[Rendered, ...]:
        """Return what to say now. The text itself is understood as one from a phone that nobody knows."""
        voice, country = self._by_sender.get(inbound.recipient, (self._first, self._country))
        words = self._line.words
        understood = understand(inbound.body, Context(), words.library)
        if understood.kind == "urgent":
            return self._urgent(understood, inbound.body, voice, country, now)
        if understood.intent == "opt_out":
            return ()  # confirmed once it is written down, or by the carrier
        return (words.system("spooled", voice, understood.language),)

    def _urgent(
        self, understood: Understanding, body: str, voice: ClinicVoice, country: str, now: datetime
    ) -> tuple[Rendered, ...]:
        words, language = self._line.words, understood.language
        decision = decide(understood, body, Sender(country=country), words.library, now)
        said: list[Rendered] = []
        for reply in decision.replies:
            if reply.urgent:
                rest: dict[str, Any] = {"visits": (), "asks": {}, "shared": False, "link": staff_link(self._line)}
                said += render_reply(reply, words, voice, language, paged=False, **rest)
        # a question would need its answer remembered
        return tuple(said) or (words.system("urgent_vague", voice, language, alerted=""),)
