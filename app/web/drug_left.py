"""The bar that shows how much drug is left: solid to the earliest edge, pale to the latest, a tick and a flag."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from app.web.wording import plural
from scheduler.ladders import NEAR, SOON

SEVEN_WEEKS = 49  # what the whole bar stands for, so that those of a list can be compared
SCALES = (SEVEN_WEEKS, 2 * SEVEN_WEEKS, 4 * SEVEN_WEEKS, 8 * SEVEN_WEEKS)
_SOON_DAYS, _URGENT_DAYS = NEAR.days or 0, SOON.days or 0


@dataclass(frozen=True)
class DrugLeft:
    """Days of drug left today, 0 when the day has come or passed; and the plan-by date, below 0 once it has passed."""

    early: int
    nominal: int
    late: int
    plan_by: date | None = None
    plan_in: int | None = None
    scale: int = SEVEN_WEEKS

    @property
    def in_its_own_scale(self) -> "DrugLeft":
        """Return it on the shortest bar that holds its latest edge: for a page of its own."""
        return replace(self, scale=next((days for days in SCALES if days >= self.late), SCALES[-1]))

    @property
    def axis(self) -> tuple[tuple[str, str], ...]:
        """Return where the weeks stand: three marks, each a multiple of two weeks."""
        step = self.scale * 2 // 49
        return tuple((self.at(7 * step * n), plural(step * n, "week") if n == 1 else f"{step * n}") for n in (1, 2, 3))

    @property
    def look(self) -> str:
        """Return the classes of the bar."""
        urgent = "is-urgent" if self.early <= _URGENT_DAYS else "is-soon" if self.early <= _SOON_DAYS else ""
        passed = "is-past" if self.plan_in is not None and self.plan_in < 0 else ""
        return f"{urgent} {passed}".strip()

    @property
    def plan_flag(self) -> str:
        """Return where the flag stands; empty where it would stand outside of the bar."""
        shown = self.plan_in is not None and 0 <= self.plan_in <= self.scale
        return self.at(self.plan_in or 0) if shown else ""

    def at(self, days: int) -> str:
        """Return how far along the bar so many days are, at most its end."""
        share = Decimal(min(max(days, 0), self.scale)) * 100 / self.scale
        return f"{share:.1f}%"

    def span(self, first: int, last: int) -> str:
        """Return how wide the stretch between two days is."""
        a, b = (min(max(days, 0), self.scale) for days in (first, last))
        return f"{Decimal(max(b - a, 0)) * 100 / self.scale:.1f}%"


def drug_left(
    today: date,
    filled_on: date | None,
    early_empty_on: date | None,
    empty_on: date | None,
    plan_by: date | None,
    late_empty_on: date | None = None,
) -> DrugLeft | None:
    """Return what is left today; None where the dates are not known. Without its late edge, that is worked out."""
    if filled_on is None or early_empty_on is None or empty_on is None:
        return None
    if late_empty_on is None:
        lasts_early, lasts = (early_empty_on - filled_on).days, (empty_on - filled_on).days
        most = (date.max - filled_on).days
        late_empty_on = filled_on + timedelta(days=min(_late_days(lasts_early, lasts), most))
    early, nominal, late = (max((day - today).days, 0) for day in (early_empty_on, empty_on, late_empty_on))
    return DrugLeft(early, nominal, late, plan_by, (plan_by - today).days if plan_by else None)


def _late_days(early: int, nominal: int) -> int:
    """Return how long a filling lasts at the slow edge of the same band: it is early at 1 + band, late at 1 - band."""
    band = Decimal(nominal) / early - 1 if early > 0 else Decimal(0)
    return int(nominal / (1 - band)) if 0 <= band < 1 else nominal
