"""From a decided reply to the exact words."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from app.domain.effects import Reply, Visit
from app.domain.texts import ClinicVoice, Rendered, Words
from faq.library import GROUPS
from faq.segments import measure

MOST_SEGMENTS = 2
MENU_WIDTH = 300  # with its number, two segments a text


def render_reply(
    reply: Reply,
    words: Words,
    clinic: ClinicVoice,
    language: str,
    *,
    paged: bool,
    visits: Sequence[Visit],
    asks: dict[int, int],
    shared: bool,
    link: str,
) -> tuple[Rendered, ...]:
    """Return the texts of one reply: one, or several for the menu."""
    kind, _, name = reply.text_id.partition(":")
    language = reply.language or language
    if kind == "menu":
        return menu(words, clinic, language)
    if kind in ("answer", "more"):
        return (_with(words.answer(name, clinic, language, more=kind == "more"), reply.adds, words, clinic, language),)
    voice = words.voice(language)
    fill = {"link": link} | dict(reply.fill)
    if reply.urgent:
        fill["alerted"] = voice.texts["urgent_alerted"].text if paged else ""
    if reply.tells_nurse:
        fill["told"] = voice.texts["triage_told"].text if paged else ""
    if reply.visit:
        fill |= {"when": voice.moment(reply.visit.starts_at, clinic.zone), "who": voice.called(reply.visit.given_name)}
        if reply.visit.other_at:
            fill["other"] = voice.moment(reply.visit.other_at, clinic.zone)
    if reply.lists == "visits":
        fill["options"] = ", ".join(_named(v, shared, words, clinic, language) for v in visits[:6])
    elif reply.lists == "asks":
        fill["options"] = ", ".join(
            words.system(
                "which_option",
                clinic,
                language,
                digit=str(asks[v.appointment_id]),
                visit=_named(v, shared, words, clinic, language),
            ).body
            for v in visits[:4]
            if v.appointment_id in asks
        )
    return (_with(words.system(name, clinic, language, **fill), reply.adds, words, clinic, language),)


def _with(said: Rendered, adds: str, words: Words, clinic: ClinicVoice, language: str) -> Rendered:
    """Put another of the system's texts behind this one."""
    if not adds:
        return said
    more = words.system(adds, clinic, language)
    return replace(said, body=f"{said.body} {more.body.strip()}", draft=said.draft or more.draft)


def room_to_ask(topic: str, words: Words, clinic: ClinicVoice, language: str) -> bool:
    """Whether "did that help" fits behind a topic's answer without a further segment."""
    if words.library.get(topic, language) is None:
        return False
    answer = words.answer(topic, clinic, language)
    asked = _with(answer, "helped_ask", words, clinic, language)
    return measure(asked.body).count <= max(MOST_SEGMENTS, measure(answer.body).count)


def _named(visit: Visit, shared: bool, words: Words, clinic: ClinicVoice, language: str) -> str:
    voice = words.voice(language)
    when = voice.moment(visit.starts_at, clinic.zone)
    return f"{voice.called(visit.given_name)}, {when}" if shared else when


def menu(words: Words, clinic: ClinicVoice, language: str) -> tuple[Rendered, ...]:
    """Return the menu: every topic's first keyword, by group, in texts of at most two segments, numbered."""
    answers = words.library.answers.get(language) or words.library.answers["en"]
    lead = words.system("menu_lead", clinic, language)
    voice = words.voice(language)
    pages = [lead.body]
    for group in GROUPS:
        keywords = sorted(answer.keywords[0] for answer in answers.values() if answer.group == group)
        if not keywords:
            continue
        said = f"{voice.groups.get(group, group)}: {' '.join(keywords)}."
        if len(pages[-1]) + 1 + len(said) <= MENU_WIDTH:  # a group stays together, so that nobody has to puzzle
            pages[-1] += f" {said}"
        else:
            pages += textwrap.wrap(said, MENU_WIDTH, break_long_words=False, break_on_hyphens=False)
    return tuple(
        Rendered(f"({n}/{len(pages)}) {page}" if len(pages) > 1 else page, "menu", lead.version, lead.draft)
        for n, page in enumerate(pages, 1)
    )
