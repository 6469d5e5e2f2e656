"""The list of patients: filters in the address, paging by key, searches with an address of their own, views, files."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import event, insert, update

from app.actions.add_staff import add_staff
from app.actions.book_appointment import book_appointment
from app.actions.index_names import index_names
from app.actions.line import Line
from app.db.care import Appointment, AppointmentState, Pump
from app.db.finding import PatientSearch, SavedView
from app.db.messages import OutboundMessage
from app.db.people import Contact, Patient, PatientState, Phone
from app.db.work import AuditEvent
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

Add = Callable[..., Someone]
LIST = "/staff/patients"
NAMES = ("Ada", "Ben", "Cyd", "Dov", "Eve", "Fay", "Gil")
ROW = re.compile(r'<th scope="row"><a class="name" href="[^"]*">\s*<span class="fam">([^<]*)</span>, ([^<]*?)\s*</a>')


def shown(page: str) -> list[str]:
    return [f"{given} {family}" for family, given in ROW.findall(page)]


def link(page: str, label: str) -> str | None:
    found = re.search(rf'href="([^"]*)"[^>]*>(?:<svg.*?</svg>)?{label}</a>', page)
    return unescape(found[1]) if found else None


@contextmanager
def statements(line: Line) -> Iterator[list[str]]:
    asked: list[str] = []

    def on_query(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(line.db.engine, "before_cursor_execute", on_query)
    try:
        yield asked
    finally:
        event.remove(line.db.engine, "before_cursor_execute", on_query)


@pytest.fixture
def lead(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """Olu, a lead nurse: may take lists out."""
    add_staff(line.db, "olu@clinic.example", "Olu Adeyemi", "lead_nurse", PASSWORD, clock())
    found = Visitor(app.test_client())
    assert found.sign_in("olu@clinic.example").status_code == 302
    return found


@pytest.fixture
def people(add_patient: Add, desk: Desk, line: Line, clock: FrozenClock, owed: Callable[..., int]) -> dict[str, int]:
    """Seven patients, of whom each is something else."""
    found = {name: add_patient(name, f"+161455501{n:02}") for n, name in enumerate(NAMES)}
    for name, ago in (("Ada", 82), ("Ben", 74), ("Cyd", 10)):
        desk.fills(found[name], ago)  # 20 mL last 86 days by the early edge; plan-by after 78
    book_appointment(line, found["Ben"].id, clock() + timedelta(days=1), clock(), "test")
    late = "no ride before"
    book_appointment(line, found["Ada"].id, clock() + timedelta(days=3), clock(), "test", late_reason=late)
    missed = book_appointment(line, found["Dov"].id, clock() + timedelta(minutes=5), clock(), "test")
    clock.forward(minutes=10)
    desk.misses(missed)
    desk.change(Patient, found["Eve"].id, language="es", time_zone="America/Chicago", state=PatientState.PAUSED)
    desk.change(Phone, found["Fay"].phone_id, opted_out_at=clock())
    failed = owed(found["Gil"])
    desk.change(OutboundMessage, failed, state=DeliveryState.UNDELIVERED)
    with line.db.begin() as session:
        session.execute(update(Pump).where(Pump.patient_id == found["Gil"].id).values(removed_on=clock().date()))
        session.query(Contact).filter(Contact.patient_id == found["Cyd"].id).delete()
    return {name: one.id for name, one in found.items()}


def test_the_least_drug_stands_first_then_who_has_no_dates_and_who_left_comes_last(
    nurse: Visitor, people: dict[str, int], desk: Desk
) -> None:
    desk.change(Patient, people["Ada"], state=PatientState.LEFT)
    names = [name.split()[0] for name in shown(nurse.page(LIST))]
    assert names[:2] == ["Ben", "Cyd"]
    assert names[-1] == "Ada"
    by_visit = [name.split()[0] for name in shown(nurse.page(f"{LIST}?sort=visit"))]
    assert by_visit[-2:] == ["Ben", "Ada"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("visit=in_time", "Ben"),
        ("visit=late", "Ada"),
        ("visit=missed", "Dov"),
        ("visit=none", "Cyd Eve Fay Gil"),
        ("left=7", "Ada"),
        ("left=14", "Ada Ben"),
        ("language=es", "Eve"),
        ("state=paused", "Eve"),
        ("state=active&left=28", "Ada Ben"),
        ("phone=opted_out", "Fay"),
        ("phone=failed", "Gil"),
        ("phone=none", "Cyd"),
        ("phone=ok", "Ada Ben Dov Eve"),
        ("pump=none", "Gil"),
        ("zone=differs", "Eve"),
        ("visit=none&phone=failed", "Gil"),
        ("visit=late&language=es", ""),
        ("state=nonsense&left=13&sort=up", "Ada Ben Cyd Dov Eve Fay Gil"),
    ],
)
def test_each_filter_shows_whom_it_says(nurse: Visitor, people: dict[str, int], asked: str, names: str) -> None:
    page = nurse.page(f"{LIST}?{asked}")
    assert sorted(name.split()[0] for name in shown(page)) == names.split()
    if not names:
        assert "Nobody fits all of these filters" in page
        assert link(page, "Clear all") == LIST


def test_a_visit_on_the_plan_by_day_at_the_clinic_is_in_time(
    nurse: Visitor, add_patient: Add, desk: Desk, line: Line, clock: FrozenClock
) -> None:
    """It is the next day in UTC by then."""
    ana = add_patient("Ana", "+16145550101")
    desk.fills(ana, 76)
    plan_by = desk.supply(ana).plan_by
    assert plan_by is not None
    evening = clock().replace(year=plan_by.year, month=plan_by.month, day=plan_by.day, hour=3) + timedelta(days=1)
    book_appointment(line, ana.id, evening, clock(), "test")  # 22:00 in New York
    assert shown(nurse.page(f"{LIST}?visit=in_time")) == ["Ana Lopez"]
    assert shown(nurse.page(f"{LIST}?visit=late")) == []


def test_chips_say_what_is_set_and_each_takes_one_away(nurse: Visitor, people: dict[str, int]) -> None:
    page = nurse.page(f"{LIST}?visit=none&phone=failed&sort=visit")
    chips = re.findall(r'<a class="chip" href="([^"]*)" aria-label="([^"]*): take away">', page)
    assert chips == [
        (f"{LIST}?phone=failed&sort=visit", "Next visit: not booked"),
        (f"{LIST}?visit=none&sort=visit", "Phone: last text failed"),
    ]


def test_the_form_without_a_script_leads_to_a_short_address(nurse: Visitor, people: dict[str, int]) -> None:
    answer = nurse.get(f"{LIST}?state=&visit=late&left=&language=&phone=&pump=&zone=&sort=left")
    assert answer.location == f"{LIST}?visit=late"


def test_further_and_back_show_everybody_once_whoever_comes_between(
    nurse: Visitor, add_patient: Add, line: Line
) -> None:
    for n in range(120):
        add_patient(f"Person{n:03}", f"+1614555{1000 + n}")
    page, pages = nurse.page(LIST), []
    while True:
        pages.append(shown(page))
        further = link(page, "Further")
        if further is None:
            break
        page = nurse.page(further)
    assert [len(one) for one in pages] == [50, 50, 20]
    assert sorted(name for one in pages for name in one) == [f"Person{n:03} Lopez" for n in range(120)]
    add_patient("Newcomer", "+16145550999")  # at the end: what stands before moves nobody
    back = link(page, "Back")
    assert back is not None
    page = nurse.page(back)
    assert shown(page) == pages[1]
    assert "Page 2 of 3" in page
    first = nurse.page(link(page, "Back") or "")
    assert shown(first) == pages[0]
    assert link(first, "Back") is None


def test_a_page_that_begins_at_nobody_of_ours_is_not_there(
    nurse: Visitor, stranger_nurse: Visitor, maria: Someone
) -> None:
    assert nurse.get(f"{LIST}?after={maria.id}").status_code == 200
    for asked in (f"after={maria.id}", f"before={maria.id}", "after=99999"):
        assert stranger_nurse.get(f"{LIST}?{asked}").status_code == 404
    for asked in ("after=x", "after=-1", f"before={2**70}", "page=0", "page=x'", "after=1%00"):
        assert nurse.get(f"{LIST}?{asked}").status_code in (200, 404), asked


def test_as_many_queries_for_hundreds_as_for_one(
    nurse: Visitor, add_patient: Add, desk: Desk, line: Line, clock: FrozenClock
) -> None:
    def counted(path: str) -> int:
        nurse.get(path)  # what is asked once for each process is not the page's
        with statements(line) as asked:
            assert nurse.get(path).status_code == 200
        return len(asked)

    addresses = (LIST, f"{LIST}?visit=in_time", f"{LIST}?phone=ok&left=28&sort=visit")
    ada = add_patient("Ada", "+16145550100")
    desk.fills(ada, 74)
    book_appointment(line, ada.id, clock() + timedelta(days=1), clock(), "test")
    one = [counted(path) for path in addresses]
    with line.db.begin() as session:
        template = session.get_one(Patient, 1)
        rows = [
            {
                "clinic_id": 1,
                "mrn": f"M{n}",
                "mrn_hash": f"h{n}",
                "given_name": f"P{n}",
                "family_name": "Many",
                "time_zone": template.time_zone,
                "created_at": clock(),
            }
            for n in range(500)
        ]
        session.execute(insert(Patient.__table__), rows)
        session.execute(
            insert(Appointment.__table__),
            [
                {
                    "clinic_id": 1,
                    "patient_id": n + 2,
                    "starts_at": clock() + timedelta(days=1, minutes=n),
                    "state": AppointmentState.BOOKED,
                    "created_at": clock(),
                }
                for n in range(500)
            ],
        )
    many = [counted(path) for path in addresses]
    assert one == many
    assert max(many) <= 25


# ── search ───────────────────────────────────────────────────────────────────────────────────────────


def searched(visitor: Visitor, query: str) -> str:
    answer = visitor.post(f"{LIST}/search", seen_on="/staff/", query=query)
    assert answer.status_code == 200
    found = re.search(r'data-address="([^"]*)"', answer.text)
    assert found
    return unescape(found[1])


def test_what_a_search_found_has_an_address_without_its_words(
    nurse: Visitor, add_patient: Add, line: Line, clock: FrozenClock
) -> None:
    for given, family in (("José", "Muñoz"), ("Ana", "Munoz"), ("Otto", "Brandvold")):
        add_patient(given, f"+1614555010{len(family)}{len(given)}"[:12], family_name=family)
    for _ in range(2):  # before anybody is indexed, and after
        address = searched(nurse, "munoz")
        assert "munoz" not in address.lower()
        page = nurse.page(address)
        assert sorted(shown(page)) == ["Ana Munoz", "José Muñoz"]
        assert "2 matches" in page
        narrowed = nurse.page(f"{address}&language=es")
        assert shown(narrowed) == []
        index_names(line, clock())


def test_a_search_is_one_persons_and_ends(
    nurse: Visitor, lead: Visitor, maria: Someone, add_patient: Add, clock: FrozenClock, desk: Desk
) -> None:
    add_patient("Mario", "+16145550150")
    address = searched(nurse, "lopez")
    assert "This search has ended" in lead.page(address)
    assert shown(lead.page(address)) == []
    clock.forward(hours=13)
    nurse.sign_in("ana@clinic.example")
    assert "This search has ended" in nurse.page(address)
    searched(nurse, "lop")
    assert len(desk.rows(PatientSearch)) == 1, "what has ended is cleared away"
    assert "lop" not in repr(desk.rows(AuditEvent))


@pytest.mark.parametrize(
    "query", ["'; --", "%", "_", "<b>", "*", "\x00", "ß" * 100, "1", "+1", "a b c d e f g h", "🙂", "ا"]
)
def test_no_search_is_an_error(nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock, query: str) -> None:
    for _ in range(2):
        answer = nurse.post(f"{LIST}/search", seen_on="/staff/", query=query)
        assert answer.status_code in (200, 302), query
        index_names(line, clock())


# ── views ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_view_is_kept_used_renamed_shared_and_removed(
    nurse: Visitor, lead: Visitor, people: dict[str, int], desk: Desk
) -> None:
    saved = nurse.post(f"{LIST}/views", seen_on=LIST, visit="missed", sort="visit", name="  To   call ")
    assert saved.location == f"{LIST}?visit=missed&sort=visit"
    page = nurse.page(LIST)
    assert link(page, "To call") == f"{LIST}?visit=missed&sort=visit"
    assert "To call" not in lead.page(LIST)
    view = desk.rows(SavedView)[0]
    change = {"seen_on": LIST, "view": view.id, "version": view.version}
    nurse.post(f"{LIST}/views/change", **change, name="Call today", shared="1", do="rename")
    assert "Call today" in lead.page(LIST)
    stale = nurse.post(f"{LIST}/views/change", **change, name="Mine again", do="rename")
    assert stale.status_code == 409
    assert "changed meanwhile" in stale.text
    assert 'value="Mine again"' in stale.text
    view = desk.rows(SavedView)[0]
    assert (
        lead.post(f"{LIST}/views/change", seen_on=LIST, view=view.id, version=view.version, do="remove").status_code
        == 404
    )
    nurse.post(f"{LIST}/views/change", seen_on=LIST, view=view.id, version=view.version, do="remove")
    assert desk.rows(SavedView) == []
    assert [row.verb for row in desk.rows(AuditEvent, AuditEvent.subject == f"saved_view:{view.id}")] == [
        "view saved",
        "view renamed",
        "view removed",
    ]


def test_a_view_needs_a_name_and_something_to_keep(nurse: Visitor, people: dict[str, int], desk: Desk) -> None:
    for fields in ({"visit": "late", "name": " "}, {"visit": "late", "name": "x" * 61}, {"name": "All"}):
        answer = nurse.post(f"{LIST}/views", seen_on=LIST, **fields)
        assert answer.status_code == 422, fields
    assert desk.rows(SavedView) == []


def test_a_view_keeps_no_search(nurse: Visitor, people: dict[str, int], desk: Desk) -> None:
    address = searched(nurse, "lopez")
    token = address.partition("found=")[2]
    nurse.post(f"{LIST}/views", seen_on=LIST, visit="late", found=token, name="Late")
    assert desk.rows(SavedView)[0].filters == "visit=late"


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────


def table(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_file_holds_exactly_the_filtered_rows(lead: Visitor, people: dict[str, int], desk: Desk) -> None:
    answer = lead.post(f"{LIST}/export", seen_on=LIST, left="14", proof_of_person=PASSWORD)
    rows = table(answer.text)
    assert [row["given name"] for row in rows] == ["Ada", "Ben"]
    assert rows[0]["family name"] == "Lopez"
    assert rows[0]["plan by"] == "2026-11-19"
    assert rows[1]["next visit"] == "2026-11-24T10:00:00-05:00"
    assert (rows[0]["visit days after plan-by"], rows[1]["visit days after plan-by"]) == ("7", "0")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="patients-2026-11-23.csv"'
    exported = desk.rows(AuditEvent, AuditEvent.verb == "exported patients")
    assert [row.detail for row in exported] == [{"rows": 2, "left": "14"}]
    everybody = table(lead.post(f"{LIST}/export", seen_on=LIST).text)
    assert [row["given name"] for row in everybody] == [name.split()[0] for name in shown(lead.page(LIST))]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(lead: Visitor, add_patient: Add, start: str) -> None:
    name = f"{start}HYPERLINK(1)"
    add_patient(name, "+16145550150", family_name='Ünal, "Jo"\nx')
    text = lead.post(f"{LIST}/export", seen_on=LIST).get_data(as_text=True)
    row = table(text)[0]
    assert row["given name"] == f"'{name}"
    assert row["family name"] == 'Ünal, "Jo"\nx'


def test_a_search_can_be_taken_out_and_the_log_holds_no_word_of_it(
    lead: Visitor, maria: Someone, add_patient: Add, desk: Desk
) -> None:
    add_patient("Mario", "+16145550150")
    add_patient("Otto", "+16145550151", family_name="Brandvold")
    token = searched(lead, "lopez").partition("found=")[2]
    rows = table(lead.post(f"{LIST}/export", seen_on=LIST, found=token).text)
    assert sorted(row["given name"] for row in rows) == ["Maria", "Mario"]
    exported = desk.rows(AuditEvent, AuditEvent.verb == "exported patients")
    assert [row.detail for row in exported] == [{"rows": 2, "search": "yes"}]


def test_a_nurse_is_not_offered_the_file_and_does_not_get_it(nurse: Visitor, maria: Someone) -> None:
    assert "Export" not in nurse.page(LIST)
    assert nurse.post(f"{LIST}/export", seen_on=LIST).status_code == 403


def test_the_schedule_finds_whom_to_book_by_the_same_index(nurse: Visitor, add_patient: Add, line: Line) -> None:
    add_patient("Ana", "+16145550101", family_name="Muñoz")
    add_patient("Ben", "+16145550102")
    page = nurse.post("/staff/schedule/book", seen_on=LIST, query="munoz")
    assert page.status_code == 200
    assert "Muñoz" in unescape(page.text)
    assert "Lopez</span>, Ben" not in page.text
