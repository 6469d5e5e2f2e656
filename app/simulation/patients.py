"""What patients and carers do: read, answer, text of their own, come or stay away; and what their pump does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from app.domain.pump_values import Program
from app.simulation.agenda import instant
from app.simulation.opening import local_hour, minute_in
from app.simulation.papers import Paper, Visit
from app.simulation.parameters import MINUTES_A_DAY
from app.simulation.people import Person
from app.simulation.provider import Text
from app.simulation.pumps import NEVER, RealPump, cycle_of, flow_factor
from app.simulation.sayings import say
from app.simulation.world import Empty, Miss, World
from scheduler.ladders import LAST

_MONTH = 30.4 * MINUTES_A_DAY
_EVERY = {"question": _MONTH / 0.3, "odd": _MONTH / 0.05, "urgent": 365 * MINUTES_A_DAY / 0.35}
_ASKS = re.compile(r"\b(?:[Rr]eply|[Rr]esponda) (\d[^.]*)")
_DIGITS = re.compile(r"(?<!\S)(\d{1,2})(?= )")
_YES_NO = re.compile(r"[Rr]e(?:ply|sponda) 1 (?:yes|si), 2 no\.$")
_HELPED = re.compile(r"1 (?:yes|si), 2 no$")
_CHOICES = re.compile(r"Reply with the number|Responda con el numero")
_WHICH = re.compile(r"^(?:Which visit|¿De qué cita)")
ANSWERS_COUNT_FOR = 12 * 60  # nobody answers a text of yesterday with a digit


def digits_of(body: str) -> tuple[str, ...]:
    """Return the numbers that a text offers as answers."""
    asked = _ASKS.search(body)
    return tuple(_DIGITS.findall(asked[1])) if asked else ()


class Owner:
    """Whoever reads a phone: the patient, a carer, or a carer of two."""

    def __init__(self, world: World, number: str, patients: list[Patient], *, carer: bool) -> None:
        self.world = world
        self.number = number
        self.patients = patients
        self.carer = carer
        self.opted_out = False
        self.chance = world.shard.stream("owner", number)
        self._asked = 0  # questions read so far: only the last one is answered

    def say(self, what: str, *, urgent: bool = False) -> None:
        self.world.text_us(self.number, say(what, self.patients[0].person.language, self.chance), urgent=urgent)

    def read(self, text: Text) -> None:
        if self.world.over:
            return
        about = self.world.patients.get(text.patient_id or 0, self.patients[0])
        match text.purpose:
            case "reminder":
                self._reminded(about, text)
            case "missed" if text.text_id.startswith("text:missed_why") and about.misses:
                self._asked_why(text)
            case "missed" if text.text_id.startswith("text:missed_why"):
                self._was_there()
            case "missed" if text.text_id.startswith("text:book"):
                self._asked_to_book(about, text)
            case "missed":
                self._missed(about, text)
            case "book":
                self._asked_to_book(about, text)
            case "check_in" if text.text_id.startswith("text:checkin"):
                self._asked_how(text)
            case "reply":
                self._answered(text)

    def _later(self, act: Callable[[], None], *, question: bool = True, emergency: bool = False) -> None:
        """Do it once they get to it: within the hour mostly, in the morning where it came at night."""
        minutes = min(self.chance.lognormvariate(2.5, 1.3), 90 if emergency else ANSWERS_COUNT_FOR)
        zone = self.patients[0].zone
        hour = local_hour(self.world.minute + round(minutes), zone)
        if (hour >= 22 or hour < 7) and not self.patients[0].person.wakeful and not emergency:
            minutes = min(minutes + 60 * ((8 - hour) % 24), ANSWERS_COUNT_FOR)
        if question:
            self._asked += 1
        asked = self._asked
        self.world.agenda.after(minutes, lambda: act() if not question or asked == self._asked else None)

    def _text(self, words: str, *, urgent: bool = False) -> Callable[[], None]:
        return lambda: self.world.text_us(self.number, words, urgent=urgent)

    def _reminded(self, patient: Patient, text: Text) -> None:
        visit, digits, luck = patient.visit, digits_of(text.body), self.chance.random()
        if visit is None or visit.appointment_id != text.appointment_id or len(digits) < 2:
            return
        if visit.answered and luck > 0.03:
            return
        if visit.will_miss and luck < 0.46 and self.chance.random() < 0.7:
            return  # whoever will not come seldom says that they will
        if luck < 0.38:
            visit.answered = True
            self._later(self._text(digits[0]))
        elif luck < 0.46:
            visit.answered = True
            self._later(lambda: self.say("confirm"))
        elif luck < 0.485:
            self._later(lambda: self._wants(visit, digits[1]))
        elif luck < 0.505:
            self._later(lambda: self._wants(visit, "change"))
        elif luck < 0.517:
            self._later(lambda: self._wants(visit, "cancel"))
        elif luck < 0.521:
            self._later(lambda: self._wants(visit, "cancel alone"))
        elif luck < 0.525:
            self._later(lambda: self._stop("stop"), question=False)
        elif luck < 0.545:
            self._later(lambda: self.say("question"), question=False)

    def _wants(self, visit: Visit, how: str) -> None:
        visit.unwanted = visit.answered = True
        if how == "cancel alone":
            self._stop(how)  # by the carriers' rule, whatever they meant
        elif how.isdigit():
            self.world.text_us(self.number, how)
        else:
            self.say(how)

    def _stop(self, how: str) -> None:
        self.opted_out = True
        self.say(how)

    def persuaded(self) -> None:
        """A nurse has asked whether they want texts again."""
        if self.opted_out and self.chance.random() < 0.6:
            self.opted_out = False
            self.world.agenda.after(self.chance.randint(2, 60), lambda: self.say("start"))

    def _missed(self, patient: Patient, text: Text) -> None:
        now = text.text_id.startswith("text:missed_now") or self.carer
        luck = self.chance.random()
        if luck < (0.6 if now else 0.2):
            self._later(patient.calls_us, question=False)
        elif luck < (0.7 if now else 0.4):
            self._later(lambda: self.say("sorry"), question=False)

    def _was_there(self) -> None:
        """Told that they did not come, though they did: nobody had marked it yet."""
        if self.chance.random() < 0.4:
            self._later(lambda: self.say("here"), question=False)

    def _asked_why(self, text: Text) -> None:
        digits = digits_of(text.body)
        if len(digits) < 5 or self.chance.random() > 0.4:
            return
        place = self.chance.choices(range(5), (35, 8, 15, 15, 27))[0]
        self._later(self._text(digits[place], urgent=place == 1))  # unwell, with a late refill

    def _asked_to_book(self, patient: Patient, text: Text) -> None:
        digits, luck = digits_of(text.body), self.chance.random()
        if digits and luck < 0.4:
            self._later(self._text(digits[0]))
        elif luck < 0.55:
            self._later(patient.calls_us, question=False)

    def _asked_how(self, text: Text) -> None:
        digits = digits_of(text.body)
        if len(digits) < 4 or self.chance.random() > 0.6:
            return
        place = self.chance.choices(range(4), (960, 8, 8, 24))[0]
        self._later(self._text(digits[place], urgent=place > 0))

    def _answered(self, text: Text) -> None:
        """Read a reply, and answer it where it asks something."""
        body, luck = text.body, self.chance.random()
        if _YES_NO.search(body):
            if luck < 0.7:
                yes = luck < 0.25
                self._later(self._text("1" if yes else "2", urgent=yes), emergency=True)
        elif _HELPED.search(body):
            if luck < 0.3:
                self._later(self._text("1" if luck < 0.24 else "2"))
        elif _CHOICES.search(body):
            if luck < 0.5:
                self._later(self._text("1"))
        elif _WHICH.search(body) and luck < 0.7 and (digits := digits_of(body)):
            self._later(self._text(digits[0]))


class Patient:
    def __init__(self, world: World, person: Person, id_: int) -> None:
        self.world = world
        self.person = person
        self.id = id_
        self.zone = ZoneInfo(person.zone)
        self.chance = world.shard.stream("patient", person.number)
        self.visit: Visit | None = None
        self.owners: list[Owner] = []
        self.papers: list[Paper] = []
        self.unmarked: Paper | None = None  # was here, and nobody has said so yet
        self.misses: list[Miss] = []
        self.streak = 0
        spec = person.pump
        self.program = Program(spec.concentration, spec.dose)
        self.pump = RealPump(
            float(spec.size_ml),
            float(spec.concentration),
            cycle_of(self.program, 1),
            flow_factor(spec.flow, self.chance),
            float(spec.size_ml),
            -spec.filled_days_ago * MINUTES_A_DAY,
        )
        self._spells = _spells(world.days, world.shard.stream("silent", person.number)) if person.unreachable else ()

    def begin(self) -> None:
        for what, every in _EVERY.items():
            self._texts_sometime(what, every / (self.world.shard.parameters.trouble if what == "urgent" else 1))
        self._foresee()
        if self.chance.random() < 0.3:  # one change of dose between refills, for some
            day = self.chance.randrange(self.world.days)
            minute = self.world.opening.next_open(self.world.opening.at_hour(day, 10))
            self.world.agenda.at(minute, lambda: self.world.desk.changes_dose(self))

    # texts of their own

    def _texts_sometime(self, what: str, every: float) -> None:
        at = self.world.minute + round(self.chance.expovariate(1 / every))
        hour = self.chance.randint(8, 21)
        if self.chance.random() < (0.5 if self.person.wakeful else 0.06) or what == "urgent":
            hour = self.chance.randrange(24)
        day = instant(at).astimezone(self.zone).date()
        at = max(self.world.minute + 1, minute_in(self.zone, day, hour, self.chance.randrange(60)))

        def act() -> None:
            self._says(what)
            if not self.world.over:
                self._texts_sometime(what, every)

        self.world.agenda.at(at, act)

    def _says(self, what: str) -> None:
        """Text from a phone that works. Who is not to be reached does not text either."""
        if not self.person.unreachable and not self.world.over:
            self.chance.choice(self.owners).say(what, urgent=what in ("urgent", "beeps", "dry"))

    def calls_us(self) -> None:
        """Call the clinic, at once or when it opens."""
        minute = self.world.opening.next_open(self.world.minute + 1)
        self.world.agenda.at(minute, lambda: self.world.desk.takes_a_call(self))

    def answers_a_call(self) -> bool:
        if any(start <= self.world.minute < end for start, end in self._spells):
            return False
        return self.chance.random() < 0.62

    # visits

    def expects(self, appointment_id: int, minute: int) -> None:
        """Be told of a visit: it takes the place of the one they knew of."""
        visit = Visit(appointment_id, minute, self.chance.random() < self._no_show())
        self.visit = visit
        self.world.agenda.at(minute - 10, lambda: self._day_comes(visit))

    def urged(self) -> None:
        """A nurse has spoken to them about the visit: most who would have stayed away now come."""
        if self.visit and self.visit.will_miss:
            self.visit.will_miss = self.chance.random() < 0.4

    def _no_show(self) -> float:
        base = max(self.person.no_show, 0.35) if self.person.unreachable else self.person.no_show
        return min(0.9, base * (1 + 0.5 * self.streak))

    def _day_comes(self, visit: Visit) -> None:
        if self.visit is not visit or self.world.over:
            return
        self.visit = None
        self.world.seen.counts["visits that came due"] += 1
        if visit.will_miss or (visit.unwanted and self.chance.random() < 0.8):
            self._stays_away(visit)
            return
        self.streak = 0
        late = 0
        if self.chance.random() < 0.04:
            late = self.chance.randint(15, 40)
            self._says("late")
        self.world.agenda.after(late, lambda: self.world.desk.sees(self, visit.appointment_id))

    def _stays_away(self, visit: Visit) -> None:
        self.streak += 1
        early = self.world.rows.supply(self.id).early_empty_on
        left = (early - self.today()).days if early else None
        miss = Miss(visit.appointment_id, visit.minute, max(0, left) if left is not None else None)
        self.misses.append(miss)
        self.world.seen.misses.append(miss)
        self.world.seen.counts["no-shows"] += 1

    def today(self) -> date:
        """Return the day at the clinic."""
        return self.world.opening.date_of(self.world.opening.day_at(self.world.minute))

    # the pump

    def _foresee(self) -> None:
        """See when the pump beeps and when it is empty, if nothing changes before."""
        changes = self.pump.changes
        for volume, happens in ((float(self.person.pump.alarm_ml), self._beeps), (0.0, self._runs_dry)):
            minute = self.pump.reaches(volume)
            if minute < NEVER:
                self.world.agenda.at(minute, partial(happens, changes))

    def runs(self, program: Program) -> None:
        """The pump goes on with another program."""
        self.program = program
        self.pump.run(cycle_of(program, self.chance.uniform(0.8, 1)), self.world.minute)
        self._foresee()

    def is_filled(self, program: Program) -> float:
        """Fill the pump, and return what was aspirated, in mL."""
        left = self.pump.volume_at(self.world.minute)
        flow = sum(self.pump.cycle) / 7 * self.pump.factor / self.pump.concentration
        self.world.seen.days_left_at_refill.append(left / flow)
        self.world.seen.counts["refills"] += 1
        for miss in self.misses:
            miss.refilled = self.world.minute
        self.misses.clear()
        self.program = program
        self.pump.fill(
            self.pump.size_ml,
            float(program.concentration_mcg_per_ml),
            cycle_of(program, self.chance.uniform(0.8, 1)),
            flow_factor(self.person.pump.flow, self.chance),
            self.world.minute,
        )
        self._foresee()
        return left

    def _beeps(self, changes: int) -> None:
        if changes != self.pump.changes or self.world.over:
            return
        self.world.seen.counts["low reservoir alarms heard"] += 1
        luck = self.chance.random()
        minutes = self.chance.randint(5, 180)
        if luck < 0.55:
            self.world.agenda.after(minutes, lambda: self._says("beeps"))
        elif luck < 0.8 and not self.person.unreachable:
            self.world.agenda.after(minutes, self.calls_us)

    def _runs_dry(self, changes: int) -> None:
        if changes != self.pump.changes or self.world.over:
            return
        why = self.world.desk.why_not_owned(self)
        self.world.seen.empties.append(Empty(self.person.number, self.world.minute, why))
        for miss in self.misses:
            miss.ran_dry = True
        if self.chance.random() < 0.6:
            self.world.agenda.after(self.chance.randint(180, 900), lambda: self._says("dry"))
        self.world.agenda.after(self.chance.randint(480, 2400), lambda: self._rescued(changes))

    def _rescued(self, changes: int) -> None:
        """In withdrawal they go to an emergency room, and are refilled there; the clinic hears of it when it opens."""
        if changes != self.pump.changes:
            return  # refilled at the clinic meanwhile
        self.is_filled(self.program)
        self.world.seen.counts["refills at a hospital"] += 1
        day = self.world.opening.day_at(self.world.minute)
        paper = Paper(None, day, self.person.pump.size_ml, None)
        self.papers.append(paper)
        minute = self.world.opening.next_open(self.world.minute + 60)
        self.world.agenda.at(minute, lambda: self.world.desk.hears_from_hospital(self, paper))

    def nearly_empty_by_record(self) -> bool:
        early = self.world.rows.supply(self.id).early_empty_on
        assert LAST.days is not None
        return early is not None and early <= self.today() + timedelta(days=LAST.days)


def _spells(days: int, chance: Random) -> tuple[tuple[int, int], ...]:
    """Return times of weeks in which nobody answers."""
    found, at = [], -chance.randrange(30 * MINUTES_A_DAY)
    while at < days * MINUTES_A_DAY:
        end = at + chance.randint(21, 56) * MINUTES_A_DAY
        found.append((at, end))
        at = end + chance.randint(7, 14) * MINUTES_A_DAY
    return tuple(found)
