"""Today: who needs a person now, in order of danger, each row with what to do next."""

import re
from collections.abc import Callable
from datetime import timedelta

from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.actions.receive_text import Received
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor


def rows(page: str) -> list[str]:
    """Return each row of the lists as a reader sees it."""
    found = re.findall(r'<li class="work[^"]*" id="(?:refill|task)-.*?</li>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


def test_an_unbooked_pump_stands_there_with_its_bar_and_what_to_do(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    desk.fills(maria, days_ago=60)  # 86 days by the early edge
    page = nurse.page("/staff/")
    [row] = rows(page)
    assert row.startswith("Lopez , Maria")
    assert "Not booked 26 d earliest" in row
    assert "plan-by" in row
    assert "Book" in row
    assert 'aria-label="Drug left: 26 days at the earliest' in page


def test_a_pump_that_is_booked_in_time_or_was_filled_lately_is_no_work(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=60)
    desk.books(maria, clock() + timedelta(days=10))
    assert rows(nurse.page("/staff/")) == []


def test_who_was_seen_and_not_recorded_is_among_the_pumps_to_see_to_and_not_called(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=70)
    visit = desk.books(maria, clock() + timedelta(hours=1))
    desk.attends(visit)
    [row] = rows(nurse.page("/staff/"))
    assert "Record the" in row or "record the volumes" in row
    assert "Record refill" in row


def test_a_missed_visit_has_its_task_and_can_be_settled_there(
    nurse: Visitor, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    desk.fills(maria, days_ago=75)
    visit = desk.books(maria, clock() + timedelta(minutes=5))
    clock.forward(minutes=15)
    desk.misses(visit)
    page = nurse.page("/staff/")
    [row] = rows(page)
    assert "Missed, not booked again" in row
    assert "nobody has it yet" in row
    assert "Call and book" in row
    [task] = desk.tasks(TaskKind.MISSED_REFILL)
    nurse.post(f"/staff/tasks/{task.id}/acknowledge", seen_on="/staff/", version=task.version)
    assert "Ana has it" in rows(nurse.page("/staff/"))[0]


def test_whoever_cannot_be_texted_is_called_through_the_carer(
    nurse: Visitor, maria: Someone, desk: Desk, texts: Callable[..., Received]
) -> None:
    desk.adds_carer(maria, "+16145550166", name="Dana Lopez", relation="sister")
    texts(maria.phone, "STOP")
    open_rows = [row for row in rows(nurse.page("/staff/")) if "Call" in row]
    assert any("Call Dana" in row for row in open_rows)


def test_the_wait_for_a_person_is_told(
    nurse: Visitor, maria: Someone, clock: FrozenClock, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "my pump is alarming")
    clock.forward(minutes=4)
    nurse.post("/staff/tasks/1/acknowledge", seen_on="/staff/", version=1)
    page = re.sub(r"<[^>]+>", " ", nurse.page("/staff/"))
    assert "4 min" in page
    assert "wait for a person after an urgent text" in re.sub(r"\s+", " ", page)


def test_a_day_with_many_visits_shows_those_to_come_and_leads_to_the_rest(
    nurse: Visitor, add_patient: Callable[..., Someone], line: Line, clock: FrozenClock
) -> None:
    for n in range(15):
        someone = add_patient(f"Pat{n}", f"+1614555{2000 + n}")
        book_appointment(line, someone.id, clock() + timedelta(days=1, minutes=n), clock(), "command")
    page = nurse.page("/staff/").partition('id="agenda"')[2]
    shown = re.findall(r'class="fam">Lopez</span>, Pat(\d+)', page)
    assert shown == [str(n) for n in range(12)]
    assert "15, 15 not confirmed" in page
    assert "All 15 in the schedule" in page


def test_a_long_list_shows_its_gravest_rows_and_all_of_them_where_one_asks(
    nurse: Visitor, add_patient: Callable[..., Someone], clock: FrozenClock, texts: Callable[..., Received]
) -> None:
    for n in range(15):
        someone = add_patient(f"Pat{n}", f"+1614555{2000 + n}")
        texts(someone.phone, "i need to talk to a nurse about my bill")
        clock.forward(seconds=61)
    page = nurse.page("/staff/")
    asking = [row for row in rows(page) if "about my bill" in row]
    assert len(asking) == 12
    assert "Pat0" in asking[0], "the longest wait first"
    link = re.search(r'href="(/staff/\?all=[a-z_]+)[^"]*">Show 3 more', page)
    assert link
    whole = nurse.page(link[1])
    assert len([row for row in rows(whole) if "about my bill" in row]) == 15
    assert "Show 3 more" not in whole
    assert f'hx-get="{link[1]}"' in whole, "it stays whole when it refreshes itself"
    assert len([row for row in rows(nurse.page("/staff/?all=nonsense")) if "about my bill" in row]) == 12
