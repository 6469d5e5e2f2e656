"""Passwords after NIST SP 800-63B: length, what is tried first, nothing about kinds of characters."""

import pytest

from app.domain.password_rules import prepared, what_is_wrong

ABOUT = ("ana.lindqvist@northgate.example", "Ana Lindqvist", "Northgate Pump Clinic")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "the wheelchair sings blue",
        "contraseña segura 1",
        "パスワードはここにあります犬",
        "v9#Qe!mLp02x",
        "northgate is where the heron eats plums",
        "word " * 50,
    ],
)
def test_long_and_uncommon_is_good_whatever_it_is_made_of(password: str) -> None:
    assert what_is_wrong(password, ABOUT) == ""


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("elevenchars", "at least 12"),
        ("x" * 257, "at most 256"),
        ("aaaaaaaaaaaaaaa", "repeats itself"),
        ("123456789012", "follows the keyboard"),
        ("qwertyuiop12", "follows the keyboard"),
        ("abcdefghijkl", "follows the keyboard"),
        ("leavemealone", "tried first"),
        ("Leave Me Alone", "tried first"),
        ("monkey123456!", "tried first"),
        ("!!!Password2026", "tried first"),
        ("iloveyouiloveyou", "tried first"),
        ("ana.lindqvist12", "your name"),
        ("Northgate2026!", "your name"),
        ("PumplineBaclofen", "your name"),
    ],
)
def test_what_is_tried_first_is_refused_with_what_to_do(password: str, said: str) -> None:
    assert said in what_is_wrong(password, ABOUT)


def test_the_same_password_typed_on_another_keyboard_is_the_same() -> None:
    assert prepared("cafe\u0301 de la man\u0303ana") == prepared("caf\u00e9 de la ma\u00f1ana")
    assert prepared("ﬁne words here") == "fine words here"
