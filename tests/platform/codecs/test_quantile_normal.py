"""Numbers as standard normal ones."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import QuantileNormal
from intarsia.testing import check_codec

reals = arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(allow_nan=False, allow_infinity=False))
integers = arrays.arrays(np.int64, st.integers(1, 60), elements=st.integers(-(2**63), 2**63 - 1))
NORMAL = statistics.NormalDist()
RNG = np.random.default_rng(0)


def within(values: np.ndarray):
    return lambda x: bool(((x >= values.min()) & (x <= values.max())).all())


@given(reals)
def test_reals_that_are_knots_are_exact(values: np.ndarray) -> None:
    check_codec(QuantileNormal(), values, 0.0, valid=within(values))


@given(integers)
def test_integers_that_are_knots_are_exact(values: np.ndarray) -> None:
    check_codec(QuantileNormal(), values, 0, valid=within(values))


@given(integers, st.integers(2, 9))
def test_few_knots_stay_in_the_range(values: np.ndarray, knots: int) -> None:
    check_codec(QuantileNormal(knots), values, float(values.max()) - float(values.min()), valid=within(values))


@pytest.mark.parametrize("rows", [1_000, 200_000])
def test_between_knots_the_way_back_is_exact_to_rounding(rows: int) -> None:
    values = np.random.default_rng(0).lognormal(sigma=3.0, size=rows)
    codec = QuantileNormal(100).fit(values)
    knot = np.clip(np.searchsorted(codec.values_, values, "right"), 1, len(codec.values_) - 1)
    check_codec(QuantileNormal(100), values, 1e-9 * (codec.values_[knot] - codec.values_[knot - 1]))


def test_integers_between_knots_are_exact() -> None:
    values = np.random.default_rng(0).integers(-(10**9), 10**9, 20_000)
    check_codec(QuantileNormal(50), values, 0)


@pytest.mark.parametrize("values", [np.arange(9.0), np.arange(9), np.random.default_rng(0).normal(size=9)], ids=repr)
def test_ranks_become_normal_quantiles(values: np.ndarray) -> None:
    expected = [NORMAL.inv_cdf((i + 0.5) / 9) for i in range(9)]
    assert QuantileNormal().fit(values).encode(np.sort(values))[:, 0] == pytest.approx(expected, abs=1e-12)


def test_codes_of_many_values_are_standard_normal() -> None:
    values = np.random.default_rng(0).gamma(0.3, size=50_000)
    codes = np.sort(QuantileNormal().fit(values).encode(values)[:, 0])
    expected = np.array([NORMAL.inv_cdf((i + 0.5) / 500) for i in range(500)])
    assert np.abs(np.quantile(codes, (np.arange(500) + 0.5) / 500) - expected).max() < 0.02


def test_normal_numbers_decode_to_the_law_of_the_data() -> None:
    """Zero inflation and all: 60 % zeros among reals are zeros exactly, no more and no less than noise allows."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(20_000) < 0.6, 0.0, rng.normal(1.0, 3.0, 20_000))
    codec = QuantileNormal().fit(values)
    decoded = codec.decode(rng.normal(size=(100_000, 1)), rng)
    assert (decoded == 0.0).mean() == pytest.approx((values == 0.0).mean(), abs=0.006)
    places = np.linspace(0.005, 0.995, 100)
    assert np.abs(np.quantile(decoded, places) - np.quantile(values, places)).max() < 0.25


def test_values_seen_often_have_nothing_between_them() -> None:
    """Shares are those of the data, cut at the common rank: P(z < Φ⁻¹(0.3)) is the share of 0.0."""
    codec = QuantileNormal().fit(np.repeat([0.0, 1.0, 50.0], [30, 50, 20]))
    cuts = np.array([[NORMAL.inv_cdf(p)] for p in (0.2999, 0.3001, 0.7999, 0.8001)])
    assert codec.decode(cuts, RNG).tolist() == [0.0, 1.0, 1.0, 50.0]
    assert set(codec.decode(RNG.normal(size=(5_000, 1)), RNG).tolist()) == {0.0, 1.0, 50.0}


def test_equal_values_are_written_as_the_median_of_their_interval() -> None:
    codec = QuantileNormal().fit(np.repeat([0.0, 1.0], [50, 50]))
    # ranks 1/2 … 50 of 100: the middle of [0.005, 0.5]
    assert codec.encode(np.array([0.0]))[0, 0] == pytest.approx(NORMAL.inv_cdf(0.2525), abs=1e-12)
    assert codec.encode(np.array([1.0]))[0, 0] == pytest.approx(NORMAL.inv_cdf(0.7475), abs=1e-12)


def test_tails_end_at_the_extreme_values_with_half_a_row_beyond_each() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    codec = QuantileNormal().fit(values)
    edge = NORMAL.inv_cdf(0.5 / 1000)
    ends = codec.decode(np.array([[-1e300], [edge - 1e-9], [edge + 1e-3], [1e300]]), RNG)
    assert ends[0] == ends[1] == values.min() < ends[2]
    assert ends[3] == values.max()
    assert codec.encode(np.array([-np.inf, np.inf]))[:, 0] == pytest.approx([edge, -edge], abs=1e-9)


def test_one_value_is_the_centre() -> None:
    codec = QuantileNormal().fit(np.array([7]))
    assert codec.encode(np.array([7])).tolist() == [[0.0]]
    assert codec.decode(np.array([[-3.0], [3.0]]), RNG).tolist() == [7, 7]


def test_decoding_rises() -> None:
    for values in (np.random.default_rng(0).normal(size=5_000), np.random.default_rng(0).poisson(3, 5_000)):
        decoded = QuantileNormal(64).fit(values).decode(np.linspace(-5, 5, 4_001)[:, None], RNG)
        assert (np.diff(decoded) >= 0).all()


def test_integers_between_the_ends_of_their_type() -> None:
    codec = QuantileNormal().fit(np.array([-(2**63), 2**63 - 1]))
    ends = NORMAL.inv_cdf(0.75)
    decoded = codec.decode(np.array([[-ends], [-0.5 * ends], [0.0], [0.5 * ends], [ends]]), RNG)
    assert decoded.tolist() == pytest.approx([-(2**63), -(2**62), 0, 2**62, 2**63 - 1], abs=2**20)


def test_floats_among_integers_go_to_the_nearest() -> None:
    codec = QuantileNormal().fit(np.array([0, 1, 2, 10]))
    assert codec.decode(codec.encode(np.array([0.9, 2.2, 99.5])), RNG).tolist() == [1, 2, 10]


@pytest.mark.parametrize("values", [[], [np.nan], [1.0, np.inf]])
def test_only_finite_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        QuantileNormal().fit(np.array(values))


def test_nan_has_no_place() -> None:
    with pytest.raises(ValueError, match="NaN"):
        QuantileNormal().fit(np.array([0.0, 1.0])).encode(np.array([np.nan]))


def test_knots() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        QuantileNormal(1)
