"""The languages we read, one YAML file each. A new one is a file here, a folder of answers and its system texts."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True)
class LanguageWords:
    """`code` is the file's name; `call`: how "call us" begins in our own texts.

    All other words are folded: lower case, no accents, no apostrophes. `concepts`: the words that mean much the same,
    under one name that all languages share (concepts/<code>.yaml).
    """

    code: str
    name: str
    also_called: frozenset[str]
    words: frozenset[str]
    call: tuple[str, ...]
    shorthand: dict[str, str]
    negations: frozenset[str]
    breaks: frozenset[str]
    concepts: dict[str, tuple[str, ...]]


@cache
def languages(folder: Path = HERE) -> dict[str, LanguageWords]:
    """Read every language. Raises ValueError naming the file and the field that is missing or malformed."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}


def _concepts(path: Path) -> dict[str, tuple[str, ...]]:
    """What words have in common, if anybody wrote it down for this language."""
    return {concept: tuple(words.split()) for concept, words in _load(path).items()} if path.exists() else {}


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return loaded


def _read(path: Path) -> LanguageWords:
    try:
        data = _load(path)
        return LanguageWords(
            code=path.stem,
            name=data["name"],
            also_called=frozenset(data["also_called"]),
            words=frozenset(data["words"].split()),
            call=tuple(data.get("call") or ()),
            shorthand={str(written): str(meant) for written, meant in (data.get("shorthand") or {}).items()},
            negations=frozenset(map(str, data.get("negations") or ())),
            breaks=frozenset(map(str, data.get("breaks") or ())),
            concepts=_concepts(path.parent / "concepts" / path.name),
        )
    except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(
            f"languages/{path.name}: {error!r} is missing or malformed; compare it with en.yaml"
        ) from error
