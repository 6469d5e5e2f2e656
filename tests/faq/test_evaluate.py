"""The figures on a hand-made list, small enough to count on one's fingers."""

import json

import pytest

from faq.evaluate import BadLabel, Labelled, Row, Scored, by_label, confusions, read_labelled, score, table
from faq.intents import IntentName
from faq.library import Library
from faq.understand import Understanding, Urgency


def urgent(category: str, lang: str = "en") -> Understanding:
    return Understanding("urgent", lang, urgency=Urgency(category, "words"), topic="alarm")  # type: ignore[arg-type]


def topic(name: str, lang: str = "en") -> Understanding:
    return Understanding("topic", lang, topic=name)


def menu(*names: str, lang: str = "en") -> Understanding:
    return Understanding("choices", lang, choices=names)


def admin(intent: IntentName, lang: str = "en") -> Understanding:
    return Understanding("admin", lang, intent=intent)


UNKNOWN = Understanding("unknown", "en")


def meant(kind: str, text: str = "x", lang: str = "en", **label: str) -> Labelled:
    return Labelled("1", text, lang, "none", kind, **label)


SCORED = [
    Scored(meant("urgent", category="alarm"), urgent("alarm")),
    Scored(meant("urgent", category="alarm"), urgent("withdrawal")),
    Scored(meant("urgent", category="alarm", lang="es"), UNKNOWN),
    Scored(meant("urgent", category="breathing"), topic("noise")),
    Scored(meant("topic", topic="mri"), topic("mri")),
    Scored(meant("topic", topic="mri"), menu("travel", "mri")),
    Scored(meant("topic", topic="mri"), topic("travel")),
    Scored(meant("topic", topic="mri"), UNKNOWN),
    Scored(meant("topic", topic="mri", lang="es"), topic("mri", "es")),
    Scored(meant("topic", topic="heat"), urgent("alarm")),
    Scored(meant("admin", "STOP", intent="opt_out"), admin("opt_out")),
    Scored(meant("admin", "cancel", intent="opt_out"), admin("cancel_appointment")),
    Scored(meant("admin", "no more texts", intent="opt_out"), admin("opt_out")),
    Scored(meant("admin", "how are you", intent="thanks"), admin("opt_out")),
    Scored(meant("unknown", tag="out_of_scope"), UNKNOWN),
    Scored(meant("unknown", tag="out_of_scope"), topic("noise")),
    Scored(meant("unknown", tag="dose_request"), UNKNOWN),
    Scored(meant("unknown", tag="calm"), UNKNOWN),
]


def row(what: str, scored: list[Scored] = SCORED) -> Row:
    [found] = [line for line in table(scored) if line.what.strip() == what]
    return found


@pytest.mark.parametrize(
    ("what", "right", "of"),
    [
        ("urgent found", 2, 4),
        ("alarm, en", 2, 2),
        ("alarm, es", 0, 1),
        ("breathing, en", 0, 1),
        ("category right, of the urgent found", 1, 2),
        ("false alarms on what is not urgent", 1, 14),
        ("opt-out, formal words", 1, 2),
        ("opt-out, free-form", 1, 1),
        ("opt-out, precision", 2, 3),
        ("administrative intent right", 2, 4),
        ("question answered directly and rightly, en", 1, 5),
        ("question answered directly and rightly, es", 1, 1),
        ("right topic answered or in the menu, en", 2, 5),
        ("right topic answered or in the menu, es", 1, 1),
        ("question answered with a wrong topic", 1, 6),
        ("out of scope and never answered", 1, 2),
        ("request for a dose and never answered", 1, 1),
        ("language right", 17, 18),
    ],
)
def test_each_figure_is_the_share_one_would_count_by_hand(what: str, right: int, of: int) -> None:
    found = row(what)
    assert (found.share, found.of) == (pytest.approx(right / of), of)


def test_the_table_aims_at_what_the_issue_asks_for() -> None:
    aims = {line.what.strip(): (line.target, line.at_most) for line in table(SCORED)}
    assert aims["urgent found"] == (0.99, False)
    assert aims["alarm, en"] == (0.97, False)
    assert aims["false alarms on what is not urgent"] == (0.02, True)
    assert aims["opt-out, formal words"] == (1.0, False)
    assert aims["opt-out, free-form"] == (0.97, False)
    assert aims["opt-out, precision"] == (0.98, False)
    assert aims["administrative intent right"] == (0.95, False)
    assert aims["question answered directly and rightly, en"] == (0.92, False)
    assert aims["question answered directly and rightly, es"] == (0.88, False)
    assert aims["right topic answered or in the menu, en"] == (0.97, False)
    assert aims["right topic answered or in the menu, es"] == (0.95, False)
    assert aims["question answered with a wrong topic"] == (0.02, True)
    assert aims["out of scope and never answered"] == (0.95, False)
    assert aims["language right"] == (0.98, False)


def test_a_figure_on_its_aim_has_reached_it_and_one_with_no_message_says_nothing() -> None:
    assert Row("x", 0.99, 100, 0.99).reached is True
    assert Row("x", 0.98, 100, 0.99).reached is False
    assert Row("x", 0.02, 100, 0.02, at_most=True).reached is True
    assert Row("x", 0.03, 100, 0.02, at_most=True).reached is False
    assert Row("x", None, 0, 0.99).reached is None
    assert row("urgent found", []).share is None


def test_every_label_is_counted_with_what_was_right_and_what_was_offered() -> None:
    counts = {label: rest for label, *rest in by_label(SCORED)}
    assert counts["topic:mri"] == [5, 2, 1]
    assert counts["urgent:alarm"] == [3, 2, 0]
    assert counts["admin:opt_out"] == [3, 2, 0]
    assert counts["unknown:out_of_scope"] == [2, 1, 0]


def test_what_was_taken_for_what_is_listed_and_what_was_right_is_not() -> None:
    wrong = confusions(SCORED)
    assert ("topic:mri", "topic:travel", 1) in wrong
    assert ("urgent:breathing", "topic:noise", 1) in wrong
    assert ("topic:heat", "urgent:alarm", 1) in wrong
    assert not any(said == "choices:travel,mri" for _, said, _ in wrong)
    assert not any(label.startswith("unknown:") and said.startswith("unknown") for label, said, _ in wrong)


def test_messages_are_understood_each_on_its_own(library: Library) -> None:
    lines = [
        {"id": "a", "text": "my pump is beeping", "kind": "urgent", "category": "alarm"},
        {"id": "b", "text": "1", "kind": "unknown"},
        {"id": "c", "text": "1", "kind": "admin", "intent": "confirm", "context": "after_reminder"},
        {"id": "d", "text": "1", "kind": "unknown", "context": "none"},
    ]
    scored = score(read_labelled(json.dumps(line) for line in lines), library)
    assert [s.said for s in scored] == ["urgent:alarm", "unknown:-", "admin:confirm", "unknown:-"]


def test_an_empty_line_is_passed_over_and_missing_fields_are_filled() -> None:
    [only] = read_labelled(["", '{"text": "hi", "kind": "unknown"}', "  \n"])
    assert (only.id, only.lang, only.context, only.label) == ("2", "en", "none", "unknown:-")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        ('"pump"', "text is missing; like {"),
        ('{"kind": "urgent"}', "text is missing; like {"),
        ('{"text": 7, "kind": "urgent"}', "text is missing; like {"),
        ('{"text": "x"}', "kind is none of urgent, topic, admin, unknown; like {"),
        ('{"text": "x", "kind": "alarm"}', "kind is none of urgent, topic, admin, unknown; like {"),
        ('{"text": "x", "kind": ["urgent"]}', "kind is none of urgent, topic, admin, unknown; like {"),
        ('{"text": "x", "kind": "topic", "context": "later"}', "context is neither none nor after_reminder"),
        ('{"text": "x", "kind": "topic", "context": ["none"]}', "context is neither none nor after_reminder"),
        ('{"text": "x", "kind": "topic", "topic": 7}', "topic, intent, category and tag are words; like {"),
    ],
)
def test_a_label_that_cannot_be_used_is_refused_with_its_line_and_what_to_do(line: str | bytes, says: str) -> None:
    good = '{"text": "pump beeping", "kind": "urgent", "category": "alarm"}'
    with pytest.raises(BadLabel) as refused:
        read_labelled([good, line])
    assert str(refused.value).startswith("line 2: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "x", "kind": "topic"}',
        '{"text": "x", "kind": "urgent"}',
        '{"text": "x", "kind": "admin"}',
        '{"text": "x", "kind": "urgent", "category": "alrm"}',
        '{"text": "x", "kind": "admin", "intent": "stop"}',
    ],
)
def test_a_label_that_nothing_could_ever_match_is_refused(line: str) -> None:
    with pytest.raises(BadLabel):
        read_labelled([line])


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    with pytest.raises(BadLabel) as refused:
        read_labelled(['{"text": "Maria Lopez has a fever", "kind": "ugent"}'])
    assert "Maria" not in str(refused.value)
