"""Integers as digits."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import Digits
from intarsia.testing import check_codec

integers = arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(2**63), 2**63 - 1))
RNG = np.random.default_rng(0)


@given(integers, st.integers(2, 2**31))
def test_integers_come_back_exactly(values: np.ndarray, base: int) -> None:
    check_codec(Digits(base), values, 0, valid=lambda x: bool(((x >= values.min()) & (x <= values.max())).all()))


def test_digits_are_those_of_the_decimal_number() -> None:
    codec = Digits().fit(np.array([0, 7, 1_984]))
    assert codec.num_classes == (2, 10, 10, 10)
    assert codec.encode(np.array([1_984, 42])).tolist() == [[1, 9, 8, 4], [0, 0, 4, 2]]


def test_digits_count_from_the_smallest() -> None:
    codec = Digits().fit(np.array([-5, 14]))
    assert codec.encode(np.array([-5, 0, 14])).tolist() == [[0, 0], [0, 5], [1, 9]]


@pytest.mark.parametrize("base", [2, 3, 10])
@pytest.mark.parametrize("top", [1, 2, 5, 9, 17, 80, 100, 123])
def test_every_number_is_read_within_the_range_and_one_digit_away(base: int, top: int) -> None:
    codec = Digits(base).fit(np.array([100, 100 + top]))
    states = np.array(list(itertools.product(*map(range, codec.num_classes))))
    decoded = codec.decode(states, RNG)
    assert set(decoded.tolist()) == set(range(100, 101 + top))
    again = codec.encode(decoded)
    assert int((again != states).sum(1).max()) <= 1
    assert np.array_equal(codec.decode(again, RNG), decoded)


def test_the_whole_of_int64() -> None:
    ends = np.array([-(2**63), -1, 0, 2**63 - 1])
    codec = Digits().fit(ends)
    assert codec.num_classes == (2, *[10] * 19)
    assert codec.decode(np.array([[1, *[9] * 19]]), RNG).tolist() == [10**19 - 1 - 2**63]
    check_codec(Digits(), ends, 0)


def test_one_integer_needs_no_digits() -> None:
    assert Digits().fit(np.array([5, 5])).num_classes == ()
    check_codec(Digits(), np.array([5]))


def test_integers_outside_the_range_go_to_its_ends() -> None:
    codec = Digits().fit(np.array([0, 99]))
    assert codec.encode(np.array([-7, 12345])).tolist() == [[0, 0], [9, 9]]


@pytest.mark.parametrize("base", [1, 2**31 + 1])
def test_bases(base: int) -> None:
    with pytest.raises(ValueError, match="base"):
        Digits(base)


def test_only_integers() -> None:
    with pytest.raises(TypeError, match="int64"):
        Digits().fit(np.array([1.5]))
    with pytest.raises(ValueError, match="at least one"):
        Digits().fit(np.array([], dtype=np.int64))
