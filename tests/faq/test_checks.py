import re
from datetime import date

import pytest

from faq.checks import (
    CALL_WITHIN,
    DOSE_WORDS,
    LEAST_PERSPICUITY,
    LONGEST_FILLINGS,
    MORE_LIMIT,
    SHORT_LIMIT,
    URGENT_TOPICS,
    check,
    dose_words,
    lengths,
)
from faq.library import AWAITING_REVIEW, Library, load, render
from faq.readability import perspicuity

from .content_folder import ALARM, ContentFolder, translated

TODAY = date(2026, 11, 22)


def found(content: ContentFolder, today: date = TODAY) -> list[str]:
    return [str(finding) for finding in check(load(content.path), today)]


def test_sound_answers_have_no_findings(content: ContentFolder) -> None:
    assert found(content) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("questions: [1]", "questions: []", "question 1 is not answered"),
        ("questions: [1]", "questions: [1, 99]", "no question has number 99"),
        ("questions: [1]", "questions: [1, 2]", "question 2 belongs to alarm"),
        ("questions: [1]", "questions: [1, 1]", "question 1 stands there twice"),
        ("sources: [S1]", "sources: []", "names no source"),
        ("sources: [S1]", "sources: [S1, S999]", "source S999 is unknown"),
        ("before you go", "before you’re", "short text is not GSM-7: ’"),
        ("Pack your", "Pack – your", "more text is not GSM-7: –"),
        ("you go away.", "you go away. " + "Do it now. " * 25, "short text has 3"),
        ("Pack your pump card.", "Pack your pump card. " * 23, "more text has 4"),
        ("you go away.", "you [[go]] away. " + "Do it now. " * 21 + "Ok.", "characters in 3 segments"),
        ("before you go away", "regarding international transportation considerations", "short text reads at grade"),
        ("Pack your pump card", "Documentation necessitates considerable preparation", "more text reads at grade"),
        ("Pack your pump card.", "Pack 2 tablets.", "a number of tablets"),
        ("before you go away.", "before you go away. Take your tablets.", "advice to take medicine"),
        ("review_by: 2027-05-01", "review_by: 2026-11-21", "its review expired on 2026-11-21"),
        ("review_by: 2027-05-01", "review_by: 2026-10-31", "review_by lies before reviewed_on"),
        ("reviewed_on: 2026-11-01", "reviewed_on: 2026-11-23", "in the future"),
        ("related: [battery]", "related: [holidays]", "related topic holidays does not exist"),
        ("related: [battery]", "related: [travel]", "related to itself"),
        ("keywords: [TRAVEL, TRIP]", "keywords: []", "has no keyword"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [TRAVEL, ALARM]", "keyword ALARM is also in"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [TRAVEL, TRAVEL]", "keyword TRAVEL is also in this file"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [STOPALL]", "keyword STOPALL has another meaning"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [MENU]", "keyword MENU has another meaning"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [travel]", "'travel' is not 3 to 12 letters A-Z"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [GO]", "'GO' is not 3 to 12 letters A-Z"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [HOT TUB]", "'HOT TUB' is not 3 to 12 letters A-Z"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [ALARMS]", "keyword ALARM is one slip from ALARMS"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [BATTREY]", "keyword BATTERY is one slip from BATTREY"),
        ("Reply MORE for what to pack.", "Bon voyage.", "has a more text nobody is told of"),
        ("\n---more---\nPack your pump card.\n", "", "offers MORE but has no more text"),
    ],
)
def test_each_check_fires(content: ContentFolder, old: str, new: str, says: str) -> None:
    content.change(old, new)
    messages = found(content)
    assert any(says in message for message in messages), messages


def test_an_emergency_topic_says_to_call_at_once(content: ContentFolder) -> None:
    content.change(
        "Call {phone} now", "Stay calm and sit down in a quiet room first. After that, ring {phone} now", "alarm"
    )
    assert any("does not say to call within 70 characters" in message for message in found(content))


def test_a_missing_topic_is_found(content: ContentFolder) -> None:
    content.answer("battery").unlink()
    messages = found(content)
    assert any(message.startswith("answers/en/battery.md: topic has no answer") for message in messages)
    assert any("related topic battery does not exist" in message for message in messages)


def test_the_last_day_of_a_review_still_counts(content: ContentFolder) -> None:
    assert found(content, date(2027, 5, 1)) == []
    assert len(found(content, date(2027, 5, 2))) == 3


def test_a_translation_is_checked_for_doses_but_not_by_the_english_grade(content: ContentFolder) -> None:
    spanish = content.answer("alarm", "es")
    spanish.parent.mkdir()
    text = translated(ALARM).replace(
        "Call {phone} now for any beep.",
        "Llame al {phone}: imprescindiblemente, responsabilidades interdisciplinarias institucionalizadas.",
    )
    spanish.write_text(text.replace("related: [battery]", "related: [travel]"), encoding="utf-8")
    assert not any("grade" in message for message in found(content))
    assert any("answers/es/alarm.md" in message and "Szigriszt" in message for message in found(content))
    spanish.write_text(text.replace("Pack your pump card.", "Tome dos pastillas."), encoding="utf-8")
    assert any("answers/es/alarm.md" in message and "dos pastillas" in message for message in found(content))


@pytest.mark.parametrize(
    "text",
    [
        "Take 10 mg now.",
        "10mg",
        "500 mcg a day",
        "90 micrograms",
        "2 milligrams",
        "a 20 mL pump",
        "20ml",
        "40 cc",
        "take two tablets",
        "three blue pills",
        "half a pill",
        "Take your tablets.",
        "take baclofen",
        "taking your baclofen tablets",
        "a dose of 5",
        "dose of about 10",
        "two doses",
        "increase your dose",
        "Lower the dose",
        "cut your baclofen",
        "5 units",
        "tome dos pastillas",
        "tomar su baclofeno",
        "dosis de 10",
        "aumente la dosis",
        "10 miligramos",
        "concentration of 2000",
    ],
)
def test_an_amount_of_medicine_is_found(text: str) -> None:
    assert dose_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "Tell us after any dose change.",
        "The test dose comes first.",
        "Use any tablets only as your doctor told you.",
        "Keep phones 6 in away for 2 hours.",
        "Wait 24 hours. Call 911.",
        "Your pills may change.",
        "Take a card with you.",
        "About half of people feel it.",
        "An image of the pump.",
    ],
)
def test_other_words_are_no_amounts(text: str) -> None:
    assert dose_words(text) == []


def test_every_dose_word_has_a_reason() -> None:
    assert all(reason for _, reason in DOSE_WORDS)


def test_lengths_are_counted_at_the_longest_fillings(content: ContentFolder) -> None:
    travel = next(length for length in lengths(load(content.path)) if length.file.endswith("travel.md"))
    assert travel.short == len("Call  before you go away. Reply MORE for what to pack.") + 18
    assert (travel.short_segments, travel.more_segments) == (1, 1)
    assert {name: len(filling) for name, filling in LONGEST_FILLINGS.items()} == {
        "clinic": 40,
        "phone": 18,
        "after_hours": 18,
        "emergency": 4,
    }


def test_the_shipped_answers_have_no_findings(library: Library) -> None:
    newest = max(answer.reviewed_on for answer in library.answers["en"].values())
    assert [str(finding) for finding in check(library, newest)] == []


def test_the_shipped_answers_fit_their_segments(library: Library) -> None:
    for length in lengths(library):
        assert length.short <= SHORT_LIMIT
        assert length.short_segments <= 2
        assert length.more <= MORE_LIMIT
        assert length.more_segments <= 3


def test_the_shipped_translations_say_what_the_english_answers_say(library: Library) -> None:
    for language in library.languages:
        for topic, english in library.answers["en"].items():
            said = library.answers[language][topic]
            for name in ("group", "questions", "related", "sources", "awaiting_clinical_review"):
                assert getattr(said, name) == getattr(english, name), (said.file, name)
            assert (said.more is None) is (english.more is None), said.file


def test_the_shipped_translations_name_the_same_numbers_to_call(library: Library) -> None:
    for language in library.languages:
        for topic, english in library.answers["en"].items():
            said = library.answers[language][topic]
            for name in ("short", "more"):
                numbers = [set(re.findall(r"{\w+}", getattr(answer, name) or "")) for answer in (said, english)]
                assert numbers[0] == numbers[1], (said.file, name)


CALL = {"en": "call", "es": "llam"}


def test_the_shipped_answer_on_an_emergency_says_whom_to_call_at_once_in_every_language(library: Library) -> None:
    for language in library.languages:
        for topic in URGENT_TOPICS:
            first = render(library.answers[language][topic].short, LONGEST_FILLINGS)[:CALL_WITHIN]
            assert CALL[language] in first.lower(), (language, topic)
            assert "9999" in first or "5" * 18 in first, (language, topic)


def test_the_shipped_spanish_answers_are_fairly_easy_to_read(library: Library) -> None:
    for answer in library.answers["es"].values():
        assert perspicuity(answer.short) >= LEAST_PERSPICUITY, answer.file
        assert perspicuity(answer.more or "") >= LEAST_PERSPICUITY, answer.file


def test_every_shipped_translation_is_marked_until_somebody_qualified_signs_it(library: Library) -> None:
    for answer in library.answers["es"].values():
        assert answer.translation == AWAITING_REVIEW or answer.state == "signed", answer.file
