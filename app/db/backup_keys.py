"""The keys of backups, of the age format: one that opens, and the half of it that only writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyrage import x25519


@dataclass(frozen=True)
class BackupKeys:
    """`identities` open a backup, the first of them and all `recipients` are written to."""

    identities: tuple[x25519.Identity, ...] = field(repr=False)
    recipients: tuple[x25519.Recipient, ...]

    @classmethod
    def of(cls, keys: Sequence[str]) -> "BackupKeys":
        """Read settings that were checked before: AGE-SECRET-KEY-1... and age1..., in any order."""
        secret = [key for key in keys if key.upper().startswith("AGE-SECRET-KEY-")]
        identities = tuple(x25519.Identity.from_str(key) for key in secret)
        public = tuple(x25519.Recipient.from_str(key) for key in keys if key not in secret)
        return cls(identities, (*(identity.to_public() for identity in identities[:1]), *public))

    @classmethod
    def for_once(cls) -> "BackupKeys":
        """Make a key that nobody keeps."""
        return cls.of([new_backup_key()])


def new_backup_key() -> str:
    return str(x25519.Identity.generate())
