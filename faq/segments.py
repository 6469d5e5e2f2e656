"""How many SMS segments a text takes, as the networks count them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")  # each is an escape and a character: two septets


@dataclass(frozen=True)
class Segments:
    """`units` are septets for GSM-7 and UTF-16 code units for UCS-2; an empty text takes one segment."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int


def not_gsm7(text: str) -> tuple[str, ...]:
    """Return the characters that force UCS-2, each once, in order of appearance."""
    return tuple(dict.fromkeys(c for c in text if c not in GSM7_BASIC and c not in GSM7_EXTENSION))


@lru_cache(maxsize=2048)
def measure(text: str) -> Segments:
    """Count the segments of one text; a two-unit character is never split between two of them."""
    if not_gsm7(text):
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
        return _count("UCS-2", widths, alone=70, joined=67)
    widths = [2 if character in GSM7_EXTENSION else 1 for character in text]
    return _count("GSM-7", widths, alone=160, joined=153)


def _count(encoding: Literal["GSM-7", "UCS-2"], widths: list[int], alone: int, joined: int) -> Segments:
    units = sum(widths)
    if units <= alone:
        return Segments(encoding, units, 1)
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return Segments(encoding, units, count)
