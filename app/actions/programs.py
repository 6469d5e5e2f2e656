"""What the verbs about a pump's program share: an entry as staff type it, its row, and the second person's task."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.supply import program_of
from app.actions.tasks import open_task
from app.db.care import EntryState, Program
from app.db.people import Clinic, Patient
from app.db.pump_records import PumpRecord
from app.db.work import TaskKind
from app.domain.pump_checks import needs_second_person
from app.domain.pump_values import Program as Delivery
from scheduler.ladders import Due, task_due


@dataclass(frozen=True)
class Entry:
    """A program as the programmer shows it: mcg/mL, mcg a day, mL. One daily dose, or seven, Monday first."""

    concentration_mcg_per_ml: Decimal
    alarm_volume_ml: Decimal
    daily_dose_mcg: Decimal | None = None
    weekday_doses_mcg: tuple[Decimal, ...] | None = None
    boluses_per_day: Decimal = Decimal(0)
    bolus_mcg: Decimal = Decimal(0)
    drug: str = "baclofen"

    @staticmethod
    def of(row: Program) -> "Entry":
        doses = tuple(Decimal(dose) for dose in row.weekday_doses_mcg) if row.weekday_doses_mcg else None
        return Entry(
            concentration_mcg_per_ml=row.concentration_mcg_per_ml,
            alarm_volume_ml=row.alarm_volume_ml,
            daily_dose_mcg=None if doses else row.daily_dose_mcg,
            weekday_doses_mcg=doses,
            boluses_per_day=row.boluses_per_day,
            bolus_mcg=row.bolus_mcg,
            drug=row.drug,
        )

    def delivers(self) -> Delivery:
        """Return what the pump will deliver. Raises Refused, saying what to check, for what no pump can run."""
        try:
            return Delivery(
                self.concentration_mcg_per_ml,
                self.daily_dose_mcg,
                self.weekday_doses_mcg,
                self.boluses_per_day,
                self.bolus_mcg,
            )
        except ValueError as error:
            raise Refused(str(error)) from error

    def mean_daily_dose_mcg(self) -> Decimal:
        """Return the programmed dose without boluses, over the week."""
        if self.daily_dose_mcg is not None:
            return self.daily_dose_mcg
        return (sum(self.weekday_doses_mcg or (), Decimal(0)) / 7).quantize(Decimal("0.0001")).normalize()


def stored_program(
    entry: Entry, pump_id: int, effective_on: date, now: datetime, staff_id: int | None, *, state: EntryState
) -> Program:
    return Program(
        pump_id=pump_id,
        effective_on=effective_on,
        drug=entry.drug,
        concentration_mcg_per_ml=entry.concentration_mcg_per_ml,
        daily_dose_mcg=entry.mean_daily_dose_mcg(),
        weekday_doses_mcg=[format(dose, "f") for dose in entry.weekday_doses_mcg] if entry.weekday_doses_mcg else None,
        boluses_per_day=entry.boluses_per_day,
        bolus_mcg=entry.bolus_mcg,
        alarm_volume_ml=entry.alarm_volume_ml,
        state=state,
        entered_by=staff_id,
        created_at=now,
    )


def jump(record: PumpRecord, entry: Entry, day: date, percent: Decimal) -> str | None:
    """Return why a second member of staff must confirm a program from a day on, None where nobody must.

    It is held against what ran before that day: entries of one day must not creep past the limit.
    """
    on_day, before = record.program_on(day), record.program_before(day)
    if on_day is not None and Entry.of(on_day) == entry:
        return None
    held_against = before or on_day
    return needs_second_person(program_of(held_against) if held_against else None, entry.delivers(), percent)


def second_person(session: Session, patient: Patient, clinic: Clinic, subject: str, why: str, now: datetime) -> None:
    """Ask for a second member of staff: nothing of the entry counts until one confirms it."""
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.SECOND_PERSON,
        subject,
        f"waits for a second member of staff: {why}",
        patient_id=patient.id,
        due_at=task_due(Due.NOW, now, ZoneInfo(clinic.time_zone)),
    )
