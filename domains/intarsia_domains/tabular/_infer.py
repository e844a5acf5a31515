r"""Types of text columns: decided by all the cells of a column, and only where no information is lost.

In this order, by full match of every present cell:

- **True / False**, in exactly this spelling, the one written back, are booleans; `true`, `TRUE`, `yes`: text.
- **Integers** are `0`, `-5`, `123` up to 64 bits, exactly; longer ones, and codes (`007`, `+5`), are text.
- **Decimals** are `1.5`, `.5`, `5.`, `-inf`, `1e-05`, `1.5E8` as float64. `1E5` is text (a code): an exponent
  needs a point before it or a sign in it, as every program writes it.
- **Decimal commas** (`3,14`) in a file that is separated by semicolons and where a column proves them. There
  `1.234,5` is 1234.5, and a column of nothing but `1.234` is thousands. Elsewhere `1,234` is text.
- **Times** are ISO 8601: `2024-05-01`, `2024-05-01 12:30:00.5`, `20240501T123000`, with `Z` or an offset. One
  offset for all is kept; several become UTC. Years outside 1678-2261 and dates that do not exist stay text.
- Numbers and times may have spaces around them. Everything else is **text**, as it stands.

Columns come as their distinct values and a code per row, so each rule looks at each distinct value once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from ._compute import pc
from ._infer_times import infer_times

_INTEGER = r"\A-?(?:0|[1-9][0-9]*)\z"
_POINTED = r"(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)"
_WHOLE = r"(?:0|[1-9][0-9]*)"
_DECIMAL = rf"\A-?(?:(?:{_POINTED}|{_WHOLE})(?:[eE][+-][0-9]+)?|{_POINTED}[eE][0-9]+|inf)\z"
_THOUSANDS_COMMA = r"\A-?[1-9][0-9]{0,2}(?:,[0-9]{3})+\z"
_COMMA = r"\A-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+(?:[eE][+-]?[0-9]+)?)?\z"
_COMMA_NUMBER = r"\A-?[0-9]+(?:,[0-9]+)*\z"
_SPACED = r"\A[ \t]|[ \t]\z"
_MAX_STRANGERS = 5
Inferred = tuple[pd.Series, str | None]


@dataclass(frozen=True)
class Uniques:
    """A text column: its distinct values, and per row the place among them, -1 where it is missing."""

    values: pa.Array
    codes: np.ndarray

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "Uniques":
        """Take over a dictionary-encoded column whose chunks share one dictionary."""
        if column.num_chunks == 0:
            return cls(pa.array([], pa.string()), np.empty(0, np.int32))
        codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in column.chunks]
        return cls(column.chunk(0).dictionary, np.concatenate(codes))

    def text(self) -> pd.Series:
        """The column as Python strings, None where missing."""
        values = np.empty(len(self.values) + 1, dtype=object)
        values[:-1] = self.values.to_pylist()
        return pd.Series(values[self.codes], dtype=object)


def infer_column(column: Uniques, *, decimal_comma: bool = False) -> Inferred:
    """Give a text column its type. The second result says in words what a user should know, if anything."""
    if len(column.values) == 0:
        return column.text(), "no cell has a value"
    if set(column.values[:3].to_pylist()) <= {"True", "False"}:
        return _booleans(column), None
    found = _numbers_or_times(column, decimal_comma)
    if found is None and _any(column.values, _SPACED):
        trimmed = Uniques(pc.ascii_trim(column.values, characters=" \t"), column.codes)
        found = _numbers_or_times(trimmed, decimal_comma)
        if found is not None and not pd.api.types.is_object_dtype(found[0].dtype):
            return found[0], found[1] or "spaces around the values were dropped"
        found = None
    return found or (column.text(), _why_text(column))


def proves_decimal_comma(values: pa.Array) -> bool:
    """Say whether a column can only be numbers with decimal commas: `3,14`, not `1,234` nor `a,b`."""
    return (
        _any(values, ",")
        and _all(values, _COMMA)
        and not _all(pc.filter(values, pc.match_substring(values, ",")), _THOUSANDS_COMMA)
    )


def _numbers_or_times(column: Uniques, decimal_comma: bool) -> Inferred | None:
    if _all(column.values, _INTEGER):
        return _integers(column)
    if decimal_comma and _all(column.values, _COMMA):
        return _comma_numbers(column)
    if _all(column.values, _DECIMAL):
        return _decimals(column)
    return infer_times(column.values, column.codes, column.text)


def _comma_numbers(column: Uniques) -> Inferred:
    values = pc.replace_substring(pc.replace_substring(column.values, ".", ""), ",", ".")
    pointed = Uniques(values, column.codes)
    series, note = _decimals(pointed) if _any(values, r"\.") else _integers(pointed)
    if pd.api.types.is_object_dtype(series.dtype):
        return column.text(), note
    return series, "points were taken to part thousands" if _any(column.values, r"\.") else note


def _booleans(column: Uniques) -> pd.Series:
    truth = np.array([value == "True" for value in column.values.to_pylist()])[column.codes]
    missing = column.codes < 0
    if missing.any():
        return pd.Series(pd.arrays.BooleanArray(truth & ~missing, missing))
    return pd.Series(truth)


def _integers(column: Uniques) -> Inferred:
    try:
        values = pc.cast(column.values, pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return column.text(), "kept as text: it has integers beyond 64 bits"
    missing = column.codes < 0
    taken = values[column.codes]
    if missing.any():
        return pd.Series(pd.arrays.IntegerArray(np.where(missing, 1, taken), missing)), None
    return pd.Series(taken), None


def _decimals(column: Uniques) -> Inferred:
    values = pc.cast(column.values, pa.float64()).to_numpy(zero_copy_only=False)
    infinite = np.isinf(values)
    written = pc.sum(pc.match_substring(column.values, "inf")).as_py()
    if infinite.sum() > written:
        return column.text(), "kept as text: it has numbers beyond float64"
    if written == len(values):
        return column.text(), "kept as text: it is infinite throughout"
    note = "it has infinite values" if written else None
    return pd.Series(np.append(values, np.nan)[column.codes]), note


def _why_text(column: Uniques) -> str | None:
    """Name the few labels, such as `NA`, that keep a column of numbers from being one."""
    if _all(column.values, _COMMA_NUMBER) and _any(column.values, ","):
        return "kept as text: a comma may be a decimal point or part thousands"
    strange = pc.invert(pc.match_substring_regex(column.values, _DECIMAL)).to_numpy(zero_copy_only=False)
    labels = column.values.filter(pa.array(strange)).slice(0, _MAX_STRANGERS + 1).to_pylist()
    rows = np.append(strange, False)[column.codes].sum()
    if len(labels) > _MAX_STRANGERS or any(any(c.isdigit() for c in label) for label in labels):
        return None
    if 2 * rows >= (column.codes >= 0).sum():
        return None
    words = ", ".join(map(repr, labels))
    return f"numbers kept as text because of {words} (cells: {rows:,}); list in missing what means no value"


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern), min_count=0).as_py())


def _any(values: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern), min_count=0).as_py())
