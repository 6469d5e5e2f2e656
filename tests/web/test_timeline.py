"""The time line of one patient: everything that happened, newest first, by kind, by key and in three zones."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import event

from app.actions.line import Line
from app.actions.receive_text import Received
from app.db.messages import OutboundMessage
from app.db.patient_timeline import PAGE
from app.db.people import Patient
from app.db.work import AuditEvent
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor

Texts = Callable[..., Received]
ENTRY = re.compile(
    r"<li(?: id=\"[^\"]*\")?>(?:<time[^>]*>|<span class=\"at-day\">)(.*?)</(?:time|span)>(.*?)</li>", re.S
)


def at(someone: Someone, **asked: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"/staff/patients/{someone.id}/timeline{'?' if query else ''}{query}"


def entries(page: str) -> list[str]:
    return [" ".join(re.sub(r"<[^>]*>", " ", f"{hour} {rest}").split()) for hour, rest in ENTRY.findall(page)]


@pytest.fixture
def story(
    nurse: Visitor, maria: Someone, texts: Texts, desk: Desk, clock: FrozenClock, owed: Callable[..., int]
) -> Someone:
    """A week of Maria's, ten minutes apart on its last day."""
    desk.fills(maria, 6)
    texts(maria.phone, "does the pump make noise?")
    clock.forward(minutes=10)
    failed = owed(maria, "Your refill is due.")
    desk.change(OutboundMessage, failed, state=DeliveryState.UNDELIVERED, reason="phone off or out of reach")
    clock.forward(minutes=20)
    texts(maria.phone, "my pump alarm is beeping")
    clock.forward(minutes=10)
    nurse.sign_in("ana@clinic.example")  # a session does not outlive so long a pause
    form = {"outcome": "no_answer", "note": "no voicemail", "form_id": "f1"}
    for _ in range(2):  # a button pressed twice
        assert nurse.post(f"/staff/patients/{maria.id}/calls", seen_on=at(maria), **form).status_code == 302
    clock.forward(minutes=10)
    texts(maria.phone, "STOP")
    return maria


def test_it_tells_the_newest_first_and_who_did_what(nurse: Visitor, story: Someone) -> None:
    told = entries(nurse.page(at(story)))
    hours = [line.split()[0] for line in told if line[0].isdigit()]
    assert hours == sorted(hours, reverse=True)
    all_of_it = "\n".join(told)
    assert "10:40 Ana Lindqvist called, no answer no voicemail" in all_of_it
    assert all_of_it.count("called, no answer") == 1
    assert "10:30 Urgent: " in all_of_it
    assert "not delivered: phone off or out of reach" in all_of_it
    assert "Maria opted out of texts, by text STOP" in all_of_it
    assert "that day Refill: 20 mL in" in all_of_it
    assert "Maria texted does the pump make noise?" in all_of_it


@pytest.mark.parametrize(
    ("show", "inside", "outside"),
    [
        ("texts", "does the pump make noise?", "called, no answer"),
        ("calls", "called, no answer", "texted"),
        ("visits", "Refill: 20 mL in", "texted"),
        ("alerts", "Urgent:", "texted"),
        ("consent", "opted out of texts", "Urgent:"),
    ],
)
def test_each_kind_can_be_shown_alone(nurse: Visitor, story: Someone, show: str, inside: str, outside: str) -> None:
    told = "\n".join(entries(nurse.page(at(story, show=show))))
    assert inside in told
    assert outside not in told


def test_times_can_be_read_in_three_zones(nurse: Visitor, story: Someone, desk: Desk) -> None:
    desk.change(Patient, story.id, time_zone="America/Los_Angeles")
    for zone, said in (("clinic", "10:40 Ana"), ("patient", "07:40 Ana"), ("utc", "15:40 Ana")):
        assert said in "\n".join(entries(nurse.page(at(story, zone=zone, show="calls"))))
    assert "· 07:40 PST" in "\n".join(entries(nurse.page(at(story, show="calls"))))


def test_earlier_pages_show_each_entry_once_even_of_one_moment(
    nurse: Visitor, maria: Someone, owed: Callable[..., int]
) -> None:
    for n in range(2 * PAGE + 5):
        owed(maria, f"Text number {n}.")
    seen: list[str] = []
    page = nurse.page(at(maria, show="texts"))
    for _ in range(4):
        seen += re.findall(r"Text number \d+\.", page)
        further = re.search(r'href="([^"]*before=[^"]*)">Earlier', page)
        if not further:
            break
        page = nurse.page(further[1].replace("&amp;", "&"))
    assert seen == [f"Text number {n}." for n in reversed(range(2 * PAGE + 5))]
    assert "Newest" in page


def test_an_address_that_names_no_place_is_not_found(nurse: Visitor, maria: Someone) -> None:
    for place in ("x", "1-2", "1-2-x", "99999999999999999-1-1", "-1-2-3"):
        assert nurse.get(at(maria, before=place)).status_code == 404, place


def test_a_text_about_another_patient_on_the_same_phone_is_not_shown(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], owed: Callable[..., int]
) -> None:
    pedro = add_patient("Pedro", maria.phone)
    owed(pedro, "Pedro, your refill is due.")
    owed(maria, "Maria, your refill is due.")
    assert "Pedro, your refill" not in nurse.page(at(maria))
    assert "Maria, your refill" in nurse.page(at(maria))


def test_a_text_from_a_shared_phone_says_that_it_may_be_about_another(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], texts: Texts
) -> None:
    add_patient("Pedro", maria.phone)
    texts(maria.phone, "does the pump make noise?")
    assert "shared phone: may be about somebody else" in nurse.page(at(maria))


def test_an_empty_one_says_which_emptiness(nurse: Visitor, maria: Someone) -> None:
    assert "Nothing yet" in nurse.page(at(maria))
    page = nurse.page(at(maria, show="calls"))
    assert "No calls" in page
    assert "Show all" in page


def test_a_call_without_an_outcome_is_not_kept_and_nothing_typed_is_lost(
    nurse: Visitor, maria: Someone, desk: Desk
) -> None:
    form = {"outcome": "", "note": "she will ring back"}
    answer = nurse.post(f"/staff/patients/{maria.id}/calls", seen_on=at(maria), **form)
    assert answer.status_code == 422
    assert "she will ring back</textarea>" in answer.text
    assert "Choose how the call ended" in answer.text
    assert "she will ring back" not in str([(e.verb, e.detail) for e in desk.rows(AuditEvent)])


def test_as_many_queries_for_a_thousand_entries_as_for_none(
    nurse: Visitor, maria: Someone, line: Line, owed: Callable[..., int]
) -> None:
    def asked() -> int:
        found: list[object] = []

        def count(*args: object) -> None:
            if str(args[2]).startswith("SELECT"):
                found.append(args)

        nurse.get(at(maria))
        event.listen(line.db.engine, "before_cursor_execute", count)
        try:
            nurse.get(at(maria))
        finally:
            event.remove(line.db.engine, "before_cursor_execute", count)
        return len(found)

    few = asked()
    for n in range(60):
        owed(maria, f"Text {n}.")
    assert asked() == few
    assert few <= 25


def test_a_page_shown_again_after_a_mistake_refreshes_from_where_it_can_be_read(nurse: Visitor, maria: Someone) -> None:
    answer = nurse.post(f"/staff/patients/{maria.id}/calls", seen_on=at(maria), outcome="", note="x")
    refreshed = re.search(r'data-poll[^>]*hx-get="([^"]*)"', answer.text)
    assert refreshed
    assert nurse.get(refreshed[1]).status_code == 200


def test_the_time_line_in_spanish_leaves_what_people_wrote(nurse: Visitor, story: Someone) -> None:
    nurse.headers["Accept-Language"] = "es"
    page = nurse.page(at(story))
    all_of_it = "\n".join(entries(page))
    for said in ("Maria escribió", "Maria se dio de baja de los mensajes, por mensaje STOP", "Recarga: entraron 20 mL"):
        assert said in all_of_it
    for theirs in ("does the pump make noise?", "no voicemail"):
        assert theirs in all_of_it
    assert '<span class="quote" lang="en">does the pump make noise?</span>' in page
