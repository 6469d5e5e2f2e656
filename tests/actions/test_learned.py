"""What labels and replies teach: candidate examples that name nobody, and figures per topic."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.actions.add_staff import add_staff
from app.actions.label_text import label_text
from app.actions.learned import Candidates, TopicFigures, candidates, figures
from app.actions.receive_text import Received
from app.actions.record_helped import record_helped
from app.db.learning import NONE_OF_THESE, Feedback, Label
from app.db.messages import InboundMessage
from app.db.people import Contact
from app.db.work import AuditEvent
from tests.conftest import Desk, FrozenClock, Someone

Labels = Callable[..., int]


@pytest.fixture
def nurse(desk: Desk, clock: FrozenClock) -> int:
    name, password = "Ana Lindqvist, RN", "a long enough password"
    return add_staff(desk.line.db, "ana@clinic.example", name, "nurse", password, clock())


@pytest.fixture
def labels(texts: Callable[..., Received], maria: Someone, nurse: int, desk: Desk, clock: FrozenClock) -> Labels:
    """Maria texts, and a nurse says a minute later what it asked for: `labels("can i go in there", "mri")`."""

    def label(body: str, topic: str, *, kind: str = "unknown", was: str | None = None) -> int:
        inbound_id = texts(maria.phone, body).inbound_id
        desk.change(InboundMessage, inbound_id, kind=kind, topic=was)  # whatever is understood today
        clock.forward(minutes=1)
        label_text(desk.line, inbound_id, topic, clock(), nurse)
        return inbound_id

    return label


@pytest.fixture
def found(desk: Desk) -> Callable[..., Candidates]:
    def read(**how: object) -> Candidates:
        with desk.line.db.read() as session:
            return candidates(session, desk.line.words.library, **how)  # type: ignore[arg-type]

    return read


@pytest.fixture
def helped(desk: Desk, maria: Someone, clock: FrozenClock, clinic: object) -> Callable[..., None]:
    """Maria replies to "Did that help?"."""

    def reply(topic: str, yes: bool, clinic_id: int = clinic.id) -> None:  # type: ignore[attr-defined]
        with desk.line.db.begin() as session:
            record_helped(session, clock(), clinic_id, maria.phone_id, topic, "en", 3, yes)

    return reply


# ── candidates ───────────────────────────────────────────────────────────────────────────────────────


def test_each_label_is_an_example_and_the_newest_is_last(labels: Labels, found: Callable[..., Candidates]) -> None:
    labels("is the big magnet tube ok for me", "mri")
    labels("who won the game last night", NONE_OF_THESE, kind="topic", was="noise")
    assert [(e.topic, e.language, e.text, e.was) for e in found().examples] == [
        ("mri", "en", "is the big magnet tube ok for me", "unknown"),
        (NONE_OF_THESE, "en", "who won the game last night", "topic noise"),
    ]


def test_a_label_changed_later_is_newer(
    labels: Labels, found: Callable[..., Candidates], desk: Desk, clock: FrozenClock, nurse: int
) -> None:
    first = labels("is the big magnet tube ok for me", "travel")
    labels("may i steer the car", "driving")
    clock.forward(minutes=1)
    label_text(desk.line, first, "mri", clock(), nurse)
    assert [e.topic for e in found().examples][-1] == "mri"
    assert len(found().examples) == 2


def test_a_spanish_text_is_marked_as_one(labels: Labels, found: Callable[..., Candidates]) -> None:
    labels("¿puedo entrar en el tubo grande con imán?", "mri")
    assert [e.language for e in found().examples] == ["es"]


def test_every_name_the_clinic_knows_is_taken_out(
    labels: Labels, found: Callable[..., Candidates], add_patient: Callable[..., Someone], desk: Desk
) -> None:
    other = add_patient("José", "+16145550177", family_name="Núñez-Ortega")
    desk.change(Contact, desk.rows(Contact, Contact.patient_id == other.id)[0].id, name="Mrs Consuelo Vargas")
    labels("MARIA and jose NUNEZ asked consuelo, then ana, is ortega ok in the tube, lópez's too", "mri")
    [example] = found().examples
    assert example.text == "NAME and NAME asked NAME, then NAME, is NAME ok in the tube, NAME too"


def test_no_identifier_is_written_and_what_may_hold_one_is_counted(
    labels: Labels, found: Callable[..., Candidates]
) -> None:
    labels("can i go in the tube, call 614-555-0142 or maria.l@example.com, born 2/14/1979", "mri")
    labels("is the tube ok, ask my husband Bartholomew", "mri")
    labels("7", "mri")
    result = found()
    assert [e.text for e in result.examples] == ["can i go in the tube, call NUMBER or EMAIL, born DATE"]
    assert (result.identifying, result.wordless, result.repeated) == (1, 1, 0)


def test_equal_texts_are_written_once_with_the_newest_label(
    labels: Labels, found: Callable[..., Candidates], clock: FrozenClock
) -> None:
    labels("is the big tube ok", "travel")
    labels("Is the BIG tube  ok??", "mri")
    result = found()
    assert [e.topic for e in result.examples] == ["mri"]
    assert result.repeated == 1


def test_since_and_clinic_choose(
    labels: Labels, found: Callable[..., Candidates], clock: FrozenClock, desk: Desk
) -> None:
    labels("is the big tube ok", "mri")
    clock.forward(days=2)
    labels("may i sit in the front of the plane", "travel")
    clinic_id = desk.rows(Label)[0].clinic_id
    assert [e.topic for e in found(since=clock() - timedelta(days=1)).examples] == ["travel"]
    assert len(found(clinic_id=clinic_id).examples) == 2
    assert found(clinic_id=clinic_id + 1).examples == ()


def test_a_topic_that_was_taken_away_teaches_nothing(
    labels: Labels, found: Callable[..., Candidates], desk: Desk
) -> None:
    labels("is the big tube ok", "mri")
    desk.change(Label, desk.rows(Label)[0].id, topic="gone")
    assert (found().examples, found().outdated) == ((), 1)


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────


def test_figures_tell_replies_and_wrong_answers_per_topic_the_worst_first(
    labels: Labels, helped: Callable[..., None], desk: Desk
) -> None:
    for topic, yes in (("mri", True), ("mri", True), ("mri", False), ("noise", True)):
        helped(topic, yes)
    labels("is the big tube ok", "mri", kind="topic", was="travel")
    labels("and with a plane", NONE_OF_THESE, kind="topic", was="travel")
    labels("flying then", "travel", kind="topic", was="travel")  # right after all
    labels("something else", "travel")  # had not been answered at all
    with desk.line.db.read() as session:
        rows = figures(session)
    assert rows == (TopicFigures("travel", 0, 0, 2), TopicFigures("mri", 2, 1, 0), TopicFigures("noise", 1, 0, 0))
    assert [row.share for row in rows] == [None, pytest.approx(2 / 3), 1]


def test_figures_of_one_clinic_hold_no_other(helped: Callable[..., None], labels: Labels, desk: Desk) -> None:
    helped("mri", True)
    labels("is the big tube ok", "mri", kind="topic", was="travel")
    clinic_id = desk.rows(Feedback)[0].clinic_id
    with desk.line.db.read() as session:
        assert len(figures(session, clinic_id)) == 2
        assert figures(session, clinic_id + 1) == ()


def test_a_reply_is_kept_with_the_version_it_speaks_of(
    helped: Callable[..., None], desk: Desk, maria: Someone, clock: FrozenClock
) -> None:
    helped("mri", False)
    [row] = desk.rows(Feedback)
    assert (row.phone_id, row.topic, row.language, row.version) == (maria.phone_id, "mri", "en", 3)
    assert (row.helped, row.answered_at) == (False, clock())
    [event] = desk.rows(AuditEvent, AuditEvent.verb == "said whether it helped")
    assert (event.actor, event.detail) == (f"phone:{maria.phone_id}", {"topic": "mri", "helped": False})


def test_a_reply_is_undone_with_the_transaction_it_belongs_to(desk: Desk, maria: Someone, clock: FrozenClock) -> None:
    def fails_afterwards() -> None:
        with desk.line.db.begin() as session:
            record_helped(session, clock(), 1, maria.phone_id, "mri", "en", 1, helped=True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_afterwards()
    assert desk.rows(Feedback) == []
    assert desk.rows(AuditEvent, AuditEvent.verb == "said whether it helped") == []
