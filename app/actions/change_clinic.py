"""Change how a clinic is known and reached. The settings only name it at the first start; after that, this does."""

from dataclasses import dataclass, fields
from datetime import datetime, time

from sqlalchemy import update

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line, policy_of
from app.actions.prepare import the_clinic
from app.db.work import Task, TaskKind, TaskState


@dataclass(frozen=True)
class ClinicChange:
    """What to change; None leaves a field as it is, an empty on-call phone removes it. Phones in E.164."""

    name: str | None = None
    phone: str | None = None
    after_hours_phone: str | None = None
    on_call_phone: str | None = None
    emergency_number: str | None = None
    time_zone: str | None = None
    ladder_days: list[int] | None = None
    remind_at: time | None = None
    texts_from: time | None = None
    texts_until: time | None = None
    missed_after_minutes: int | None = None

    @property
    def given(self) -> dict[str, object]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}


def change_clinic(line: Line, change: ClinicChange, now: datetime, actor: str) -> tuple[str, ...]:
    """Write the change and return the names of the fields that changed.

    Raises Refused for reminder times that could not be kept. Reminders already planned follow at the next
    re-planning.
    """
    with line.db.begin() as session:
        clinic = the_clinic(session)
        changed = []
        for name, value in change.given.items():
            wanted = None if name == "on_call_phone" and value == "" else value
            if getattr(clinic, name) != wanted:
                setattr(clinic, name, wanted)
                changed.append(name)
        try:
            policy_of(clinic)
        except ValueError as error:
            raise Refused(str(error)) from error
        if "on_call_phone" in changed and clinic.on_call_phone:  # alerts that could page nobody page now
            waiting = update(Task).where(Task.clinic_id == clinic.id, Task.kind == TaskKind.ALERT)
            session.execute(waiting.where(Task.state == TaskState.OPEN).values(next_page_at=now))
        if changed:
            clinic.version += 1
            audit(session, now, actor, "clinic changed", f"clinic:{clinic.id}", fields=changed)
        return tuple(changed)
