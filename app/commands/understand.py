"""`pumpline understand`: what texts mean, a JSON line each."""

import json
from typing import IO, Any

import click

from faq.context import Context
from faq.languages import languages
from faq.library import Library, load
from faq.understand import Understanding, prepare, understand

ASKED = {"none": "none", "after_reminder": "confirm"}


class BadLine(ValueError):
    pass


@click.command("understand")
@click.argument("file", type=click.File("rb"), default="-")
def understand_lines(file: IO[bytes]) -> None:
    """Say what texts mean: JSON lines in, JSON lines out.

    They come from FILE, or from standard input. In: id, text, and if you like lang (en, es) and context (none,
    after_reminder). Out: id, kind, topic, choices, intent, lang, category, confidence, why. A bad line is named on
    stderr, the rest goes on, and the exit code is 1.
    """
    library = load()
    prepare(library)
    bad = 0
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            click.echo(json.dumps(_understood(line, library)))
        except BadLine as error:
            bad += 1
            click.echo(f"line {number}: {error}", err=True)
    if bad:
        raise SystemExit(1)


def _understood(line: bytes, library: Library) -> dict[str, Any]:
    asked = _object(line)
    if "id" not in asked:
        raise BadLine('id is missing: {"id": 1, "text": "ALARM"}')
    if not isinstance(asked.get("text"), str):
        raise BadLine("text is missing or no string")
    language, context = asked.get("lang"), asked.get("context") or "none"
    if language is not None and language not in languages():
        raise BadLine(f"lang is none of {', '.join(languages())}")
    if not isinstance(context, str) or context not in ASKED:
        raise BadLine(f"context is none of {', '.join(ASKED)}")
    meaning = understand(asked["text"], Context(asked=ASKED[context], language=language), library)  # type: ignore[arg-type]
    return {"id": asked["id"], **_fields(meaning)}


def _object(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise BadLine("is not JSON") from None
    if not isinstance(asked, dict):
        raise BadLine('is not an object: {"id": 1, "text": "ALARM"}')
    return asked


def _fields(meaning: Understanding) -> dict[str, Any]:
    return {
        "kind": meaning.kind,
        "topic": meaning.topic,
        "choices": list(meaning.choices),
        "intent": "help" if meaning.intent == "menu" else meaning.intent,  # the list of topics is a kind of help
        "lang": meaning.language,
        "category": meaning.urgency.category if meaning.urgency else None,
        "confidence": round(meaning.confidence, 3),
        "why": meaning.why,
    }
