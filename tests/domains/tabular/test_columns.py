"""Every kind of column comes back with its values, its dtype and its missing cells."""

import datetime
import decimal
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia_domains.tabular.columns import (
    CategoryColumn,
    IdentifierColumn,
    NumberColumn,
    column_from_json,
    detect,
)

ROWS = 200
RNG = np.random.default_rng(0)


def series(values: object, **kwargs: object) -> pd.Series:
    return pd.Series(values, name="c", **kwargs)


EXACT: dict[str, Callable[[], pd.Series]] = {
    "text": lambda: series(RNG.choice(["x", "y", "<b>", "😀", ""], ROWS)),
    "text and None": lambda: series(["nan", "", None, "x"] * 50, dtype=object),
    "mixed types": lambda: series([1, 1.0, True, "1"] * 50, dtype=object),
    "bool": lambda: series(RNG.random(ROWS) < 0.3),
    "nullable bool": lambda: series(pd.array([True, False, None, True] * 50, dtype="boolean")),
    "string": lambda: series(pd.array(["u", None] * 100, dtype="string")),
    "arrow string": lambda: series(["u", "v"] * 100, dtype="string[pyarrow]"),
    "ordered with an unused level": lambda: series(
        pd.Categorical(RNG.choice(list("xy"), ROWS), categories=list("zyx"), ordered=True)
    ),
    "dates": lambda: series([datetime.date(2020, 1, 1 + i % 28) for i in range(ROWS)]),
    "few integers": lambda: series(RNG.integers(-5, 5, ROWS).astype("int8")),
    "few integers of 60 bits": lambda: series(2**60 + RNG.integers(0, 9, ROWS)),
    "unsigned past 63 bits": lambda: series(np.array([2**64 - 1 - i % 50 for i in range(ROWS)], dtype=np.uint64)),
    "integers past 64 bits": lambda: series([10**22 + i % 7 for i in range(ROWS)], dtype=object),
    "nullable integers": lambda: series(pd.array([1, 2, None, 9] * 50, dtype="Int64")),
    "few decimals": lambda: series(RNG.integers(0, 90, ROWS) / 10),
    "money": lambda: series([decimal.Decimal(int(v)) / 100 for v in RNG.integers(0, 90, ROWS)]),
    "hours with a zone": lambda: series(pd.date_range("2020-03-01", periods=ROWS, freq="h", tz="Europe/Berlin")[:100]),
    "days with gaps": lambda: series([pd.Timestamp("2020-02-28"), pd.NaT, pd.Timestamp("2020-03-01")] * 60),
    "durations": lambda: series(pd.to_timedelta(RNG.integers(0, 99, ROWS), unit="s")),
    "arrow integers": lambda: series(RNG.integers(0, 9, ROWS), dtype="int64[pyarrow]"),
}


def column_for(values: pd.Series):
    kind = detect(values)
    if kind in ("category", "ordered", "boolean"):
        try:
            return CategoryColumn("c", kind).fit(values)
        except OverflowError:
            pass
    if kind == "identifier":
        return IdentifierColumn("c").fit(values)
    return NumberColumn("c", kind).fit(values)


@pytest.mark.parametrize("name", EXACT)
def test_values_of_few_kinds_come_back_exactly(name: str) -> None:
    values = EXACT[name]()
    column = column_for(values)
    codes = column.encode(values)
    back = column.decode(codes, np.random.default_rng(1))
    pd.testing.assert_series_equal(back, values)
    if name == "mixed types":
        assert [type(v) for v in back[:4]] == [int, float, bool, str]


@pytest.mark.parametrize("name", EXACT)
def test_json_round_trip_decodes_alike(name: str) -> None:
    values = EXACT[name]()
    column = column_for(values)
    again = column_from_json(json.loads(json.dumps(column.to_json())), "c")
    assert again.num_classes == column.num_classes
    codes = column.encode(values)
    np.testing.assert_array_equal(again.encode(values), codes)
    pd.testing.assert_series_equal(
        again.decode(codes, np.random.default_rng(3)), column.decode(codes, np.random.default_rng(3))
    )
    np.testing.assert_array_equal(again.positions(), column.positions())


@pytest.mark.parametrize("name", EXACT)
def test_every_state_decodes_to_a_value_that_was_seen(name: str) -> None:
    values = EXACT[name]()
    column = column_for(values)
    rng = np.random.default_rng(2)
    codes = np.stack([rng.integers(0, k, 500) for k in column.num_classes], 1)
    back = column.decode(codes, rng)
    present = {(type(v), v) for v in values.dropna()}
    assert {(type(v), v) for v in back.dropna()} <= present
    assert values.isna().any() or not back.isna().any()


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        (np.random.default_rng(0).normal(size=3000).round(2), 0.01),
        (np.random.default_rng(0).integers(0, 10**6, 3000) * 100, 100),
        (2**60 + np.random.default_rng(0).integers(0, 10**6, 3000), 1),
    ],
)
def test_many_numbers_stay_in_their_bin_on_their_lattice_and_in_range(values: np.ndarray, unit: float) -> None:
    column = NumberColumn("c", "decimal").fit(series(values))
    codes = column.encode(series(values))
    back = column.decode(codes, np.random.default_rng(0))
    np.testing.assert_array_equal(column.encode(back), codes)
    assert back.min() >= values.min()
    assert back.max() <= values.max()
    assert back.dtype == values.dtype
    steps = (back - values.min()) / unit
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    error = np.abs(back.to_numpy() - values).astype(float)
    assert np.median(error) < np.ptp(values.astype(float)) / 100


def test_a_spike_is_generated_as_often_and_to_the_digit() -> None:
    rng = np.random.default_rng(0)
    values = series(np.where(rng.random(5000) < 0.4, 0.0, rng.normal(50, 9, 5000)))
    column = NumberColumn("c", "decimal").fit(values)
    back = column.decode(column.encode(values), rng)
    assert (back == 0.0).sum() == (values == 0.0).sum()


def test_rare_labels_are_never_shown_and_others_keep_their_share() -> None:
    values = series([f"n{i // 20}" for i in range(1200)] + [f"single{i}" for i in range(40)])
    column = CategoryColumn("c", rare=2).fit(values)
    back = column.decode(column.encode(values), np.random.default_rng(0))
    assert not back.str.startswith("single").any()
    assert "single3" not in json.dumps(column.to_json())
    kept = CategoryColumn("c", rare=0).fit(values)
    assert (kept.decode(kept.encode(values), np.random.default_rng(0)) == values).all()


def test_extremes_can_be_clipped() -> None:
    values = series(np.arange(1000.0))
    column = NumberColumn("c", "decimal", clip=3).fit(values)
    assert column.range_ == (3.0, 996.0)


def test_identifiers_are_new_distinct_and_of_the_same_form() -> None:
    values = series([f"AB-{i:05d}" for i in range(300)])
    assert detect(values) == "identifier"
    column = IdentifierColumn("c").fit(values)
    fresh = column.decode(np.zeros((500, 0), dtype=np.int64), np.random.default_rng(0))
    assert fresh.is_unique
    assert fresh.str.match(r"^AB-\d{5}(-\d+)?$").all()
    assert column.num_classes == ()


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        (range(1, 301), "anything", "identifier"),
        (range(7, 2107, 7), "CustomerId", "identifier"),
        (range(7, 2107, 7), "price", "integer"),
        ([1.0, None, 3.0] * 100, "x", "integer"),
        ([0.5, 1.0] * 100, "x", "decimal"),
        ([f"v{i % 30}" for i in range(300)], "x", "category"),
        ([True, False] * 100, "x", "boolean"),
        (pd.date_range("2020", periods=200), "x", "datetime"),
    ],
)
def test_kinds_are_detected(values: object, name: str, kind: str) -> None:
    assert detect(pd.Series(values, name=name)) == kind


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([f"a rather long remark, number {i}, about it" for i in range(200)], ValueError, "free text"),
        ([[1], [2]] * 40, TypeError, "lists"),
        (pd.period_range("2020", periods=200, freq="M"), TypeError, "period"),
    ],
)
def test_what_cannot_be_modelled_is_refused_by_name(values: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=f"'c'.*{says}"):
        detect(pd.Series(values, name="c"))


@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False, width=32)),
        min_size=1,
        max_size=60,
    ).filter(lambda v: any(x is not None for x in v))
)
@settings(max_examples=60, deadline=None)
def test_any_short_column_of_numbers_comes_back(values: list[float | None]) -> None:
    column_values = pd.Series(values, name="c", dtype=float)
    column = NumberColumn("c", "decimal").fit(column_values)
    back = column.decode(column.encode(column_values), np.random.default_rng(0))
    pd.testing.assert_series_equal(back, column_values, rtol=1e-12)


@given(st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers(-9, 9), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_labels_come_back_with_their_types(values: list[object]) -> None:
    column_values = pd.Series(values, name="c", dtype=object)
    column = CategoryColumn("c").fit(column_values)
    back = column.decode(column.encode(column_values), np.random.default_rng(0))
    assert [(type(a), a) for a in back] == [(type(a), a) for a in column_values]
