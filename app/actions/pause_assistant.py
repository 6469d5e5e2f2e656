"""A nurse has the assistant leave questions to people, or answer again."""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.actions.audit import audit
from app.actions.line import Line
from app.actions.threads import Before, changed, the_thread
from app.db.people import Clinic, Phone
from app.domain.paused import paused_until


def pause_assistant(line: Line, phone_id: int, now: datetime, staff_id: int) -> datetime:
    """Pause it on one thread until the clinic's day ends; return until when. Emergencies are answered as ever."""
    with line.db.begin() as session:
        phone = session.get_one(Phone, phone_id)
        thread = the_thread(session, phone.clinic_id, phone_id, now)
        until = paused_until(now, ZoneInfo(session.get_one(Clinic, phone.clinic_id).time_zone), line.day_ends)
        thread.paused_until, thread.paused_by = until, staff_id
        changed(session, thread, Before(thread), "paused", now, staff_id, until=until)
        audit(session, now, f"staff:{staff_id}", "assistant paused", f"phone:{phone_id}", until=until.isoformat())
        return until


def resume_assistant(line: Line, phone_id: int, now: datetime, staff_id: int) -> bool:
    """Let the assistant answer again; False where it was not paused."""
    with line.db.begin() as session:
        phone = session.get_one(Phone, phone_id)
        thread = the_thread(session, phone.clinic_id, phone_id, now)
        if thread.paused_until is None or thread.paused_until <= now:
            return False
        thread.paused_until = thread.paused_by = None
        changed(session, thread, Before(thread), "resumed", now, staff_id)
        audit(session, now, f"staff:{staff_id}", "assistant resumed", f"phone:{phone_id}")
        return True
