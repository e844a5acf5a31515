"""Conditions by column as a frame of evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from intarsia_domains.tabular._codec import TableCodec
from intarsia_domains.tabular.columns import AbstractColumn, NumberColumn


def given_frame(codec: TableCodec, given: Mapping[Any, Any], n: int) -> pd.DataFrame:
    """The given columns alone, `n` rows of checked values.

    Raises:
        ValueError: a column or value is unknown, or a sequence has not `n` values.
    """
    columns = {name: as_series(name, value, n, codec.column(name)) for name, value in given.items()}
    for name, series in columns.items():
        _check(codec.column(name), series)
    return pd.DataFrame(columns, index=pd.RangeIndex(n))


def put_given(frame: pd.DataFrame, given: Mapping[Any, Any]) -> pd.DataFrame:
    """The frame with the given values to the letter (a class may stand for several numbers)."""
    for name, value in given.items():
        dtype = frame[name].dtype
        series = as_series(name, value, len(frame), None)
        try:
            frame[name] = series.astype(dtype)
        except (TypeError, ValueError):
            frame[name] = series
    return frame


def as_series(name: Any, value: Any, n: int, column: AbstractColumn | None) -> pd.Series:
    """A condition as a Series of `n` values of the column's dtype where that is possible."""
    several = isinstance(value, Sequence | np.ndarray | pd.Series) and not isinstance(value, str | bytes)
    if several and len(value) != n:
        raise ValueError(f"`given[{name!r}]` has {len(value)} values for {n} rows; give one value, or one per row")
    values = list(value) if several else [value] * n
    dtype = None
    if isinstance(column, NumberColumn):
        dtype = column.units_.dtype
    series = pd.Series(values, dtype=object, name=name)
    if dtype is None or pd.api.types.is_object_dtype(dtype):
        return series
    try:
        if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
            return pd.to_numeric(series)
        if isinstance(dtype, pd.DatetimeTZDtype):
            times = pd.to_datetime(series)
            return (times.dt.tz_localize(dtype.tz) if times.dt.tz is None else times).astype(dtype)
        return series.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`given[{name!r}]` must be {dtype} values, got {values[0]!r} ({error})") from None


def _check(column: AbstractColumn, series: pd.Series) -> None:
    if series.isna().any() and column.num_classes and column.missing_class is None:
        raise ValueError(f"column {column.name!r} had no missing values in training, so none can be given")
    if not isinstance(column, NumberColumn) or not series.notna().any():
        return
    present = series.dropna()
    low, high = column.range_
    if (present < low).any() or (present > high).any():
        wrong = present[(present < low) | (present > high)].iloc[0]
        raise ValueError(
            f"`given[{column.name!r}]` = {wrong} lies outside the training values, which run from {low} to {high}"
        )
