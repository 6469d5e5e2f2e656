import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faq.library import PLACEHOLDERS, ContentError, Library, load, render

from .content_folder import ALARM, TRAVEL, ContentFolder, translated


def test_an_answer_is_read_with_all_its_fields(content: ContentFolder) -> None:
    answer = load(content.path).get("travel")
    assert answer is not None
    assert (answer.topic, answer.title, answer.group) == ("travel", "Travel with a pump", "Out and about")
    assert answer.keywords == ("TRAVEL", "TRIP")
    assert answer.questions == (1,)
    assert answer.related == ("battery",)
    assert answer.sources == ("S1",)
    assert answer.awaiting_clinical_review == ()
    assert (answer.version, answer.state) == (1, "draft")
    assert (answer.reviewed_on, answer.review_by) == (date(2026, 11, 1), date(2027, 5, 1))
    assert answer.short == "Call {phone} before you go away. Reply MORE for what to pack."
    assert answer.more == "Pack your pump card."
    assert answer.language == "en"
    assert answer.file == "answers/en/travel.md"


def test_questions_and_sources_come_along(content: ContentFolder) -> None:
    library = load(content.path)
    assert library.questions[1] == ("Can I travel with the pump?", "travel")
    assert library.sources["S1"].publisher == "A clinic"
    assert library.topics == ("alarm", "battery", "travel")


def test_an_answer_without_more_has_none(content: ContentFolder) -> None:
    content.change("\n---more---\nPack your pump card.\n", "")
    answer = load(content.path).get("travel")
    assert answer is not None
    assert answer.more is None


def test_a_missing_translation_falls_back_to_english(content: ContentFolder) -> None:
    spanish = content.answer("alarm", "es")
    spanish.parent.mkdir()
    spanish.write_text(translated(ALARM).replace("Pump alarm", "Alarma de la bomba"), encoding="utf-8")
    library = load(content.path)
    alarm, travel = library.get("alarm", "es"), library.get("travel", "es")
    assert alarm is not None
    assert (alarm.title, alarm.language) == ("Alarma de la bomba", "es")
    assert travel is not None
    assert travel.language == "en"
    assert library.get("no-such-topic", "es") is None
    assert library.languages == ("en", "es")


@pytest.mark.parametrize("field", [line.split(":")[0] for line in TRAVEL.splitlines() if line and line[0].islower()])
def test_a_missing_field_is_named_with_file_and_example(content: ContentFolder, field: str) -> None:
    file = content.answer("travel")
    lines = file.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"{field}:"))
    end = start + 1
    while lines[end].startswith("  "):
        end += 1
    file.write_text("\n".join(lines[:start] + lines[end:]), encoding="utf-8")
    with pytest.raises(ContentError, match=rf"answers/en/travel\.md: {field}: is missing; example: ."):
        load(content.path)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("topic: travel", "topic: trip", "topic"),
        ("group: Out and about", "group: Holidays", "group"),
        ("keywords: [TRAVEL, TRIP]", "keywords: TRAVEL", "keywords"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [TRAVEL, NO]", "keywords"),
        ("keywords: [TRAVEL, TRIP]", "keywords: [TRAVEL, 5]", "keywords"),
        ("questions: [1]", "questions: [one]", "questions"),
        ("questions: [1]", "questions: [true]", "questions"),
        ("questions: [1]", "questions: 1", "questions"),
        ("  - can i fly with my pump", "  - pump: can i fly", "phrases"),
        ("related: [battery]", "related: battery", "related"),
        ("version: 1", "version: 0", "version"),
        ("version: 1", "version: one", "version"),
        ("version: 1", "version: true", "version"),
        ("state: draft", "state: perfect", "state"),
        ("reviewed_on: 2026-11-01", "reviewed_on: last week", "reviewed_on"),
        ("reviewed_on: 2026-11-01", "reviewed_on: 2026-11-01 10:00:00", "reviewed_on"),
        ("review_by: 2027-05-01", "review_by: 2027", "review_by"),
        ("title: Travel with a pump", "title: 7", "title"),
        ("title: Travel with a pump", "titel: Travel\ntitle: x", "titel"),
        ("{phone}", "{fone}", "short"),
        ("{phone}", "{phone", "short"),
        ("Call {phone}", "Call\n{phone}", "short"),
        ("Pack your pump card.", "", "more"),
        ("Pack your pump card.", "Pack {it}.", "more"),
        ("Pack your pump card.", "A\n---more---\nB", "more"),
        ("title: Travel with a pump", "title: [", "front matter"),
        ("title: Travel with a pump", "reviewed_on: 2026-13-45", "front matter"),
        ("---\ntopic", "topic", "topic"),
    ],
)
def test_a_bad_field_is_a_clear_error(content: ContentFolder, old: str, new: str, field: str) -> None:
    content.change(old, new)
    with pytest.raises(ContentError, match=rf"answers/en/travel\.md: {field}: .+; example: ."):
        load(content.path)


def _cut(data: bytes, at: int, junk: bytes) -> bytes:
    return data[: at % (len(data) + 1)]


def _insert(data: bytes, at: int, junk: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + junk + data[at:]


def _overwrite(data: bytes, at: int, junk: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + junk + data[at + len(junk) :]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["answers/en/travel.md", "questions.csv", "sources.yaml"]),
    st.sampled_from([_cut, _insert, _overwrite]),
    st.integers(min_value=0, max_value=2000),
    st.binary(min_size=1, max_size=6),
)
def test_a_corrupted_file_is_a_content_error_or_still_a_whole_library(
    content: ContentFolder, name: str, damage: Callable[[bytes, int, bytes], bytes], at: int, junk: bytes
) -> None:
    file = content.path / name
    whole = file.read_bytes()
    file.write_bytes(damage(whole, at, junk))
    try:
        with suppress(ContentError):  # any other exception fails the test
            assert set(load(content.path).topics) == {"travel", "alarm", "battery"}
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("questions.csv", ""),
        ("questions.csv", "number,question,topic\n"),
        ("questions.csv", "number,question,topic\nx,What?,travel\n"),
        ("questions.csv", "number,question,topic\n1,What?,travel\n1,Who?,travel\n"),
        ("questions.csv", "number,question\n1,What?\n"),
        ("sources.yaml", ""),
        ("sources.yaml", "- S1\n"),
        ("sources.yaml", "S1: {title: A}\n"),
        ("sources.yaml", "S1: {title: A, publisher: B, year: 2000, url: nowhere}\n"),
        ("sources.yaml", "S1: [\n"),
    ],
)
def test_bad_question_and_source_lists_are_clear_errors(content: ContentFolder, name: str, text: str) -> None:
    (content.path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=name):
        load(content.path)


def test_an_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no answers found; example"):
        load(tmp_path)


def test_a_file_that_is_not_utf8_is_a_clear_error(content: ContentFolder) -> None:
    content.answer("travel").write_bytes(TRAVEL.encode("utf-16"))
    with pytest.raises(ContentError, match=r"answers/en/travel\.md: front matter"):
        load(content.path)


def test_placeholders_are_filled() -> None:
    fillings = {"clinic": "Elm Clinic", "phone": "555-0100", "after_hours": "555-0101", "emergency": "911"}
    assert set(fillings) == set(PLACEHOLDERS)
    text = render("{clinic}: {phone}, then {after_hours}, or {emergency}.", fillings)
    assert text == "Elm Clinic: 555-0100, then 555-0101, or 911."
    assert render("Call {phone}.", {"phone": "{clinic}"}) == "Call {clinic}."


@pytest.mark.parametrize(
    ("text", "fillings"),
    [
        ("Call {fone}.", {"phone": "1"}),
        ("Call {phone}.", {}),
        ("Call {phone}.", {"phone": "1", "fone": "2"}),
        ("Call {phone", {"phone": "1"}),
        ("Call {}.", {"phone": "1"}),
    ],
)
def test_unknown_and_missing_placeholders_are_refused(text: str, fillings: dict[str, str]) -> None:
    with pytest.raises(ContentError):
        render(text, fillings)


def test_the_shipped_library_has_every_topic_and_question(library: Library) -> None:
    assert len(library.questions) == 60
    assert set(library.topics) == {topic for _, topic in library.questions.values()}
    assert len(library.topics) == 53
    assert "S168" in library.sources
    assert "M71" in library.sources


def test_the_shipped_library_loads_fast() -> None:
    started = time.process_time()
    load()
    assert time.process_time() - started < 0.5
