"""The last day of the large demo, lived by the real verbs and jobs: what is open at its end is what they left open."""

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.actions.acknowledge_task import acknowledge_task
from app.actions.advance_clock import next_due
from app.actions.assign_thread import assign_thread
from app.actions.book_appointment import book_appointment
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.mark_attended import mark_attended
from app.actions.mark_read import mark_read
from app.actions.receive_text import InboundText, Media, receive_text
from app.actions.record_refill import RefillEntry, expected_ml, record_refill
from app.actions.reply_by_hand import reply_by_hand
from app.actions.resolve_task import resolve_task
from app.actions.write_note import write_note
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.pump_records import pump_record
from app.db.supply import Supply
from app.db.work import Task, TaskState
from app.demo.history import OPENS
from app.demo.names import NOTES
from app.demo.people import Person, Standing
from app.demo.phrases import Phrases
from app.demo.writer import Known
from scheduler.quiet_hours import local_instant

Deed = Callable[[datetime], None]
DAY = timedelta(hours=24)
_FILLED, _ATTENDED = 0.86, 0.92  # of the day's visits, up to here; the rest is missed
# per patient: what people text in a day, and how many of those a nurse saw to
_ANSWERED, _ASKED, _URGENT, _PICTURES = 0.010, 0.006, 0.0012, 0.0004
_SEEN_TO = 0.4
_NOTED = 0.5  # of the conversations that a nurse takes
_NEWEST = 2**31 - 1  # read up to whatever came last
_STILL_OPEN = 3  # alerts of the last minutes that nobody has taken


@dataclass
class Day:
    """Everybody of the large demo, and what they and the nurses do from one instant to another."""

    line: Line
    beat: Callable[[datetime], None]
    everybody: dict[int, tuple[Person, Known]]  # by patient
    nurses: list[int]
    phrases: Phrases
    zone: ZoneInfo
    chance: Random
    began: datetime
    now: datetime
    _agenda: list[tuple[datetime, int, Deed]] = field(default_factory=list)
    _counted: Iterable[int] = field(default_factory=itertools.count)

    def plan(self, at: datetime, deed: Deed) -> None:
        """Have something done, where it lies before the end of the day."""
        if self.began < at <= self.now:
            heapq.heappush(self._agenda, (at, next(iter(self._counted)), deed))

    def live(self, told: Callable[[int], None]) -> None:
        """Let time pass: the heart beats wherever something is due or done."""
        self._plan_visits()
        self._plan_answers()
        self._plan_texts()
        at = self.began
        self.beat(at)
        while (following := self._next(at)) is not None and following <= self.now:
            told(int((following - at).total_seconds()))
            at = following
            while self._agenda and self._agenda[0][0] <= at:
                heapq.heappop(self._agenda)[2](at)
            self.beat(at)
        self.beat(self.now)

    def _next(self, at: datetime) -> datetime | None:
        due = next_due(self.line, at)
        done = self._agenda[0][0] if self._agenda else None
        return min((one for one in (due, done) if one is not None), default=None)

    def _plan_visits(self) -> None:
        with self.line.db.read() as session:
            visits = session.execute(
                select(Appointment.id, Appointment.patient_id, Appointment.starts_at)
                .where(
                    Appointment.state == AppointmentState.BOOKED,
                    Appointment.starts_at > self.began,
                    Appointment.starts_at <= self.now,
                )
                .order_by(Appointment.starts_at, Appointment.id)
            ).all()
        for visit_id, patient_id, starts_at in visits:
            luck, nurse = self.chance.random(), self.chance.choice(self.nurses)
            if patient_id not in self.everybody or luck >= _ATTENDED:
                continue
            at = starts_at + timedelta(minutes=self.chance.randint(20, 50))
            if luck < _FILLED:
                self.plan(at, self._fills(patient_id, nurse))
            else:
                self.plan(at, self._attends(visit_id, nurse))

    def _fills(self, patient_id: int, nurse: int) -> Deed:
        def fill(at: datetime) -> None:
            day = at.astimezone(self.zone).date()
            with self.line.db.read() as session:
                record = pump_record(session, patient_id)
                left = expected_ml(record, day) if record else None
            taken = left.quantize(Decimal("0.1")) if left is not None else None
            volume = self.everybody[patient_id][0].pump.size_ml
            record_refill(self.line, patient_id, RefillEntry(day, volume, taken), at, f"staff:{nurse}", nurse)
            self._books_again(patient_id, at, nurse)

        return fill

    def _books_again(self, patient_id: int, at: datetime, nurse: int) -> None:
        with self.line.db.read() as session:
            supply = session.get(Supply, patient_id)
            plan_by = supply.plan_by if supply else None
        if plan_by is None:
            return
        day = _weekday(plan_by - timedelta(days=self.chance.randint(4, 9)))
        starts = local_instant(day, OPENS, self.zone) + timedelta(minutes=15 * self.chance.randrange(31))
        if starts > at + timedelta(days=2):
            book_appointment(self.line, patient_id, starts, at, f"staff:{nurse}")

    def _attends(self, visit_id: int, nurse: int) -> Deed:
        return lambda at: mark_attended(self.line, visit_id, at, f"staff:{nurse}")

    def _plan_answers(self) -> None:
        """Let most of those who are reminded today confirm within some hours."""
        with self.line.db.read() as session:
            reminded = session.execute(
                select(Appointment.patient_id, Reminder.due_at)
                .join(Appointment, Appointment.id == Reminder.appointment_id)
                .where(
                    Reminder.state == ReminderState.PLANNED,
                    Reminder.due_at > self.began,
                    Reminder.due_at <= self.now,
                    Appointment.confirmed_at.is_(None),
                )
                .order_by(Reminder.due_at, Reminder.id)
            ).all()
        for patient_id, due_at in reminded:
            if self.chance.random() < 0.8 and patient_id in self.everybody:
                at = due_at + timedelta(minutes=self.chance.randint(4, 110))
                self.plan(at, self._texts(patient_id, "1"))

    def _plan_texts(self) -> None:
        able = [
            patient
            for patient, (person, _) in self.everybody.items()
            if person.standing not in (Standing.LEFT, Standing.DECEASED, Standing.OPTED_OUT)
        ]
        count = len(able)
        for which, share in (("answered", _ANSWERED), ("asked", _ASKED), ("urgent", _URGENT)):
            for patient in self.chance.sample(able, min(count, round(count * share))):
                at = self._waking(patient)
                self.plan(at, self._texts(patient, self._words(which, patient), seen_to=which))
        for patient in self.chance.sample(able, min(count, round(count * _PICTURES))):
            picture = (Media("https://example.invalid/picture", "image/jpeg"),)
            self.plan(self._waking(patient), self._texts(patient, "", media=picture))
        for place, patient in enumerate(self.chance.sample(able, min(count, _STILL_OPEN))):
            at = self.now - timedelta(minutes=4, seconds=20) + timedelta(minutes=place, seconds=20 * place)
            self.plan(at, self._texts(patient, self._words("urgent", patient)))

    def _waking(self, patient: int) -> datetime:
        """Return an instant of the day, by day wherever the patient lives; the last minutes are left out."""
        minutes = int((self.now - self.began).total_seconds()) // 60 - 30
        zone = ZoneInfo(self.everybody[patient][0].zone)
        at = self.began
        for _ in range(20):
            at = self.began + timedelta(minutes=self.chance.randrange(1, minutes))
            if 7 <= at.astimezone(zone).hour <= 21:
                break
        return at

    def _words(self, which: str, patient: int) -> str:
        return self.phrases.draw(which, self.everybody[patient][0].language, self.chance).body

    def _texts(self, patient: int, body: str, *, media: tuple[Media, ...] = (), seen_to: str = "") -> Deed:
        person, known = self.everybody[patient]

        def text(at: datetime) -> None:
            sid = f"demo-day-{known.phone}-{int(at.timestamp())}"
            receive_text(self.line, InboundText(sid, person.phone, "", body, media, channel="simulator"), at)
            if seen_to == "urgent":
                self._see_to(known, at, timedelta(minutes=self.chance.randint(2, 14)), ends=self.chance.random() < 0.6)
            elif seen_to == "asked" and self.chance.random() < _SEEN_TO:
                self._see_to(known, at, timedelta(minutes=self.chance.randint(15, 200)), ends=True)

        return text

    def _see_to(self, known: Known, at: datetime, after: timedelta, *, ends: bool) -> None:
        """Have a nurse take what this phone opened, and perhaps settle it."""
        nurse = self.chance.choice(self.nurses)

        def take(moment: datetime) -> None:
            for task_id in self._open_of(known):
                acknowledge_task(self.line, task_id, moment, nurse)
            self._takes_on(known, moment, nurse)

        def settle(moment: datetime) -> None:
            mine = self._open_of(known)
            for task_id in mine:
                resolve_task(self.line, task_id, "Called, settled", moment, nurse)
            if mine:
                said = "Thank you for your text. I have seen to it. Please call us if anything changes."
                try:
                    reply_by_hand(self.line, known.phone, known.patient, said, moment, nurse, f"demo{mine[0]}")
                except Refused:
                    pass  # opted out meanwhile

        self.plan(at + after, take)
        if ends:
            self.plan(at + after + timedelta(minutes=self.chance.randint(5, 60)), settle)

    def _takes_on(self, known: Known, at: datetime, nurse: int) -> None:
        """Have the conversation be this nurse's: read, and often with a note for the next shift."""
        mark_read(self.line, known.phone, nurse, _NEWEST)
        try:
            assign_thread(self.line, known.phone, nurse, None, at, nurse)
        except Refused:
            return  # a colleague has it
        if self.chance.random() < _NOTED:
            write_note(self.line, known.phone, self.chance.choice(NOTES), at, nurse)

    def _open_of(self, known: Known) -> list[int]:
        with self.line.db.read() as session:
            return list(
                session.scalars(
                    select(Task.id)
                    .where(Task.subject == f"phone:{known.phone}", Task.state != TaskState.RESOLVED)
                    .order_by(Task.id)
                )
            )


def _weekday(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))
