"""What a nurse sees of what was understood, how she corrects it, and the figures that come of it."""

import re
from collections.abc import Callable
from typing import get_args

import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.line import Line
from app.actions.receive_text import Received
from app.actions.record_helped import record_helped
from app.db.learning import Label
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic
from app.web.console.learning import WISHES
from faq.intents import IntentName
from faq.library import GROUPS
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor

Texts = Callable[..., Received]


@pytest.fixture
def unread(texts: Texts, maria: Someone) -> int:
    """A text nobody understood."""
    return texts(maria.phone, "striped umbrella").inbound_id


def own_page(maria: Someone) -> str:
    return f"/staff/patients/{maria.id}"


def msg(page: str, inbound_id: int) -> str:
    found = re.search(rf'<article[^>]*id="in-{inbound_id}">.*?</article>', page, re.DOTALL)
    assert found
    return found[0]


# ── a conversation ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("understood", "said"),
    [
        ({"kind": "unknown"}, "not understood"),
        ({"kind": "topic", "topic": "mri"}, "understood as: question on MRI scans"),
        ({"kind": "topic", "topic": "mri", "intent": "reschedule"}, "question on MRI scans; also wants another day"),
        ({"kind": "topic", "topic": "gone"}, "understood as: question on gone"),
        ({"kind": "urgent", "category": "pump_trauma"}, "understood as: urgent, pump trauma"),
        ({"kind": "admin", "intent": "when_is_my_refill"}, "understood as: asks for the next visit"),
        ({"kind": "admin", "intent": "brand_new"}, "understood as: brand new"),
        ({"kind": "choices"}, "understood as: one of several topics"),
    ],
)
def test_each_text_says_what_it_was_taken_for(
    nurse: Visitor, maria: Someone, unread: int, desk: Desk, understood: dict[str, str], said: str
) -> None:
    desk.change(InboundMessage, unread, **({"topic": None, "intent": None, "category": None} | understood))
    for path in (own_page(maria), f"/staff/phones/{maria.phone_id}"):
        assert said in msg(nurse.page(path), unread), path


def test_choices_are_named_as_they_were_offered(nurse: Visitor, maria: Someone, unread: int, desk: Desk) -> None:
    desk.change(InboundMessage, unread, kind="choices")
    body = "Which one do you mean? 1 Pump noise, 2 Driving."
    desk.change(OutboundMessage, desk.messages()[0].id, text_id="text:choices", body=body)
    assert "understood as: one of Pump noise, Driving" in msg(nurse.page(own_page(maria)), unread)


def test_every_wish_we_know_has_plain_words() -> None:
    assert set(get_args(IntentName)) - set(WISHES) == set()


@pytest.mark.parametrize(
    ("kind", "offered"), [("unknown", True), ("choices", True), ("topic", True), ("urgent", False), ("admin", False)]
)
def test_only_what_was_read_as_a_question_can_be_labelled(
    nurse: Visitor, maria: Someone, unread: int, desk: Desk, kind: str, offered: bool
) -> None:
    desk.change(InboundMessage, unread, kind=kind)
    assert (f"?label={unread}#label" in msg(nurse.page(own_page(maria)), unread)) is offered
    assert ('name="topic"' in nurse.page(f"{own_page(maria)}?label={unread}")) is offered


def test_the_form_names_the_text_and_every_topic_by_group(
    nurse: Visitor, maria: Someone, unread: int, line: Line
) -> None:
    page = nurse.page(f"{own_page(maria)}?label={unread}")
    form = page[page.index('<form class="label-form"') :].split("</form>")[0]
    assert "“striped umbrella”" in form
    assert re.findall(r'<optgroup label="([^"]+)"', form) == [*GROUPS, "Other"]
    assert set(re.findall(r'<option value="([^"]+)"', form)) == {*line.words.library.topics, "none_of_these"}
    assert 'id="thread"' not in form  # what refreshes itself would lose a choice


def test_a_text_is_labelled_and_says_so_with_the_nurses_name(
    nurse: Visitor, maria: Someone, unread: int, desk: Desk
) -> None:
    for path in (own_page(maria), f"/staff/phones/{maria.phone_id}"):
        form = nurse.page(f"{path}?label={unread}")
        back = re.search(r'name="back" value="([^"]+#in-[^"]+)"', form)
        assert back
        answer = nurse.post(f"/staff/texts/{unread}/label", seen_on=path, topic="mri", back=back[1])
        assert answer.location == f"{path}#in-{unread}"
        assert "labelled: MRI scans by Ana Lindqvist" in " ".join(re.sub("<[^>]+>", "", nurse.page(path)).split())
    assert [label.topic for label in desk.rows(Label)] == ["mri"]
    again = nurse.page(f"{own_page(maria)}?label={unread}")
    assert '<option value="mri" selected>' in again
    nurse.post(f"/staff/texts/{unread}/label", seen_on=own_page(maria), topic="none_of_these")
    assert "labelled: none of these by" in nurse.page(own_page(maria))


def test_a_wrong_label_changes_nothing_and_says_why(nurse: Visitor, maria: Someone, unread: int, desk: Desk) -> None:
    path = own_page(maria)
    nurse.post(f"/staff/texts/{unread}/label", seen_on=path, topic="", back=path)
    assert "Not labelled: there is no such topic" in nurse.page(path)
    assert desk.rows(Label) == []


def test_a_label_needs_the_forms_token(nurse: Visitor, unread: int, desk: Desk) -> None:
    assert nurse.client.post(f"/staff/texts/{unread}/label", data={"topic": "mri"}).status_code == 400
    assert desk.rows(Label) == []


def test_another_clinic_can_neither_label_a_text_nor_see_that_it_is_there(
    stranger_nurse: Visitor, unread: int, desk: Desk
) -> None:
    for inbound_id in (unread, 9999):
        answer = stranger_nurse.post(f"/staff/texts/{inbound_id}/label", seen_on="/staff/", topic="mri")
        assert answer.status_code == 404
    assert desk.rows(Label) == []


def test_the_form_shows_only_texts_of_its_own_page(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], texts: Texts
) -> None:
    other = texts(add_patient("Otto", "+16145550150").phone, "green bicycle").inbound_id
    for wanted in (str(other), "9999", "x", "-1"):
        page = nurse.page(f"{own_page(maria)}?label={wanted}")
        assert 'name="topic"' not in page
        assert "green bicycle" not in page.split("</header>")[-1]


def test_the_way_to_the_form_stays_on_the_page_with_as_many_texts(nurse: Visitor, maria: Someone, unread: int) -> None:
    assert f'href="{own_page(maria)}?texts=240&label={unread}#label"' in nurse.page(f"{own_page(maria)}?texts=240")
    wrong = nurse.post(f"{own_page(maria)}/visits", seen_on=own_page(maria), starts_at="never")
    assert f'href="{own_page(maria)}?label={unread}#label"' in wrong.text


def test_no_words_of_a_text_in_addresses_or_titles_where_it_is_labelled(
    nurse: Visitor, maria: Someone, unread: int
) -> None:
    page = nurse.page(f"{own_page(maria)}?label={unread}")
    for said in (*re.findall(r'(?:href|action|hx-get|value)="([^"]*)"', page), *re.findall("<title>(.*?)<", page)):
        assert "umbrella" not in said.lower()


def test_markup_in_a_text_stays_text_in_the_form(nurse: Visitor, maria: Someone, texts: Texts, desk: Desk) -> None:
    inbound_id = texts(maria.phone, '"><script>alert(1)</script>').inbound_id
    desk.change(InboundMessage, inbound_id, kind="unknown")
    assert "<script>alert" not in nurse.get(f"{own_page(maria)}?label={inbound_id}").text


def test_the_patients_phone_shows_nothing_of_it(newcomer: Visitor, simulator: Flask) -> None:
    newcomer.post("/simulator/text", seen_on="/simulator", body="striped umbrella")
    assert "not understood" not in newcomer.page("/simulator").split('id="said"')[1].split("</article>")[0]


# ── the figures ──────────────────────────────────────────────────────────────────────────────────────


def row(page: str, topic: str) -> list[str]:
    found = re.search(rf'<tr id="topic-{topic}">(.*?)</tr>', page, re.DOTALL)
    assert found
    return [re.sub("<[^>]+>", "", cell).strip() for cell in re.split(r"</t[hd]>", found[1])][:-1]


def test_learning_tells_how_each_answer_fares(
    nurse: Visitor, maria: Someone, unread: int, texts: Texts, line: Line, clock: FrozenClock, desk: Desk
) -> None:
    with line.db.begin() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
        for topic, yes in (("mri", True), ("mri", True), ("mri", False)):
            record_helped(session, clock(), clinic_id, maria.phone_id, topic, "en", 1, yes)
    desk.change(InboundMessage, unread, kind="topic", topic="travel")
    nurse.post(f"/staff/texts/{unread}/label", seen_on=own_page(maria), topic="mri")
    page = nurse.page("/staff/learning")
    assert row(page, "mri") == ["MRI scans", "2", "1", "67%", "0"]
    assert row(page, "travel") == ["Travel with a pump", "0", "0", "no reply", "1"]
    assert "<h1>Learning</h1>" in page


def test_learning_of_another_clinic_is_its_own(
    nurse: Visitor, stranger_nurse: Visitor, maria: Someone, unread: int, desk: Desk
) -> None:
    desk.change(InboundMessage, unread, kind="topic", topic="travel")
    nurse.post(f"/staff/texts/{unread}/label", seen_on=own_page(maria), topic="mri")
    assert "topic-travel" in nurse.page("/staff/learning")
    assert "Nothing yet" in stranger_nurse.page("/staff/learning")


def test_the_answers_lead_to_how_each_fares_and_nobody_else_gets_in(nurse: Visitor, visitor: Visitor) -> None:
    assert 'href="/staff/learning"' in nurse.page("/staff/content")
    assert visitor.get("/staff/learning").location == "/staff/sign-in?next=%2Fstaff%2Flearning"
