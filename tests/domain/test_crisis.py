"""Whoever may harm themselves hears of the line that exists where they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.actions.render import render_reply
from app.domain.crisis import crisis_line
from app.domain.effects import Decision, RaiseAlert, Sender
from app.domain.inbound import decide
from app.domain.texts import ClinicVoice, Words, load_words
from faq.context import Context
from faq.understand import understand

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WORDS: Words = load_words()


def decision(text: str, country: str) -> Decision:
    understood = understand(text, Context(), WORDS.library)
    return decide(understood, text, Sender(country=country, clinic_pages=True), WORDS.library, NOW)


def said(text: str, country: str, emergency: str, language: str = "en") -> str:
    [reply] = decision(text, country).replies
    clinic = ClinicVoice.of("Oak Clinic", "+16145550100", "+16145550101", emergency, "America/New_York", country)
    [rendered] = render_reply(
        reply, WORDS, clinic, language, paged=True, visits=(), asks={}, shared=False, link="https://oak.example/staff/"
    )
    return rendered.body


@pytest.mark.parametrize(
    ("country", "emergency", "first"),
    [
        ("US", "911", "Call or text 988 now. It is free, day and night."),
        ("CA", "911", "Call or text 988 now. It is free, day and night."),
        ("ES", "112", "Call 024 now. It is free, day and night."),
        ("GB", "999", "Call 116 123 now. It is free, day and night."),
        ("IE", "112", "Call 116 123 now. It is free, day and night."),
        ("NZ", "111", "Call 111 now if you may hurt yourself. Stay with someone."),
        ("", "112", "Call 112 now if you may hurt yourself. Stay with someone."),
    ],
)
def test_the_clinics_country_decides_which_number_comes_first(country: str, emergency: str, first: str) -> None:
    assert said("i want to kill myself", country, emergency).startswith(first)


@pytest.mark.parametrize(
    ("country", "first"),
    [
        ("US", "Llame o escriba ya al 988."),
        ("ES", "Llame ya al 024."),
        ("MX", "Llame ya al 112 si podria hacerse daño."),
    ],
)
def test_it_is_said_in_spanish_to_who_writes_spanish(country: str, first: str) -> None:
    assert said("quiero matarme", country, "112", "es").startswith(first)


@pytest.mark.parametrize(("country", "emergency"), [("US", "911"), ("ES", "112"), ("NZ", "111")])
def test_the_emergency_number_and_the_clinic_are_named_everywhere(country: str, emergency: str) -> None:
    words = said("i want to kill myself", country, emergency)
    assert f"call {emergency}" in words.lower()
    assert "You are not alone" in words
    assert words.endswith("We are alerting a nurse.")


def test_a_line_that_takes_no_texts_is_not_offered_for_texting() -> None:
    for country in ("ES", "GB", "IE"):
        assert "text" not in said("i want to kill myself", country, "112").lower()


def test_988_is_named_nowhere_it_does_not_answer() -> None:
    for country in ("ES", "GB", "IE", "NZ", "MX"):
        assert "988" not in said("i want to kill myself", country, "112")


def test_the_country_may_be_written_small() -> None:
    assert crisis_line("us") == crisis_line("US")


@pytest.mark.parametrize("country", ["US", "ES", "NZ"])
@pytest.mark.parametrize("text", ["i want to kill myself", "i dont want to live anymore", "quiero matarme"])
def test_a_nurse_is_alerted_and_no_question_is_put(text: str, country: str) -> None:
    decided = decision(text, country)
    [alert] = [effect for effect in decided.effects if isinstance(effect, RaiseAlert)]
    assert alert.category == "self_harm"
    assert [reply.adds for reply in decided.replies] == [""]
    assert "988" not in alert.reason


def test_a_clinic_without_a_page_claims_no_alerted_nurse() -> None:
    [reply] = decision("i want to kill myself", "US").replies
    clinic = ClinicVoice("Oak Clinic", "614-555-0100", "614-555-0101", "911", ZoneInfo("America/New_York"), "988")
    [rendered] = render_reply(
        reply, WORDS, clinic, "en", paged=False, visits=(), asks={}, shared=False, link="https://oak.example/staff/"
    )
    assert "alert" not in rendered.body
