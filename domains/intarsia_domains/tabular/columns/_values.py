"""Values of any plain type to JSON and back, keeping their types: 1, 1.0, True and "1" stay four values."""

import datetime
import decimal
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

_READ: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text == "True",
    "int": int,
    "float": float,
    "Decimal": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "Timestamp": pd.Timestamp,
    "Timedelta": lambda text: pd.Timedelta(int(text), unit="ns"),
    "bytes": bytes.fromhex,
}


def values_to_json(values: Sequence[Any]) -> list[Any]:
    """Strings as they are, everything else as [type, text]; raises TypeError for a type that has no text."""
    return [value if isinstance(value, str) else list(_tagged(value)) for value in values]


def values_from_json(data: Sequence[Any]) -> list[Any]:
    """What `values_to_json` was given; raises ValueError for an unknown type."""
    result: list[Any] = []
    for item in data:
        if isinstance(item, str):
            result.append(item)
        elif isinstance(item, list) and len(item) == 2 and item[0] in _READ:
            result.append(_READ[item[0]](str(item[1])))
        else:
            raise ValueError(f"{item!r} is no value of a category")
    return result


def key(value: Any) -> Any:
    """Something hashable that tells 1, 1.0, True and "1" apart."""
    return value if isinstance(value, str) else _tagged(value)


def _tagged(value: Any) -> tuple[str, str]:
    if isinstance(value, bool | np.bool_):
        return "bool", str(bool(value))
    if isinstance(value, int | np.integer):
        return "int", str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        return "float", repr(number) if math.isfinite(number) else str(number)
    if isinstance(value, pd.Timestamp):
        return "Timestamp", value.isoformat()
    if isinstance(value, pd.Timedelta | datetime.timedelta | np.timedelta64):
        return "Timedelta", str(pd.Timedelta(value).value)
    if isinstance(value, datetime.datetime):
        return "Timestamp", pd.Timestamp(value).isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return type(value).__name__, value.isoformat()
    if isinstance(value, decimal.Decimal):
        return "Decimal", str(value)
    if isinstance(value, bytes):
        return "bytes", value.hex()
    raise TypeError(f"values of type {type(value).__name__} cannot be categories, got {value!r:.60}")
