"""Arrow tables to pandas frames without losing integers: the one road from Parquet, Arrow and polars."""

import numpy as np
import pandas as pd
import pyarrow as pa

from ._names import check_unique
from ._table_error import TableError

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def arrow_to_pandas(table: pa.Table, name: str) -> pd.DataFrame:
    """Convert with Arrow's own dtypes, save that integers and booleans with nulls become nullable.

    Text is `object` with None in every version of pandas, except where a pandas frame was stored as `string`.

    Raises:
        TableError: if names are repeated or a column is nested (lists, structs, maps, unions).
    """
    check_unique(table.column_names, name)
    for field in table.schema:
        if pa.types.is_nested(field.type):
            raise TableError(f"{name}: column {field.name!r} is nested ({field.type}); flatten or drop it")
    frame = table.to_pandas()
    index = [level for level in frame.index.names if level is not None]
    frame = frame.reset_index(level=index) if index else frame
    frame = frame.reset_index(drop=True)
    names = {str(column): column for column in frame.columns}
    for at, field in enumerate(table.schema):
        column = table.column(at)
        key = names.get(field.name)
        if key is not None and column.null_count and field.type in _NULLABLE:
            array = _NULLABLE[field.type].__from_arrow__(column)
            frame[key] = array if frame[key].dtype != array.dtype else frame[key]
        elif key is not None and _is_default_string(frame[key].dtype):
            frame[key] = pd.Series(column.to_numpy(), dtype=object)
    return frame


def _is_default_string(dtype: object) -> bool:
    """The `str` that pandas 3 infers for text, whose missing value is NaN."""
    return isinstance(dtype, pd.StringDtype) and getattr(dtype, "na_value", None) is np.nan
