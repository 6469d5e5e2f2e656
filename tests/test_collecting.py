"""The collector looks seldom while much is made, and as it did before once everybody is done."""

import gc

import pytest

from app.collecting import little_collecting


def test_it_looks_as_often_as_before_when_the_last_is_done() -> None:
    usual = gc.get_threshold()
    first, second = little_collecting(), little_collecting()
    first.__enter__()
    seldom = gc.get_threshold()
    second.__enter__()
    first.__exit__(None, None, None)  # in another order than they came, as threads do
    assert (gc.get_threshold(), seldom > usual) == (seldom, True)
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_it_looks_as_often_as_before_after_a_failure() -> None:
    usual = gc.get_threshold()
    with pytest.raises(ValueError, match="no"), little_collecting():
        raise ValueError("no")
    assert gc.get_threshold() == usual
