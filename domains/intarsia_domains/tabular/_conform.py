"""Tables that have to conform to one that was seen before: names, text that stays text, and types."""

import decimal
from typing import Any

import pandas as pd

from ._codec import TableCodec
from ._table_error import TableError
from .columns import CategoryColumn, IdentifierColumn, NumberColumn


class Expectation:
    """Names and types that a further table must have, of a codec or of another table."""

    def __init__(self, like: TableCodec | pd.DataFrame) -> None:
        if isinstance(like, TableCodec):
            self.types = {column.name: _dtype(column) for column in like.columns}
            self.text = {str(column.name) for column in like.columns if _is_text(column)}
            self.decimals = {c.name for c in like.columns if isinstance(c, NumberColumn) and c.units_.decimals}
        else:
            first = {name: next(iter(like[name].dropna().head(1)), None) for name in like.columns}
            self.types = dict(like.dtypes)
            self.text = {str(name) for name, value in first.items() if isinstance(value, str)}
            self.decimals = {name for name, value in first.items() if isinstance(value, decimal.Decimal)}

    def conform(self, frame: pd.DataFrame, source: str) -> pd.DataFrame:
        """The table under the expected names; columns too many or too few are left to those who use it.

        Raises:
            TableError: a column is of another kind: text where there were numbers, or the like.
        """
        names = {str(name): name for name in self.types}
        frame = frame.set_axis(pd.Index([names.get(str(name), name) for name in frame.columns]), axis=1)
        for name in frame.columns:
            if name in self.decimals and pd.api.types.is_numeric_dtype(frame[name].dtype):
                frame[name] = frame[name].astype(object).map(lambda v: decimal.Decimal(str(v)), na_action="ignore")
            elif name in self.types:
                _check(frame[name], _family(self.types[name]), str(name) in self.text, source)
        return frame


def _check(series: pd.Series, wanted: str, is_text: bool, source: str) -> None:
    found, present = _family(series.dtype), series.dropna()
    if present.empty or is_text or found == wanted or wanted == "text":
        return
    raise TableError(
        f"{source}: column {series.name!r} has {found}, such as {present.iloc[0]!r}, where {wanted} are expected; "
        "mend the cells, or list in missing what means no value"
    )


def _family(dtype: Any) -> str:
    """What people call values of a dtype."""
    if isinstance(dtype, pd.CategoricalDtype):
        return _family(dtype.categories.dtype)
    if pd.api.types.is_bool_dtype(dtype):
        return "truth values"
    if pd.api.types.is_numeric_dtype(dtype):
        return "numbers"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "durations"
    return "times" if pd.api.types.is_datetime64_any_dtype(dtype) else "text"


def _dtype(column: Any) -> Any:
    return column.units_.dtype if isinstance(column, NumberColumn) else column.dtype_


def _is_text(column: Any) -> bool:
    if isinstance(column, CategoryColumn):
        return bool(column.values_) and all(isinstance(value, str) for value in column.values_)
    return isinstance(column, IdentifierColumn) and _family(column.dtype_) == "text"
