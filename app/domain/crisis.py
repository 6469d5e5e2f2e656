"""Whom somebody calls who may harm themselves, by the clinic's country."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CrisisLine:
    """A free line, day and night. `texts`: it can be texted as well as called."""

    number: str
    texts: bool = False


# US: messaging-rules, section 11 [M68]. The others are general knowledge: awaiting clinical review (docs/safety.md).
_LINES = {
    "US": CrisisLine("988", texts=True),
    "CA": CrisisLine("988", texts=True),
    "ES": CrisisLine("024"),
    "GB": CrisisLine("116 123"),
    "IE": CrisisLine("116 123"),
}


def crisis_line(country: str) -> CrisisLine | None:
    """Return the country's line; None where we know of none, and the emergency number comes first."""
    return _LINES.get(country.upper())
