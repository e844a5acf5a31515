"""Frames of other libraries at the boundary: pandas inside, and the caller's own kind back out."""

from collections.abc import Callable
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ._arrow import arrow_to_pandas
from ._names import check_unique
from ._table_error import TableError

Restore = Callable[[pd.DataFrame], Any]


def to_pandas(frame: Any) -> tuple[pd.DataFrame, Restore]:
    """Return a frame as pandas with a `RangeIndex`, and how to give a pandas frame the caller's kind again.

    pandas, polars and Arrow come back as they were; lazy polars frames as eager ones; what else narwhals
    knows (a DuckDB relation) as an Arrow table. `restore` puts the known columns first, in their order, and
    casts each to its first type where that loses nothing; new columns follow. The caller's frame stays.

    Raises:
        TypeError: if it is no frame.
        TableError: if column names are repeated or a column is nested.
    """
    if isinstance(frame, pd.DataFrame):
        return _from_pandas(frame)
    if isinstance(frame, pa.Table):
        check_unique(frame.column_names, "the frame")
    try:
        native = nw.from_native(frame)
    except TypeError:
        raise TypeError(_advice(frame)) from None
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    table = eager.to_arrow()
    kind = eager.implementation

    def restore(result: pd.DataFrame) -> Any:
        back = _to_arrow(result, table.schema)
        if kind.is_pyarrow():
            return back
        restored = nw.from_arrow(back, backend=kind)
        return _cast_back(restored, eager.schema).to_native()

    return arrow_to_pandas(table, "the frame"), restore


def _from_pandas(frame: pd.DataFrame) -> tuple[pd.DataFrame, Restore]:
    if isinstance(frame.columns, pd.MultiIndex):
        raise TableError("the columns are a MultiIndex; flatten them to one level of names")
    check_unique(frame.columns, "the frame")
    dtypes = dict(frame.dtypes)
    copy = frame.copy(deep=True)
    copy.index = pd.RangeIndex(len(copy))

    def restore(result: pd.DataFrame) -> pd.DataFrame:
        known = [name for name in dtypes if name in result.columns]
        new = [name for name in result.columns if name not in dtypes]
        series = {name: _cast(result[name], dtypes[name]) for name in known} | {name: result[name] for name in new}
        back = pd.DataFrame(dict(enumerate(series.values())), index=result.index)
        back.columns = pd.Index(list(series), dtype=frame.columns.dtype if not new else None)
        return back.reset_index(drop=True)

    return copy, restore


def _cast(series: Any, dtype: Any) -> pd.Series:
    """Cast to the first of the wanted dtype and its nullable kin that loses nothing; else leave it."""
    for wanted in (dtype, _nullable(dtype)):
        if wanted is None or series.dtype == wanted:
            return series
        if isinstance(wanted, pd.CategoricalDtype) and not series.dropna().isin(wanted.categories).all():
            return series
        try:
            cast = series.astype(wanted)
            back = cast.astype(series.dtype) if cast.notna().all() else cast.dropna().astype(series.dtype)
        except (TypeError, ValueError, OverflowError):
            continue
        if cast.isna().equals(series.isna()) and back.equals(series[series.notna()]):
            return cast
    return series


def _nullable(dtype: Any) -> Any | None:
    if pd.api.types.is_bool_dtype(dtype):
        return pd.BooleanDtype()
    if pd.api.types.is_integer_dtype(dtype):
        return pd.Series([], dtype=dtype).convert_dtypes().dtype
    return None


def _to_arrow(result: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """An Arrow table: known columns in their order, of their types where the values fit; then new ones."""
    names = {str(name): name for name in result.columns}
    known = [name for name in schema.names if name in names]
    ordered = known + [name for name in names if name not in known]
    columns = []
    for name in ordered:
        series = result[names[name]]
        column = pa.Array.from_pandas(series)
        if name in known:
            column = _fitted(series, column, schema.field(name).type)
        columns.append(column)
    fields = [
        schema.field(name).with_type(column.type) if name in known else pa.field(name, column.type)
        for name, column in zip(ordered, columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=None))


def _fitted(series: Any, column: Any, kind: pa.DataType) -> Any:
    if column.type == kind:
        return column
    try:
        return pa.Array.from_pandas(series, type=kind, safe=True)
    except (pa.ArrowException, TypeError, ValueError):
        pass
    try:
        return column.cast(kind, safe=True)
    except pa.ArrowException:
        return column


def _cast_back(frame: nw.DataFrame[Any], schema: Any) -> nw.DataFrame[Any]:
    """Cast what Arrow cannot name (categoricals, enumerations) column by column, where it can be."""
    for name, dtype in schema.items():
        if name in frame.columns and frame.schema[name] != dtype:
            try:
                frame = frame.with_columns(nw.col(name).cast(dtype))
            except Exception:  # noqa: S112  (each library has its own error for this)
                continue
    return frame


def _advice(frame: Any) -> str:
    kind = type(frame).__name__
    if isinstance(frame, str) or hasattr(frame, "__fspath__"):
        return f"a data frame is needed, got a {kind}; read the file first, with read_table(path)"
    if isinstance(frame, list | tuple | dict) or hasattr(frame, "__array__"):
        return f"a data frame with named columns is needed, got {kind}; wrap it: pandas.DataFrame(data)"
    return f"a data frame of pandas, polars or Arrow is needed, got {kind}"
