"""Webhooks that came while the database could not be written: kept sealed and safe on disk until it can.

One file each, named by the instant it came, so that a sorted folder is their order. A file that cannot be taken in
although the database works is set aside, never thrown away.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from app.db.crypto import Keyring, WrongDataKey
from app.db.durable import sync_folder, write_durably

_KEPT, _ASIDE = ".sealed", ".aside"
HALVES_STAY = timedelta(hours=1)


@dataclass(frozen=True)
class Spooled:
    """A form as it was signed. Its repr leaves out what was in it."""

    path: Path
    kind: str  # sms, status
    came_at: datetime
    form: Mapping[str, str] = field(repr=False)


class Spool:
    """A folder that only the service's own user can read. Safe to share between threads and processes."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self.folder = folder
        self._keyring = keyring

    def keep(self, kind: str, form: Mapping[str, str], came_at: datetime) -> None:
        """Write a form down so that a power cut does not lose it. Raises OSError where it cannot be."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        sealed = self._keyring.seal(json.dumps({"kind": kind, "came_at": came_at.isoformat(), "form": dict(form)}))
        name = f"{int(came_at.timestamp() * 1_000_000):017}-{secrets.token_hex(6)}"
        write_durably(self.folder / f"{name}{_KEPT}", sealed, new=True)

    def waiting(self) -> list[Path]:
        """Return what is kept, in the order in which it came."""
        return sorted(self.folder.glob(f"*{_KEPT}"))

    def forget_halves(self, now: datetime) -> int:
        """Remove what a process that died left half-written an hour ago or more, and return how much: its sender was
        never told that it is kept, and the provider sends it again or is asked for it."""
        before, gone = int((now - HALVES_STAY).timestamp() * 1_000_000), 0
        for path in self.folder.glob("*.part"):
            when = path.name.partition("-")[0]
            if when.isdecimal() and int(when) < before:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def aside(self) -> int:
        """Return how many could not be taken in."""
        return sum(1 for _ in self.folder.glob(f"*{_ASIDE}"))

    def read(self, path: Path) -> Spooled | None:
        """Return one, None where another process took it in meanwhile. Raises Unreadable."""
        try:
            said = json.loads(self._keyring.open(path.read_bytes()))
            return Spooled(path, said["kind"], datetime.fromisoformat(said["came_at"]), said["form"])
        except FileNotFoundError:
            return None
        except (WrongDataKey, ValueError, KeyError, TypeError) as error:
            raise Unreadable("a spooled text cannot be read: was a data key taken away?") from error

    def everything(self) -> list[Path]:
        """Return what is kept and what is set aside: all that a data key is needed for."""
        return sorted((*self.waiting(), *self.folder.glob(f"*{_ASIDE}")))

    def reseal(self, path: Path) -> bool:
        """Seal one with the first key; return whether another had sealed it. Raises WrongDataKey.

        One that is taken in at the same moment may stand there again afterwards: it is found to be known, and dropped.
        """
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return False
        if self._keyring.sealed_with(sealed) == self._keyring.ids[0]:
            return False
        resealed = self._keyring.reseal(sealed)
        if path.exists():
            write_durably(path, resealed, new=False)
        return True

    def put_back(self, name: str, sealed: bytes) -> None:
        """Keep what a backup kept, under its old name: that says when it came."""
        if Path(name).name != name or not name.endswith(_KEPT):
            raise ValueError("that is no name of a spooled webhook")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(self.folder / name, sealed, new=False)

    def drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        sync_folder(self.folder)

    def set_aside(self, path: Path) -> None:
        """Keep one that cannot be taken in out of the way of those behind it."""
        if path.exists():
            path.rename(path.with_suffix(_ASIDE))
            sync_folder(self.folder)


class Unreadable(Exception):
    """What was kept cannot be opened."""
