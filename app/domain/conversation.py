"""What a phone was last asked, and until when an answer counts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from faq.context import Asked as WhatWasAsked
from faq.understand import Context

MORE_COUNTS_FOR = timedelta(hours=24)
URGENT_COUNTS_FOR = timedelta(hours=4)
CHOICES_COUNT_FOR = timedelta(hours=24)
SELF_HARM = "self_harm"

# What an answer by itself (1, yes, no) may be meant for.
_WAITS_FOR: dict[str, WhatWasAsked] = {
    "confirm": "confirm",
    "choices": "choices",
    "triage": "triage",
    "helped": "helped",
}

TRIAGE_DIGITS = 2  # 1 yes, 2 no: nothing else may be meant by them while an emergency is narrowed down
OF_THE_PUMP = {"book": 1, "why": 5, "checkin": 4, "scan": 2}  # what we ask about a pump: how many digits it takes


@dataclass(frozen=True)
class Ask:
    """One question we put to a phone."""

    # confirm, choices, more, triage, helped; helped_said once that is answered; urgent; book, why, checkin, scan
    kind: str
    asked_at: datetime
    until: datetime
    appointment_id: int | None = None  # confirm, why
    digit: int = 1  # confirm: this digit confirms, the next one changes; book, why, checkin, scan: the first of its own
    # choices: by number; more, helped: the one topic; triage: the answers so far; urgent: the category; why: the offers
    topics: tuple[str, ...] = ()
    patient_id: int | None = None  # book, why, checkin, scan
    subject_id: int | None = None  # scan: which

    @property
    def beside_triage(self) -> bool:
        """Whether 1 and 2 mean nothing here: asked while an emergency was being narrowed down."""
        return _digits_of(self) > 0 and self.digit > TRIAGE_DIGITS

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "asked_at": self.asked_at.isoformat(),
            "until": self.until.isoformat(),
            "appointment_id": self.appointment_id,
            "digit": self.digit,
            "topics": list(self.topics),
        } | {k: v for k, v in (("patient_id", self.patient_id), ("subject_id", self.subject_id)) if v is not None}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Ask":
        return Ask(
            kind=data["kind"],
            asked_at=datetime.fromisoformat(data["asked_at"]),
            until=datetime.fromisoformat(data["until"]),
            appointment_id=data.get("appointment_id"),
            digit=data.get("digit", 1),
            topics=tuple(data.get("topics", ())),
            patient_id=data.get("patient_id"),
            subject_id=data.get("subject_id"),
        )


def _digits_of(ask: Ask) -> int:
    """How many digits a question has of its own; 0 for one whose digits are the same for everybody."""
    return 2 if ask.kind == "confirm" else OF_THE_PUMP.get(ask.kind, 0)


def _free_digits(count: int, others: Sequence[Ask], *, step: int = 1, after: int = 0) -> int:
    """Return the first of so many numbers that no other question has; 1 where two digits would not do."""
    taken = {ask.digit + n for ask in others for n in range(_digits_of(ask))} | set(range(1, after + 1))
    starts = (d for d in range(1, 100 - count, step) if taken.isdisjoint(range(d, d + count)))
    return next(starts, 1)


def _subject(ask: Ask) -> tuple[str, int | None, int | None, int | None]:
    return (ask.kind, ask.patient_id, ask.appointment_id, ask.subject_id)


@dataclass(frozen=True)
class Asked:
    """Everything a phone may still answer. A phone can owe an answer for two patients at once."""

    asks: tuple[Ask, ...] = ()

    @staticmethod
    def from_json(data: Any) -> "Asked":
        """Return what was kept. What another version wrote, or was damaged, is no question any more: nobody can be held
        to it, and a text must not be lost for its sake."""
        asks = []
        for kept in (data.get("asks") or ()) if isinstance(data, Mapping) else ():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                asks.append(Ask.from_json(kept))
        return Asked(tuple(asks))

    def to_json(self) -> dict[str, Any] | None:
        return {"asks": [ask.to_json() for ask in self.asks]} if self.asks else None

    def still(self, now: datetime) -> "Asked":
        """Return what still counts."""
        return Asked(tuple(ask for ask in self.asks if now < ask.until))

    @property
    def confirms(self) -> tuple[Ask, ...]:
        return tuple(ask for ask in self.asks if ask.kind == "confirm")

    def last(self, kind: str) -> Ask | None:
        return max((ask for ask in self.asks if ask.kind == kind), key=lambda ask: ask.asked_at, default=None)

    def with_confirm(self, appointment_id: int, now: datetime, until: datetime) -> tuple["Asked", Ask]:
        """Ask for a confirmation. A visit keeps its digit; a second visit on the same phone gets 3 and 4."""
        others = tuple(ask for ask in self.confirms if ask.appointment_id != appointment_id)
        mine = next((ask for ask in self.confirms if ask.appointment_id == appointment_id), None)
        beside = [*others, *(ask for ask in self.asks if ask.kind in OF_THE_PUMP)]
        kept = self._kept(now)
        digit = mine.digit if mine and mine.digit > kept else _free_digits(2, beside, step=2, after=kept)
        ask = Ask("confirm", now, until, appointment_id=appointment_id, digit=digit)
        rest = tuple(ask for ask in self.asks if ask.kind != "confirm")
        return Asked((*rest, *others, ask)), ask

    def with_care(self, ask: Ask, digits: int) -> tuple["Asked", Ask]:
        """Ask about a patient's pump. Asked again, it keeps its digits; beside other questions, it gets the next."""
        same = [a for a in self.asks if _subject(a) == _subject(ask)]
        rest = tuple(a for a in self.asks if a not in same)
        kept = self._kept(ask.asked_at)
        if same and same[0].digit > kept:
            asked = replace(ask, digit=same[0].digit)
        else:
            asked = replace(ask, digit=_free_digits(digits, [a for a in rest if _digits_of(a)], after=kept))
        return Asked((*rest, asked)), asked

    def _kept(self, now: datetime) -> int:
        """Return how many digits are kept for an emergency that is being narrowed down: 0 where none is."""
        return TRIAGE_DIGITS if self.still(now).last("triage") else 0

    def with_topic(self, kind: str, topics: tuple[str, ...], now: datetime) -> "Asked":
        """Remember the topics of a numbered menu, or the topic that MORE is about."""
        counts_for = MORE_COUNTS_FOR if kind == "more" else CHOICES_COUNT_FOR
        rest = tuple(ask for ask in self.asks if ask.kind != kind)
        return Asked((*rest, Ask(kind, now, now + counts_for, topics=topics)))

    def with_urgent(self, now: datetime, category: str) -> "Asked":
        """Remember for some hours that this phone texted of an emergency, and of which. Self-harm is not forgotten."""
        before = self.still(now).last("urgent")
        kept = SELF_HARM if before and SELF_HARM in before.topics else category
        rest = tuple(ask for ask in self.asks if ask.kind != "urgent")
        return Asked((*rest, Ask("urgent", now, now + URGENT_COUNTS_FOR, topics=(kept,))))

    def without(self, kind: str) -> "Asked":
        return Asked(tuple(ask for ask in self.asks if ask.kind != kind))

    def without_confirm(self, appointment_id: int) -> "Asked":
        """Let nobody confirm a visit that has passed; what kept them is still to be answered."""
        return Asked(tuple(ask for ask in self.asks if ask.kind != "confirm" or ask.appointment_id != appointment_id))

    def without_pump(self, patient_id: int, *kinds: str) -> "Asked":
        """Take back what was asked about a patient's pump."""
        return Asked(tuple(ask for ask in self.asks if ask.kind not in kinds or ask.patient_id != patient_id))

    def context(self, now: datetime, language: str | None) -> Context:
        """Return what `faq.understand` needs to know: the newest question that still counts."""
        live = self.still(now)
        triage = live.last("triage") is not None
        waits = (
            a for a in live.asks if (a.kind in _WAITS_FOR or a.kind in OF_THE_PUMP) and not (triage and a.beside_triage)
        )
        newest = max(waits, key=lambda a: a.asked_at, default=None)
        more = live.last("more")
        base = Context(topic=more.topics[0] if more and more.topics else None)
        base = replace(base, language=language)
        if newest is None:
            said = any(ask.kind == "helped_said" for ask in live.asks)  # then a digit has had its meaning
            return replace(base, asked="more") if more and not said else base
        if newest.kind in OF_THE_PUMP:  # its digits are its own: domain.care_talk
            return base
        if newest.kind == "choices":
            return replace(base, asked="choices", choices=newest.topics)
        return replace(base, asked=_WAITS_FOR[newest.kind])
