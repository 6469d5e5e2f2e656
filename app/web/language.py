"""The console in the reader's language: which one, and its words. Patients' and colleagues' own words are never
translated, and numbers keep their point in every language: a dose must not change its look.

Templates and routes say `_("...")` and `ngettext(...)`. Words that were made without a reader in sight, such as the
reason of a task or a refusal, are kept in English and go through `tr` where they are shown: decision 0016.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import flask_babel
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, has_request_context, request

LANGUAGES = {"en": "English", "es": "Español"}
NOT_CONSOLE = {"home", "simulator", "twilio"}  # what visitors and the simulator see is written in English
COOKIE = "pumpline-language"  # of a browser whose reader has not chosen for the account
WORDS = Path(__file__).parent / "languages"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(rf"(\d{{1,2}})-({'|'.join(_MONTHS)})(-\d{{4}})?")
_SLOT = re.compile(r"\{[^{}]*\}")


def install_languages(app: Flask) -> None:
    """Give every template and route its gettext, from the catalogues beside this file."""
    babel = flask_babel.Babel(app, locale_selector=language, default_domain="console")
    with app.app_context():
        known = babel.domain_instance.cache
    for code in LANGUAGES:
        known[code, "console"] = words_of(code)
    app.jinja_env.globals.update(languages=LANGUAGES, language_code=language)
    app.jinja_env.filters["tr"] = tr
    app.jinja_env.policies["ext.i18n.trimmed"] = True


def language() -> str:
    """Return the code of the language that this page is written in: the account's choice, else the browser's."""
    if not has_request_context() or request.blueprint in NOT_CONSOLE:
        return "en"
    account = g.get("account")
    chosen = (account.language if account else "") or request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def twelve_hours() -> bool:
    """Return whether the reader chose 2:30 PM over 14:30."""
    account = g.get("account") if has_request_context() else None
    return bool(account and account.twelve_hours)


def gettext(words: str, **slots: object) -> str:
    """Return English words in the reader's language, their %(name)s slots filled. Imported as `_`."""
    return str(flask_babel.gettext(words, **slots))


def ngettext(one: str, many: str, count: int, **slots: object) -> str:
    """Return what is said of one or of many; %(num)d is the count."""
    return str(flask_babel.ngettext(one, many, count, **slots))


def N_(words: str) -> str:  # noqa: N802 -- the name that gettext's tools look for
    """Mark words that are shown through `tr` elsewhere, and return them as they are."""
    return words


def tr(words: object) -> str:
    """Return known English words in the reader's language, with what stands in them; unknown ones as they are."""
    said = str(words)
    code = language()
    return said if code == "en" or not said else _translated(code, said)


@cache
def words_of(code: str) -> Translations:
    """Return the words of a language, from all of its catalogues; English has none and needs none."""
    whole = Catalog(locale=code)
    whole.mime_headers = [
        ("Plural-Forms", "nplurals=2; plural=(n != 1);")
    ]  # as in the catalogues: no third, for millions
    for part in catalogues(code):
        for message in part:
            if message.id and message.string and not _is_sentence_with_slots(message.id):
                whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled, domain="console")


def catalogues(code: str, *without: str) -> Iterator[Catalog]:
    for path in sorted((WORDS / code).glob("*.po")):
        if path.stem not in without:
            with path.open("rb") as file:
                yield read_po(file, locale=code, abort_invalid=True)


@dataclass(frozen=True)
class _Sentence:
    """An English sentence with slots, as code writes it: "this entry does not wait: it is {row.state}"."""

    found: re.Pattern[str]
    said: str  # with numbered slots
    quoted: frozenset[int]  # slots between quotation marks: somebody's own words

    def filled(self, code: str, words: str) -> str | None:
        match = self.found.fullmatch(words)
        if match is None:
            return None
        parts = (part if n in self.quoted else _translated(code, part) for n, part in enumerate(match.groups("")))
        return self.said.format(*parts)


def _is_sentence_with_slots(message_id: Any) -> bool:
    return isinstance(message_id, str) and bool(_SLOT.search(message_id))


@cache
def _sentences(code: str) -> tuple[_Sentence, ...]:
    """Return a language's sentences with slots, those with most fixed words first."""
    found: list[tuple[int, _Sentence]] = []
    for part in catalogues(code):
        for message in part:
            if _is_sentence_with_slots(message.id) and message.string:
                found.append(_sentence(str(message.id), str(message.string)))
    return tuple(sentence for _length, sentence in sorted(found, key=lambda pair: -pair[0]))


def _sentence(english: str, said: str) -> tuple[int, _Sentence]:
    """Return how many fixed words a sentence has, counted in letters, and how to find and fill it."""
    slots = _SLOT.findall(english)
    around = _SLOT.split(english)
    fixed = [re.escape(words) for words in around]
    quoted = frozenset(
        n for n in range(len(slots)) if around[n][-1:] in ("'", '"') and around[n + 1][:1] == around[n][-1:]
    )
    numbered = _SLOT.sub(lambda slot: f"{{{slots.index(slot[0])}}}", said)
    return sum(map(len, fixed)), _Sentence(re.compile("(.*?)".join(fixed), re.DOTALL), numbered, quoted)


@lru_cache(maxsize=4096)
def _translated(code: str, words: str) -> str:
    """Return known words, also where `sentence` or `lower_first` changed their first letter."""
    said = _known(code, words)
    if said is None and words[:1].isalpha():
        first, rest = words[:1], words[1:]
        other = _known(code, (first.lower() if first.isupper() else first.upper()) + rest)
        said = other and (other[:1].upper() if first.isupper() else other[:1].lower()) + other[1:]
    return words if said is None else said


def _known(code: str, words: str) -> str | None:
    exact = str(words_of(code).gettext(words)) if words.strip() else words
    if exact != words:
        return exact
    if dated := _DAY.fullmatch(words):
        return _day(code, dated)
    return next((said for one in _sentences(code) if (said := one.filled(code, words)) is not None), None)


def _day(code: str, found: re.Match[str]) -> str:
    """Return "19-Nov-2026" as the language writes it."""
    months = Locale.parse(code).months["format"]["abbreviated"]
    return f"{int(found[1])}-{months[_MONTHS.index(found[2]) + 1]}{found[3] or ''}"
