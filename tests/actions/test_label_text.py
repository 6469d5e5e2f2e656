"""A nurse says what a text really asked for: once a text, of her own clinic, with a topic that exists."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.actions.add_staff import add_staff
from app.actions.errors import Refused
from app.actions.label_text import label_text
from app.actions.learned import offered
from app.actions.receive_text import Received
from app.db.learning import NONE_OF_THESE, Label
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone

Texts = Callable[..., Received]
PASSWORD = "a long enough password"


@pytest.fixture
def ana(desk: Desk, clock: FrozenClock) -> int:
    return add_staff(desk.line.db, "ana@clinic.example", "Ana Lindqvist", "nurse", PASSWORD, clock())


@pytest.fixture
def bea(desk: Desk, clock: FrozenClock) -> int:
    """A nurse of another clinic."""
    with desk.line.db.begin() as session:
        other = Clinic(
            name="Southgate",
            phone="+16145550110",
            after_hours_phone="+16145550111",
            time_zone="America/Chicago",
            created_at=clock(),
        )
        session.add(other)
        session.flush()
        clinic_id = other.id
    return add_staff(desk.line.db, "bea@other.example", "Bea", "nurse", PASSWORD, clock(), clinic_id)


@pytest.fixture
def unread(texts: Texts, maria: Someone) -> int:
    """A text nobody understood."""
    return texts(maria.phone, "striped umbrella").inbound_id


def test_a_label_keeps_what_had_been_understood_and_who_says_otherwise(
    unread: int, ana: int, desk: Desk, clock: FrozenClock
) -> None:
    label_text(desk.line, unread, "mri", clock(), ana)
    [label] = desk.rows(Label)
    assert (label.inbound_id, label.topic, label.was) == (unread, "mri", "unknown")
    assert (label.labelled_by, label.labelled_at) == (ana, clock())
    assert label.clinic_id == desk.rows(InboundMessage)[0].clinic_id


def test_labelling_again_replaces_the_label(unread: int, ana: int, desk: Desk, clock: FrozenClock) -> None:
    label_text(desk.line, unread, "mri", clock(), ana)
    ben = add_staff(desk.line.db, "ben@clinic.example", "Ben", "nurse", PASSWORD, clock())
    clock.forward(hours=1)
    label_text(desk.line, unread, "travel", clock(), ben)
    [label] = desk.rows(Label)
    assert (label.topic, label.labelled_by, label.labelled_at) == ("travel", ben, clock())


def test_none_of_these_is_a_label(unread: int, ana: int, desk: Desk, clock: FrozenClock) -> None:
    label_text(desk.line, unread, NONE_OF_THESE, clock(), ana)
    assert [label.topic for label in desk.rows(Label)] == [NONE_OF_THESE]


def test_the_answer_that_was_given_is_kept(
    texts: Texts, maria: Someone, ana: int, desk: Desk, clock: FrozenClock
) -> None:
    label_text(desk.line, texts(maria.phone, "TRAVEL").inbound_id, "driving", clock(), ana)
    assert desk.rows(Label)[0].was == "topic travel"


def test_the_choices_that_were_offered_are_kept_in_their_order(
    unread: int, ana: int, desk: Desk, clock: FrozenClock
) -> None:
    desk.change(InboundMessage, unread, kind="choices")
    [menu] = desk.messages()
    words = "Which one do you mean? 1 Travel with a pump, 2 Pump noise, 3 Driving. Call 1 614 555 0100."
    desk.change(OutboundMessage, menu.id, text_id="text:choices", body=words)
    label_text(desk.line, unread, "mri", clock(), ana)
    assert desk.rows(Label)[0].was == "choices travel, noise, driving"


def test_a_menu_is_read_in_every_language_as_it_is_really_sent(desk: Desk) -> None:
    library = desk.line.words.library
    for language, answers in library.answers.items():
        for first, second in zip(sorted(answers), sorted(answers)[1:], strict=False):
            menu = f"Hm? 1 {answers[first].title}, 2 {answers[second].title}. Text NURSE, 614-555-0100."
            assert offered(menu, library) == (first, second), language


@pytest.mark.parametrize("topic", ["", "umbrella", "MRI", "none of these"])
def test_a_topic_that_is_not_there_is_refused(
    unread: int, ana: int, desk: Desk, clock: FrozenClock, topic: str
) -> None:
    with pytest.raises(Refused, match="no such topic"):
        label_text(desk.line, unread, topic, clock(), ana)
    assert desk.rows(Label) == []


def test_a_text_of_another_clinic_is_not_there(unread: int, bea: int, desk: Desk, clock: FrozenClock) -> None:
    with pytest.raises(Refused, match="no such text") as refused:
        label_text(desk.line, unread, "mri", clock(), bea)
    assert refused.value.kind == "missing"
    assert desk.rows(Label) == []


def test_what_is_no_text_of_a_patient_is_refused(
    unread: int, owed: Callable[..., int], maria: Someone, ana: int, desk: Desk, clock: FrozenClock
) -> None:
    ours = owed(maria)  # a text of ours, with an id that no inbound text has
    assert ours not in [row.id for row in desk.rows(InboundMessage)]
    for missing in (ours, 0, 9999):
        with pytest.raises(Refused, match="no such text"):
            label_text(desk.line, missing, "mri", clock(), ana)
    assert desk.rows(Label) == []


@pytest.mark.parametrize("words", ["my pump alarm is beeping", "STOP"])
def test_an_urgent_text_never_becomes_the_example_of_a_question(
    texts: Texts, maria: Someone, ana: int, desk: Desk, clock: FrozenClock, words: str
) -> None:
    inbound_id = texts(maria.phone, words).inbound_id
    with pytest.raises(Refused, match="not read as a question"):
        label_text(desk.line, inbound_id, "mri", clock(), ana)
    assert desk.rows(Label) == []


def test_the_audit_tells_who_and_which_text_and_never_its_words(
    unread: int, ana: int, desk: Desk, clock: FrozenClock
) -> None:
    label_text(desk.line, unread, "mri", clock() + timedelta(minutes=1), ana)
    with desk.line.db.read() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.verb == "text labelled")).one()
        assert (event.actor, event.subject, event.detail) == (f"staff:{ana}", f"inbound:{unread}", {"topic": "mri"})
        assert event.at == clock() + timedelta(minutes=1)
