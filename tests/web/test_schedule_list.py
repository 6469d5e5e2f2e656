"""The schedule leaves no visit out: its list goes on, and its calendar says what it does not draw."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.actions.line import Line
from app.db.care import Appointment, AppointmentState
from app.db.people import Clinic
from app.web.console import schedule, schedule_view
from tests.conftest import FrozenClock, Someone
from tests.web.conftest import Visitor

SCHEDULE = "/staff/schedule"
WEDNESDAY = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)  # 10:00 in New York, five days ago
ROW = re.compile(r'id="row-(\d+)"')
FURTHER = re.compile(r'<nav class="pages.*?</nav>', re.DOTALL)


@pytest.fixture
def many(line: Line, clinic: Clinic, maria: Someone, clock: FrozenClock) -> Callable[[int, datetime], list[int]]:
    """Write many visits at one time: `many(260, WEDNESDAY)`. Missed ones, which one patient may have together."""

    def book(count: int, at: datetime) -> list[int]:
        with line.db.begin() as session:
            rows = [
                Appointment(
                    clinic_id=clinic.id,
                    patient_id=maria.id,
                    starts_at=at,
                    state=AppointmentState.MISSED,
                    version=0,
                    created_at=clock(),
                )
                for _ in range(count)
            ]
            session.add_all(rows)
            session.flush()
            return [row.id for row in rows]

    return book


def rows_of(page: str) -> list[int]:
    return [int(found) for found in ROW.findall(page)]


def further(page: str) -> str:
    """Return the address of the next page, empty for none."""
    links = re.findall(r'href="([^"]+)"[^>]*>(?:More of|From) ', "".join(FURTHER.findall(page)))
    return links[0] if links else ""


# ── the list holds every visit ───────────────────────────────────────────────────────────────────────


def test_a_day_longer_than_a_page_goes_on_where_the_page_ended(
    nurse: Visitor, many: Callable[[int, datetime], list[int]]
) -> None:
    early, same = many(2, WEDNESDAY - timedelta(hours=2)), many(520, WEDNESDAY)
    after = many(3, WEDNESDAY + timedelta(days=2))
    address, seen, pages = f"{SCHEDULE}?view=list&day=2026-11-18", [], 0
    while address:
        page = nurse.page(address)
        seen += rows_of(page)
        address, pages = further(page), pages + 1
    assert seen == early + same + after, "each once, in order, though 520 begin at one time"
    assert pages == 3, "two of that day alone, the third with the days that follow"


@pytest.mark.parametrize("view", ["week", "month"])
def test_the_list_under_a_week_or_month_leads_on_too(
    nurse: Visitor, many: Callable[[int, datetime], list[int]], view: str
) -> None:
    every = many(schedule_view.LISTED + 1, WEDNESDAY)
    page = nurse.page(f"{SCHEDULE}?view={view}&day=2026-11-18")
    assert "More of Wed 18-Nov" in page
    assert rows_of(page) + rows_of(nurse.page(further(page))) == every


def test_whole_days_stay_together(nurse: Visitor, many: Callable[[int, datetime], list[int]]) -> None:
    first, second = many(200, WEDNESDAY), many(100, WEDNESDAY + timedelta(days=1))
    page = nurse.page(f"{SCHEDULE}?view=list&day=2026-11-18")
    assert rows_of(page) == first
    assert "From Thu 19-Nov" in page
    assert rows_of(nurse.page(further(page))) == second


def test_a_further_page_keeps_its_place_beside_a_panel_and_leads_back(
    nurse: Visitor, many: Callable[[int, datetime], list[int]]
) -> None:
    every = many(schedule_view.LISTED + 2, WEDNESDAY)
    place = further(nurse.page(f"{SCHEDULE}?view=list&day=2026-11-18"))
    page = nurse.page(place)
    assert "Wed 18-Nov from its first visit" in page
    panel = nurse.page(f"{SCHEDULE}/visits/{every[-1]}?{place.partition('?')[2]}")
    assert rows_of(panel) == rows_of(page) == every[-2:]
    assert re.search(r'name="seen" value="\d{8}T\d{12}-\d+"', panel)


@pytest.mark.parametrize(
    "seen", ["", "x", "-", "20261118T150000000000-", "20261302T150000000000-1", "2026-1", "9" * 90]
)
def test_a_place_that_nobody_wrote_is_the_first_page(
    nurse: Visitor, many: Callable[[int, datetime], list[int]], seen: str
) -> None:
    every = many(2, WEDNESDAY)
    assert rows_of(nurse.page(f"{SCHEDULE}?view=list&day=2026-11-18&seen={seen}")) == every


# ── the calendar says what it leaves out ─────────────────────────────────────────────────────────────

FEED = f"{SCHEDULE}/visits.json"


def fed(nurse: Visitor, start: str, end: str) -> dict[str, Any]:
    answer: dict[str, Any] = nurse.get(f"{FEED}?start={start}&end={end}").get_json()
    return answer


def test_a_feed_that_holds_every_visit_leaves_nothing_out(
    nurse: Visitor, many: Callable[[int, datetime], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FED", 3)
    every = many(3, WEDNESDAY)
    answer = fed(nurse, "2026-11-01", "2026-12-01")
    assert [visit["id"] for visit in answer["visits"]] == every
    assert answer["left_out"] is None


def test_a_feed_that_does_not_says_from_which_day_on(
    nurse: Visitor, many: Callable[[int, datetime], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FED", 3)
    first, rest = many(2, WEDNESDAY), many(4, WEDNESDAY + timedelta(days=1))
    answer = fed(nurse, "2026-11-01", "2026-12-01")
    assert [visit["id"] for visit in answer["visits"]] == [*first, rest[0]]
    assert answer["left_out"] == {"from": "2026-11-19", "said": "Thu 19-Nov"}
    taken = {day["day"]: day["taken"] for day in answer["days"]}
    assert (taken["2026-11-18"], taken["2026-11-19"]) == (2, 4), "the days count what is not drawn too"


def test_every_page_with_a_calendar_can_say_so(nurse: Visitor) -> None:
    month, week = nurse.page(f"{SCHEDULE}?view=month"), nurse.page(SCHEDULE)
    assert "Not all visits of this month fit" in month
    assert "Open the week" in month
    assert "Not all visits of this week fit" in week
    assert "Open the list" in week
    assert "Not all visits" not in nurse.page(f"{SCHEDULE}?view=list")
