"""Whether a day still has room for a visit. It is never refused for that: it asks for a reason, which is kept."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.db.care import Appointment, AppointmentState
from app.db.people import Clinic
from app.db.visit_hours import days_from
from app.domain.visit_hours import WEEKDAYS, ClinicDay, Room

LONGEST_REASON = 200


def day_of_visit(session: Session, clinic: Clinic, starts_at: datetime, now: datetime, visit_id: int = 0) -> ClinicDay:
    """Return the day of a visit at the clinic, not counting the visit that is to move there."""
    zone = ZoneInfo(clinic.time_zone)
    day = starts_at.astimezone(zone).date()
    return days_from(session, clinic.id, zone, day, 1, now, without=visit_id)[0]


def check_room(
    session: Session, clinic: Clinic, starts_at: datetime, now: datetime, why: str, visit: Appointment | None = None
) -> tuple[Room, str | None]:
    """Return what is short on that day, and the reason to keep with the visit: nothing and None where there is room.

    Raises Refused without a reason. Two who book the last place at once follow each other. A visit that stays on its
    day takes nobody's place.
    """
    # not stronger than needed: whatever only names the clinic goes on meanwhile
    session.execute(select(Clinic.id).where(Clinic.id == clinic.id).with_for_update(key_share=True))
    if visit is not None and stays(visit, starts_at, ZoneInfo(clinic.time_zone)):
        return "", visit.room_reason
    day = day_of_visit(session, clinic, starts_at, now, visit.id if visit else 0)
    if not day.room:
        return "", None
    said = " ".join(why.split())[:LONGEST_REASON]
    if not said:
        raise Refused(f"{why_no_room(day)}: choose another day, or give a reason", "room")
    return day.room, said


def stays(visit: Appointment, starts_at: datetime, zone: ZoneInfo) -> bool:
    """Whether a booked visit is to stay on its day."""
    same: tuple[date, date] = (visit.starts_at.astimezone(zone).date(), starts_at.astimezone(zone).date())
    return visit.state is AppointmentState.BOOKED and same[0] == same[1]


def why_no_room(day: ClinicDay) -> str:
    """Say what is short."""
    match day.room:
        case "closed":
            return f"the clinic is closed on {day.day:%a} {day.day.day}-{day.day:%b-%Y} ({day.closed})"
        case "no places":
            return f"no visits are planned on {WEEKDAYS[day.day.weekday()]}s"
        case _:
            return f"{day.day:%a} {day.day.day}-{day.day:%b-%Y} is full, with {day.taken} of {day.places} visits"
