"""What people text, as a mix: who texts, and in which words. The same seed gives the same texts."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import faq

KNOWN_PHONES = 2_000  # patients in the clinic of the webhook benchmark
_KNOWN_SHARE = 0.85
_KEYWORDS = ("REFILL", "TRAVEL", "MRI", "MENU", "HELP", "Refill please", "travel?", "more", "HOURS")
_MISSPELT = ("TRAVLE", "REFIL", "mneu", "refll", "TRVAEL")
_VISITS = ("1", "Yes", "ok I'll be there", "when is my refill?", "2", "can't make it", "yes thank you")
_CHAT = ("thanks!", "Thank you", "ok", "\U0001f44d", "please call me")
_UNCLEAR = (
    "Hi it's me again, the thing from last week is back",
    "my neighbor asked whether you do knees too, and what about parking behind the building these days",
    "asdf",
    "qwerty test test is this thing on",
)
_URGENT = ("ALARM", "my pump is beeping", "I can't breathe well", "itching all over and my legs are so tight")
_SHARES = (0.28, 0.05, 0.2, 0.08, 0.06, 0.03, 0.30)


def known_phone(n: int) -> str:
    return f"+1614{2_000_000 + n}"


def questions() -> tuple[str, ...]:
    """Return the questions that the reviewed answers serve, as people ask them."""
    with (Path(faq.__file__).parent / "questions.csv").open(encoding="utf-8", newline="") as file:
        return tuple(row["question"] for row in csv.DictReader(file))


def texts(seed: int) -> Iterator[tuple[str, str]]:
    """Yield phone and text, without end. One text in seven comes from a phone nobody knows."""
    chance = random.Random(seed)
    kinds = (_KEYWORDS, _MISSPELT, _VISITS, _CHAT, _UNCLEAR, _URGENT, questions())
    while True:
        known = chance.random() < _KNOWN_SHARE
        phone = known_phone(chance.randrange(KNOWN_PHONES)) if known else f"+1330{2_000_000 + chance.randrange(10**6)}"
        yield phone, chance.choice(chance.choices(kinds, _SHARES)[0])
