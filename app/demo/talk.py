"""What was said in all that time: texts sent because of visits and fillings, answers to them, and what people asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from app.db.care import AppointmentState
from app.demo.history import Filling, History, Visit
from app.demo.people import Person, Standing
from app.demo.phrases import Phrase, Phrases
from app.simulation.parameters import stream
from scheduler.ladders import check_ins
from scheduler.planning import Planned, missed_texts, plan
from scheduler.policy import ReminderPolicy

What = Literal["reminder", "confirm", "missed", "check-in", "fine", "answered", "asked", "urgent", "stop"]
SIZES: dict[str, int] = {"reminder": 1, "missed": 1, "check-in": 1, "asked": 3}  # texts; two for the rest
_CONFIRMS = {AppointmentState.ATTENDED: 0.85, AppointmentState.MISSED: 0.3, AppointmentState.BOOKED: 0.8}
_URGENT, _ASKED = 0.015, 0.08  # of what people text by themselves, up to here
LEFT_SOON_AFTER = timedelta(days=20)


@dataclass(slots=True)
class Exchange:
    """One thing said, with its answers, all at one time."""

    at: datetime
    person: Person
    what: What
    visit: Visit | None = None
    filling: Filling | None = None
    reminder: Planned | None = None
    step: str = ""  # of a check-in
    phrase: Phrase | None = None

    @property
    def size(self) -> int:
        return SIZES.get(self.what, 2)


def talk_of(
    person: Person, history: History, texts: int, phrases: Phrases, policy: ReminderPolicy, seed: int, now: datetime
) -> list[Exchange]:
    """Return `texts` texts with one person, the newest of what visits and fillings ask for and then questions."""
    chance = stream(seed, "talk", person.number)
    first, until = _span(person, history, now)
    stops = person.standing is Standing.OPTED_OUT and texts > 2
    stopped = until - timedelta(days=chance.randint(2, 200)) if stops else until
    said = [one for one in _because(person, history, policy, chance) if first <= one.at < stopped]
    said.sort(key=lambda one: one.at, reverse=True)
    kept: list[Exchange] = [Exchange(stopped, person, "stop")] if stops else []
    room = texts - sum(one.size for one in kept)
    for one in said:
        if one.size > room:
            break
        kept.append(one)
        room -= one.size
    while room >= 2 and stopped > first:
        one = _by_themselves(person, first, stopped, phrases, chance)
        if one.size <= room:
            kept.append(one)
            room -= one.size
    return kept


def _span(person: Person, history: History, now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when somebody is texted: not after they left."""
    first = min((visit.booked_at for visit in history.visits), default=now - timedelta(days=120))
    last = history.fillings[-1].visit
    if person.standing in (Standing.LEFT, Standing.DECEASED) and last is not None:
        return first, min(now, last.starts_at + LEFT_SOON_AFTER)
    return first, now


def _because(person: Person, history: History, policy: ReminderPolicy, chance: Random) -> Iterator[Exchange]:
    zone = ZoneInfo(person.zone)
    for visit in history.visits:
        yield from _about(person, visit, policy, zone, chance)
    for filling in history.fillings:
        if filling.visit is None or filling.visit.came_at is None:
            continue
        for step in check_ins(filling.on, filling.visit.came_at, policy, zone):
            yield Exchange(step.due_at, person, "check-in", filling=filling, step=step.step)
            if chance.random() < 0.6:
                at = step.due_at + timedelta(minutes=chance.randint(2, 180))
                yield Exchange(at, person, "fine", filling=filling, step=step.step)


def _about(person: Person, visit: Visit, policy: ReminderPolicy, zone: ZoneInfo, chance: Random) -> Iterator[Exchange]:
    reminders = plan(visit.starts_at, policy, zone, visit.booked_at)
    if visit.state is AppointmentState.CANCELLED:
        reminders = reminders[:-1]
    for reminder in reminders:
        yield Exchange(reminder.due_at, person, "reminder", visit=visit, reminder=reminder)
    if reminders and chance.random() < _CONFIRMS.get(visit.state, 0):
        reminder = reminders[min(len(reminders) - 1, chance.randrange(len(reminders)) + 1)]
        at = reminder.due_at + timedelta(minutes=chance.randint(3, 240))
        if at < visit.starts_at:
            yield Exchange(at, person, "confirm", visit=visit)
    if visit.state is AppointmentState.MISSED:
        text = missed_texts(visit.starts_at, visit.settled_at, policy, zone)[0]
        yield Exchange(text.due_at, person, "missed", visit=visit, reminder=text)


def _by_themselves(person: Person, first: datetime, until: datetime, phrases: Phrases, chance: Random) -> Exchange:
    seconds = max(1, int((until - first).total_seconds()))
    at = first + timedelta(seconds=chance.randrange(seconds))
    hour = at.astimezone(ZoneInfo(person.zone)).hour
    if hour < 7 or hour > 21:
        at = max(first, at - timedelta(hours=12))
    luck = chance.random()
    which = "urgent" if luck < _URGENT else "asked" if luck < _ASKED else "answered"
    return Exchange(at, person, which, phrase=phrases.draw(which, person.language, chance))  # type: ignore[arg-type]
