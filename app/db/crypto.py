"""Sealing of names, phone numbers and message texts at rest, and the keyed hash that finds a phone again."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

REMEMBERED = 20_000  # some 8 MB
LONGEST_REMEMBERED = 160  # bytes sealed: what has up to about 40 letters


def key_id(data_key: str) -> str:
    """Return what a data key is called where it must be named and not shown (12 hex digits)."""
    return hashlib.sha256(b"pumpline data key\n" + data_key.encode()).hexdigest()[:12]


class WrongDataKey(Exception):
    """No data key opens what is stored."""


class Keyring:
    """Rotating data keys: the first seals, all of them open.

    Raises ValueError when there is no key or one is not a Fernet key (44 characters, URL-safe base64 of 32 bytes).
    """

    def __init__(self, data_keys: Sequence[str]) -> None:
        if not data_keys:
            raise ValueError("no data key")
        self._keys = {key_id(key): Fernet(key) for key in data_keys}
        self._fernet = MultiFernet(list(self._keys.values()))
        self._opened = lru_cache(maxsize=REMEMBERED)(self._open)

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass"))

    def open(self, token: bytes) -> str:
        """Return the secret. A short one, a name or a number, is remembered: a page opens a thousand of them."""
        return self._opened(token) if len(token) <= LONGEST_REMEMBERED else self._open(token)

    def opens(self, token: bytes) -> bool:
        """Whether a data key opens this, and it is whole."""
        try:
            self.open(token)
        except WrongDataKey:
            return False
        return True

    def _open(self, token: bytes) -> str:
        try:
            return self._fernet.decrypt(token).decode("utf-8", "surrogatepass")
        except InvalidToken as error:
            raise WrongDataKey(
                "no data key opens this: add the key it was sealed with to PUMPLINE_DATA_KEYS"
            ) from error

    def reseal(self, token: bytes) -> bytes:
        """Return the same secret sealed with the first key. Raises WrongDataKey."""
        try:
            return self._fernet.rotate(token)
        except InvalidToken as error:
            raise WrongDataKey(
                "no data key opens this: add the key it was sealed with to PUMPLINE_DATA_KEYS"
            ) from error

    @property
    def ids(self) -> tuple[str, ...]:
        """The keys' names, newest first. A name tells nothing of its key."""
        return tuple(self._keys)

    def sealed_with(self, token: bytes) -> str | None:
        """Return the name of the key that sealed this, None where no key of ours did. Nothing is opened."""
        for name, fernet in self._keys.items():
            try:
                fernet.extract_timestamp(token)
            except InvalidToken:
                continue
            return name
        return None

    def sealed_at(self, token: bytes) -> int:
        """Return when something was first sealed, in seconds since 1970. Raises WrongDataKey."""
        try:
            return self._fernet.extract_timestamp(token)
        except InvalidToken as error:
            raise WrongDataKey("no data key sealed this") from error

    @staticmethod
    def new_key() -> str:
        return Fernet.generate_key().decode()


def keyed_hash(lookup_key: str, value: str) -> str:
    """Return a hash that finds a phone or record number again, of no use without the key (64 hex digits)."""
    return hmac.new(lookup_key.encode(), value.encode(), hashlib.sha256).hexdigest()


def keyed_number(lookup_key: bytes, value: str) -> int:
    """Return a keyed hash that fits a big integer: for an index of many small things."""
    digest = hmac.digest(lookup_key, value.encode("utf-8", "surrogatepass"), "sha256")
    return int.from_bytes(digest[:8], signed=True)
