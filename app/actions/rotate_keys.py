"""Seal everything with the first data key, while the line runs; and say which keys something still needs.

There is nothing to resume: what the first key sealed already is passed over, so a run that was killed is simply begun
again. Texts come in meanwhile; a value that somebody changed after it was read is left as they wrote it and is
looked at again in the next round.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.actions.audit import audit
from app.db.crypto import Keyring, WrongDataKey
from app.db.engine import Database
from app.db.sealed import Resealed, replace_sealed, rows_sealed, sealed_tables
from app.db.spool import Spool

ROUNDS = 3  # what people change while it runs is few
NAMED = 5  # places that are told where no key opens what stands there
Told = Callable[[str, int], None]
RESEAL, LOOK = "reseal", "check"


@dataclass
class KeysInUse:
    """What sealed what is there. `by_key`: values by the name of the key. `lost`: places that no key of ours opens."""

    by_key: dict[str, int]
    lost: list[str] = field(default_factory=list)
    lost_count: int = 0
    newest_of_old: datetime | None = None  # when a key that is not the first last sealed something

    @property
    def values(self) -> int:
        return sum(self.by_key.values()) + self.lost_count

    def by_old(self, keyring: Keyring) -> int:
        return sum(self.by_key[name] for name in keyring.ids[1:])


@dataclass(frozen=True)
class Rotated:
    resealed: int  # values that an old key had sealed
    use: KeysInUse  # as found afterwards


def rotate_keys(
    db: Database, spool: Spool | None, now: datetime, actor: str, told: Told = lambda _part, _rows: None
) -> Rotated:
    """Reseal, and look at it all, until the first key has sealed everything or some process goes on with an old one."""
    resealed = _reseal(db, spool, lambda rows: told(RESEAL, rows))
    use = _look(db, spool, lambda rows: told(LOOK, rows))
    for _again in range(ROUNDS - 1):
        if not use.by_old(db.keyring):
            break
        resealed += _reseal(db, spool, lambda _rows: None)
        use = _look(db, spool, lambda _rows: None)
    if resealed:
        with db.begin() as session:
            audit(session, now, actor, "data keys rotated", "installation:1", resealed=resealed, key=db.keyring.ids[0])
    return Rotated(resealed, use)


def keys_in_use(db: Database, spool: Spool | None, told: Told = lambda _part, _rows: None) -> KeysInUse:
    """Look at every sealed value there is, and change nothing."""
    return _look(db, spool, lambda rows: told(LOOK, rows))


def _look(db: Database, spool: Spool | None, told: Callable[[int], None]) -> KeysInUse:
    use = KeysInUse(dict.fromkeys(db.keyring.ids, 0))
    for place, token, first_of_row in _every_value(db, spool):
        name = db.keyring.sealed_with(token)
        if name is None:
            use.lost_count += 1
            if len(use.lost) < NAMED:
                use.lost.append(place)
        else:
            use.by_key[name] += 1
            if name != db.keyring.ids[0]:
                at = datetime.fromtimestamp(db.keyring.sealed_at(token), UTC)
                use.newest_of_old = max(use.newest_of_old or at, at)
        told(first_of_row)
    return use


def _every_value(db: Database, spool: Spool | None) -> Iterator[tuple[str, bytes, int]]:
    """Yield where each value stands, the value, and 1 with the first of its row."""
    for one in sealed_tables():
        for batch in rows_sealed(db, one):
            for row_id, values in batch:
                first = 1
                for column, value in zip(one.columns, values, strict=True):
                    if value is not None:
                        yield f"{one.name}.{column.name} of {row_id}", value, first
                        first = 0
    for path in spool.everything() if spool else ():
        with suppress(FileNotFoundError):  # taken in meanwhile
            yield f"spool/{path.name}", path.read_bytes(), 0


def _reseal(db: Database, spool: Spool | None, told: Callable[[int], None]) -> int:
    """Go through all of it once; return how many values were sealed anew, or should have been."""
    keyring, count = db.keyring, 0
    for one in sealed_tables():
        for batch in rows_sealed(db, one):
            changed: dict[str, list[Resealed]] = {}
            for row_id, values in batch:
                for column, value in zip(one.columns, values, strict=True):
                    if value is not None and keyring.sealed_with(value) in keyring.ids[1:]:
                        changed.setdefault(column.name, []).append(Resealed(row_id, value, keyring.reseal(value)))
            if changed:
                replace_sealed(db, one, changed)
                count += sum(map(len, changed.values()))
            told(len(batch))
    if spool:
        for path in spool.everything():
            with suppress(WrongDataKey):  # found and named by looking
                count += spool.reseal(path)
    return count
