r"""Columns to CSV cells, so that reading them gives the column back; all by Arrow, no Python loop over cells.

- Booleans are `True` and `False`. Floats are the shortest text that gives the same float, with a point or an
  exponent in it, so that a column of floats is not read as integers.
- Times are ISO 8601; a piece of naive midnights is written as dates; zoned times carry their offset.
- Missing is one token, by default nothing; the empty string is `""`. The reader takes both as missing.
- A cell is quoted if it is empty or holds a quote, a control character, a byte order mark or any delimiter
  that the reader could sniff.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ._compute import pc
from ._table_error import TableError

_NEEDS_QUOTES = r'\A\z|[",;|\x00-\x1f\x{FEFF}]'
_FORMULA = r"\A[=+\-@\t\r]"
_MIDNIGHT = r" 00:00:00\z"


def csv_lines(frame: pd.DataFrame, *, delimiter: str, missing: str, escape_formulas: bool) -> bytes:
    """Format the rows of a frame as UTF-8 lines, without the header."""
    columns = []
    for name, series in frame.items():
        cells, is_text = _cells(series, name)
        if is_text and missing and pc.any(pc.equal(cells, missing), min_count=0).as_py():
            raise TableError(
                f"column {name!r} holds the text {missing!r}, which is to mean missing; choose another token"
            )
        if is_text and escape_formulas:
            formula = pc.match_substring_regex(cells, _FORMULA)
            cells = pc.if_else(formula, pc.binary_join_element_wise("'", cells, ""), cells)
        columns.append(_quoted(cells))
    token = _missing_cell(missing, alone=len(columns) == 1)
    lines = pc.binary_join_element_wise(*(pc.fill_null(column, token) for column in columns), delimiter)
    return _joined(lines)


def _missing_cell(missing: str, *, alone: bool) -> str:
    """The cell without value; in a table of one column not an empty line, which readers skip."""
    return _quoted(pa.array([missing]))[0].as_py() if missing or alone else ""


def csv_header(names: Sequence[str], *, delimiter: str) -> bytes:
    """Format the header line."""
    return delimiter.join(_quoted(pa.array(names, pa.string())).to_pylist()).encode() + b"\n"


def _joined(lines: pa.Array) -> bytes:
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes() + b"\n"


def _quoted(cells: pa.Array) -> pa.Array:
    needs = pc.match_substring_regex(cells, _NEEDS_QUOTES)
    if not pc.any(needs, min_count=0).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), cells)


def _cells(series: pd.Series, name: object) -> tuple[pa.Array, bool]:
    """A column as strings with nulls, and whether it is text (for which formulas may be escaped)."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories, is_text = _cells(pd.Series(dtype.categories), name)
        codes = series.cat.codes.to_numpy()
        return categories.take(pa.array(codes, mask=codes < 0)), is_text
    if pd.api.types.is_bool_dtype(dtype) and not pd.api.types.is_object_dtype(dtype):
        truth = _arrow(series)
        return pc.if_else(truth, "True", "False"), False
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _times(series), False
    if pd.api.types.is_integer_dtype(dtype):
        return pc.cast(_arrow(series), pa.string()), False
    if pd.api.types.is_float_dtype(dtype):
        return _floats(series), False
    return _texts(series, name), True


def _arrow(series: pd.Series) -> pa.Array:
    array = pa.array(series, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _floats(series: pd.Series) -> pa.Array:
    if series.dtype == np.float16:
        series = series.astype(np.float32)
    cells = pc.cast(_arrow(series), pa.string())
    return pc.replace_substring_regex(cells, r"\A(-?[0-9]+)\z", r"\1.0")


def _times(series: pd.Series) -> pa.Array:
    zone = getattr(series.dt, "tz", None)
    local = series.dt.tz_localize(None) if zone is not None else series
    cells = pc.cast(_arrow(local), pa.string())
    cells = pc.replace_substring_regex(cells, r"(\.[0-9]*?)0+\z", r"\1")
    cells = pc.replace_substring_regex(cells, r"\.\z", "")
    if zone is None:
        if pc.all(pc.match_substring_regex(cells, _MIDNIGHT), min_count=0).as_py():
            return pc.replace_substring_regex(cells, _MIDNIGHT, "")
        return cells
    seconds = (local - series.dt.tz_convert("UTC").dt.tz_localize(None)).dt.total_seconds()
    offsets = {value: _offset(value) for value in seconds.dropna().unique()}
    return pc.binary_join_element_wise(cells, pa.array(seconds.map(offsets), pa.string(), from_pandas=True), "")


def _offset(seconds: float) -> str:
    minutes = abs(round(seconds / 60))
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _texts(series: pd.Series, name: object) -> pa.Array:
    values = series.to_numpy(dtype=object, na_value=None)  # pyright: ignore[reportCallIssue, reportArgumentType]
    if pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):
        values = np.array([_scalar_text(value, name) for value in values], dtype=object)
    try:
        return pa.array(values, pa.string(), from_pandas=True)
    except UnicodeEncodeError as error:
        raise TableError(
            f"column {name!r} holds text with a lone surrogate, {error.object!r}; replace that character"
        ) from error


def _scalar_text(value: Any, name: object) -> str | None:
    if isinstance(value, bytes | list | tuple | dict | set | np.ndarray):
        raise TableError(
            f"column {name!r} holds {type(value).__name__} values; a CSV cell is one text, number or time: "
            "flatten or drop the column"
        )
    return None if pd.isna(value) else str(value)
