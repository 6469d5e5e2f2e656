"""From a decided reply to the exact words."""

import textwrap
from collections.abc import Sequence

from app.domain.effects import Reply, Visit
from app.domain.texts import ClinicVoice, Rendered, Words
from faq.library import GROUPS

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
    if kind == "menu":
        return menu(words, clinic, language)
    if kind in ("answer", "more"):
        return (words.answer(name, clinic, language, more=kind == "more"),)
    voice = words.voice(language)
    fill = {"link": link} | dict(reply.fill)
    if reply.urgent:
        alerted = voice.texts["urgent_alerted"].text if paged else ""
        fill["alerted"] = alerted
    if reply.visit:
        fill |= {"when": voice.moment(reply.visit.starts_at, clinic.zone), "who": reply.visit.given_name}
    if reply.lists == "visits":
        fill["options"] = ", ".join(_named(v, shared, words, clinic, language) for v in visits[:6])
    elif reply.lists == "asks":
        fill["options"] = ", ".join(
            f"Reply {asks[v.appointment_id]} for {_named(v, shared, words, clinic, language)}"
            for v in visits[:4]
            if v.appointment_id in asks
        )
    return (words.system(name, clinic, language, **fill),)


def _named(visit: Visit, shared: bool, words: Words, clinic: ClinicVoice, language: str) -> str:
    when = words.voice(language).moment(visit.starts_at, clinic.zone)
    return f"{visit.given_name}, {when}" if shared else when


def menu(words: Words, clinic: ClinicVoice, language: str) -> tuple[Rendered, ...]:
    """Return the menu: every topic's first keyword, by group, in texts of at most two segments, numbered."""
    answers = words.library.answers.get(language) or words.library.answers["en"]
    lead = words.system("menu_lead", clinic, language)
    pages = [lead.body]
    for group in GROUPS:
        keywords = sorted(answer.keywords[0] for answer in answers.values() if answer.group == group)
        if not keywords:
            continue
        said = f"{group}: {' '.join(keywords)}."
        if len(pages[-1]) + 1 + len(said) <= MENU_WIDTH:  # a group stays together, so that nobody has to puzzle
            pages[-1] += f" {said}"
        else:
            pages += textwrap.wrap(said, MENU_WIDTH, break_long_words=False, break_on_hyphens=False)
    return tuple(
        Rendered(f"({n}/{len(pages)}) {page}" if len(pages) > 1 else page, "menu", lead.version, lead.draft)
        for n, page in enumerate(pages, 1)
    )
