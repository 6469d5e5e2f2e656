"""How long a pump's battery lasts, by model, and until when the pump must be replaced."""

from datetime import date

from scheduler.ladders import months_before

# Months from implant to the day by which the pump must be replaced, by the beginning of the model's name. Sources:
# docs/clinical/facts.md, battery: SynchroMed II shuts itself off at seven years [S4]; SynchroMed EL five to eight
# years, so five [S4]; Prometra about ten or more [S46]. SynchroMed III: no source found, the shortest counts.
_MONTHS = (("synchromed iii", 60), ("synchromed ii", 84), ("synchromed el", 60), ("prometra", 120))
SHORTEST_MONTHS = 60  # of a model we know nothing of: awaiting clinical review


def battery_months(model: str) -> int:
    name = " ".join(model.casefold().split())
    return next((months for start, months in _MONTHS if name.startswith(start)), SHORTEST_MONTHS)


def replace_by(model: str, implanted_on: date | None, chosen: date | None = None) -> date | None:
    """Return the day by which the pump must be replaced: as the clinic chose, else by model; None where unknown."""
    if chosen is not None:
        return chosen
    if implanted_on is None:
        return None
    return months_before(implanted_on, -battery_months(model))
