"""The schedule for a nurse who reads Spanish, or hours of twelve: every word and hour on the page is theirs, and what
is posted and stored is as ever."""

import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import pytest

from app.actions.change_preferences import change_preferences
from app.actions.line import Line
from app.db.care import Appointment
from app.db.people import Clinic
from app.web.language import words_of
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor
from tests.web.test_schedule_pages import DAYS, FRIDAY, SCHEDULE, alert, books, closed, closes, moves, sets_days
from tests.web.test_schedule_pages import lead as lead
from tests.web.test_schedule_pages import thanksgiving as thanksgiving

WEDNESDAY = datetime(2026, 12, 2, 19, 30, tzinfo=UTC)  # 14:30 in New York
SAID = ("aria-label", "title", "placeholder")


class Words(HTMLParser):
    """Collect what a page says, in text and in attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page[page.index("<main") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SAID and value]

    def handle_data(self, data: str) -> None:
        self.found.append(" ".join(data.split()))


def in_spanish(visitor: Visitor) -> Visitor:
    visitor.headers = {"Accept-Language": "es"}
    return visitor


def left_in_english(page: str) -> list[str]:
    """Return what stands on a page in words that have Spanish ones."""
    spanish = words_of("es")
    own = {"Thanksgiving"}  # the clinic's word for its closed day
    return [said for said in Words(page).found if said and said not in own and spanish.gettext(said) != said]


def test_no_known_word_stays_english(nurse: Visitor, maria: Someone, thanksgiving: int, desk: Desk) -> None:
    desk.fills(maria, days_ago=75)
    visit = desk.books(maria, WEDNESDAY, late_reason="as agreed")
    in_spanish(nurse)
    pages = [f"{SCHEDULE}?view={view}" for view in ("week", "month", "list")]
    pages += [f"{SCHEDULE}?view=list&day=2026-12-02", DAYS, f"{SCHEDULE}/book", f"{SCHEDULE}/visits/{visit}"]
    pages += [f"{SCHEDULE}/visits/{visit}?on=26-Nov-2026&at=09:00", f"{SCHEDULE}/book/{maria.id}?on=%2B60d&at=09:00"]
    assert {page: left for page in pages if (left := left_in_english(nurse.page(page)))} == {}


def test_days_weeks_and_months_have_spanish_names(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    desk.books(maria, WEDNESDAY)
    month = in_spanish(nurse).page(f"{SCHEDULE}?view=month&day=2026-12-02")
    assert "<h1>Diciembre de 2026</h1>" in month
    assert "mié 2-dic" in month
    week = nurse.page(f"{SCHEDULE}?day=2026-12-02")
    assert "<h1>30-nov al 6-dic-2026</h1>" in week
    assert "Jueves" in week


def test_a_visit_is_booked_and_moved_in_spanish(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    answer = books(in_spanish(nurse), maria, FRIDAY, "14:30")
    assert "Cita dada para el vie 4-dic, 14:30 EST." in nurse.page(answer.location)
    [visit] = desk.rows(Appointment)
    answer = moves(nurse, visit.id, "3-Dec-2026", "09:00", visit.version)
    assert "Cambiada al jue 3-dic, 09:00 EST." in nurse.page(answer.location)
    answer = moves(nurse, visit.id, FRIDAY, "09:00", visit.version)
    assert answer.status_code == 409
    assert "Ana Lindqvist cambió esta cita (cambiada, 10:00) mientras tanto" in alert(answer)


def test_the_days_are_set_and_closed_in_spanish(lead: Visitor, line: Line, clinic: Clinic) -> None:
    in_spanish(lead)
    slip = sets_days(lead, places_0="x")
    assert "Escriba un número entero para lunes, 0 si no hay." in unescape(slip.text)
    assert "Guardado." in lead.page(sets_days(lead, places_0="4").location)
    assert "Lea Lead cambió los días mientras tanto (10:00)" in alert(sets_days(lead, places_0="5"))
    answer = closes(lead, several="24-Dec-2026 al 26-Dec-2026, Navidad\n1-Jan-2027 a 2-Jan-2027, Año Nuevo")
    assert "5 días cerrados." in lead.page(answer.location)
    assert [days[:2] for days in closed(line, clinic)] == [("2026-12-24", "2026-12-26"), ("2027-01-01", "2027-01-02")]
    assert "Navidad" in lead.page(DAYS), "a clinic's own words stay as they are"


@pytest.mark.parametrize(("language", "free"), [("en", "8:00 AM free"), ("es", "8:00 AM libre")])
def test_hours_are_of_twelve_for_whoever_chose_them(
    nurse: Visitor, line: Line, staff_id: int, maria: Someone, desk: Desk, clock: FrozenClock, language: str, free: str
) -> None:
    visit = desk.books(maria, WEDNESDAY)
    change_preferences(line.db, staff_id, language, twelve_hours=True)
    page = nurse.page(f"{SCHEDULE}?day=2026-12-02")
    assert free in page
    assert 'data-hours="12"' in page
    assert not re.search(r"\b\d\d:\d\d\b(?! [AP]M)", " ".join(Words(page).found)), "no hour of twenty-four"
    panel = nurse.page(f"{SCHEDULE}/visits/{visit}")
    assert re.search(r'name="at" value="14:30"', panel), "what is posted is written as ever"
    [fed] = nurse.get(f"{SCHEDULE}/visits.json?start=2026-12-01&end=2026-12-04").get_json()["visits"]
    assert fed["start"] == "2026-12-02T14:30:00"
    assert fed["about"].startswith("2:30 PM LOPEZ, Maria: ")


def test_what_the_feed_says_is_said_in_spanish(nurse: Visitor, thanksgiving: int, maria: Someone, desk: Desk) -> None:
    desk.fills(maria, days_ago=1)
    desk.books(maria, WEDNESDAY)
    fed = in_spanish(nurse).get(f"{SCHEDULE}/visits.json?start=2026-11-23&end=2026-12-07").get_json()
    [visit] = fed["visits"]
    assert visit["say"] == "Sin confirmar"
    assert visit["about"] == "14:30 LOPEZ, Maria: Sin confirmar; quedan 85 días de fármaco hoy, como mínimo"
    said = {day["day"]: (day["said"], day["shut"]) for day in fed["days"]}
    assert said["2026-12-02"] == ("1 de 8", "")
    assert said["2026-11-26"] == ("cerrado", "Cerrado: Thanksgiving")
