import pytest

from faq.intents import RESERVED
from faq.keywords import keyword
from faq.library import Library, load
from faq.spelling import slip
from faq.understand import Context, understand

from .content_folder import ContentFolder

AROUND = (
    "{}",
    " {} ",
    "{}!",
    "{}?",
    '"{}"',
    "“{}”",
    "*{}*",
    "🚨{}🚨",
    "{} please",
    "pls {}",
    "the {}",
    "send me {} info",
    "text {}",
    "{} por favor",
)


def all_keywords() -> list[tuple[str, str]]:
    return [(word, answer.topic) for answer in load().answers["en"].values() for word in answer.keywords]


def slips_of(word: str) -> set[str]:
    wrong = {word[:n] + letter + word[n + 1 :] for n in range(len(word)) for letter in "AQZ"}
    swapped = {word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1)}
    missing = {word[:n] + word[n + 1 :] for n in range(len(word))}
    doubled = {word[:n] + word[n] + word[n:] for n in range(len(word))}
    return (wrong | swapped | missing | doubled) - {word}


@pytest.mark.parametrize(("word", "topic"), all_keywords())
def test_every_keyword_works_in_any_case_and_dress(word: str, topic: str, library: Library) -> None:
    for frame in AROUND:
        for written in (word, word.lower(), word.title()):
            hit = keyword(frame.format(written), library)
            assert hit is not None, frame.format(written)
            assert (hit.topic, hit.keyword, hit.correction) == (topic, word, None)


@pytest.mark.parametrize(("word", "topic"), [pair for pair in all_keywords() if len(pair[0]) >= 5])
def test_every_keyword_of_five_letters_survives_one_slip(word: str, topic: str, library: Library) -> None:
    others = {other: where for other, where in all_keywords() if where != topic}
    for slipped in slips_of(word):
        if slipped in others or any(slip(slipped, other) for other in others):
            continue  # as near to another topic's keyword: asked back, never guessed
        for text in (slipped, f"{slipped.lower()} please"):
            understood = understand(text, Context(), library)
            assert understood.topic == topic, text
            assert understood.kind in ("topic", "urgent")


@pytest.mark.parametrize(
    ("text", "word", "correction"),
    [
        ("TRAVLE", "TRAVEL", "two letters swapped"),
        ("travl", "TRAVEL", "one letter missing"),
        ("REFIL", "REFILL", "one letter missing"),
        ("refull", "REFILL", "one letter wrong"),
        ("travvel", "TRAVEL", "one letter too many"),
        ("traaaaavel", "TRAVEL", "a letter held down"),
        ("ALRAM", "ALARM", "two letters swapped"),
        ("hot tub", "HOTTUB", None),
        ("side effects", "SIDEEFFECTS", None),
        ("side efects", "SIDEEFFECTS", "one letter missing"),
    ],
)
def test_a_slip_is_named(text: str, word: str, correction: str | None, library: Library) -> None:
    hit = keyword(text, library)
    assert hit is not None
    assert (hit.keyword, hit.correction) == (word, correction)


@pytest.mark.parametrize("text", ["", "   ", "👍", "bxth", "i have a question about something else", "xyzzy", "tavle"])
def test_other_texts_are_no_keyword(text: str, library: Library) -> None:
    assert keyword(text, library) is None


def test_a_correction_that_could_be_two_topics_is_none(content: ContentFolder) -> None:
    content.change("[TRAVEL, TRIP]", "[TRAVEL, BATTERS]")
    assert keyword("BATTERX", load(content.path)) is None


def test_an_exact_keyword_beats_a_near_one(content: ContentFolder) -> None:
    content.change("[TRAVEL, TRIP]", "[TRAVEL, BATTERS]")
    hit = keyword("BATTERS", load(content.path))
    assert hit is not None
    assert (hit.topic, hit.correction) == ("travel", None)


def test_no_keyword_is_a_word_of_carriers_or_commands() -> None:
    assert not {word for word, _ in all_keywords()} & RESERVED


def test_what_about_is_a_courtesy_around_a_keyword(library: Library) -> None:
    hit = keyword("what about mri", library)
    assert hit is not None
    assert hit.topic == "mri"
