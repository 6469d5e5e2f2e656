"""The inbox's list: who waits, in order, by tab, status and language; who has read what."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from app.actions.add_staff import add_staff
from app.actions.alerts import raise_alert
from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.actions.settle_thread import settle_thread
from app.db.people import Clinic, Patient
from app.db.threads import PhoneThread, ThreadState
from app.db.work import AuditEvent, TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, TOKEN, Visitor
from tests.web.inbox_stage import NONSENSE, Add, Text, names, rows, seen


@pytest.fixture
def ben(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    """A colleague, signed in."""
    add_staff(line.db, "ben@clinic.example", "Ben Osei", "nurse", PASSWORD, clock())
    visitor = Visitor(app.test_client())
    assert visitor.sign_in("ben@clinic.example").status_code == 302
    return visitor


def thread(desk: Desk, someone: Someone) -> PhoneThread:
    return desk.rows(PhoneThread, PhoneThread.phone_id == someone.phone_id)[0]


def test_urgent_is_first_then_failed_then_the_longest_wait_then_the_newest(
    nurse: Visitor, add_patient: Add, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    people = {
        name: add_patient(name, f"+1614555020{n}", family_name=name)
        for n, name in enumerate(("Short", "Long", "Fine", "Newer", "Failed", "Urgent"))
    }
    texts(people["Fine"].phone, "TRAVEL")
    clock.forward(minutes=1)
    texts(people["Newer"].phone, "TRAVEL")
    texts(people["Long"].phone, NONSENSE)
    clock.forward(minutes=1)
    texts(people["Short"].phone, NONSENSE)
    texts(people["Failed"].phone, "TRAVEL")
    texts(people["Urgent"].phone, "my pump alarm is beeping")
    clock.forward(minutes=1)
    texts(people["Long"].phone, "hello?")
    _fail_the_last(desk, people["Failed"], clock)
    assert names(nurse.page("/staff/inbox")) == ["Urgent", "Failed", "Long", "Short", "Newer", "Fine"]


def _fail_the_last(desk: Desk, someone: Someone, clock: FrozenClock) -> None:
    message = [m for m in desk.messages() if m.phone_id == someone.phone_id][-1]
    assert record_status(desk.line, StatusReport("undelivered", token=message.token, error_code=30003), clock())


def test_a_text_that_failed_stands_at_the_top_until_a_newer_one_goes_out(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    _fail_the_last(desk, maria, clock)
    [row] = rows(nurse.page("/staff/inbox"))
    assert "Failed" in row
    assert "Not delivered: phone off or out of reach" in row
    clock.forward(minutes=1)
    texts(maria.phone, "TRAVEL")
    [row] = rows(nurse.page("/staff/inbox"))
    assert "Failed" not in row


def test_the_old_text_that_fails_late_says_nothing_about_the_newest(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    old = desk.messages()[-1].token
    texts(maria.phone, "PUMP")
    record_status(desk.line, StatusReport("undelivered", token=old, error_code=30003), clock())
    assert thread(desk, maria).failed_at is None


def test_a_row_tells_who_what_how_long_and_how_many_are_unread(
    nurse: Visitor, maria: Someone, texts: Text, clock: FrozenClock
) -> None:
    texts(maria.phone, NONSENSE)
    clock.forward(minutes=25)
    texts(maria.phone, "not what i asked")
    page = nurse.page("/staff/inbox")
    [row] = rows(page)
    assert row == "Lopez , Maria 25 min not what i asked 2 unread Waiting for a nurse"
    assert 'class="thread-row is-unread"' in page
    assert 'title="Mon 23-Nov-2026, 10:00 EST"' in page


def test_a_carer_is_named_before_their_words_and_an_unknown_number_is_called_so(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk
) -> None:
    desk.adds_carer(maria, "+16145550166", name="Dana Lopez", relation="wife")
    texts("+16145550166", NONSENSE)
    texts("+16145550177", "is this the pump people")
    page = nurse.page("/staff/inbox")
    assert any(row.startswith("Lopez , Maria") and "Dana: " + NONSENSE in row for row in rows(page))
    assert any(row.startswith("614-555-0177") and "Unknown number" in row for row in rows(page))


def test_a_phone_of_two_patients_shows_both(
    nurse: Visitor, maria: Someone, add_patient: Add, texts: Text, desk: Desk
) -> None:
    son = add_patient("Ivan", maria.phone, family_name="Quispe")
    assert son.phone_id == maria.phone_id
    texts(maria.phone, NONSENSE)
    [row] = rows(nurse.page("/staff/inbox"))
    assert row.startswith("Lopez , Maria and Quispe , Ivan")
    page = nurse.page(f"/staff/inbox/{maria.phone_id}")
    side = page[page.index('<aside class="side"') :]
    assert "Maria" in side
    assert "Ivan" in side
    assert "Hello {given_name}" in seen(page)  # nobody can tell whom it is about


def test_tabs_count_what_they_hold_and_mine_is_mine(
    nurse: Visitor, ben: Visitor, maria: Someone, add_patient: Add, texts: Text
) -> None:
    other = add_patient("Grace", "+16145550150", family_name="Oduya")
    texts(maria.phone, "my pump alarm is beeping")
    texts(other.phone, NONSENSE)
    nurse.post(f"/staff/inbox/{other.phone_id}/assign", seen_on="/staff/", to="me", seen=0)
    tabs = re.search(r'id="inbox-tabs".*?</nav>', nurse.page("/staff/inbox"), re.DOTALL)
    assert tabs
    assert seen("<x " + tabs[0]).endswith("Urgent 1 Mine 1 Unassigned 1 All 2")
    assert names(nurse.page("/staff/inbox?tab=mine")) == ["Oduya"]
    assert names(ben.page("/staff/inbox?tab=mine")) == []
    assert names(nurse.page("/staff/inbox?tab=unassigned")) == ["Lopez"]
    assert names(nurse.page("/staff/inbox?tab=urgent")) == ["Lopez"]


def test_status_and_language_filter_and_an_address_keeps_them(
    nurse: Visitor, maria: Someone, add_patient: Add, texts: Text, line: Line, staff_id: int, clock: FrozenClock
) -> None:
    rosa = add_patient("Rosa", "+16145550158", family_name="Quispe", language="es")
    texts(rosa.phone, "no puedo ir el miercoles, no tengo quien me lleve")
    texts(maria.phone, NONSENSE)
    assert names(nurse.page("/staff/inbox?language=es")) == ["Quispe"]
    closed = settle_thread(line, rosa.phone_id, "closed", clock(), staff_id, 1)
    assert closed
    assert names(nurse.page("/staff/inbox")) == ["Lopez"]
    page = nurse.page("/staff/inbox?status=closed&language=es")
    assert names(page) == ["Quispe"]
    assert f'href="/staff/inbox/{rosa.phone_id}?status=closed&language=es"' in page
    assert "Clear all" in page
    assert "No match" in nurse.page("/staff/inbox?status=snoozed&language=es")


@pytest.mark.parametrize(
    "query",
    ["tab=x", "status=x", "language=x", "after=x", "after=1.2.3", "after=9.99999999999999999.1.1", "undo=x", "texts=x"],
)
def test_an_address_that_asks_for_nonsense_shows_the_list(
    nurse: Visitor, maria: Someone, texts: Text, query: str
) -> None:
    texts(maria.phone, NONSENSE)
    assert names(nurse.page(f"/staff/inbox?{query}")) in (["Lopez"], [])
    assert nurse.get(f"/staff/inbox/{maria.phone_id}?{query}").status_code == 200


def test_a_long_list_is_paged_and_nobody_is_shown_twice_or_left_out(
    nurse: Visitor, add_patient: Add, texts: Text, clock: FrozenClock
) -> None:
    for n in range(95):
        someone = add_patient(f"P{n}", f"+1614555{1000 + n}", family_name=f"F{n:03}")
        texts(someone.phone, NONSENSE if n % 2 else "TRAVEL")
        clock.forward(seconds=n % 3)
    found: list[str] = []
    path = "/staff/inbox"
    for _ in range(5):
        page = nurse.page(path)
        found += names(page)
        further = re.search(r'href="([^"]*after=[^"]*)">Further down', page)
        if not further:
            break
        path = further[1]
    assert len(found) == 95
    assert sorted(found) == [f"F{n:03}" for n in range(95)]
    waits = [name for name in found if int(name[1:]) % 2]
    assert waits == sorted(waits)  # the longest wait first
    assert found[: len(waits)] == waits


def test_opening_alone_marks_nothing_read_and_each_nurse_reads_for_herself(
    nurse: Visitor, ben: Visitor, maria: Someone, texts: Text, desk: Desk
) -> None:
    first = texts(maria.phone, NONSENSE).inbound_id
    path = f"/staff/inbox/{maria.phone_id}"
    assert "Mark read" in nurse.page(path)
    assert "1 unread" in rows(nurse.page("/staff/inbox"))[0]
    nurse.post(f"{path}/read", seen_on=path, seen=first)
    assert "unread" not in rows(nurse.page("/staff/inbox"))[0]
    assert "1 unread" in rows(ben.page("/staff/inbox"))[0]
    texts(maria.phone, NONSENSE)
    assert "1 unread" in rows(nurse.page("/staff/inbox"))[0]


def test_a_text_that_came_while_one_was_reading_stays_unread(nurse: Visitor, maria: Someone, texts: Text) -> None:
    shown = texts(maria.phone, NONSENSE).inbound_id
    texts(maria.phone, "and one more")
    path = f"/staff/inbox/{maria.phone_id}"
    nurse.post(f"{path}/read", seen_on=path, seen=shown)
    assert "1 unread" in rows(nurse.page("/staff/inbox"))[0]
    nurse.post(f"{path}/read", seen_on=path, seen=10**14)  # no mark reaches beyond what there is
    texts(maria.phone, "a third")
    assert "1 unread" in rows(nurse.page("/staff/inbox"))[0]


def test_mark_unread_makes_the_newest_text_unread(nurse: Visitor, maria: Someone, texts: Text) -> None:
    texts(maria.phone, NONSENSE)
    newest = texts(maria.phone, NONSENSE).inbound_id
    path = f"/staff/inbox/{maria.phone_id}"
    nurse.post(f"{path}/read", seen_on=path, seen=newest)
    assert nurse.post(f"{path}/unread", seen_on=path).location == "/staff/inbox"
    assert "1 unread" in rows(nurse.page("/staff/inbox"))[0]


def test_what_came_before_a_nurse_was_hired_is_not_unread_for_her(
    nurse: Visitor, app: Flask, line: Line, maria: Someone, texts: Text, clock: FrozenClock
) -> None:
    texts(maria.phone, NONSENSE)
    clock.forward(hours=1)
    add_staff(line.db, "eve@clinic.example", "Eve Wren", "nurse", PASSWORD, clock())
    eve = Visitor(app.test_client())
    eve.sign_in("eve@clinic.example")
    assert "unread" not in rows(eve.page("/staff/inbox"))[0]


def test_a_reminder_alone_makes_no_open_thread(nurse: Visitor, maria: Someone, owed: object, desk: Desk) -> None:
    owed(maria)  # type: ignore[operator]
    assert thread(desk, maria).state is ThreadState.CLOSED
    assert rows(nurse.page("/staff/inbox")) == []
    assert names(nurse.page("/staff/inbox?status=closed")) == ["Lopez"]


def test_a_page_to_the_on_call_phone_and_her_code_make_no_thread(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk
) -> None:
    texts(maria.phone, "my pump alarm is beeping")
    [alert] = desk.tasks(TaskKind.ALERT)
    texts("+16145550190", alert.code)
    assert [row.phone_id for row in desk.rows(PhoneThread)] == [maria.phone_id]


def test_each_emptiness_says_which_it_is(nurse: Visitor) -> None:
    assert "No open conversation" in nurse.page("/staff/inbox")
    assert "No urgent conversation" in nurse.page("/staff/inbox?tab=urgent")
    assert "Nothing is yours" in nurse.page("/staff/inbox?tab=mine")
    assert "Everything has somebody" in nurse.page("/staff/inbox?tab=unassigned")


def test_another_clinics_threads_are_neither_listed_nor_opened(
    stranger_nurse: Visitor, maria: Someone, texts: Text
) -> None:
    texts(maria.phone, NONSENSE)
    assert rows(stranger_nurse.page("/staff/inbox")) == []
    assert "No urgent alerts" in stranger_nurse.page("/staff/urgent")
    for path in (maria.phone_id, 99_999, 2**70):
        assert stranger_nurse.get(f"/staff/inbox/{path}").status_code == 404


def test_an_alert_about_a_patient_without_words_makes_the_thread_urgent(
    nurse: Visitor, maria: Someone, line: Line, desk: Desk, clock: FrozenClock
) -> None:
    with line.db.begin() as session:
        clinic = session.get_one(Clinic, session.get_one(Patient, maria.id).clinic_id)
        raise_alert(line, session, clock(), clinic, f"patient:{maria.id}", "supply", "Runs low", patient_id=maria.id)
    assert "Urgent" in rows(nurse.page("/staff/inbox"))[0]
    [alert] = desk.tasks(TaskKind.ALERT)
    nurse.post(f"/staff/tasks/{alert.id}/resolve", seen_on="/staff/", version=alert.version, outcome="Seen")
    assert thread(desk, maria).urgent_since is None


def test_the_urgent_page_shows_words_and_wait_and_closes_nothing_by_itself(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    assert "No urgent alerts" in nurse.page("/staff/urgent")
    texts(maria.phone, "my pump alarm is beeping")
    clock.forward(minutes=3, seconds=12)
    page = nurse.page("/staff/urgent")
    assert "my pump alarm is beeping" in page
    assert "3:12" in page
    [alert] = desk.tasks(TaskKind.ALERT)
    back = "/staff/urgent"
    taken = nurse.post(f"/staff/tasks/{alert.id}/acknowledge", seen_on=back, version=alert.version, back=back)
    assert taken.location == back
    page = nurse.page(back)
    assert "Choose an outcome" in page
    nurse.post(f"/staff/tasks/{alert.id}/resolve", seen_on=back, version=2, outcome="Seen in clinic today", back=back)
    assert "No urgent alerts" in nurse.page(back)


def statements(line: Line, visitor: Visitor, path: str) -> int:
    count = 0

    def counted(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal count
        count += statement != "BEGIN"

    event.listen(line.db.engine, "before_cursor_execute", counted)
    visitor.page(path)
    event.remove(line.db.engine, "before_cursor_execute", counted)
    return count


def test_a_page_reads_as_often_with_many_threads_as_with_one(
    nurse: Visitor, maria: Someone, add_patient: Add, texts: Text, line: Line, desk: Desk
) -> None:
    desk.fills(maria, days_ago=60)
    texts(maria.phone, "my pump alarm is beeping")
    texts(maria.phone, "can i fly")
    list_of_one = statements(line, nurse, "/staff/inbox")
    one = statements(line, nurse, f"/staff/inbox/{maria.phone_id}")
    for n in range(60):
        texts(add_patient(f"P{n}", f"+1614555{1000 + n}").phone, NONSENSE)
    assert statements(line, nurse, "/staff/inbox") == list_of_one <= 25
    assert statements(line, nurse, f"/staff/inbox/{maria.phone_id}") == one <= 25


def test_a_thread_in_step_stands_where_it_would_if_worked_out_anew(
    maria: Someone, texts: Text, desk: Desk, line: Line, clock: FrozenClock
) -> None:
    """The short statements that every text runs say the same as PhoneThread.place."""
    for words in ("TRAVEL", NONSENSE, "my pump alarm is beeping", "TRAVEL", "STOP", "START"):
        texts(maria.phone, words)
        clock.forward(minutes=1)
        now = thread(desk, maria)
        kept = (now.rank, now.since)
        now.place()
        assert (now.rank, now.since) == kept, words


def test_the_first_line_of_a_thread_with_no_names_tells_nothing_in_its_address(
    nurse: Visitor, maria: Someone, texts: Text, line: Line
) -> None:
    texts(maria.phone, "secretword")
    page = nurse.page(f"/staff/inbox/{maria.phone_id}?tab=unassigned")
    for address in re.findall(r'(?:href|action|hx-get|src)="([^"]*)"', page):
        assert not any(secret in address.lower() for secret in ("maria", "lopez", "555", "secretword")), address
    assert re.findall(r"<title>(.*?)</title>", page) == ["Inbox"]


def test_a_snoozed_or_closed_thread_opens_again_when_a_text_comes(
    maria: Someone, texts: Text, desk: Desk, line: Line, staff_id: int, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    settle_thread(line, maria.phone_id, "closed", clock(), staff_id, thread(desk, maria).version)
    texts(maria.phone, "TRAVEL")
    assert thread(desk, maria).state is ThreadState.OPEN
    until = clock() + timedelta(days=1)
    settle_thread(line, maria.phone_id, "snoozed", clock(), staff_id, thread(desk, maria).version, until)
    texts(maria.phone, "TRAVEL")
    assert (thread(desk, maria).state, thread(desk, maria).snoozed_until) == (ThreadState.OPEN, None)


def test_who_only_reads_is_offered_nothing_that_would_be_refused(
    app: Flask, line: Line, maria: Someone, texts: Text, clock: FrozenClock, desk: Desk
) -> None:
    texts(maria.phone, "my pump alarm is beeping")
    add_staff(line.db, "rio@clinic.example", "Rio Vance", "read_only", PASSWORD, clock())
    rio = Visitor(app.test_client())
    rio.sign_in("rio@clinic.example")
    path = f"/staff/inbox/{maria.phone_id}"
    page = rio.page(path)
    assert "Your role reads conversations" in page
    main = page[page.index('<main id="main"') : page.index("data-poll")]
    forms = set(re.findall(r'<form[^>]*method="post" action="/staff/([\w/-]+)', main))
    assert forms == {f"inbox/{maria.phone_id}/read"}
    assert rio.post(f"{path}/reply", seen_on=path, body="Hello").status_code == 403


def test_a_thread_is_given_only_to_somebody_who_may_write(
    nurse: Visitor, line: Line, maria: Someone, texts: Text, clock: FrozenClock, desk: Desk
) -> None:
    texts(maria.phone, NONSENSE)
    rio = add_staff(line.db, "rio@clinic.example", "Rio Vance", "read_only", PASSWORD, clock())
    path = f"/staff/inbox/{maria.phone_id}"
    assert "Rio Vance" not in nurse.page(path)
    assert nurse.post(f"{path}/assign", seen_on=path, to=rio, seen=0).status_code == 422
    assert thread(desk, maria).assignee_id is None


def test_what_was_shown_is_recorded_as_read_once(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    newest = texts(maria.phone, NONSENSE).inbound_id
    path = f"/staff/inbox/{maria.phone_id}"
    nurse.page("/staff/inbox")
    nurse.page(path)
    answer = nurse.client.post(
        f"{path}/read",
        data={"csrf_token": TOKEN.search(nurse.page(path))[1], "seen": newest},  # type: ignore[index]
        headers={"X-Pumpline-Script": "1"},
    )
    assert answer.status_code == 204
    read = [(e.verb, (e.detail or {}).get("page")) for e in desk.rows(AuditEvent) if e.verb in ("read", "saw a list")]
    assert ("saw a list", "inbox") in read
    assert ("read", "inbox_thread") in read
    assert not any(page == "inbox_read" for _, page in read)
