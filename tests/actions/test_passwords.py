"""How passwords are kept: slow enough to guess, as it ships; stories that sign in use a quick one."""

from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from app.actions.passwords import hash_password, is_outdated, is_password
from tests.conftest import SHIPPED_HASHER


def test_what_ships_hashes_as_rfc_9106_asks() -> None:
    used = extract_parameters(SHIPPED_HASHER.hash("a long enough one"))
    assert used.type is RFC_9106_LOW_MEMORY.type
    assert used.memory_cost >= RFC_9106_LOW_MEMORY.memory_cost
    assert used.time_cost >= RFC_9106_LOW_MEMORY.time_cost


def test_a_hash_of_a_weaker_time_is_to_be_made_anew() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16).hash("a long enough one")
    assert SHIPPED_HASHER.check_needs_rehash(weaker)
    assert is_outdated(SHIPPED_HASHER.hash("a long enough one"))  # other parameters than those in use now


def test_one_password_opens_and_another_does_not() -> None:
    kept = hash_password("a long enough one")
    assert is_password(kept, "a long enough one")
    assert not is_password(kept, "another one, as long")
    assert not is_password("no hash at all", "a long enough one")
