"""Numbers as fixed-point bits."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import FixedPoint
from intarsia.testing import check_codec

reals = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(allow_nan=False, allow_infinity=False))
decimals = arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(10**7), 10**7))
integers = arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(2**62), 2**62 - 1))
RNG = np.random.default_rng(0)


def within(values: np.ndarray):
    return lambda x: bool(((x >= values.min()) & (x <= values.max())).all())


@given(reals, st.integers(1, 52))
def test_reals_come_back_to_half_a_step(values: np.ndarray, width: int) -> None:
    codec = FixedPoint(width).fit(values)
    check_codec(FixedPoint(width), values, codec.tolerance, valid=within(values))


@given(integers)
def test_integers_come_back_exactly(values: np.ndarray) -> None:
    check_codec(FixedPoint(), values, 0, valid=within(values))
    assert FixedPoint().fit(values).tolerance == 0


@given(decimals, st.integers(0, 6))
def test_decimals_come_back_exactly(values: np.ndarray, places: int) -> None:
    check_codec(FixedPoint(), values / 10.0**places, 0)


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (np.array([7, 7]), 0),
        (np.array([3.14159265358979]), 0),
        (np.array([0, 1]), 1),
        (np.arange(100), 7),
        (np.arange(0, 100_000, 1000), 7),  # hundred steps, whatever their size
        (np.array([1.25, 1.5, 3.0]), 3),
        (np.array([0.0, 1.0, np.pi]), 32),
        (np.array([-(2**62), 2**62 - 1]), 1),
        (np.array([-(2**62), 0, 2**62 - 1]), 63),
    ],
    ids=repr,
)
def test_only_the_bits_that_are_needed(values: np.ndarray, width: int) -> None:
    assert FixedPoint().fit(values).width == width
    check_codec(FixedPoint(), values, FixedPoint().fit(values).tolerance)


def test_32_bits_of_the_unit_interval_are_those_of_binary_diffusion() -> None:
    """u = (v - min) / (max - min) · (2^32 - 1), rounded rather than cut off; half a step of 2^-32 is lost at most."""
    values = np.concatenate([[0.0, 1.0], np.random.default_rng(0).random(1000)])
    codec = FixedPoint().fit(values)
    codes = codec.encode(values)
    assert codec.num_classes == (2,) * 32
    numbers = codes @ 2 ** np.arange(31, -1, -1)
    assert np.array_equal(numbers, np.rint(values * (2**32 - 1)))
    assert codec.tolerance == pytest.approx(0.5 / (2**32 - 1), rel=1e-5)
    assert np.abs(codec.decode(codes, RNG) - values).max() <= codec.tolerance


def test_unused_words_lose_their_first_bit() -> None:
    codec = FixedPoint().fit(np.array([10, 11, 12, 13, 14]))
    words = np.array(list(itertools.product((0, 1), repeat=3)))
    assert codec.decode(words, RNG).tolist() == [10, 11, 12, 13, 14, 11, 12, 13]
    flips = (codec.canonical(torch.as_tensor(words)).numpy() != words).sum(1)
    assert flips.tolist() == [0] * 5 + [1] * 3


def test_numbers_outside_the_range_go_to_its_ends_and_others_to_the_nearest_step() -> None:
    whole = FixedPoint().fit(np.array([0, 10, 20]))
    got = whole.decode(whole.encode(np.array([-(2**63), 4, 6, 14, 2**63 - 1])), RNG)
    assert got.tolist() == [0, 0, 10, 10, 20]
    tenths = FixedPoint().fit(np.array([0.1, 0.4]))
    got = tenths.decode(tenths.encode(np.array([-np.inf, 0.1, 0.2, 0.3, 0.4, np.inf])), RNG)
    assert got.tolist() == [0.1, 0.1, 0.1, 0.4, 0.4, 0.4]


def test_a_span_past_the_largest_float() -> None:
    values = np.array([-1.7e308, 0.1, 1.7e308])
    codec = FixedPoint().fit(values)
    assert np.isfinite(codec.tolerance)
    check_codec(FixedPoint(), values, codec.tolerance)


@pytest.mark.parametrize("values", [[], [np.nan], [1.0, np.inf]])
def test_only_finite_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        FixedPoint().fit(np.array(values))


def test_nan_has_no_code() -> None:
    with pytest.raises(ValueError, match="NaN"):
        FixedPoint().fit(np.array([0.0, 1.0])).encode(np.array([np.nan]))


def test_spans_of_64_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="63 bits"):
        FixedPoint().fit(np.array([-(2**63), 5, 2**63 - 1]))


@pytest.mark.parametrize("width", [0, 53])
def test_widths(width: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 52"):
        FixedPoint(width)
