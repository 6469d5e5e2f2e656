"""Two tables compared row by row and value by value, in one pass, without keeping either in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.db.row_copy import Row
from app.db.shapes import Shape

SHOWN = 20  # differences that are told one by one; the rest is counted


@dataclass
class Differences:
    """Where two tables do not hold the same, by table and id, without a value."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, said: str) -> None:
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(said)

    @property
    def lines(self) -> list[str]:
        rest = self.count - len(self.shown)
        return [*self.shown, f"and {rest:,} more"] if rest else self.shown


def compare(shape: Shape, wanted: Iterable[Row], found: Iterable[Row], into: Differences) -> int:
    """Compare every value of every row, both in the order of their keys; return how many rows were equal."""
    places, equal = shape.key_places, 0
    left, right = iter(wanted), iter(found)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if ours is not None and ours == theirs:
            equal += 1
            ours, theirs = next(left, None), next(right, None)
            continue
        key = None if ours is None else _key(ours, places)
        other = None if theirs is None else _key(theirs, places)
        if other is None or (key is not None and key < other):
            into.add(f"{_named(shape, key)} is missing")
            ours = next(left, None)
        elif key is None or other < key:
            into.add(f"{_named(shape, other)} is not in what was copied")
            theirs = next(right, None)
        else:
            assert ours is not None
            assert theirs is not None
            unlike = [name for name, a, b in zip(shape.names, ours, theirs, strict=True) if a != b]
            into.add(f"{_named(shape, key)} differs in {', '.join(unlike)}")
            ours, theirs = next(left, None), next(right, None)
    return equal


def _key(row: Row, places: Sequence[int]) -> Row:
    """Return a row's key so that it orders as the databases do: text by its bytes."""
    return tuple(value.encode() if isinstance(value, str) else value for value in (row[place] for place in places))


def _named(shape: Shape, key: Row | None) -> str:
    parts = (part.decode() if isinstance(part, bytes) else str(part) for part in key or ())
    return f"{shape.name} {'/'.join(parts)}"
