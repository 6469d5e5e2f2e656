from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from app.web.signature import expected_signature, parse_form, spellings

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FORMS = st.lists(st.tuples(NAMES, NAMES), max_size=12)
URLS = st.sampled_from(
    [
        "https://texts.example.org/twilio/sms",
        "https://texts.example.org/twilio/status?m=a%20b&x=%C3%A9",
        "https://texts.example.org:8443/twilio/sms",
        "http://127.0.0.1:8000/twilio/sms?",
    ]
)


class Posted:
    """A form as the frameworks hold it, for the oracle."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __iter__(self):
        return iter([name for name, _ in self.pairs])

    def __len__(self) -> int:
        return len(self.pairs)

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


@given(URLS, FORMS, st.text(min_size=1, max_size=40).filter(lambda token: token.isprintable()))
def test_any_form_is_signed_as_the_library_signs_it(url: str, pairs: list[tuple[str, str]], token: str) -> None:
    posted = parse_form(urlencode(pairs).encode())
    assert expected_signature(token, url, posted).decode() == RequestValidator(token).compute_signature(
        url, Posted(pairs)
    )


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read_as_a_form_and_signed(body: bytes) -> None:
    assert len(expected_signature("token", "https://texts.example.org/twilio/sms", parse_form(body))) == 28


def test_a_form_is_read_as_the_bytes_that_were_sent() -> None:
    assert parse_form(b"Body=a+b%2B%26%3D%00&From=%2B1&&Empty=&Bare&Bad=%ff%zz") == [
        (b"Body", b"a b+&=\0"),
        (b"From", b"+1"),
        (b"Empty", b""),
        (b"Bare", b""),
        (b"Bad", b"\xff%zz"),
    ]


@pytest.mark.parametrize(
    ("public_url", "others"),
    [
        ("https://texts.example.org", ["https://texts.example.org:443"]),
        ("https://texts.example.org:8443", ["https://texts.example.org"]),
        ("http://127.0.0.1:8000", ["http://127.0.0.1"]),
        ("http://[::1]:8000", ["http://[::1]"]),
    ],
)
def test_twilio_may_sign_with_the_port_or_without(public_url: str, others: list[str]) -> None:
    assert list(spellings(public_url)) == [public_url, *others]
