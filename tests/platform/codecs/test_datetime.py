"""Times as calendar parts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intarsia.codecs import Datetime
from intarsia.testing import check_codec

UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"]
RNG = np.random.default_rng(0)
SPAN = {"Y": 10**5, "M": 10**6, "W": 10**7, "D": 10**8, "h": 10**9, "m": 10**11, "s": 10**13, "ms": 10**16}
"""Ticks from 1970 that stay within a million years."""


def within(values: np.ndarray):
    return lambda x: bool(((x >= values.min()) & (x <= values.max())).all())


@pytest.mark.parametrize("unit", UNITS)
@given(data=st.data())
def test_times_of_any_unit_come_back_exactly(unit: str, data: st.DataObject) -> None:
    most = SPAN.get(unit, 2**63 - 1)
    ticks = data.draw(arrays.arrays(np.int64, st.integers(1, 20), elements=st.integers(-most, most)))
    values = ticks.view(f"M8[{unit}]")
    # a state of a coarse unit may fall before the first week seen
    check_codec(Datetime(), values, valid=within(values) if unit != "W" else None)


def test_parts_are_those_of_the_calendar() -> None:
    values = np.array(["1999-12-31T23:59:58", "2024-02-29T00:00:00", "1969-07-20T20:17:40"], dtype="M8[s]")
    codec = Datetime().fit(values)
    assert codec.num_classes == (56, 12, 31, 24, 60, 60)
    expected = [[30, 11, 30, 23, 59, 58], [55, 1, 28, 0, 0, 0], [0, 6, 19, 20, 17, 40]]
    assert codec.encode(values).tolist() == expected


@pytest.mark.parametrize(
    ("values", "num_classes"),
    [
        (["2020-01-01", "2021-01-01"], (2,)),
        (["2020-01-01", "2020-03-01"], (1, 12)),
        (["2020-01-01", "2020-03-15"], (1, 12, 31)),
        (["2020-01-01T05:00", "2020-03-15T06:00"], (1, 12, 31, 24)),
        (["2020-01-01T05:30", "2020-03-15T06:00"], (1, 12, 31, 24, 60)),
        (["2020-01-01T05:30:00.250", "2020-03-15T06:00:00"], (1, 12, 31, 24, 60, 60, 1000)),
    ],
)
def test_resolution_is_that_of_the_data_and_not_of_the_dtype(values: list[str], num_classes: tuple[int, ...]) -> None:
    times = np.array(values, dtype="M8[ns]")
    assert Datetime().fit(times).num_classes == num_classes
    check_codec(Datetime(), times, valid=within(times))


def test_days_that_do_not_exist_are_the_last_of_the_month() -> None:
    codec = Datetime().fit(np.array(["2023-01-01", "2024-12-31"], dtype="M8[D]"))
    states = np.array([[0, 1, 30], [1, 1, 29], [1, 3, 30]])
    assert codec.decode(states, RNG).astype(str).tolist() == ["2023-02-28", "2024-02-29", "2024-04-30"]


def test_every_day_of_four_years() -> None:
    days = np.arange(np.datetime64("2021-01-01"), np.datetime64("2025-01-01"))
    codec = Datetime().fit(days)
    states = np.array(list(itertools.product(*map(range, codec.num_classes))))
    assert np.array_equal(np.unique(codec.decode(states, RNG)), days)
    assert np.array_equal(codec.decode(codec.encode(days), RNG), days)


def test_both_ends_of_nanoseconds() -> None:
    """Parts of 1677 and 2262 that 64 bits of nanoseconds cannot hold are read as the ends of the range."""
    values = np.array([-(2**63) + 1, 0, 2**63 - 1]).view("M8[ns]")
    codec = Datetime().fit(values)
    first, last = ([end, *rest] for end, rest in ((0, [0] * 8), (585, [11, 30, 23, 59, 59, 999, 999, 999])))
    assert codec.decode(np.array([first, last]), RNG).tolist() == [values[0].item(), values[2].item()]
    check_codec(Datetime(), values, valid=within(values))


def test_times_outside_the_range_go_to_its_ends() -> None:
    codec = Datetime().fit(np.array(["2020-02-03", "2020-05-06"], dtype="M8[D]"))
    outside = np.array(["1900-01-01", "2500-01-01"], dtype="M8[D]")
    assert codec.decode(codec.encode(outside), RNG).astype(str).tolist() == ["2020-02-03", "2020-05-06"]
    assert codec.decode(np.array([[0, 0, 0], [0, 11, 30]]), RNG).astype(str).tolist() == ["2020-02-03", "2020-05-06"]


def test_another_unit_is_converted() -> None:
    codec = Datetime().fit(np.array(["2020-02-03T04", "2020-05-06T07"], dtype="M8[ns]"))
    assert codec.encode(np.array(["2020-03-01T05:59"], dtype="M8[m]")).tolist() == [[0, 2, 0, 5]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.array([], dtype="M8[s]"), ValueError, "at least one"),
        (np.array(["NaT", "2020-01-01"], dtype="M8[s]"), ValueError, "missing"),
        (np.array([5]), TypeError, "datetime64"),
        (np.array([5]).view("M8[15m]"), ValueError, "single units"),
        (np.array([5]).view("M8[ps]"), ValueError, "'ps'"),
        (np.array([2**40]).view("M8[Y]"), ValueError, "1970"),
        (np.array([2**62]).view("M8[D]"), ValueError, "1970"),
    ],
)
def test_what_is_no_time_is_refused(values: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Datetime().fit(values)


def test_missing_times_have_no_parts() -> None:
    codec = Datetime().fit(np.array(["2020-02-03"], dtype="M8[D]"))
    with pytest.raises(ValueError, match="missing"):
        codec.encode(np.array(["NaT"], dtype="M8[D]"))
