"""Which passwords are good enough, after NIST SP 800-63B-4, section 3.1.1: long, not common, not about the place.

No rule about kinds of characters, no rotation; spaces and any script are welcome.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
COMMON = Path(__file__).parent / "data" / "common_passwords.bin"
KEPT_BYTES = 6
FEWEST_DIFFERENT = 5
LEAST_OF_ITS_OWN = 6  # characters, beside the name of the clinic or of the account
_ABOUT_US = ("pumpline", "baclofen", "password", "passwort", "contrasena")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "01234567890")


def prepared(password: str) -> str:
    """Return the password in the one form in which it is hashed and compared (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def plainly(password: str) -> str:
    return prepared(password).casefold().strip()


def what_is_wrong(password: str, about: Sequence[str] = ()) -> str:
    """Return why a password cannot be taken, as a sentence with what to do; empty for a good one.

    `about`: what anybody would try first, as the e-mail address, the name and the clinic.
    """
    count = len(prepared(password))
    if count < SHORTEST_PASSWORD:
        return f"a password has at least {SHORTEST_PASSWORD} characters: take a few words"
    if count > LONGEST_PASSWORD:
        return f"a password has at most {LONGEST_PASSWORD} characters"
    plain = plainly(password)
    if len(set(plain)) < FEWEST_DIFFERENT or _is_a_run(plain):
        return "this repeats itself or follows the keyboard: take a few words that do not belong together"
    if _is_common(plain):
        return "this is among the passwords that are tried first: take a few words that do not belong together"
    if _is_about(plain, (*_ABOUT_US, *about)):
        return (
            "this is mostly your name, your e-mail or the clinic's name: take words that have nothing to do with them"
        )
    return ""


def _is_common(plain: str) -> bool:
    """A common password, or one with digits and signs around it, or one said twice."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    tries = {plain, core, plain.replace(" ", "")}
    for said in tuple(tries):
        for count in range(2, 5):
            unit, rest = divmod(len(said), count)
            if not rest and unit and said == said[:unit] * count:
                tries.add(said[:unit])
    return any(_is_listed(said) for said in tries if said)


def _is_a_run(plain: str) -> bool:
    """Most of it goes up, down or along a row of keys."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    pairs = list(pairwise(plain))
    steps = sum(one == other or any(one + other in row for row in rows) for one, other in pairs)
    return steps * 4 >= len(pairs) * 3


def _is_about(plain: str, about: Sequence[str]) -> bool:
    left = plain
    words = {word for said in about for word in re.split(r"[\W\d_]+", plainly(said)) if len(word) > 2}
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left != plain and len(re.sub(r"[\W\d_]+", "", left)) < LEAST_OF_ITS_OWN


@cache
def _listed() -> tuple[bytes, ...]:
    kept = COMMON.read_bytes()
    return tuple(kept[at : at + KEPT_BYTES] for at in range(0, len(kept), KEPT_BYTES))


def _is_listed(said: str) -> bool:
    wanted, found = sha256(said.encode("utf-8", "surrogatepass")).digest()[:KEPT_BYTES], _listed()
    at = bisect_left(found, wanted)
    return at < len(found) and found[at] == wanted
