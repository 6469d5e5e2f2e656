"""How an action says no: what is wrong and what to do about it, without a name, a number or a text."""

from typing import Literal


class Refused(Exception):
    """Nothing was changed. The message is for the person who asked."""

    def __init__(
        self, message: str, kind: Literal["missing", "conflict", "invalid", "late", "room"] = "invalid"
    ) -> None:
        super().__init__(message)
        self.kind = kind  # late, room: it can be saved with a reason
