"""One text as a decision sees it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.domain.effects import Sender
from faq.library import Library
from faq.understand import Understanding


@dataclass(frozen=True)
class Turn:
    """The text, what it was understood to say, who says it, and what we may answer with."""

    text: str
    understood: Understanding
    sender: Sender
    library: Library
    now: datetime
    room_to_ask: Callable[[str], bool] = lambda _: False  # whether "did that help" fits behind a topic's answer

    @cached_property
    def digit(self) -> int | None:
        """The number this text is, when it is nothing else: "2", "2.", " 2 please" is not."""
        found = re.fullmatch(r"\W*(\d{1,2})\W*", self.text)
        return int(found.group(1)) if found else None

    @property
    def is_code(self) -> bool:
        """Whether the text is nothing but four digits: the code of an alert."""
        return re.fullmatch(r"\W*\d{4}\W*", self.text) is not None

    @property
    def why(self) -> str:
        return self.understood.why
