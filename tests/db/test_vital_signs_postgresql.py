"""The line's numbers on PostgreSQL: the same as on SQLite."""

from datetime import timedelta

from app.actions.line import Line
from app.db.tally import add_one, tallies
from app.db.vital_signs import NEVER, vital_signs
from tests.db.test_postgresql import MONDAY, app, line, pytestmark, says, url

__all__ = ["app", "line", "pytestmark", "url"]  # the stage is that of the other stories


def test_an_urgent_text_that_nobody_sends_on(line: Line) -> None:
    says(line, "ALARM", "SM1")
    says(line, "striped umbrella", "SM2")
    for _ in range(2):
        with line.db.begin() as session:
            add_one(session, "provider_errors", "never:30005")
    with line.db.read() as session:
        signs = vital_signs(session, MONDAY + timedelta(minutes=4))
        assert tallies(session, "provider_errors") == {"never:30005": 2}
    assert signs.texts_in == 2
    assert (signs.queue_due, signs.safety_age, signs.alert_age) == (1, timedelta(minutes=4), timedelta(minutes=4))
    assert (signs.alerts, signs.tasks) == ({"open": 1, "acknowledged": 0}, 1)
    assert signs.overdue == dict.fromkeys(("reminder", "care_step", "page"), timedelta(0))
    assert signs.jobs["send_outbox"].age == signs.backup_age == NEVER
