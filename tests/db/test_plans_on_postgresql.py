"""What stands about one patient or one phone can be found by an index on PostgreSQL, whatever else there is.

Few rows are read whole by any plan. With that forbidden, a plan still does so only where no index would serve.
"""

import re
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event, select, text

from app.actions.line import Line
from app.db.patient_timeline import timeline
from app.db.people import Contact
from app.db.thread import thread
from tests.db.test_postgresql import app, line, pytestmark, says, url

__all__ = ["app", "line", "pytestmark", "url"]  # the stage is that of the other stories

READ_WHOLE = re.compile(r"Seq Scan on (outbound_message|inbound_message|task|appointment|contact|phone)\b")


def test_a_time_line_and_a_conversation_are_found_by_indexes(line: Line) -> None:
    says(line, "TRAVEL", "SM1")
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        said.append((statement, values))

    with line.db.read() as session:
        patient_id, phone_id = session.execute(select(Contact.patient_id, Contact.phone_id)).first() or (0, 0)
        event.listen(line.db.engine, "before_cursor_execute", hear)
        try:
            timeline(session, patient_id, ZoneInfo("America/New_York"))
            thread(session, [phone_id], 60)
        finally:
            event.remove(line.db.engine, "before_cursor_execute", hear)
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plans = {
            statement: "\n".join(row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN {statement}", values))
            for statement, values in said
        }
    assert len(plans) > 8
    assert {statement: plan for statement, plan in plans.items() if READ_WHOLE.search(plan)} == {}
