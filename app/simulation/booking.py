"""How the clinic finds days for visits: by the plan-by date, sometimes later, with a reason."""

from __future__ import annotations

from collections import Counter
from datetime import date

from app.actions.book_appointment import book_appointment
from app.actions.errors import Refused
from app.actions.move_appointment import move_appointment
from app.simulation.agenda import instant
from app.simulation.patients import Patient
from app.simulation.rows import SupplyRow
from app.simulation.world import World


class Nurse:
    def __init__(self, desk: Booking, staff_id: int, first: int) -> None:
        self.desk = desk
        self.staff_id = staff_id
        self.first = first  # minutes after the hour at which she looks at the list
        self.chance = desk.world.shard.stream("nurse", first)


class Booking:
    """The clinic's staff as one: who does what is drawn, the record says which of the two it was."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows = world.rows
        self.chance = world.shard.stream("desk")
        self.nurses = tuple(Nurse(self, id_, 15 * place) for place, id_ in enumerate(world.staff))
        self.again: dict[int, int] = {}  # task -> minute from which its owner goes on with it
        self.tries: Counter[int] = Counter()

    def _behind(self, supply: SupplyRow, at: int) -> int:
        """Return the days of drug, by the early edge, that a visit leaves behind it."""
        if supply.early_empty_on is None:
            return 0
        return (supply.early_empty_on - self._date(at)).days

    def _date(self, at: int) -> date:
        return self.world.opening.date_of(self.world.opening.day_at(at))

    def _day(self, patient: Patient, supply: SupplyRow, *, soon: bool) -> int:
        """Return the day on which a visit is offered: a few days before it must be, or the next that is free."""
        today = self.world.opening.day_at(self.world.minute)
        if supply.plan_by is None:
            return self.world.opening.open_day(today + 3)
        last = self.world.opening.number_of(supply.plan_by)
        before = patient.chance.randint(0, 9)
        if not soon and patient.chance.random() < 0.06:  # later than it should be
            late = self.world.opening.number_of(supply.early_empty_on) if supply.early_empty_on else last
            wanted = min(last + patient.chance.randint(1, 6), late - 1)
        else:
            pressing = soon and last - today <= 28
            wanted = min(last - before, today + 12) if pressing else last - before
        soonest = today + (1 if soon and wanted - today < 3 else patient.chance.randint(1, 4))
        return self.world.opening.open_day(max(wanted, soonest), back=wanted > soonest + 4)

    def books(self, nurse: Nurse | None, patient: Patient, day: int) -> bool:
        """Book a visit; beyond the plan-by date the nurse gives a reason, as she is asked to."""
        at = self.world.opening.visit_on(day, patient.chance)
        line, now = self.world.line, self.world.now
        actor = f"staff:{(nurse or self.nurses[0]).staff_id}"

        def book(why: str) -> int:
            return book_appointment(line, patient.id, instant(at), now, actor, late_reason=why)

        try:
            visit = book("")
        except Refused as refused:
            if refused.kind != "late":
                self.world.seen.refused[f"book: {refused}"] += 1
                return False
            self.world.seen.counts["booked late, with a reason"] += 1
            visit = book("no earlier day")
        self.world.seen.counts["visits booked"] += 1
        patient.expects(visit, at)
        return True

    def books_first(self, patient: Patient) -> None:
        """The visit that stands when the year begins."""
        self.books(None, patient, self._day(patient, self.rows.supply(patient.id), soon=False))

    def _says_why(self, visit: tuple[int, int], why: str) -> None:
        """Give the reason for a visit that stays as it is."""
        actor = f"staff:{self.nurses[0].staff_id}"
        at = instant(visit[1])
        self.world.try_to(
            "say why", lambda: move_appointment(self.world.line, visit[0], at, self.world.now, actor, None, why)
        )

    def _moves(self, patient: Patient, visit: int, day: int) -> None:
        at = self.world.opening.visit_on(day, patient.chance)

        def move(reason: str) -> None:
            move_appointment(
                self.world.line, visit, instant(at), self.world.now, f"staff:{self.nurses[0].staff_id}", None, reason
            )

        try:
            move("")
        except Refused as refused:
            if refused.kind != "late":
                self.world.seen.refused[f"move: {refused}"] += 1
                return
            self.world.seen.counts["booked late, with a reason"] += 1
            move("no earlier day")
        self.world.seen.counts["visits moved"] += 1
        patient.expects(visit, at)

    def _books_next(self, nurse: Nurse, patient: Patient) -> None:
        """At the end of a refill, once its volumes are recorded: mostly the next visit is booked at once."""
        if self.rows.next_visit(patient.id, self.world.now) is None and patient.chance.random() < 0.8:
            self.books(nurse, patient, self._day(patient, self.rows.supply(patient.id), soon=False))

    def _soonest(self, patient: Patient) -> None:
        """It may beep or fail because it is nearly empty: a visit on the next open day, if the record says so too."""
        today = self.world.opening.day_at(self.world.minute)
        early = self.rows.supply(patient.id).early_empty_on
        if early is not None and self.world.opening.number_of(early) - today > 21:
            return
        day = self.world.opening.open_day(today + 1)
        visit = self.rows.next_visit(patient.id, self.world.now)
        if visit is None:
            self.books(None, patient, day)
        elif self.world.opening.day_at(visit[1]) > day:
            self._moves(patient, visit[0], day)
