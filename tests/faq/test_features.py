"""What a text is made of, so that a slip of the finger, a shorthand or a negation is seen for what it is."""

import pytest

from faq.features import AFTER_REMINDER, features, in_two, of_word, squeezed


def words(text: str) -> set[str]:
    """The words as they were read, shorthand written out, without doubled letters."""
    return {feature[1:] for feature in features(text) if feature.startswith("=")}


def denied(text: str) -> set[str]:
    """The words that a negation reaches."""
    return {feature[1:] for feature in features(text) if feature.startswith("!") and not feature.startswith("!#")}


@pytest.mark.parametrize("written", ["beeping", "beeeeping", "beepping", "BEEPING", "bëëping"])
def test_a_held_key_a_doubled_key_and_a_single_one_look_alike(written: str) -> None:
    assert words(f"pump {written}") == {"pump", "beping"}
    assert features(written) == features("beeping")


def test_a_squeezed_word_keeps_its_other_letters() -> None:
    assert squeezed("falllling") == "faling"
    assert squeezed("alarm") == "alarm"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("can u help", "can you help"),
        ("b4 my refill", "before my refill"),
        ("idk", "do not know"),
        ("cant wait", "can not wait"),
        ("can't wait", "can not wait"),
        ("q es eso", "que es eso"),
        ("xq pita", "por que pita"),
        ("toy bn", "estoy bien"),
    ],
)
def test_shorthand_is_read_as_what_it_stands_for(short: str, long: str) -> None:
    assert features(short) == features(long)


def test_case_accents_and_apostrophes_make_no_difference() -> None:
    assert features("¿Está SONANDO la bomba?") == features("esta sonando la bomba?")


def test_a_negation_reaches_five_words_and_no_further() -> None:
    assert denied("no beep fever rash pain itch cough") == {"bep", "fever", "rash", "pain", "itch"}


def test_a_new_negation_starts_its_reach_again() -> None:
    assert "cough" in denied("no beep fever rash no pain itch cough")


@pytest.mark.parametrize("word", ["but", "though", "except", "pero", "aunque"])
def test_a_word_that_turns_ends_the_reach(word: str) -> None:
    assert "fever" not in denied(f"no pain {word} fever")
    assert "pain" in denied(f"no pain {word} fever")


@pytest.mark.parametrize("mark", [".", ",", ";", "!", "?", "\n", " - ", ":"])
def test_a_mark_between_sentences_or_clauses_ends_the_reach(mark: str) -> None:
    assert "fever" not in denied(f"no pain{mark} fever")


def test_what_comes_before_a_negation_is_not_denied() -> None:
    assert "fever" not in denied("fever and no pain")


@pytest.mark.parametrize(
    ("text", "word"), [("sin fiebre", "fiebre"), ("nunca pita", "pita"), ("it doesnt beep", "bep")]
)
def test_negations_of_either_language_and_within_a_shorthand_count(text: str, word: str) -> None:
    assert word in denied(text)


def test_neighbours_are_kept_in_their_order_and_not_across_a_mark() -> None:
    assert "pump alarm" in features("my pump alarm")
    assert "alarm pump" not in features("my pump alarm")
    assert "pump alarm" not in features("my pump. alarm")


def test_one_wrong_letter_leaves_most_of_the_letter_groups() -> None:
    groups = {feature for feature in features("withdrawal") if feature[0] not in "=^$@#<"}
    wrong = {feature for feature in features("withdrawel") if feature[0] not in "=^$@#<"}
    assert len(groups & wrong) > len(groups) / 2


def test_a_question_mark_is_seen() -> None:
    assert "@asked" in features("beeping?")
    assert "@asked" not in features("beeping")


def test_a_text_after_our_reminder_is_told_apart() -> None:
    after = features("yes i will", after_reminder=True)
    assert {AFTER_REMINDER, "@after yes"} <= after
    assert after > features("yes i will")


def test_nothing_but_marks_has_no_words() -> None:
    assert words("... ?!") == words("") == set()


def test_a_very_long_text_is_read_in_no_more_than_its_beginning() -> None:
    assert "late" not in words("word. " * 400 + "late")


def test_a_mended_text_counts_as_written_and_as_meant() -> None:
    def mend(word: str) -> str:
        return {"alaem": "alarm"}.get(word, word)

    found = features("alaem again", mend=mend)
    assert found == features("alaem again") | features("alarm again")


def test_a_text_in_two_halves_is_the_whole_text() -> None:
    for text in ("beeping since last nite, not itchy", "¿pita? pita", "", "..."):
        found, words = in_two(text, after_reminder=True)
        assert found.union(*map(of_word, words)) == features(text, after_reminder=True)
