"""What undoing an import may do to one row, and why it may not."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Why(StrEnum):
    """Why an import cannot be undone for a patient."""

    TEXTED = "texted"  # texts went to them, or came from them
    VISIT = "visit"  # a visit of theirs was announced, confirmed, moved or had
    RECORD = "record"  # staff wrote something into the record that builds on it
    CHANGED = "changed"  # what the file wrote was changed
    LATER = "later"  # a later import changed it again
    PAST = "past"  # the time to which a visit would go back is past, or taken


# Cells that only mean something together: a pump's numbers, a visit's time and state.
TOGETHER = frozenset({"pumps", "programs", "refills", "visits"})


def put_back(
    kind: str, stands: Mapping[str, Any], was: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the cells to put back into a row, as they were; None where somebody changed what may only go together.

    A detail of a person or a contact that was changed since stays as somebody wrote it.
    """
    still = {name: was[name] for name in written if stands[name] == written[name]}
    if kind in TOGETHER and len(still) < len(written):
        return None
    return still
