"""What a phone was last asked, and until when an answer counts."""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Ask:
    """One question we put to a phone."""

    kind: str  # confirm, choices, more, triage, helped; helped_said once that is answered; urgent
    asked_at: datetime
    until: datetime
    appointment_id: int | None = None  # confirm
    digit: int = 1  # confirm: this digit confirms, the next one changes
    # choices: by number; more, helped: the one topic; triage: the answers so far; urgent: the category
    topics: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "asked_at": self.asked_at.isoformat(),
            "until": self.until.isoformat(),
            "appointment_id": self.appointment_id,
            "digit": self.digit,
            "topics": list(self.topics),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Ask":
        return Ask(
            kind=data["kind"],
            asked_at=datetime.fromisoformat(data["asked_at"]),
            until=datetime.fromisoformat(data["until"]),
            appointment_id=data.get("appointment_id"),
            digit=data.get("digit", 1),
            topics=tuple(data.get("topics", ())),
        )


@dataclass(frozen=True)
class Asked:
    """Everything a phone may still answer. A phone can owe an answer for two patients at once."""

    asks: tuple[Ask, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any] | None) -> "Asked":
        return Asked(tuple(Ask.from_json(ask) for ask in data["asks"])) if data else Asked()

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
        taken = {ask.digit for ask in others}
        digit = mine.digit if mine else next(d for d in range(1, 99, 2) if d not in taken)
        ask = Ask("confirm", now, until, appointment_id=appointment_id, digit=digit)
        rest = tuple(ask for ask in self.asks if ask.kind != "confirm")
        return Asked((*rest, *others, ask)), ask

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

    def without(self, *, appointment_id: int | None = None, kind: str | None = None) -> "Asked":
        return Asked(
            tuple(
                ask
                for ask in self.asks
                if not (
                    (appointment_id is not None and ask.appointment_id == appointment_id)
                    or (kind is not None and ask.kind == kind)
                )
            )
        )

    def context(self, now: datetime, language: str | None) -> Context:
        """Return what `faq.understand` needs to know: the newest question that still counts."""
        live = self.still(now)
        newest = max((a for a in live.asks if a.kind in _WAITS_FOR), key=lambda a: a.asked_at, default=None)
        more = live.last("more")
        base = Context(topic=more.topics[0] if more and more.topics else None)
        base = replace(base, language=language)
        if newest is None:
            said = any(ask.kind == "helped_said" for ask in live.asks)  # then a digit has had its meaning
            return replace(base, asked="more") if more and not said else base
        if newest.kind == "choices":
            return replace(base, asked="choices", choices=newest.topics)
        return replace(base, asked=_WAITS_FOR[newest.kind])
