"""What kind a column is, read off its dtype, values and name."""

import decimal
import re
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

Kind = Literal["category", "ordered", "boolean", "integer", "decimal", "datetime", "identifier"]
KINDS: tuple[str, ...] = get_args(Kind)

_NAMES = re.compile(r"(^|[^a-z])(id|ids|uuid|guid|key|pk|index|no|nr|rownumber|rownum)$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"[a-z](Id|ID|Number|Key)$")


def detect(series: pd.Series) -> Kind:
    """The kind of a column.

    Raises:
        ValueError: it looks like free text, which is not modelled; the message says what to do.
    """
    dtype, name = series.dtype, series.name
    present = series.dropna()
    if isinstance(dtype, pd.CategoricalDtype):
        return "ordered" if dtype.ordered else "category"
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) or pd.api.types.is_complex_dtype(dtype):
        raise TypeError(f"column {name!r} has the dtype {dtype}, which is not modelled; convert it to times or numbers")
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return "datetime"
    if pd.api.types.is_integer_dtype(dtype):
        return "identifier" if _numbers_rows(present, name) else "integer"
    if pd.api.types.is_float_dtype(dtype):
        values = present.to_numpy(dtype=np.float64)
        # integers with missing values arrive as floats
        return "integer" if len(values) and np.array_equal(values, np.rint(values)) else "decimal"
    if len(present) and all(isinstance(v, decimal.Decimal) for v in present.head(1000)):
        return "decimal" if all(isinstance(v, decimal.Decimal) for v in present) else "category"
    return _text(present, name)


def _text(present: pd.Series, name: Any) -> Kind:
    try:
        distinct = present.nunique()
    except TypeError:
        raise TypeError(
            f"column {name!r} holds lists, dicts or other containers; drop it, or spread it over plain columns"
        ) from None
    if len(present) < 50 or distinct < 0.9 * len(present):
        words = present.astype(str).head(1000).str.count(r"\s+").mean() + 1 if len(present) else 0
        if distinct > 0.5 * len(present) and distinct > 1000 and words >= 4:
            raise ValueError(_free_text(name, distinct, len(present)))
        return "category"
    if present.astype(str).head(1000).str.count(r"\s").mean() >= 2:
        raise ValueError(_free_text(name, distinct, len(present)))
    if distinct == len(present) or _looks_like_id(name):
        return "identifier"
    return "category"


def _free_text(name: Any, distinct: int, rows: int) -> str:
    return (
        f"column {name!r} looks like free text ({distinct} different values in {rows} rows), which is not modelled. "
        f"Drop it, or say what it is: kinds={{{name!r}: 'category'}} or 'identifier'"
    )


def _looks_like_id(name: Any) -> bool:
    return isinstance(name, str) and bool(_NAMES.search(name) or _CAMEL_ID.search(name))


def _numbers_rows(present: pd.Series, name: Any) -> bool:
    """Whether integers number the rows: 1, 2, 3, … or nearly all different under a name like `id`."""
    if len(present) < 50:
        return False
    values = present.to_numpy()
    if len(values) > 1 and np.array_equal(values[1:], values[:-1] + 1):
        return True
    return _looks_like_id(name) and present.nunique() >= 0.95 * len(present)
