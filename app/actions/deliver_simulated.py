"""The simulated carrier: moves texts on their way one step further, through the same door as real callbacks."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select

from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.db.messages import ON_THE_WAY, DeliveryEvent, OutboundMessage
from app.db.people import Phone
from app.db.reading import passing_over

Progress = Callable[[str], Sequence[tuple[str, int | None]]]


def deliver_simulated(line: Line, progress: Progress, now: datetime) -> int:
    """Report the next step of every text on its way; return how many moved. `progress` says what a number's are."""
    with passing_over(), line.db.read() as session:
        rows = session.execute(
            select(OutboundMessage.id, OutboundMessage.token, Phone.number)
            .join(Phone, Phone.id == OutboundMessage.phone_id)
            .where(ON_THE_WAY)
            .order_by(OutboundMessage.id)
            .limit(500)
        ).all()
        told = {
            (message_id, status)
            for message_id, status in session.execute(
                select(DeliveryEvent.message_id, DeliveryEvent.status).where(
                    DeliveryEvent.message_id.in_([row.id for row in rows])
                )
            )
        }
    moved = 0
    for row in rows:
        step = next(((status, code) for status, code in progress(row.number) if (row.id, status) not in told), None)
        if step:
            moved += record_status(line, StatusReport(step[0], token=row.token, error_code=step[1]), now)
    return moved
