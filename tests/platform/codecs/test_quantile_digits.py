"""Numbers as two digits of their rank."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import QuantileDigits
from intarsia.testing import check_codec

reals = arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e300, 1e300))
integers = arrays.arrays(np.int64, st.integers(1, 60), elements=st.integers(-(2**63), 2**63 - 1))
shapes = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5))


def check(codec: QuantileDigits, values: np.ndarray) -> None:
    """Decoding may land anywhere among the values of a bin, and nowhere else."""
    digits = QuantileDigits(codec.coarse, codec.fine, codec.knots).fit(values).encode(values)
    bins = digits @ np.array([codec.fine, 1])[-digits.shape[1] :]
    exact = [int(x) if values.dtype.kind == "i" else x for x in values]
    ends = {b: [x for x, c in zip(exact, bins, strict=True) if c == b] for b in set(bins)}
    widths = np.array([(max(ends[b]) - min(ends[b])) for b in bins], dtype=object)
    low, high = values.min(), values.max()
    check_codec(codec, values, widths, valid=lambda x: bool(((x >= low) & (x <= high)).all()))


@given(reals, shapes)
def test_reals(values: np.ndarray, shape: tuple[int, int, int]) -> None:
    check(QuantileDigits(*shape), values)


@given(integers, shapes)
def test_integers(values: np.ndarray, shape: tuple[int, int, int]) -> None:
    check(QuantileDigits(*shape), values)


def test_integers_from_one_end_of_their_type_to_the_other() -> None:
    check(QuantileDigits(1, 2, 4), np.array([-(2**63), -(2**62), 0, 5, 2**62, 2**63 - 1]))


@pytest.mark.parametrize("values", [np.arange(20), np.arange(20) / 7.0, np.array([3]), np.array([0.1] * 50)], ids=repr)
def test_few_different_values_are_exact(values: np.ndarray) -> None:
    check_codec(QuantileDigits(8, 8, 2), values, 0.0)


def test_integers_beyond_two_to_the_53_stay_exact() -> None:
    values = np.array([2**62 + k for k in (0, 1, 3, 7)])
    check_codec(QuantileDigits(), values, 0.0)


def test_draws_inside_a_bin_follow_the_data() -> None:
    """Quantiles of 20,000 decoded values against those of the data, within 0.02 standard deviations."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    codec = QuantileDigits().fit(values)
    decoded = codec.decode(codec.encode(values), rng)
    places = np.linspace(0.01, 0.99, 50)
    assert np.abs(np.quantile(decoded, places) - np.quantile(values, places)).max() < 0.02


def test_rows_of_a_bin_are_spread_over_it() -> None:
    """16 rows of a bin of [0, 15] fall into 16 strata, whatever other rows there are; each row is uniform over all."""
    codec = QuantileDigits(2, 2, 16).fit(np.concatenate([np.arange(16.0), 100.0 + np.arange(16.0)]))
    values = np.tile([3.0, 103.0], 16)
    draws = np.stack([codec.decode(codec.encode(values), np.random.default_rng(seed))[::2] for seed in range(400)])
    assert (np.sort(draws, 1) // (15 / 16) == np.arange(16)).all()
    each = np.stack([np.histogram(row, 4, (0, 15))[0] for row in draws.T])
    # 400 draws of one row into four equal cells: mean 100, standard deviation 8.7
    assert np.abs(each - 100).max() < 40


def test_values_outside_the_range_go_to_its_ends() -> None:
    codec = QuantileDigits(4, 4).fit(np.arange(16.0))
    assert codec.encode(np.array([-1e9, 1e9])).tolist() == codec.encode(np.array([0.0, 15.0])).tolist()
    assert codec.decode(codec.encode(np.array([1e9])), np.random.default_rng(0))[0] > 12


def test_positions_rise_through_the_unit_interval() -> None:
    codec = QuantileDigits(4, 4).fit(np.random.default_rng(0).normal(size=1000))
    positions = codec.positions()
    assert (np.diff(positions) > 0).all()
    assert positions[0] > 0
    assert positions[-1] < 1


@pytest.mark.parametrize("values", [[], [np.nan], [1.0, np.inf]])
def test_only_finite_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        QuantileDigits().fit(np.array(values))


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_digits_have_values(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        QuantileDigits(*wrong)


json_values = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=4) | st.lists(st.integers())


@given(st.sampled_from(["fine", "coarse", "knots", "integer", "values", "mass"]), json_values)
def test_malformed_json_is_refused_or_usable(key: str, value: object) -> None:
    """One part replaced by anything: an ordinary error, or a codec that decodes."""
    data = QuantileDigits(2, 2, 2).fit(np.arange(8.0)).to_json()
    data[key] = value
    try:
        codec = QuantileDigits.from_json(json.loads(json.dumps(data)))
    except (ValueError, TypeError, OverflowError, KeyError):
        return
    counts = codec.num_classes
    rng = np.random.default_rng(0)
    codes = np.array([[0] * len(counts), [min(count, 1000) - 1 for count in counts]])
    assert len(codec.decode(codes, rng)) == 2
