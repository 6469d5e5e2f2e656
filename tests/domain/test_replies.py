"""Saved replies: complete in both languages, nothing clinical, filled in or plainly not."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from app.domain.replies import SavedReply, check_replies, filled, load_replies, pieces, unfilled
from app.domain.texts import TEXTS_DIR

REPLIES = load_replies(TEXTS_DIR / "replies")
TODAY = date(2026, 11, 26)


def test_what_is_shipped_is_in_order_and_nobody_signed_it_yet() -> None:
    assert check_replies(REPLIES, TODAY) == []
    assert set(REPLIES) == {"en", "es"}
    assert all(len(saved.replies) >= 14 for saved in REPLIES.values())
    assert {saved.state for saved in REPLIES.values()} == {"draft"}
    assert REPLIES["es"].translation == "awaiting qualified review"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Take 10 mg at noon", "a weight of medicine"),
        ("Double your dose today", "advice to change a dose"),
        ("Hi {name}", "{name} is no place"),
        ("Hi {given_name", "a stray brace"),
        ("Estará aquí", "á í make every text longer"),
        ("x" * 307, "3 segments"),
        ("{clinic}" * 8, "3 segments"),
    ],
)
def test_what_must_not_be_offered_is_found(text: str, found: str) -> None:
    english = REPLIES["en"]
    wrong = replace(english, replies={**english.replies, "call_us": SavedReply("call_us", "Call", text)})
    findings = [finding.what for finding in check_replies({"en": wrong}, TODAY)]
    assert any(found in what for what in findings), findings


def test_a_translation_that_lags_behind_and_a_review_that_is_over_are_found() -> None:
    spanish = REPLIES["es"]
    fewer = replace(spanish, replies={name: r for name, r in spanish.replies.items() if name != "ride"})
    assert any("ride" in finding.what for finding in check_replies({**REPLIES, "es": fewer}, TODAY))
    assert any("review was due" in finding.what for finding in check_replies(REPLIES, date(2028, 1, 1)))


def test_filling_in_leaves_what_is_not_known_to_be_seen() -> None:
    text = "Hello {given_name}, see you {visit_day}. {given_name}!"
    known = filled(text, {"given_name": "Maria", "visit_day": ""})
    assert known == "Hello Maria, see you {visit_day}. Maria!"
    assert unfilled(known) == ("{visit_day}",)
    assert unfilled("a {smile} is a place, {} and {A} and { b } are not") == ("{smile}",)
    assert pieces(text, {"given_name": "Maria"})[:4] == (
        ("Hello ", ""),
        ("Maria", "filled"),
        (", see you ", ""),
        ("{visit_day}", "empty"),
    )


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("language: en\nstate: draft\n", "utf-8")
    with pytest.raises(ValueError, match=r"replies/en\.yaml"):
        load_replies(tmp_path)
