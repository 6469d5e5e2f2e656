"""The line's numbers on PostgreSQL: the same as on SQLite."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from app.actions.check_line import check_line
from app.actions.line import Line
from app.actions.line_check import BACK
from app.channels.simulator import SimulatorChannel
from app.db.heartbeat import well_at
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


def test_of_four_workers_one_sends_the_lines_own_text(line: Line) -> None:
    ours = replace(line, check_phone="+16145550180", check_number="+16145550100", channel="simulator")
    for quarter in range(3):
        now = MONDAY + timedelta(minutes=15 * quarter)
        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(lambda _, at=now: check_line(ours, SimulatorChannel(), at), range(4)))
        assert sorted(sent) == [False, False, False, True]
        with line.db.read() as session:
            assert well_at(session, BACK) == now
