"""Rows that an import has met are known by their ids, in a bit each."""

import random

from app.actions.import_rows import Numbers


def test_a_number_is_new_once() -> None:
    chance = random.Random(3)
    some = [chance.choice((chance.randrange(1, 20_000), chance.randrange(1, 2**40))) for _ in range(20_000)]
    numbers, known = Numbers(), set[int]()
    for number in [*some, *some[:500], 4095, 4096, 0]:
        assert numbers.add(number) == (number not in known)
        known.add(number)
