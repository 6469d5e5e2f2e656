"""How names are compared: what is indexed of a name and what is looked up for a query always agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.names import LONGEST, beginnings, folded, is_exact, lookup, matches, name_words, query_words

NAMES = st.text(alphabet="aábcñoOø-' ’LßŁüÜéI王小ж1.", max_size=30)


def found(name: str, query: str) -> bool:
    return matches(name_words(*name.split("|")), query_words(query))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("José|Muñoz", "munoz"),
        ("José|Muñoz", "MUÑOZ, jose"),
        ("Anne-Marie|O'Brien", "obrien"),
        ("Anne-Marie|O'Brien", "o’brien"),
        ("Anne-Marie|O'Brien", "brien anne"),
        ("Anne-Marie|O'Brien", "annemarie"),
        ("Anne-Marie|O'Brien", "Anne-Mar"),
        ("Ana|de la Cruz", "cruz"),
        ("Ana|de la Cruz", "delacruz"),
        ("Ana|de la Cruz", "a cru"),
        ("Łukasz|Sørensen", "lukasz sorensen"),
        ("Ömer|Strauß", "omer strauss"),
        ("小明|王", "王"),
        ("Maximilian-Ferdinand|X", "maximilianferdinand"),
    ],
)
def test_a_name_is_found_as_people_type_it(name: str, query: str) -> None:
    assert found(name, query)


@pytest.mark.parametrize(("name", "query"), [("José|Muñoz", "noz"), ("José|Muñoz", "jose x"), ("Ana|Cruz", "cruza")])
def test_only_beginnings_count_and_every_word_must_fit(name: str, query: str) -> None:
    assert not found(name, query)


@given(NAMES, NAMES)
def test_the_index_finds_whom_comparing_finds(name: str, query: str) -> None:
    """As the search does it: by index where the word is long enough, and compared where the index is not exact."""
    held, wanted = beginnings(name_words(name)), query_words(query)
    for word in wanted:
        looked_up = lookup(word)
        by_comparing = matches(name_words(name), [word])
        if looked_up is None:
            assert not is_exact(word)
        elif is_exact(word):
            assert (looked_up in held) is by_comparing
        elif by_comparing:
            assert looked_up in held, "a longer word must at least be a candidate"


@given(NAMES)
def test_every_name_finds_itself_and_folding_again_changes_nothing(name: str) -> None:
    assert matches(name_words(name), query_words(name))
    assert folded(folded(name)) == folded(name)
    assert all(1 <= len(beginning) <= LONGEST for beginning in beginnings(name_words(name)))
