"""Frames of pandas, polars, Arrow and DuckDB go in, and the same kind comes out."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from intarsia_domains.tabular._frames import to_pandas
from intarsia_domains.tabular._read import TableError


def rich():
    return pd.DataFrame(
        {
            "int": np.array([1, 2, 3], dtype=np.int32),
            "nullable": pd.array([2**60 + 1, None, 3], dtype="Int64"),
            "real": [0.5, np.nan, 1.5],
            "flag": [True, False, True],
            "text": pd.array(["x", None, "nan"], dtype="string"),
            "level": pd.Categorical(["lo", "hi", None], categories=["lo", "hi", "unused"], ordered=True),
            "when": pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("Europe/Berlin"),
            7: ["an", "integer", "name"],
        },
        index=["r", "s", "t"],
    )


def test_pandas_round_trip():
    frame = rich()
    inside, restore = to_pandas(frame)
    assert isinstance(inside.index, pd.RangeIndex)
    pd.testing.assert_frame_equal(restore(inside), frame.reset_index(drop=True))


def test_the_callers_frame_is_never_changed():
    frame = rich()
    before = frame.copy(deep=True)
    inside, _ = to_pandas(frame)
    inside.iloc[0, 0] = 99
    inside["new"] = 1
    pd.testing.assert_frame_equal(frame, before)


def test_pandas_restores_types_and_order_where_nothing_is_lost():
    frame = pd.DataFrame({"i": [1, 2], "b": [True, False], "c": pd.Categorical(["x", "y"]), "k": [1, 2]})
    _, restore = to_pandas(frame)
    result = pd.DataFrame(
        {"extra": [1, 2], "c": ["y", "z"], "b": [1.0, 0.0], "k": [1.0, np.nan], "i": [3.0, 4.0]}, index=[5, 6]
    )
    back = restore(result)
    assert list(back.columns) == ["i", "b", "c", "k", "extra"]
    assert isinstance(back.index, pd.RangeIndex)
    assert back["i"].dtype == np.int64
    assert back["b"].dtype == bool
    assert back["c"].tolist() == ["y", "z"]
    assert back["k"].dtype == pd.Int64Dtype()
    assert restore(result.assign(i=[1.5, 2.0]))["i"].tolist() == [1.5, 2.0]


def test_empty_results_keep_their_types():
    frame = rich()
    inside, restore = to_pandas(frame)
    back = restore(inside.iloc[:0])
    assert back.dtypes.equals(frame.dtypes)
    assert len(back) == 0


def test_arrow_round_trip():
    table = pa.table(
        {
            "int": pa.array([2**60 + 1, None], pa.int64()),
            "small": pa.array([1, 2], pa.uint8()),
            "text": pa.array(["x", None], pa.large_string()),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "day": pa.array([date(2024, 1, 1), None]),
            "when": pa.array([datetime(2024, 1, 1), None], pa.timestamp("us", "UTC")),
            "flag": pa.array([True, None]),
        }
    )
    inside, restore = to_pandas(table)
    assert inside["int"].tolist() == [2**60 + 1, pd.NA]
    back = restore(inside)
    assert back.schema.equals(table.schema)
    assert back.to_pylist() == table.to_pylist()
    assert restore(inside.iloc[:0]).schema.equals(table.schema)


def test_arrow_keeps_what_does_not_fit():
    _, restore = to_pandas(pa.table({"a": pa.array([1, 2], pa.int8())}))
    assert restore(pd.DataFrame({"a": [1000, 2], "b": ["x", "y"]})).to_pydict() == {"a": [1000, 2], "b": ["x", "y"]}
    assert restore(pd.DataFrame({"a": [1.5, 2.0]}))["a"].to_pylist() == [1.5, 2.0]


def test_polars_round_trip():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "int": [2**60 + 1, None, 3],
            "small": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "real": [0.5, None, 1.5],
            "text": ["x", None, ""],
            "flag": [True, None, False],
            "day": [date(2024, 1, 1), None, date(1500, 1, 1)],
            "when": pl.Series([datetime(2024, 1, 1), None, None], dtype=pl.Datetime("ms", "Europe/Berlin")),
            "kind": pl.Series(["a", None, "b"], dtype=pl.Categorical),
            "level": pl.Series(["lo", None, "hi"], dtype=pl.Enum(["lo", "hi", "unused"])),
        }
    )
    before = frame.clone()
    inside, restore = to_pandas(frame)
    back = restore(inside)
    assert back.schema == frame.schema
    assert back.equals(frame)
    assert frame.equals(before)
    assert restore(inside.iloc[:0]).schema == frame.schema
    lazy, restore = to_pandas(frame.lazy())
    assert restore(lazy).equals(frame)


def test_duckdb_becomes_arrow():
    duckdb = pytest.importorskip("duckdb")
    inside, restore = to_pandas(duckdb.sql("select 1::bigint as a, 'x' as b"))
    assert inside["a"].tolist() == [1]
    assert isinstance(restore(inside), pa.Table)


@pytest.mark.parametrize(
    "value, advice",
    [
        ([[1, 2]], "pandas.DataFrame"),
        ({"a": [1]}, "pandas.DataFrame"),
        (np.zeros((2, 2)), "pandas.DataFrame"),
        (pd.Series([1]), "pandas.DataFrame"),
        ("file.csv", "read_table"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_frame_gets_advice(value, advice):
    with pytest.raises(TypeError, match=advice):
        to_pandas(value)


def test_repeated_nested_and_layered_columns_are_refused():
    with pytest.raises(TableError, match="'a' is repeated"):
        to_pandas(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(TableError, match="'a' is repeated"):
        to_pandas(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))
    with pytest.raises(TableError, match="'deep' is nested"):
        to_pandas(pa.table({"deep": [[1]]}))
    with pytest.raises(TableError, match="MultiIndex"):
        to_pandas(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))
