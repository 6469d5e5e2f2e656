"""The two nurses and the on-call phone. They act on lists, tasks, texts and calls, never on what nobody told them.

A nurse looks at the list of tasks every half hour while the clinic is open, takes what is most pressing, and keeps what
is not done yet: a task about a refill is hers until the refill is had or a visit is booked with enough drug behind it.
"""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from app.actions.acknowledge_task import acknowledge_task
from app.actions.confirm_entry import confirm_program, confirm_refill, decline_refill
from app.actions.errors import Refused
from app.actions.reply_by_hand import reply_by_hand
from app.actions.resolve_task import resolve_task
from app.db.worklist import refills_due
from app.simulation.booking import Nurse
from app.simulation.parameters import MINUTES_A_DAY, ZONE
from app.simulation.patients import Patient
from app.simulation.refill_day import RefillDay
from app.simulation.rows import SupplyRow, TaskRow, minute
from scheduler.ladders import GUARDED_DAYS

AT_ONCE = 6  # tasks a nurse gets to in half an hour
ABOUT_REFILL = ("missed_refill", "supply", "alert", "late_booking", "reschedule", "record_refill")
OWNED_FOR_DAYS = 7
_REFILL_TASKS = ("missed_refill", "supply", "late_booking", "reschedule", "not_arrived", "unconfirmed")
TRIES = 3


class Desk(RefillDay):
    """The clinic's staff as one: who does what is drawn, the record says which of the two it was."""

    # the day

    def begin(self) -> None:
        for day in range(self.world.days + 5):
            hours = self.world.opening.hours(day)
            if hours is None:
                continue
            for nurse in self.nurses:
                for at in range(hours[0] + nurse.first, hours[1], 30):
                    self.world.agenda.at(at, partial(self._looks, nurse))
            if self.world.opening.date_of(day).weekday() in (0, 3):
                self.world.agenda.at(hours[0] + 20, self._books_from_list)

    def _looks(self, nurse: Nurse) -> None:
        now = self.world.minute
        found = [task for task in self.rows.tasks() if self._hers(nurse, task, now)]
        found.sort(key=lambda task: (task.kind != "alert", task.due, task.needed_by, task.raised, task.id))
        for task in found[:AT_ONCE]:
            if task.kind != "alert" and task.state == "open" and nurse.chance.random() < 0.05:
                continue  # left for later
            if task.state == "open" and not self._takes(nurse, task):
                continue
            self._works(nurse, task)

    def _hers(self, nurse: Nurse, task: TaskRow, now: int) -> bool:
        if task.kind == "alert" and self.world.shard.off("acknowledging"):
            return False
        if self.world.over and task.kind != "alert":
            return False
        if task.kind == "second_person" and self._entered_by(task) == nurse.staff_id:
            return False
        if task.state == "open":
            return True
        mine = task.owner in (nurse.staff_id, None)  # None: the on-call phone took it
        return mine and self.again.get(task.id, 0) <= now

    def _takes(self, nurse: Nurse, task: TaskRow) -> bool:
        try:
            acknowledge_task(self.world.line, task.id, self.world.now, nurse.staff_id)
        except Refused:  # the other one has it, or it is done
            return False
        return True

    def _entered_by(self, task: TaskRow) -> int | None:
        kind, row = task.about
        sql = {
            "refill": "SELECT entered_by FROM refill WHERE id = ?",
            "program": "SELECT entered_by FROM program WHERE id = ?",
        }
        found: int | None = self.rows.one(sql[kind], row)
        return found

    # tasks

    def _works(self, nurse: Nurse, task: TaskRow) -> None:
        patient = self.world.patients.get(task.patient_id or 0)
        self.tries[task.id] += 1
        if task.kind == "alert":
            self._alert(nurse, task, patient)
        elif task.kind == "second_person":
            self._confirms(nurse, task, patient)
        elif task.kind == "record_refill" and patient:
            self._records_late(nurse, task, patient)
        elif task.kind in _REFILL_TASKS and patient:
            self._about_visit(nurse, task, patient)
        elif task.kind in ("call_instead", "undelivered", "human", "reschedule"):
            self._calls(nurse, task, patient)
        elif task.kind in ("question", "media", "wrong_number"):
            self._replies(nurse, task, patient)
        else:
            self._resolves(nurse, task, "seen to")

    def _resolves(self, nurse: Nurse, task: TaskRow, outcome: str) -> None:
        resolve_task(self.world.line, task.id, outcome, self.world.now, nurse.staff_id)

    def _keeps(self, task: TaskRow, minutes: int) -> None:
        """Hold on to it, and go on after this time, when the clinic is open."""
        self.again[task.id] = self.world.opening.next_open(self.world.minute + minutes)

    def reaches(self, patient: Patient) -> bool:
        """Call the patient, then a carer."""
        self.world.seen.counts["calls"] += 1
        if patient.answers_a_call():
            self.world.seen.counts["calls answered"] += 1
            return True
        if patient.person.carer_phone is None or patient.person.unreachable:
            return False
        self.world.seen.counts["calls"] += 1
        answered = self.chance.random() < 0.5
        self.world.seen.counts["calls answered"] += answered
        return answered

    def _alert(self, nurse: Nurse, task: TaskRow, patient: Patient | None) -> None:
        if task.category == "missed_refill" and patient is not None and task.subject.startswith("patient:"):
            self._about_visit(nurse, task, patient)
            return
        if patient is None:  # a phone of several people
            self.world.seen.counts["calls"] += 1
            self.world.seen.counts["calls answered"] += 1
            self._resolves(nurse, task, "reached")
        elif self.reaches(patient):
            if task.category in ("alarm", "missed_refill_symptoms", "withdrawal"):
                self._soonest(patient)
            self._resolves(nurse, task, "reached, and advised")
        elif self.tries[task.id] >= TRIES:
            self._resolves(nurse, task, "not reached: somebody was sent")
        else:
            self._keeps(task, 20)

    def _calls(self, nurse: Nurse, task: TaskRow, patient: Patient | None) -> None:
        if patient is None or self.reaches(patient):
            if patient is not None:
                patient.urged()
                if task.kind == "call_instead":
                    for owner in patient.owners:
                        owner.persuaded()
            self._resolves(nurse, task, "called")
        elif self.tries[task.id] >= TRIES:
            self._resolves(nurse, task, "not reached: a letter")
        else:
            self._keeps(task, MINUTES_A_DAY)

    def _replies(self, nurse: Nurse, task: TaskRow, patient: Patient | None) -> None:
        if task.phone_id is not None and nurse.chance.random() < 0.4:
            words = "This is your nurse. We will talk about it at your next visit. Call us if it cannot wait."
            form = f"task-{task.id}-{self.tries[task.id]}"
            try:
                reply_by_hand(
                    self.world.line, task.phone_id, task.patient_id, words, self.world.now, nurse.staff_id, form
                )
                self._resolves(nurse, task, "answered by text")
                return
            except Refused:  # opted out: call
                pass
        self._calls(nurse, task, patient)

    def _confirms(self, nurse: Nurse, task: TaskRow, patient: Patient | None) -> None:
        kind, row = task.about
        if kind == "program":
            confirm_program(self.world.line, row, self.world.now, nurse.staff_id)
            return
        paper = next((p for p in patient.papers if p.refill_id == row), None) if patient else None
        if paper is not None and nurse.chance.random() < 0.1:
            # typed wrong: the other nurse hears of it if there is a task, or not at all
            decline_refill(self.world.line, row, self.world.now, nurse.staff_id)
            self.world.seen.counts["entries declined"] += 1
            paper.entered = False
            return
        confirm_refill(self.world.line, row, self.world.now, nurse.staff_id)
        if patient is not None:
            self._books_next(nurse, patient)

    def _records_late(self, nurse: Nurse, task: TaskRow, patient: Patient) -> None:
        paper = next((p for p in reversed(patient.papers) if not p.entered), None)
        if paper is None:
            self._resolves(nurse, task, "the record is right")
            return
        self._records(nurse, patient, paper)
        self._books_next(nurse, patient)

    # visits

    def _about_visit(self, nurse: Nurse, task: TaskRow, patient: Patient) -> None:
        if patient.unmarked is not None and task.kind in ("missed_refill", "not_arrived", "unconfirmed", "supply"):
            self._marks(nurse, patient, patient.unmarked)  # was here: it was only not written down
            return
        supply = self.rows.supply(patient.id)
        visit = self.rows.next_visit(patient.id, self.world.now)
        kind, row = task.about
        if task.kind in ("late_booking", "reschedule"):
            if kind == "appointment" and (visit is None or visit[0] != row):
                self._resolves(nurse, task, "that visit is past")  # what follows from it is another task
                return
        elif visit is not None:
            if task.kind not in ("unconfirmed", "not_arrived") and self._behind(supply, visit[1]) >= GUARDED_DAYS:
                self._resolves(nurse, task, "booked in time")
            else:
                self._makes_sure(nurse, task, patient, visit[1])
            return
        pressing = task.kind in ("alert", "not_arrived") or task.due <= f"{self.world.now:%Y-%m-%d %H:%M:%S}"
        if not self.reaches(patient):
            if task.kind in ("reschedule", "late_booking") and self.tries[task.id] >= 2 * TRIES:
                self._resolves(nurse, task, "not reached: a letter")
            else:
                self._keeps(task, 120 if pressing and self.tries[task.id] % 4 else MINUTES_A_DAY)
            return
        if nurse.chance.random() < 0.05:  # "I will call back"
            self._keeps(task, MINUTES_A_DAY)
            return
        self._agrees(nurse, task, patient, supply, visit)

    def _makes_sure(self, nurse: Nurse, task: TaskRow, patient: Patient, at: int) -> None:
        """A visit that must not be missed: speak to them, and keep the task until they were here."""
        if self.reaches(patient):
            patient.urged()
            if task.kind in ("unconfirmed", "not_arrived"):
                self._resolves(nurse, task, "comes")
                return
            self._keeps(task, max(60, at - self.world.minute + 90))
        elif task.kind == "unconfirmed" and self.tries[task.id] >= TRIES:
            self._resolves(nurse, task, "not reached")
        else:
            self._keeps(task, 180)

    def _agrees(
        self, nurse: Nurse, task: TaskRow, patient: Patient, supply: SupplyRow, visit: tuple[int, int] | None
    ) -> None:
        """Find a day with the patient on the phone: soon where drug runs low."""
        kind, row = task.about
        if task.kind == "late_booking" and visit is not None:
            if nurse.chance.random() < 0.4:
                self._says_why(visit, "no earlier day for the patient")
            else:
                self._moves(patient, visit[0], self._day(patient, supply, soon=True))
        elif task.kind == "reschedule" and visit is not None:
            self._moves(patient, visit[0], self._day(patient, supply, soon=False))
            self._resolves(nurse, task, "another time")
        elif task.kind == "missed_refill" and kind == "appointment" and nurse.chance.random() < 0.3:
            self._moves(patient, row, self._day(patient, supply, soon=True))  # the missed visit itself
        else:
            self.books(nurse, patient, self._day(patient, supply, soon=True))
            self._settled_by(nurse, task, patient)

    def _settled_by(self, nurse: Nurse, task: TaskRow, patient: Patient) -> None:
        """After booking: done where enough drug is behind the visit, else kept until the refill is had."""
        visit = self.rows.next_visit(patient.id, self.world.now)
        if visit is None:
            self._keeps(task, MINUTES_A_DAY)
        elif task.kind in ("reschedule", "not_arrived", "unconfirmed"):
            self._resolves(nurse, task, "booked")
        elif self._behind(self.rows.supply(patient.id), visit[1]) >= GUARDED_DAYS:
            self._resolves(nurse, task, "booked in time")
        else:
            self._keeps(task, visit[1] - self.world.minute + 90)

    def takes_a_call(self, patient: Patient) -> None:
        """A patient or carer calls the clinic: a day is found at once. The tasks about it stay for the list."""
        if self.world.over:
            return
        self.world.seen.counts["calls to the clinic"] += 1
        visit = self.rows.next_visit(patient.id, self.world.now)
        if visit is None and patient.unmarked is None:
            self.books(None, patient, self._day(patient, self.rows.supply(patient.id), soon=True))

    def _books_from_list(self) -> None:
        """Twice a week a nurse goes through the refills due: who has no visit, and whose volumes are missing."""
        if self.chance.random() < 0.25 or self.world.over:
            return
        with self.world.line.db.read() as session:
            due = refills_due(session, self.rows.clinic_id(), self.world.now, ZoneInfo(ZONE), within_days=21)
        for row in due:
            patient = self.world.patients[row.patient_id]
            if row.seen_on is not None:
                self._finishes(patient)
            elif row.visit is None and self.chance.random() < 0.5 and self.reaches(patient):
                self.books(None, patient, self._day(patient, self.rows.supply(patient.id), soon=False))

    # what the checks ask

    def why_not_owned(self, patient: Patient) -> str:
        """Return why nobody had this patient's refill in hand a week ago; empty where somebody had."""
        kinds = [row for row in self.rows.all(_ABOUT, patient.id) if row[1] in ABOUT_REFILL]
        if not kinds:
            return "no task about the refill"
        taken = [minute(at) for at in (self.rows.one(_FIRST_TAKEN, f"task:{row[0]}") for row in kinds) if at]
        if not taken:
            return "a task, but nobody had taken it"
        days = (self.world.minute - min(taken)) / MINUTES_A_DAY
        return "" if days >= OWNED_FOR_DAYS else f"taken {days:.1f} days before, too late"


_ABOUT = "SELECT id, kind FROM task WHERE patient_id = ? AND state != 'resolved'"
_FIRST_TAKEN = "SELECT min(at) FROM audit_event WHERE subject = ? AND verb = 'task acknowledged'"
