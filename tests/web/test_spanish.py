"""The console in Spanish: every word has one, and no page says anything in English but people's own words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.line import Line
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, Patient, Staff
from app.domain.permissions import Role
from app.web.language import LANGUAGES
from tests.browser.conftest import beats, colleague, morning, says, simulated_line  # noqa: F401
from tests.browser.test_accessible import pages
from tests.web.conftest import PASSWORD, Visitor
from tests.web.test_authorisation import path_of
from tools.words import asked_for, translated, wrong_slots

SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
HEARD = ("aria-label", "title", "placeholder", "alt")
NAMES = ("Ada Quint", "Bo Quint", "Cy Quint")
ANYWHERE = set((Path(__file__).parent.parent / "data" / "same_in_spanish.txt").read_text().split())
INITIALS = re.compile(r"[A-ZÁÉÍÓÚÑ]{1,2}")
WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "use", "path", "rect", "circle", "line", "polygon"}


class Said(HTMLParser):
    """What a page says and what a screen reader hears, without what is marked as another language's or nobody's."""

    def __init__(self, page_language: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page_language = page_language
        self.silent: list[bool] = []
        self.heard: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        other = has.get("lang") not in (None, self.page_language) or has.get("translate") == "no"
        silent = other or tag in ("script", "style", "symbol") or bool(self.silent and self.silent[-1])
        if not silent:
            self.heard.update(" ".join((has.get(name) or "").split()) for name in HEARD)
        if tag not in VOID:
            self.silent.append(silent)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.handle_starttag(tag, attrs)
            self.silent.pop()
        else:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.silent:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not (self.silent and self.silent[-1]) and data.strip():
            self.heard.add(" ".join(data.split()))


def said_on(page: str, language: str) -> set[str]:
    reader = Said(language)
    reader.feed(page)
    return reader.heard - {""}


@dataclass(frozen=True)
class Own:
    """What people are called and what they wrote: nobody translates that."""

    names: set[str]
    texts: tuple[str, ...]

    def explains(self, words: str) -> bool:
        bare = words.strip('\u201c\u201d"\u2026,. ')
        if any(bare in text for text in self.texts) or INITIALS.fullmatch(words):
            return True
        return {word.lower() for word in WORD.findall(words)} <= self.names | ANYWHERE


def own_words(line: Line) -> Own:
    with line.db.read() as session:
        names = [f"{row.given_name} {row.family_name} {row.mrn}" for row in session.scalars(select(Patient))]
        names += [row.time_zone for row in session.scalars(select(Patient))]
        names += [f"{row.name} {row.relation}" for row in session.scalars(select(Contact))]
        names += [f"{row.name} {row.email}" for row in session.scalars(select(Staff))]
        names += [f"{row.name} {row.time_zone}" for row in session.scalars(select(Clinic))]
        texts = [" ".join(row.body.split()) for row in session.scalars(select(InboundMessage))]
        texts += [" ".join(row.body.split()) for row in session.scalars(select(OutboundMessage))]
    return Own({word.lower() for words in names for word in WORD.findall(words or "")}, tuple(texts))


def english_left(english: str, spanish: str, own: Own) -> Iterator[str]:
    """Yield what both pages say alike and nobody's own words explain."""
    for words in sorted(said_on(english, "en") & said_on(spanish, "es")):
        if not own.explains(words):
            yield words


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_every_word_of_the_console_is_translated(code: str) -> None:
    known = translated(code)
    assert {message: place for message, place in asked_for().items() if message not in known} == {}


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_fills_the_same_slots(code: str) -> None:
    assert wrong_slots(code) == []


def test_no_page_says_anything_in_english(
    simulator: Flask,
    simulated_line: Line,  # noqa: F811
    morning: dict[str, Any],  # noqa: F811
    colleague: Callable[[Role, str], str],  # noqa: F811
) -> None:
    emails = {role: colleague(role, name) for role, name in zip(pages(simulator), NAMES, strict=False)}
    own = own_words(simulated_line)
    left: list[str] = []
    for role, routes in pages(simulator).items():
        english, spanish = (Visitor(simulator.test_client(), headers) for headers in ({}, SPANISH))
        for visitor in (english, spanish):
            assert visitor.sign_in(emails[role], PASSWORD).status_code == 302
        for route in routes:
            address = path_of(route, morning)
            one, other = english.get(address), spanish.get(address)
            if one.content_type.startswith("text/html") and one.status_code == 200:
                assert '<html lang="es"' in other.text, address
                left += [f"{address}: {words}" for words in english_left(one.text, other.text, own)]
    assert not left, "\n".join(left)
