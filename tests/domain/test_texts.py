"""Every text of the system itself, at its longest: short, plain, GSM-7, no dose, and the instruction first."""

import re
import string
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from app.actions.care_texts import TEXTS
from app.domain.reminders import Target, wording
from app.domain.texts import ClinicVoice, Words, load_words
from app.domain.triage import QUESTIONS
from faq.checks import HARDEST_GRADE, LEAST_PERSPICUITY, LONGEST_FILLINGS, dose_words
from faq.readability import grade, perspicuity
from faq.segments import measure, not_gsm7

WORDS: Words = load_words()
NAMES = sorted(WORDS.voice("en").texts)
LANGUAGES = sorted(WORDS.voices)
EVERY = [(language, name) for language in LANGUAGES for name in sorted(WORDS.voice(language).texts)]
URGENT = [(language, name) for language, name in EVERY if name.startswith("urgent_") and name != "urgent_alerted"]
PAGES = [(language, name) for language, name in EVERY if name.startswith("page")]
WITH_GUIDANCE = [(lang, name) for lang, name in EVERY if "{guidance}" in WORDS.voice(lang).texts[name].text]
LONGEST = ClinicVoice("C" * 40, "5" * 18, "5" * 18, "911", ZoneInfo("America/New_York"), "116 123")
WEDNESDAY = datetime(2026, 9, 30, 16, 30, tzinfo=UTC)
every_text = pytest.mark.parametrize(("language", "name"), EVERY)
every_language = pytest.mark.parametrize("language", LANGUAGES)


def text(language: str, name: str) -> str:
    return WORDS.voice(language).texts[name].text


def moment(language: str) -> str:
    return WORDS.voice(language).moment(WEDNESDAY, ZoneInfo("America/New_York"), name_zone=True)


def fillings(language: str) -> dict[str, str]:
    """What each placeholder is filled with at its longest."""
    return {
        "when": moment(language),
        "day": WORDS.voice(language).day(WEDNESDAY, ZoneInfo("America/New_York")),
        "who": "Maximiliane-Sofia",
        "yes": "11",
        "change": "12",
        "alerted": text(language, "urgent_alerted"),
        "code": "1234",
        "number": "288",
        "link": "https://" + "p" * 40 + ".example/staff/",
        "guidance": WORDS.answer("missed-refill", LONGEST, language).body,
        "told": text(language, "triage_told"),
        "digit": "11",
        "visit": f"Maximiliane-Sofia, {moment(language)}",
        "options": ", ".join(f"{n} {'o' * 24}" for n in (1, 2, 3)),
        "other": moment(language),
        "desk": "5" * 18,
        **{f"d{n}": str(n + 4) for n in range(1, 6)},  # of a second patient on the phone
    }


def longest(language: str, name: str) -> str:
    return WORDS.system(name, LONGEST, language, **fillings(language)).body


def placeholders(said: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(said) if field is not None}


def test_the_words_for_the_longest_filling_are_those_of_the_content_check() -> None:
    fillings = LONGEST.fillings()
    assert {name: len(value) for name, value in fillings.items() if name != "emergency"} == {
        name: len(value) for name, value in LONGEST_FILLINGS.items() if name != "emergency"
    }


@every_text
def test_every_placeholder_is_one_we_fill(language: str, name: str) -> None:
    assert placeholders(text(language, name)) <= {*fillings(language), *LONGEST.fillings(), "crisis"}
    assert "{" not in longest(language, name)


@every_language
def test_every_language_has_every_text(language: str) -> None:
    assert sorted(WORDS.voice(language).texts) == NAMES


@every_text
def test_a_translation_says_the_version_the_sources_and_the_open_points_of_the_english_text(
    language: str, name: str
) -> None:
    said, english = WORDS.voice(language).texts[name], WORDS.voice("en").texts[name]
    assert (said.version, said.sources, said.awaiting_clinical_review) == (
        english.version,
        english.sources,
        english.awaiting_clinical_review,
    )


@every_text
def test_a_translation_is_filled_with_what_the_english_text_is_filled_with(language: str, name: str) -> None:
    assert placeholders(text(language, name)) == placeholders(text("en", name))


@every_language
def test_a_translation_says_who_vouches_for_it(language: str) -> None:
    assert (WORDS.voice(language).translation is None) is (language == "en")


@every_text
def test_every_text_is_gsm7(language: str, name: str) -> None:
    assert not_gsm7(longest(language, name)) == ()


@pytest.mark.parametrize(("language", "name"), [case for case in EVERY if case not in WITH_GUIDANCE])
def test_every_text_takes_at_most_two_segments(language: str, name: str) -> None:
    assert measure(longest(language, name)).count <= 2, measure(longest(language, name)).units


@pytest.mark.parametrize("clinic", [LONGEST, ClinicVoice("Oak", "614-555-0100", "614-555-0101", "911", LONGEST.zone)])
@every_language
def test_the_guidance_after_a_missed_refill_takes_at_most_two_segments(language: str, clinic: ClinicVoice) -> None:
    target = Target(1, opted_out=False, language=language, serves=1)
    said = wording("missed:1", WEDNESDAY, "Maximiliane-Sofia", target, 1, WORDS, clinic, clinic.zone)
    assert measure(said.body).count <= 2, measure(said.body).units
    assert said.body.startswith(clinic.name)
    assert WORDS.answer("missed-refill", clinic, language).body in said.body


@every_language
def test_the_guidance_on_a_shared_phone_says_who_in_at_most_three_segments(language: str) -> None:
    said = longest(language, "missed_shared")
    assert "Maximiliane-Sofia" in said
    assert measure(said).count <= 3


FIRST_WORDS = {
    "en": r"Call (?:or text 988|911|us|116 123) ?(?:now|today)?",
    "es": r"Llame(?:nos| o escriba)? (?:ya|hoy)\b",
}


@pytest.mark.parametrize(("language", "name"), URGENT)
def test_an_urgent_text_has_its_instruction_in_the_first_70_characters(language: str, name: str) -> None:
    first = longest(language, name)[:70]
    assert re.match(FIRST_WORDS[language], first)
    assert re.search(r"\b911\b|\b988\b|116 123|5{18}", first)


def read_aloud(language: str, name: str) -> str:
    """The text with what the system itself puts into it; what only stands in another text is read there."""
    said = text(language, "which_visit" if name == "which_option" else name)
    put_in = {"guidance": "", "alerted": text(language, "urgent_alerted"), "told": text(language, "triage_told")}
    put_in["options"] = text(language, "which_option") if name == "which_option" else "{options}"
    for placeholder, words in put_in.items():
        said = said.replace(f"{{{placeholder}}}", words)
    return said


@pytest.mark.parametrize("name", NAMES)
def test_every_english_text_can_be_read_in_sixth_grade(name: str) -> None:
    assert grade(read_aloud("en", name)) <= HARDEST_GRADE


@pytest.mark.parametrize("name", NAMES)
def test_every_spanish_text_is_fairly_easy_to_read(name: str) -> None:
    assert perspicuity(read_aloud("es", name)) >= LEAST_PERSPICUITY


@every_text
def test_no_text_speaks_of_an_amount_of_medicine(language: str, name: str) -> None:
    assert dose_words(longest(language, name)) == []


# What a carrier or we take as an opt-out when it is the whole reply. NO is not one, and is asked for nowhere either.
NEVER_ASKED = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "NO", "YES"} | {
    *("ALTO", "BASTA", "PARAR", "BAJA", "SI", "REMOVE", "ARRET")
}
OFFERS_STOP = {"help", "opted_in", "already_in"}  # where STOP is named as the way out
ASKING = re.compile(
    r"\b(?:reply|text|answer|responda|escriba|mande|envie|envíe|conteste)\s+(?:with\s+|con\s+(?:el\s+|la\s+)?)?(\w+)",
    re.IGNORECASE,
)


@every_text
def test_no_text_asks_for_a_word_that_opts_out(language: str, name: str) -> None:
    asked = {found.upper() for found in ASKING.findall(longest(language, name))}
    allowed = {"STOP", "BAJA"} if name in OFFERS_STOP else set()
    assert asked & NEVER_ASKED <= allowed
    shouted = set(re.findall(r"\b[A-Z]{2,}\b", text(language, name)))
    assert shouted & NEVER_ASKED <= allowed


@every_language
def test_every_topics_answer_asks_for_no_word_that_opts_out(language: str) -> None:
    for answer in WORDS.library.answers[language].values():
        said = f"{answer.short} {answer.more or ''}"
        assert not {found.upper() for found in ASKING.findall(said)} & NEVER_ASKED, answer.topic


MEDICAL = re.compile(
    r"(?i)baclofen|pump|refill|intrathecal|spastic|dose|medicine|drug|alarm|beep|withdrawal|catheter|mcg|mg\b|"
    r"bomba|recarga|relleno|intratecal|espastic|dosis|medicina|medicamento|pitido|abstinencia|catéter|cateter"
)


@every_language
@pytest.mark.parametrize("name", ["reminder", "reminder_shared", "confirmed", "confirmed_shared", "which_visit"])
def test_a_reminder_says_nothing_about_diagnosis_drug_or_dose(name: str, language: str) -> None:
    assert not MEDICAL.search(longest(language, name))


@pytest.mark.parametrize(("language", "name"), PAGES)
def test_a_page_has_a_code_and_a_link_and_nothing_about_a_patient(language: str, name: str) -> None:
    assert not {"who", "when"} & placeholders(text(language, name))
    assert "{link}" in text(language, name)


ASKS_BOTH = {"en": "Reply 11 to confirm, 12 to change", "es": "Responda 11 para confirmar, 12 para cambiar"}


@every_language
@pytest.mark.parametrize("name", ["reminder", "reminder_shared"])
def test_a_reminder_names_clinic_day_hour_and_both_answers(name: str, language: str) -> None:
    said = longest(language, name)
    for part in (LONGEST.name, moment(language), ASKS_BOTH[language], LONGEST.phone):
        assert part in said


@every_language
def test_a_patient_is_named_only_on_a_carers_phone_and_one_that_serves_several(language: str) -> None:
    for serves, carer, named in ((1, False, False), (2, False, True), (1, True, True)):
        target = Target(1, False, language, serves, carer)
        for step in ("ladder:7", "missed:1", "missed:2"):
            said = wording(step, WEDNESDAY, "Maria", target, 1, WORDS, LONGEST, ZoneInfo("America/New_York")).body
            assert ("Maria" in said) is named, step


@pytest.mark.parametrize(("language", "day"), [("en", "Wed Sep 30"), ("es", "mié 30 sep")])
def test_the_hour_names_its_zone_only_for_a_patient_whose_clock_differs(language: str, day: str) -> None:
    target = Target(1, False, language, 1)
    for zone, named in (("America/New_York", False), ("America/Toronto", False), ("America/Chicago", True)):
        said = wording("ladder:7", WEDNESDAY, "Maria", target, 1, WORDS, LONGEST, ZoneInfo(zone)).body
        assert ("12:30 PM EDT" in said) is named, zone
        assert f"{day}, 12:30 PM" in said


@every_language
@pytest.mark.parametrize(
    ("hour", "read"), [(4, "12:05 AM"), (5, "1:05 AM"), (15, "11:05 AM"), (16, "12:05 PM"), (27, "11:05 PM")]
)
def test_noon_and_midnight_read_right(hour: int, read: str, language: str) -> None:
    at = datetime(2026, 9, 30, hour % 24, 5, tzinfo=UTC)
    assert WORDS.voice(language).moment(at, ZoneInfo("America/New_York")).endswith(read)


@every_language
def test_every_day_and_month_has_a_name_of_its_own_in_gsm7(language: str) -> None:
    voice = WORDS.voice(language)
    assert (len(set(voice.days)), len(set(voice.months))) == (7, 12)
    assert not_gsm7(" ".join((*voice.days, *voice.months))) == ()


@every_language
def test_words_we_send_are_dated_reviewed_and_expire(language: str) -> None:
    assert WORDS.voice(language).reviewed_on < WORDS.voice(language).review_by
    assert WORDS.voice(language).reviewed_by


def test_a_text_that_nobody_wrote_is_an_error_at_once() -> None:
    with pytest.raises(KeyError):
        WORDS.system("no such text", LONGEST, "en")


@pytest.mark.parametrize("broken", ["language: en\n", "texts: [", "language: en\ntexts: {a: {}}\n"])
def test_a_malformed_file_of_texts_is_named(tmp_path: Path, broken: str) -> None:
    (tmp_path / "en.yaml").write_text(broken)
    with pytest.raises(ValueError, match=r"en\.yaml"):
        load_words(texts_dir=tmp_path)


def test_every_text_of_the_file_is_used_by_its_name() -> None:
    source = " ".join(path.read_text("utf-8") for path in Path("app").rglob("*.py"))
    built = {name for name in NAMES if name.startswith(("urgent_", "reminder", "missed", "confirmed", "page"))}
    built |= {f"triage_{question.name}" for question in QUESTIONS}
    built |= {
        name for name in NAMES if name.removesuffix("_shared") in {*TEXTS, "change", "visit_dropped", "which_visit"}
    }
    entries = yaml.safe_load(Path("app/texts/en.yaml").read_text("utf-8"))["texts"]
    assert [
        name for name in entries if name not in built and f'"{name}"' not in source and f"text:{name}" not in source
    ] == []
