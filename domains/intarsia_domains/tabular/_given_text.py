"""Conditions typed on a command line: texts become values of the type of their column."""

import decimal
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from ._codec import TableCodec
from ._table_error import TableError
from .columns import AbstractColumn, CategoryColumn, IdentifierColumn, NumberColumn

_SHOWN = 12


def parse_given(codec: TableCodec, texts: Mapping[str, str], say: Callable[[str], None]) -> dict[Any, Any]:
    """Values by column; an empty text is a missing value.

    Raises:
        TableError: there is no such column, or the text is no value of it; the message says what there is.
    """
    names = {str(name): name for name in codec.names}
    given: dict[Any, Any] = {}
    for text_name, text in texts.items():
        if text_name not in names:
            raise TableError(f"there is no column {text_name!r}; there are {_others(text_name, list(names))}")
        column = codec.column(names[text_name])
        given[column.name] = None if text == "" else _value(column, text, say)
    return given


def _value(column: AbstractColumn, text: str, say: Callable[[str], None]) -> Any:
    if isinstance(column, NumberColumn):
        return _number(column, text)
    if isinstance(column, CategoryColumn):
        return _label(column, text, say)
    if isinstance(column, IdentifierColumn) and pd.api.types.is_integer_dtype(column.dtype_):
        return _integer(column.name, text)
    return text


def _number(column: NumberColumn, text: str) -> Any:
    dtype = column.units_.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return _time(column.name, text, pd.api.types.is_timedelta64_dtype(dtype))
    if pd.api.types.is_integer_dtype(dtype):
        return _integer(column.name, text)
    try:
        number = decimal.Decimal(text) if column.units_.decimals else float(text)
    except (ValueError, decimal.InvalidOperation):
        number = math.nan
    if not math.isfinite(number):
        raise TableError(f"column {column.name!r} holds numbers, got {text!r}")
    return number


def _integer(name: Any, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise TableError(f"column {name!r} holds whole numbers, got {text!r}") from None


def _time(name: Any, text: str, duration: bool) -> Any:
    try:
        time = pd.Timedelta(text) if duration else pd.Timestamp(text)
    except (ValueError, OverflowError):
        time = pd.NaT
    if pd.isna(time):
        what = "durations, such as '1 day 02:30:00'" if duration else "times, such as 2024-05-01 or 2024-05-01T12:30:00"
        raise TableError(f"column {name!r} holds {what}, got {text!r}")
    return time


def _label(column: CategoryColumn, text: str, say: Callable[[str], None]) -> Any:
    """The value that is written like the text; numbers and truth values may be written in other ways too."""
    for value in column.values_:
        if str(value) == text or _same(value, text):
            return value
    if column.rare_mass_ and all(isinstance(value, str) for value in column.values_):
        say(f"note: column {column.name!r} does not show {text!r}; rows are drawn as for its rare values")
        return text
    raise TableError(
        f"column {column.name!r} has no value {text!r} in the training rows; "
        f"it has {_others(text, [str(value) for value in column.values_])}"
    )


def _same(value: Any, text: str) -> bool:
    if isinstance(value, bool | np.bool_):
        return str(value).lower() == text.lower()
    try:
        return not isinstance(value, str) and bool(value == type(value)(text))
    except (TypeError, ValueError, ArithmeticError):
        return False


def _others(text: str, known: list[str]) -> str:
    """What there is, and what may have been meant."""
    shown = ", ".join(map(repr, known[:_SHOWN]))
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    close = get_close_matches(text, known, n=1)
    return f"{shown}{more}" + (f"; did you mean {close[0]!r}?" if close else "")
