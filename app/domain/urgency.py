"""How dangerous an urgent text may be: which of several is shown and kept first."""

_WORST_FIRST = (
    "breathing",
    "overdose",
    "withdrawal",
    "self_harm",
    "missed_refill_symptoms",
    "missed_refill",
    "scan_unchecked",
    "alarm",
    "pump_trauma",
    "infection_or_leak",
    "battery",
)


def danger(category: str | None) -> int:
    """Return a rank, 0 for the worst; what has no known category comes last."""
    return _WORST_FIRST.index(category) if category in _WORST_FIRST else len(_WORST_FIRST)
