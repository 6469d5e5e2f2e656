"""What a pump really does: it flows a little faster or slower than its program says, until nothing is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from app.domain.pump_values import Program
from app.simulation.parameters import MINUTES_A_DAY

BAND = 0.15  # 95 % deliver within it, by the notes this project began with; a draw beyond it is put on its edge
_SPREAD = BAND / 1.96
_OF_THE_PUMP = 0.7  # the rest is drawn anew at every filling
NEVER = 10**9


def flow_factor(pump: float, chance: Random) -> float:
    """Return actual by programmed flow of one filling. `pump` is a standard normal draw of its own."""
    drawn = pump * _OF_THE_PUMP + chance.gauss(0, 1) * (1 - _OF_THE_PUMP**2) ** 0.5
    return 1.0 + max(-BAND, min(BAND, float(drawn * _SPREAD)))


def cycle_of(program: Program, boluses_taken: float) -> tuple[float, ...]:
    """Return mcg a day, seven from Monday on; `boluses_taken` is the share of those expected that are taken."""
    bolus = float(program.boluses_per_day) * float(program.bolus_mcg) * (boluses_taken - 1)
    cycle = tuple(float(dose) + bolus for dose in program.cycle_mcg())
    return cycle * (7 // len(cycle))


@dataclass
class RealPump:
    """Minutes count from the start, a Monday's midnight; they may lie before it."""

    size_ml: float
    concentration: float
    cycle: Sequence[float]
    factor: float
    volume_ml: float
    since: int
    changes: int = 0  # so that what was foreseen before the last change is known to hold no longer

    def volume_at(self, minute: int) -> float:
        return max(0.0, self.volume_ml - self._flowed(self.since, minute))

    def _flowed(self, start: int, end: int) -> float:
        """Return mL from one minute to another."""
        a_week = sum(self.cycle)
        weeks, rest = divmod(max(0, end - start), 7 * MINUTES_A_DAY)
        mcg, at = weeks * a_week, start
        until = start + rest
        while at < until:
            day = at // MINUTES_A_DAY
            stop = min(until, (day + 1) * MINUTES_A_DAY)
            mcg += self.cycle[day % 7] * (stop - at) / MINUTES_A_DAY
            at = stop
        return mcg * self.factor / self.concentration

    def reaches(self, volume_ml: float) -> int:
        """Return the minute at which no more than this is left, if nothing changes."""
        if self.volume_ml <= volume_ml:
            return self.since
        low, high = self.since, self.since + 400 * MINUTES_A_DAY
        if self.volume_at(high) > volume_ml:
            return NEVER
        while high - low > 1:
            middle = (low + high) // 2
            if self.volume_at(middle) > volume_ml:
                low = middle
            else:
                high = middle
        return high

    def run(self, cycle: Sequence[float], minute: int) -> None:
        """Go on with another program."""
        self.volume_ml, self.since = self.volume_at(minute), minute
        self.cycle = cycle
        self.changes += 1

    def fill(self, volume_ml: float, concentration: float, cycle: Sequence[float], factor: float, minute: int) -> None:
        self.volume_ml, self.concentration, self.cycle, self.factor = volume_ml, concentration, cycle, factor
        self.since = minute
        self.changes += 1
