"""While a nurse has a conversation: everything but topic answers, menus and "did that help" is as ever."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.domain.conversation import Ask, Asked
from app.domain.effects import (
    AcknowledgeAlert,
    ConfirmVisit,
    Decision,
    OpenTask,
    OptIn,
    OptOut,
    Person,
    RaiseAlert,
    RecordCheckIn,
    RecordHelped,
    RecordScan,
    RecordWhy,
    Remember,
    Sender,
    Visit,
)
from app.domain.inbound import decide
from app.domain.paused import paused_until
from faq.checks import URGENT_TOPICS
from faq.library import Library, load
from faq.understand import understand
from tests.faq.test_urgent import URGENT, lines

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY: Library = load()
DATA = Path(__file__).parent.parent / "data" / "understanding"
NEW_YORK = ZoneInfo("America/New_York")

MARIA = Sender(people=(Person(1),))
BOOKED = replace(MARIA, visits=(Visit(7, 1, "Maria", NOW + timedelta(days=3)),))
CONFIRMS = Asked().with_confirm(7, NOW, NOW + timedelta(days=3))[0]
SENDERS = {
    "maria": BOOKED,
    "asked to confirm": replace(BOOKED, asked=CONFIRMS),
    "asked whether it helped": replace(
        BOOKED, asked=Asked((Ask("helped", NOW, NOW + timedelta(hours=24), topics=("travel", "en")),))
    ),
    "offered a list": replace(BOOKED, asked=Asked().with_topic("choices", ("travel", "mri"), NOW)),
    "in triage": replace(
        BOOKED, asked=Asked((Ask("triage", NOW, NOW + timedelta(hours=4)),)).with_urgent(NOW, "withdrawal")
    ),
    "asked how she is": replace(
        BOOKED, asked=Asked((Ask("checkin", NOW, NOW + timedelta(hours=24), patient_id=1, digit=1),))
    ),
    "opted out": replace(BOOKED, opted_out=True),
    "a stranger": Sender(),
}
# What nobody may lose because a nurse is writing.
NEVER_LOST = (
    RaiseAlert,
    AcknowledgeAlert,
    OptOut,
    OptIn,
    ConfirmVisit,
    RecordCheckIn,
    RecordScan,
    RecordWhy,
)


def answer_to(text: str, sender: Sender, *, paused: bool, media: int = 0) -> Decision:
    sender = replace(sender, paused=paused)
    understood = understand(text, sender.asked.context(NOW, "en"), LIBRARY)
    return decide(understood, text, sender, LIBRARY, NOW, media=media, room_to_ask=lambda _: True)


def seen_texts() -> Iterator[str]:
    for file in sorted(DATA.glob("seen-*.jsonl")):
        for row in file.read_text("utf-8").splitlines():
            yield json.loads(row)["text"]


def urgent_texts() -> list[str]:
    marked = [
        json.loads(row)["text"]
        for file in sorted(DATA.glob("seen-*.jsonl"))
        for row in file.read_text("utf-8").splitlines()
        if json.loads(row)["kind"] == "urgent"
    ]
    return [*marked, *(text for table in URGENT.values() for text in lines(table))]


def test_every_urgent_text_is_answered_and_alerted_exactly_as_without_the_pause() -> None:
    texts = urgent_texts()
    assert len(texts) > 300
    for text in texts:
        as_ever = answer_to(text, BOOKED, paused=False)
        assert answer_to(text, BOOKED, paused=True) == as_ever or not _alerts(as_ever), text
        if _alerts(as_ever):
            assert any(reply.urgent for reply in as_ever.replies), text


def _alerts(decision: Decision) -> bool:
    return any(isinstance(effect, RaiseAlert) for effect in decision.effects)


@pytest.mark.parametrize("who", SENDERS)
def test_whatever_is_texted_nothing_that_matters_is_lost(who: str) -> None:
    """Of the whole seen set and the bare answers: no alert, opt-out, confirmation, task or urgent word goes missing."""
    bare = ("1", "2", "3", "yes", "no", "YES", "STOP", "START", "HELP", "MENU", "MORE", "NURSE", "thanks", "si", "no")
    for text in (*bare, *list(seen_texts())[::3], *urgent_texts()[::3]):
        as_ever, paused = (answer_to(text, SENDERS[who], paused=flag) for flag in (False, True))
        for effect in as_ever.effects:
            if isinstance(effect, (*NEVER_LOST, OpenTask)):
                assert effect in paused.effects, (who, text)
        assert [r for r in as_ever.replies if r.urgent] == [r for r in paused.replies if r.urgent], (who, text)
        left_out = [reply for reply in as_ever.replies if reply not in paused.replies]
        for reply in left_out:
            kind, _, topic = reply.text_id.partition(":")
            silent = {"choices", "more_none", "helped_yes", "helped_no", "unknown", "out_of_scope", "thanks"}
            assert (
                (kind in ("answer", "more") and topic not in URGENT_TOPICS)
                or reply.text_id == "menu"
                or (kind == "text" and topic in silent)
            ), (who, text, reply.text_id)
        thanks = all(reply.text_id == "text:thanks" for reply in left_out)
        if left_out and not thanks:
            assert any(isinstance(e, OpenTask) and e.kind == "question" for e in paused.effects), (who, text)


@pytest.mark.parametrize("text", ["can i fly", "TRAVEL", "MENU", "MORE", "purple monkey dishwasher", "hot tub ok?"])
def test_a_question_is_left_for_the_nurse(text: str) -> None:
    decision = answer_to(text, BOOKED, paused=True)
    assert decision.replies == ()
    assert [effect.kind for effect in decision.effects if isinstance(effect, OpenTask)] == ["question"]
    assert not any(isinstance(effect, Remember) for effect in decision.effects)  # nothing was asked or offered
    assert "left for the nurse" in decision.trace[-1]


def test_a_yes_is_no_verdict_on_an_older_answer() -> None:
    """The nurse asked something meanwhile: a yes is hers."""
    decision = answer_to("yes", SENDERS["asked whether it helped"], paused=True)
    assert not any(isinstance(effect, RecordHelped) for effect in decision.effects)
    assert decision.replies == ()
    assert any(isinstance(effect, OpenTask) and effect.kind == "question" for effect in decision.effects)


@pytest.mark.parametrize(("who", "text"), [("asked to confirm", "1"), ("in triage", "yes"), ("in triage", "no")])
def test_what_we_asked_is_answered_as_ever(who: str, text: str) -> None:
    assert answer_to(text, SENDERS[who], paused=True) == answer_to(text, SENDERS[who], paused=False)


def test_a_wish_beside_a_question_is_seen_to_and_the_question_left() -> None:
    decision = answer_to("when is my refill? can i fly with the pump", BOOKED, paused=True)
    assert [reply.text_id for reply in decision.replies] == ["text:human"]
    kinds = [effect.kind for effect in decision.effects if isinstance(effect, OpenTask)]
    assert sorted(kinds) == ["question", "reschedule"]
    assert not any(isinstance(effect, Remember) for effect in decision.effects)


@pytest.mark.parametrize("topic", sorted(URGENT_TOPICS))
def test_what_is_about_an_emergency_is_answered_here_too(topic: str) -> None:
    for question, about in LIBRARY.questions.values():
        if about == topic:
            decision = answer_to(question, BOOKED, paused=True)
            assert decision.replies == answer_to(question, BOOKED, paused=False).replies, question


def test_a_late_refill_is_answered_and_given_to_a_nurse_as_ever() -> None:
    texts = [t for t in seen_texts() if _late(answer_to(t, BOOKED, paused=False))]
    assert texts
    for text in texts:
        assert answer_to(text, BOOKED, paused=True) == answer_to(text, BOOKED, paused=False), text


def _late(decision: Decision) -> bool:
    return any(isinstance(effect, OpenTask) and effect.kind == "missed_refill" for effect in decision.effects)


def test_a_picture_still_reaches_a_nurse() -> None:
    decision = answer_to("", BOOKED, paused=True, media=1)
    assert any(isinstance(effect, OpenTask) and effect.kind == "media" for effect in decision.effects)


def test_thanks_asks_nobody() -> None:
    decision = answer_to("thanks", BOOKED, paused=True)
    assert (decision.replies, decision.effects) == ((), ())


@pytest.mark.parametrize(
    ("at", "until"),
    [("10:00", "17:00"), ("15:59", "17:00"), ("16:30", "17:30"), ("19:00", "20:00"), ("23:40", "00:40")],
)
def test_the_pause_lasts_until_the_day_ends_and_an_hour_at_least(at: str, until: str) -> None:
    local = datetime.combine(date(2026, 11, 23), time.fromisoformat(at), NEW_YORK)
    ends = paused_until(local.astimezone(UTC), NEW_YORK, time(17))
    assert f"{ends.astimezone(NEW_YORK):%H:%M}" == until


def test_a_day_that_ends_in_a_gap_of_the_clocks_still_ends() -> None:
    now = datetime(2027, 3, 14, 5, 0, tzinfo=UTC)  # midnight in New York, before the clocks go forward at two
    assert paused_until(now, NEW_YORK, time(2, 30)) == datetime(2027, 3, 14, 7, 0, tzinfo=UTC)
