"""Integers as counts above the smallest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import Counts
from intarsia.testing import check_codec

integers = arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(2**52) + 1, 2**51))


@given(integers)
def test_integers_come_back(values: np.ndarray) -> None:
    low, high = values.min(), values.max()
    check_codec(Counts(), values, 0.0, valid=lambda x: bool(((x >= low) & (x <= high)).all()))


def test_any_count_is_an_integer_of_the_range() -> None:
    codec = Counts().fit(np.array([5, 9]))
    drawn = codec.decode(np.array([[0], [3], [1000]]), np.random.default_rng(0))
    assert drawn.tolist() == [5, 8, 9]
    assert codec.encode(np.array([-7, 100])).tolist() == [[0], [4]]


def test_what_is_no_count() -> None:
    with pytest.raises(TypeError, match="integers"):
        Counts().fit(np.array([0.5]))
    with pytest.raises(ValueError, match="at least one"):
        Counts().fit(np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match="below 2"):
        Counts().fit(np.array([-(2**60), 2**60]))
    with pytest.raises(ValueError, match="no Counts"):
        Counts.from_json({"low": 3, "high": 2})
