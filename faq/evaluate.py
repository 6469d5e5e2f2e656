"""Score the understanding against labelled messages: what `pumpline evaluate` and `make evaluate` print."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import get_args

from faq.context import Context
from faq.intents import CARRIER_OPT_OUT, IntentName
from faq.library import Library
from faq.signs import Category
from faq.understand import Understanding, understand

KINDS = ("urgent", "topic", "admin", "unknown")
_ASKED = {"none": "none", "after_reminder": "confirm"}


class BadLabel(ValueError):
    """A labelled line cannot be used; the message says what is wrong with it and gives an example."""


@dataclass(frozen=True)
class Labelled:
    """One message with what a careful person says it means. `tag`: out_of_scope, dose_request or calm, of unknown."""

    id: str
    text: str
    lang: str
    context: str
    kind: str
    topic: str | None = None
    intent: str | None = None
    category: str | None = None
    tag: str | None = None

    @property
    def label(self) -> str:
        return f"{self.kind}:{self.topic or self.intent or self.category or self.tag or '-'}"


@dataclass(frozen=True)
class Scored:
    message: Labelled
    meaning: Understanding

    @property
    def said(self) -> str:
        """What was understood, written as a label is."""
        got = self.meaning
        if got.kind == "urgent":
            return f"urgent:{got.urgency.category if got.urgency else '-'}"
        name = got.topic if got.kind == "topic" else got.intent if got.kind == "admin" else ",".join(got.choices)
        return f"{got.kind}:{name or '-'}"


@dataclass(frozen=True)
class Row:
    """One line of the table: a share with how many messages it stands on, and what we aim at."""

    what: str
    share: float | None  # None where no message says anything about it
    of: int
    target: float | None = None
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        if self.target is None or self.share is None:
            return None
        return self.share <= self.target if self.at_most else self.share >= self.target


def read_labelled(lines: Iterable[str | bytes]) -> list[Labelled]:
    """Read JSON lines. Raises BadLabel naming the first line that cannot be used."""
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_labelled(json.loads(line), number))
        except (ValueError, TypeError, RecursionError) as error:
            if isinstance(error, BadLabel):
                raise
            raise BadLabel(f"line {number}: is not JSON") from None
    return found


def _labelled(data: object, number: int) -> Labelled:
    example = '{"id": "a1", "text": "pump beeping", "lang": "en", "kind": "urgent", "category": "alarm"}'
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise BadLabel(f"line {number}: text is missing; like {example}")
    if data.get("kind") not in KINDS:
        raise BadLabel(f"line {number}: kind is none of {', '.join(KINDS)}; like {example}")
    context = data.get("context") or "none"
    if not isinstance(context, str) or context not in _ASKED:
        raise BadLabel(f"line {number}: context is neither none nor after_reminder")
    fields = {name: data.get(name) for name in ("topic", "intent", "category", "tag")}
    if any(value is not None and not isinstance(value, str) for value in fields.values()):
        raise BadLabel(f"line {number}: topic, intent, category and tag are words; like {example}")
    if (wrong := _no_label(data["kind"], fields)) is not None:
        raise BadLabel(f"line {number}: {wrong}; like {example}")
    return Labelled(
        str(data.get("id", number)), data["text"], str(data.get("lang") or "en"), context, data["kind"], **fields
    )


def _no_label(kind: str, fields: dict[str, str | None]) -> str | None:
    """Say what keeps a message from ever being understood as labelled."""
    if kind == "topic":
        return None if fields["topic"] else "a topic message needs its topic"
    known = {"urgent": ("category", get_args(Category)), "admin": ("intent", get_args(IntentName))}.get(kind)
    if known is None or fields[known[0]] in known[1]:
        return None
    return f"{known[0]} is none of {', '.join(known[1])}"


def score(messages: Iterable[Labelled], library: Library) -> list[Scored]:
    """Understand every message on its own."""
    return [Scored(m, understand(m.text, Context(asked=_ASKED[m.context]), library)) for m in messages]  # type: ignore[arg-type]


def median_us(messages: list[Labelled], library: Library) -> float:
    """The median time a message takes, in microseconds."""
    taken = []
    for message in messages:
        start = time.perf_counter()
        understand(message.text, Context(), library)
        taken.append((time.perf_counter() - start) * 1e6)
    return sorted(taken)[len(taken) // 2] if taken else 0.0


def table(scored: list[Scored]) -> list[Row]:
    """The figures of docs/understanding.md, in its order."""
    rows = [
        *_urgent(scored),
        *_opt_out(scored),
        _share("administrative intent right", scored, _is("admin"), _intent_right, 0.95),
    ]
    for lang, direct, menu in (("en", 0.92, 0.97), ("es", 0.88, 0.95)):
        asked = [s for s in scored if s.message.kind == "topic" and s.message.lang == lang]
        rows.append(_share(f"question answered directly and rightly, {lang}", asked, _all, _topic_right, direct))
        rows.append(_share(f"right topic answered or in the menu, {lang}", asked, _all, _topic_offered, menu))
    return [
        *rows,
        _share("question answered with a wrong topic", scored, _is("topic"), _topic_wrong, 0.02, at_most=True),
        _share(
            "out of scope and never answered",
            scored,
            _tagged("out_of_scope"),
            lambda s: s.meaning.kind != "topic",
            0.95,
        ),
        _share(
            "request for a dose and never answered",
            scored,
            _tagged("dose_request"),
            lambda s: s.meaning.kind != "topic",
        ),
        _share("language right", scored, _all, lambda s: s.meaning.language == s.message.lang, 0.98),
    ]


def _urgent(scored: list[Scored]) -> list[Row]:
    urgent = [s for s in scored if s.message.kind == "urgent"]
    rows = [_share("urgent found", urgent, _all, _found_urgent, 0.99)]
    for key in dict.fromkeys((s.message.category or "-", s.message.lang) for s in urgent):
        mine = [s for s in urgent if (s.message.category, s.message.lang) == key]
        rows.append(_share(f"  {key[0]}, {key[1]}", mine, _all, _found_urgent, 0.97))
    calm = [s for s in scored if s.message.kind != "urgent"]
    return [
        *rows,
        _share("category right, of the urgent found", [s for s in urgent if _found_urgent(s)], _all, _category_right),
        _share("false alarms on what is not urgent", calm, _all, _found_urgent, 0.02, at_most=True),
    ]


def _opt_out(scored: list[Scored]) -> list[Row]:
    said = [s for s in scored if s.message.intent == "opt_out"]
    heard = [s for s in scored if s.meaning.intent == "opt_out"]
    return [
        _share("opt-out, formal words", said, _formal, _intent_right, 1.0),
        _share("opt-out, free-form", said, lambda s: not _formal(s), _intent_right, 0.97),
        _share("opt-out, precision", heard, _all, lambda s: s.message.intent == "opt_out", 0.98),
    ]


def _share(
    what: str,
    scored: Iterable[Scored],
    counts: Callable[[Scored], bool],
    right: Callable[[Scored], bool],
    target: float | None = None,
    *,
    at_most: bool = False,
) -> Row:
    chosen = [s for s in scored if counts(s)]
    share = sum(map(right, chosen)) / len(chosen) if chosen else None
    return Row(what, share, len(chosen), target, at_most)


def _all(_: Scored) -> bool:
    return True


def _is(kind: str) -> Callable[[Scored], bool]:
    return lambda s: s.message.kind == kind


def _tagged(tag: str) -> Callable[[Scored], bool]:
    return lambda s: s.message.tag == tag


def _found_urgent(s: Scored) -> bool:
    return s.meaning.kind == "urgent"


def _category_right(s: Scored) -> bool:
    return s.meaning.urgency is not None and s.meaning.urgency.category == s.message.category


def _formal(s: Scored) -> bool:
    return s.message.text.strip().lower() in CARRIER_OPT_OUT


def _intent_right(s: Scored) -> bool:
    said = "help" if s.meaning.intent == "menu" else s.meaning.intent  # the list of topics is a kind of help
    return s.meaning.kind == "admin" and said == s.message.intent


def _topic_right(s: Scored) -> bool:
    return s.meaning.kind == "topic" and s.meaning.topic == s.message.topic


def _topic_offered(s: Scored) -> bool:
    return _topic_right(s) or (s.meaning.kind == "choices" and s.message.topic in s.meaning.choices)


def _topic_wrong(s: Scored) -> bool:
    return s.meaning.kind == "topic" and s.meaning.topic != s.message.topic


def by_label(scored: list[Scored]) -> list[tuple[str, int, int, int]]:
    """Per label: messages, understood rightly, and offered in a menu."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for s in scored:
        row = counts[s.message.label]
        row[0] += 1
        right = {"urgent": _found_urgent, "topic": _topic_right, "admin": _intent_right}.get(s.message.kind)
        row[1] += right(s) if right else s.meaning.kind not in ("topic", "urgent")
        row[2] += s.meaning.kind == "choices" and s.message.topic in s.meaning.choices
    return [(label, *counts[label]) for label in sorted(counts)]  # type: ignore[misc]


def confusions(scored: list[Scored], most: int = 25) -> list[tuple[str, str, int]]:
    """What was taken for what, the most frequent first; a menu with the right topic in it is no confusion."""
    wrong = Counter(
        (s.message.label, s.said)
        for s in scored
        if not (_topic_offered(s) or _intent_right(s) or (s.message.kind == "urgent" and _found_urgent(s)))
        and not (s.message.kind == "unknown" and s.meaning.kind == "unknown")
    )
    return [(meant, said, count) for (meant, said), count in wrong.most_common(most)]
