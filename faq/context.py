"""What this phone was last asked: the one thing besides the words that decides what a text means."""

from dataclasses import dataclass
from typing import Literal

Language = str
Asked = Literal["none", "confirm", "choices", "more", "menu", "triage", "helped"]


@dataclass(frozen=True)
class Context:
    """`choices` are topics in the order in which they were numbered; `topic` is the one answered last.

    "triage" and "helped" wait for a yes or a no: 1 or 2.

    Whether a question still counts is the caller's decision: pass `asked="none"` once it no longer does.
    """

    asked: Asked = "none"
    choices: tuple[str, ...] = ()
    topic: str | None = None
    language: Language | None = None
