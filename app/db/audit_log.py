"""The audit log, read: what is about one patient, and pages of what people did."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.db.care import Appointment, Program, Pump, Refill
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, Patient, Staff
from app.db.supply import Referral, Scan
from app.db.work import AuditEvent, Task

READ = "read"  # of one patient's pages; the subject says whose
LISTED = "saw a list"  # its detail holds the ids shown
PAGE = 100
RECENT = 5_000

_Event = AuditEvent


@dataclass(frozen=True)
class Line:
    """One event, with its person by name where it was one of the staff."""

    id: int
    at: datetime
    actor: str
    who: str | None
    verb: str
    subject: str
    detail: dict[str, Any]
    sealed: bool


@dataclass(frozen=True)
class Wanted:
    """What a page of the log shows. `actors`: whose deeds; None: everybody's. `not_staff`: only others'."""

    actors: Collection[str] | None = None
    not_staff: bool = False
    verb: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def id_list(ids: Iterable[int]) -> str:
    """Return ids as the detail of a list holds them: " 3 17 ", so that one is found by its spaces."""
    return f" {' '.join(str(one) for one in sorted(ids))} "


def audit_page(session: Session, wanted: Wanted, *, before: int | None = None, limit: int = PAGE) -> list[Line]:
    """Return the newest events first, older than `before`. Ask for one more than is shown to know whether there are."""
    query = _lines().order_by(_Event.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_Event.id < before)
    if wanted.actors is not None:
        query = query.where(_Event.actor.in_(sorted(wanted.actors)))
    if wanted.not_staff:
        query = query.where(_Event.actor.not_like("staff:%"))
    if wanted.verb is not None:
        query = query.where(_Event.verb == wanted.verb)
    if wanted.since is not None:
        query = query.where(_Event.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_Event.at < wanted.until)
    return _read(session, query)


def about_patient(session: Session, patient_id: int, *, before: int | None = None, limit: int = PAGE) -> list[Line]:
    """Return who read or changed one patient's record, newest first: by rows of the patient, and by lists shown."""
    own = _lines().where(_Event.subject.in_(_subjects_of(patient_id)))
    shown = cast(_Event.detail, String).like(f"% {int(patient_id)} %")
    in_lists = _lines().where(_Event.verb == literal(LISTED, literal_execute=True), shown)
    found: dict[int, Line] = {}
    for query in (own, in_lists):
        ordered = query.order_by(_Event.id.desc()).limit(limit)
        if before is not None:
            ordered = ordered.where(_Event.id < before)
        found |= {line.id: line for line in _read(session, ordered)}
    return sorted(found.values(), key=lambda line: line.id, reverse=True)[:limit]


def staff_of_clinic(session: Session, clinic_id: int) -> list[tuple[int, str, bool]]:
    """Return id, name and whether active of everybody who ever had an account in a clinic."""
    found = session.execute(
        select(Staff.id, Staff.name, Staff.active).where(Staff.clinic_id == clinic_id).order_by(Staff.name, Staff.id)
    )
    return [(row.id, row.name, row.active) for row in found]


def recent_verbs(session: Session) -> list[str]:
    """Return what was done lately, in words to choose from."""
    recent = select(_Event.verb).order_by(_Event.id.desc()).limit(RECENT).subquery()
    return sorted(session.scalars(select(recent.c.verb).distinct()))


def only_clinic(session: Session) -> bool:
    """Whether there is one clinic on this installation: then all that was done was done in it."""
    return (session.scalar(select(func.count()).select_from(Clinic)) or 0) < 2


def _lines() -> Select[Any]:
    who = select(Staff.name).where(_Event.actor == literal("staff:") + cast(Staff.id, String)).scalar_subquery()
    return select(
        _Event.id,
        _Event.at,
        _Event.actor,
        who.label("who"),
        _Event.verb,
        _Event.subject,
        _Event.detail,
        _Event.hash.is_not(None).label("sealed"),
    )


def _read(session: Session, query: Select[Any]) -> list[Line]:
    return [
        Line(row.id, row.at, row.actor, row.who, row.verb, row.subject, row.detail or {}, bool(row.sealed))
        for row in session.execute(query)
    ]


def _subjects_of(patient_id: int) -> Any:
    """Select every name under which the log knows something of a patient: patient:4, appointment:12, refill:7 ..."""

    def named(kind: str, row_id: Any) -> Select[Any]:
        return select((literal(f"{kind}:") + cast(row_id, String)).label("subject"))

    pumps = select(Pump.id).where(Pump.patient_id == patient_id)
    phones = select(Contact.phone_id).where(Contact.patient_id == patient_id)
    return union_all(
        named("patient", Patient.id).where(Patient.id == patient_id),
        named("phone", Contact.phone_id).where(Contact.patient_id == patient_id),
        named("appointment", Appointment.id).where(Appointment.patient_id == patient_id),
        named("task", Task.id).where(Task.patient_id == patient_id),
        named("pump", Pump.id).where(Pump.patient_id == patient_id),
        named("refill", Refill.id).where(Refill.pump_id.in_(pumps)),
        named("program", Program.id).where(Program.pump_id.in_(pumps)),
        named("referral", Referral.id).where(Referral.patient_id == patient_id),
        named("scan", Scan.id).where(Scan.patient_id == patient_id),
        named("inbound", InboundMessage.id).where(InboundMessage.phone_id.in_(phones)),
        named("message", OutboundMessage.id).where(OutboundMessage.phone_id.in_(phones)),
    )
