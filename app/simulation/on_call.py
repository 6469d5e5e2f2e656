"""The on-call phone."""

from __future__ import annotations

import re

from app.simulation.provider import Text
from app.simulation.world import ON_CALL_NUMBER, World

_CODE = re.compile(r"alert (\d{4})")


class OnCall:
    """Whoever has the on-call phone: replies with the code, mostly to the first page, sometimes only to the third."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = world.shard.stream("on call")
        self._waits: dict[int, int] = {}  # task -> pages still to be slept through

    def read(self, text: Text) -> None:
        found = _CODE.search(text.body)
        shard = self.world.shard
        if text.purpose != "page" or found is None or shard.off("acknowledging") or shard.off("pages"):
            return
        waits = self._waits.pop(text.task_id, None)
        if waits is None:
            waits = self.chance.choices((0, 1, 2, 5, 10), (62, 22, 10, 5, 1))[0]
        if waits > 0:
            self._waits[text.task_id] = waits - 1
            return
        minutes = min(self.chance.lognormvariate(0.9, 0.7), 25)
        words = found[1] if self.chance.random() < 0.7 else f"taking {found[1]}"
        self.world.agenda.after(max(1, minutes), lambda: self.world.text_us(ON_CALL_NUMBER, words))
