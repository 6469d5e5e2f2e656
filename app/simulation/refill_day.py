"""The day of a refill: what is taken out and put in, who writes it down and when; and doses changed between refills."""

from __future__ import annotations

from decimal import Decimal

from app.actions.change_program import change_program
from app.actions.mark_attended import mark_attended
from app.actions.programs import Entry
from app.actions.record_refill import RefillEntry, record_refill
from app.domain.pump_values import Program
from app.simulation.booking import Booking, Nurse
from app.simulation.papers import Paper
from app.simulation.patients import Patient


class RefillDay(Booking):
    """What happens at the visit, as the clinic's staff do it."""

    def _finishes(self, patient: Patient) -> None:
        """The list says that somebody was here and the volumes are not recorded: they are, if she gets to it."""
        paper = next((p for p in reversed(patient.papers) if not p.entered), None)
        if paper is not None and self.chance.random() < 0.5:
            self._records(self.nurses[0], patient, paper)
            self._books_next(self.nurses[0], patient)

    def sees(self, patient: Patient, appointment_id: int) -> None:
        """The patient is here: the pump is refilled, sometimes with another program, and somebody writes it down."""
        if self.world.over:
            return
        self.world.seen.counts["visits had"] += 1
        nurse = self.nurses[int(self.chance.random() < 0.5)]
        program = self._maybe_another(patient)
        left = patient.is_filled(program or patient.program)
        taken = Decimal(str(round(max(0.0, left + self.chance.gauss(0, 0.15)), 1)))
        day = self.world.opening.day_at(self.world.minute)
        spec = patient.person.pump
        paper = Paper(appointment_id, day, spec.size_ml, min(taken, spec.size_ml), program, spec.alarm_ml)
        patient.papers.append(paper)
        patient.unmarked = paper
        luck = self.chance.random()
        if luck < 0.96:  # else nobody does, until a task says that they have not arrived
            minutes = 10 * self.chance.randint(2, 6) if luck < 0.9 else self.chance.randint(80, 150)
            self.world.agenda.after(minutes, lambda: self._marks(nurse, patient, paper))

    def _marks(self, nurse: Nurse, patient: Patient, paper: Paper) -> None:
        if patient.unmarked is not paper:
            return
        patient.unmarked = None
        records = self.chance.random() < 0.85  # else a task says that the volumes are missing
        first = self.chance.random() < 0.2
        if records and first:
            self._records(nurse, patient, paper)
        appointment_id = paper.appointment_id
        if appointment_id is not None:
            self.world.try_to(
                "mark attended",
                lambda: mark_attended(self.world.line, appointment_id, self.world.now, f"staff:{nurse.staff_id}"),
            )
        if records and not first:
            self._records(nurse, patient, paper)
        if records:
            self._books_next(nurse, patient)

    def _records(self, nurse: Nurse, patient: Patient, paper: Paper) -> None:
        entry = RefillEntry(
            self.world.opening.date_of(paper.day),
            paper.volume_ml,
            paper.aspirated_ml,
            _entry(paper.program, paper.alarm_ml) if paper.program else None,
        )
        paper.entered = True
        done = self.world.try_to(
            "record refill",
            lambda: record_refill(
                self.world.line, patient.id, entry, self.world.now, f"staff:{nurse.staff_id}", nurse.staff_id
            ),
        )
        if done is not None:
            paper.refill_id = done.refill_id
            self.world.seen.counts["refills recorded"] += 1
            self.world.seen.counts["entries for a second person"] += done.waits

    def hears_from_hospital(self, patient: Patient, paper: Paper) -> None:
        if not paper.entered:
            self._records(self.nurses[0], patient, paper)
            self._books_next(self.nurses[0], patient)

    def _maybe_another(self, patient: Patient) -> Program | None:
        """Return another program to go on with: a dose, the weekends, boluses, now and then a concentration."""
        before, kind, luck = patient.program, patient.person.pump.kind, patient.chance.random()
        dose = before.mean_daily_dose_mcg
        if kind == "flex" and before.weekday_doses_mcg is None:
            low = (dose * Decimal("0.8")).quantize(Decimal("0.1"))
            high = ((dose * 7 - 2 * low) / 5).quantize(Decimal("0.1"))
            return Program(before.concentration_mcg_per_ml, weekday_doses_mcg=(high,) * 5 + (low,) * 2)
        if kind == "bolus" and not before.bolus_mcg:
            bolus = (dose * Decimal("0.05")).quantize(Decimal("0.1"))
            return Program(before.concentration_mcg_per_ml, dose, boluses_per_day=Decimal(2), bolus_mcg=bolus)
        if kind == "plain" and luck < 0.1:
            return Program(before.concentration_mcg_per_ml, self._another_dose(patient, luck < 0.02))
        if kind == "plain" and luck < 0.12:
            mcg = Decimal(1000) if before.concentration_mcg_per_ml == 500 else before.concentration_mcg_per_ml
            return Program(mcg, dose) if mcg != before.concentration_mcg_per_ml else None
        return None

    def _another_dose(self, patient: Patient, far: bool) -> Decimal:
        dose = patient.program.mean_daily_dose_mcg
        by = patient.chance.uniform(0.3, 0.4) if far else patient.chance.uniform(0.05, 0.2)
        up = patient.chance.random() < 0.6
        changed = float(dose) * (1 + by if up else 1 - by)
        return Decimal(str(round(min(1500.0, max(30.0, changed)), 1)))

    def changes_dose(self, patient: Patient) -> None:
        """Between refills: the pump runs with the new dose from now on, whatever the record waits for."""
        if self.world.over or patient.program.weekday_doses_mcg or patient.program.bolus_mcg:
            return
        nurse = self.nurses[int(self.chance.random() < 0.5)]
        program = Program(
            patient.program.concentration_mcg_per_ml, self._another_dose(patient, self.chance.random() < 0.2)
        )
        entry = _entry(program, patient.person.pump.alarm_ml)
        today = patient.today()
        done = self.world.try_to(
            "change program",
            lambda: change_program(
                self.world.line, patient.id, entry, today, self.world.now, f"staff:{nurse.staff_id}", nurse.staff_id
            ),
        )
        if done is not None:
            patient.runs(program)
            self.world.seen.counts["dose changes"] += 1
            self.world.seen.counts["entries for a second person"] += done.waits


def _entry(program: Program, alarm_ml: Decimal) -> Entry:
    return Entry(
        concentration_mcg_per_ml=program.concentration_mcg_per_ml,
        alarm_volume_ml=alarm_ml,
        daily_dose_mcg=program.daily_dose_mcg,
        weekday_doses_mcg=program.weekday_doses_mcg,
        boluses_per_day=program.boluses_per_day,
        bolus_mcg=program.bolus_mcg,
    )
