"""Change a clinic's days: visits a day, hours, length of a slot. Booked visits stay where they are."""

from dataclasses import dataclass, fields
from datetime import datetime, time

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.people import Clinic
from app.db.visit_hours import ClinicSchedule


@dataclass(frozen=True)
class ScheduleChange:
    """What to change; None leaves a field as it is. `places`: Monday first."""

    places: tuple[int, ...] | None = None
    opens: time | None = None
    closes: time | None = None
    slot_minutes: int | None = None


def change_schedule(
    line: Line, clinic_id: int, change: ScheduleChange, now: datetime, actor: str, version: int | None = None
) -> tuple[str, ...]:
    """Write the change and return the names of the fields that changed.

    Raises Refused for values that give no schedule, and where somebody changed it since `version` (0: nobody had).
    """
    with line.db.begin() as session:
        session.execute(select(Clinic.id).where(Clinic.id == clinic_id).with_for_update(key_share=True))
        found = session.get(ClinicSchedule, clinic_id)
        if version is not None and version != (found.version if found else 0):
            raise Refused("someone changed the days meanwhile: look at them again, nothing was changed", "conflict")
        if found is None:
            found = ClinicSchedule(clinic_id=clinic_id, version=0)
            session.add(found)
            session.flush()
        changed = _write(found, change)
        try:
            _ = found.hours
        except ValueError as error:
            raise Refused(str(error)) from error
        if changed:
            found.version += 1
            audit(session, now, actor, "schedule changed", f"clinic:{clinic_id}", fields=changed)
        return tuple(changed)


def _write(row: ClinicSchedule, change: ScheduleChange) -> list[str]:
    changed = []
    for field in fields(change):
        value = getattr(change, field.name)
        wanted = list(value) if isinstance(value, tuple) else value
        if wanted is not None and getattr(row, field.name) != wanted:
            setattr(row, field.name, wanted)
            changed.append(field.name)
    return changed
