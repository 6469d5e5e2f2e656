"""Every text of the system itself, at its longest: short, plain, GSM-7, no dose, and the instruction first."""

import re
import string
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from app.domain.reminders import Target, wording
from app.domain.texts import ClinicVoice, Words, load_words
from faq.checks import HARDEST_GRADE, LONGEST_FILLINGS, dose_words
from faq.readability import grade
from faq.segments import measure, not_gsm7

WORDS: Words = load_words()
VOICE = WORDS.voice("en")
NAMES = sorted(VOICE.texts)
URGENT = [name for name in NAMES if name.startswith("urgent_") and name != "urgent_alerted"]
PAGES = [name for name in NAMES if name.startswith("page")]
LONGEST = ClinicVoice("C" * 40, "5" * 18, "5" * 18, "911", ZoneInfo("America/New_York"))
WEDNESDAY = datetime(2026, 9, 30, 16, 30, tzinfo=UTC)
MOMENT = VOICE.moment(WEDNESDAY, ZoneInfo("America/New_York"), name_zone=True)
GUIDANCE = WORDS.answer("missed-refill", LONGEST, "en").body
ALERTED = VOICE.texts["urgent_alerted"].text
FILL = {
    "when": MOMENT,
    "day": VOICE.day(WEDNESDAY, ZoneInfo("America/New_York")),
    "who": "Maximiliane-Sofia",
    "yes": "11",
    "change": "12",
    "alerted": ALERTED,
    "code": "1234",
    "number": "288",
    "link": "https://" + "p" * 40 + ".example/staff/",
    "guidance": GUIDANCE,
    "options": ", ".join(f"{n} {'o' * 24}" for n in (1, 2, 3)),
}


def longest(name: str, **other: str) -> str:
    return WORDS.system(name, LONGEST, "en", **(FILL | other)).body


def test_the_words_for_the_longest_filling_are_those_of_the_content_check() -> None:
    fillings = LONGEST.fillings()
    assert {name: len(value) for name, value in fillings.items() if name != "emergency"} == {
        name: len(value) for name, value in LONGEST_FILLINGS.items() if name != "emergency"
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_placeholder_is_one_we_fill(name: str) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(VOICE.texts[name].text) if field is not None}
    assert fields <= {*FILL, *LONGEST.fillings()}
    assert "{" not in longest(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_gsm7(name: str) -> None:
    assert not_gsm7(longest(name)) == ()


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("missed")])
def test_every_text_takes_at_most_two_segments(name: str) -> None:
    assert measure(longest(name)).count <= 2, measure(longest(name)).units


@pytest.mark.parametrize("clinic", [LONGEST, ClinicVoice("Oak", "614-555-0100", "614-555-0101", "911", LONGEST.zone)])
def test_the_guidance_after_a_missed_refill_takes_at_most_two_segments(clinic: ClinicVoice) -> None:
    target = Target(1, "+16145550142", opted_out=False, language="en", serves=1)
    said = wording("missed:1", WEDNESDAY, "Maximiliane-Sofia", target, 1, WORDS, clinic, clinic.zone)
    assert measure(said.body).count <= 2, measure(said.body).units
    assert said.body.startswith(clinic.name)
    assert WORDS.answer("missed-refill", clinic, "en").body in said.body


def test_the_guidance_on_a_shared_phone_says_who_in_at_most_three_segments() -> None:
    assert measure(longest("missed_shared")).count <= 3


@pytest.mark.parametrize("name", URGENT)
def test_an_urgent_text_has_its_instruction_in_the_first_70_characters(name: str) -> None:
    first = longest(name)[:70]
    assert re.match(r"Call (?:or text 988|911|us) ?(?:now|today)?", first)
    assert re.search(r"\b911\b|\b988\b|5{18}", first)


@pytest.mark.parametrize("name", NAMES)
def test_every_text_can_be_read_in_sixth_grade(name: str) -> None:
    said = VOICE.texts[name].text.replace("{guidance}", "").replace("{alerted}", ALERTED)
    assert grade(said) <= HARDEST_GRADE


@pytest.mark.parametrize("name", NAMES)
def test_no_text_speaks_of_an_amount_of_medicine(name: str) -> None:
    assert dose_words(longest(name)) == []


# What a carrier takes as an opt-out when it is the whole reply. NO is not one, and is asked for nowhere either.
NEVER_ASKED = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "NO", "YES")
OFFERS_STOP = {"help", "opted_in", "already_in"}  # where STOP is named as the way out


@pytest.mark.parametrize("name", NAMES)
def test_no_text_asks_for_a_word_that_opts_out(name: str) -> None:
    asked = {found.upper() for found in re.findall(r"(?i)\b(?:reply|text|answer)\s+(?:with\s+)?(\w+)", longest(name))}
    allowed = {"STOP"} if name in OFFERS_STOP else set()
    assert asked & set(NEVER_ASKED) <= allowed
    shouted = set(re.findall(r"\b[A-Z]{2,}\b", VOICE.texts[name].text))
    assert shouted & set(NEVER_ASKED) <= allowed


def test_every_topics_answer_asks_for_no_word_that_opts_out() -> None:
    for answer in WORDS.library.answers["en"].values():
        said = f"{answer.short} {answer.more or ''}"
        assert not set(re.findall(r"(?i)\breply\s+(?:with\s+)?(\w+)", said.upper())) & set(NEVER_ASKED), answer.topic


MEDICAL = re.compile(
    r"(?i)baclofen|pump|refill|intrathecal|spastic|dose|medicine|drug|alarm|beep|withdrawal|catheter|mcg|mg\b"
)


@pytest.mark.parametrize("name", ["reminder", "reminder_shared", "confirmed", "confirmed_shared", "which_visit"])
def test_a_reminder_says_nothing_about_diagnosis_drug_or_dose(name: str) -> None:
    assert not MEDICAL.search(longest(name))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_code_and_a_link_and_nothing_about_a_patient(name: str) -> None:
    said = VOICE.texts[name].text
    assert not {"{who}", "{when}"} & set(re.findall(r"{\w+}", said))
    assert "{link}" in said


@pytest.mark.parametrize("name", ["reminder", "reminder_shared"])
def test_a_reminder_names_clinic_day_hour_and_both_answers(name: str) -> None:
    said = longest(name)
    for part in (LONGEST.name, MOMENT, "Reply 11 to confirm, 12 to change", LONGEST.phone):
        assert part in said


def test_a_patient_is_named_only_on_a_carers_phone_and_one_that_serves_several() -> None:
    for serves, carer, named in ((1, False, False), (2, False, True), (1, True, True)):
        target = Target(1, "+16145550142", False, "en", serves, carer)
        for step in ("ladder:7", "missed:1", "missed:2"):
            said = wording(step, WEDNESDAY, "Maria", target, 1, WORDS, LONGEST, ZoneInfo("America/New_York")).body
            assert ("Maria" in said) is named, step


def test_the_hour_names_its_zone_only_for_a_patient_whose_clock_differs() -> None:
    target = Target(1, "+16145550142", False, "en", 1)
    for zone, named in (("America/New_York", False), ("America/Toronto", False), ("America/Chicago", True)):
        said = wording("ladder:7", WEDNESDAY, "Maria", target, 1, WORDS, LONGEST, ZoneInfo(zone)).body
        assert ("12:30 PM EDT" in said) is named, zone
        assert "Wed Sep 30, 12:30 PM" in said


@pytest.mark.parametrize(
    ("hour", "read"), [(4, "12:05 AM"), (5, "1:05 AM"), (15, "11:05 AM"), (16, "12:05 PM"), (27, "11:05 PM")]
)
def test_noon_and_midnight_read_right(hour: int, read: str) -> None:
    at = datetime(2026, 9, 30, hour % 24, 5, tzinfo=UTC)
    assert VOICE.moment(at, ZoneInfo("America/New_York")).endswith(read)


def test_words_we_send_are_dated_reviewed_and_expire() -> None:
    assert VOICE.reviewed_on < VOICE.review_by
    assert VOICE.reviewed_by


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
    entries = yaml.safe_load(Path("app/texts/en.yaml").read_text("utf-8"))["texts"]
    assert [
        name for name in entries if name not in built and f'"{name}"' not in source and f"text:{name}" not in source
    ] == []
