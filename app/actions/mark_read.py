"""A nurse has read a conversation, or wants it unread again. Nobody else sees a difference, so no audit is kept."""

from sqlalchemy import func, select

from app.actions.line import Line
from app.db.inserts import insert_once
from app.db.messages import InboundMessage
from app.db.threads import ThreadSeen


def mark_read(line: Line, phone_id: int, staff_id: int, up_to: int) -> None:
    """Remember up to which text this nurse has read. An older mark never takes back a newer one."""
    with line.db.begin() as session:
        newest = select(func.max(InboundMessage.id)).where(InboundMessage.phone_id == phone_id)
        seen_id = min(max(up_to, 0), session.scalar(newest) or 0)
        if insert_once(
            session, ThreadSeen, ("staff_id", "phone_id"), staff_id=staff_id, phone_id=phone_id, seen_id=seen_id
        ):
            return
        seen = session.get(ThreadSeen, (staff_id, phone_id), with_for_update=True)
        if seen is not None:
            seen.seen_id = max(seen.seen_id, seen_id)


def mark_unread(line: Line, phone_id: int, staff_id: int) -> bool:
    """Make the newest text unread for this nurse; False where nobody ever texted."""
    with line.db.begin() as session:
        newest = session.scalars(
            select(InboundMessage.id)
            .where(InboundMessage.phone_id == phone_id)
            .order_by(InboundMessage.id.desc())
            .limit(2)
        ).all()
        if not newest:
            return False
        seen_id = newest[1] if len(newest) > 1 else 0
        if not insert_once(
            session, ThreadSeen, ("staff_id", "phone_id"), staff_id=staff_id, phone_id=phone_id, seen_id=seen_id
        ):
            session.get_one(ThreadSeen, (staff_id, phone_id), with_for_update=True).seen_id = seen_id
        return True
