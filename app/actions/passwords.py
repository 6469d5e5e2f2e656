"""Hashing of passwords, bounded so that a burst of sign-ins does not take the machine."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from app.actions.errors import Refused
from app.domain.password_rules import prepared, what_is_wrong

LONGEST_TRIED = 1024  # hashing takes time by length
NO_PASSWORD = "!"  # noqa: S105 an account that signs in elsewhere: no password opens it

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(4)  # each hash takes 64 MiB


def hash_password(password: str) -> str:
    with _hashing:
        return _hasher.hash(prepared(password).encode("utf-8", "surrogatepass"))


def is_password(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_TRIED:
        password = ""
    with _hashing:
        try:
            return _hasher.verify(password_hash, prepared(password).encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


@cache
def nobodys_hash() -> str:
    """A hash no password opens, so that an unknown e-mail takes as long as a wrong password."""
    return hash_password(secrets.token_urlsafe(32))


def good_password(password: str, *about: str) -> str:
    """Return the hash of a password that may be taken. Raises Refused, saying what to do instead."""
    if problem := what_is_wrong(password, about):
        raise Refused(problem, "invalid")
    return hash_password(password)
