"""ISO 8601 times in text columns: recognized by form, parsed exactly, or left as text with a reason."""

from collections.abc import Callable
from datetime import timedelta, timezone, tzinfo

import numpy as np
import pandas as pd
import pyarrow as pa

from ._compute import pc

_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
_EXTENDED = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}"
    rf"(?:[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,9}})?)?{_OFFSET}?)?\z"
)
_BASIC = r"\A([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})\z"
_FIRST_YEAR, _LAST_YEAR = "1678", "2261"  # the whole years of 64-bit nanoseconds


def infer_times(
    values: pa.Array, codes: np.ndarray, text: Callable[[], pd.Series]
) -> tuple[pd.Series, str | None] | None:
    """Return datetime64[ns] if all values are times; `text()` and why if they only look so; else None."""
    if pc.all(pc.match_substring_regex(values, _BASIC)).as_py():
        values = pc.replace_substring_regex(values, _BASIC, r"\1-\2-\3 \4:\5:\6")
    elif not pc.all(pc.match_substring_regex(values, _EXTENDED)).as_py():
        return None
    offsets, zoned = _offsets(values)
    if zoned not in (0, len(values)):
        return text(), "kept as text: some times have a time zone, some have none"
    years = pc.utf8_slice_codeunits(values, 0, 4)
    outside = pc.or_(pc.less(years, _FIRST_YEAR), pc.greater(years, _LAST_YEAR))
    if pc.any(outside).as_py():
        example = values.filter(outside)[0].as_py()
        return text(), f"kept as text: {example!r} is outside the years {_FIRST_YEAR} to {_LAST_YEAR}"
    kind = pa.timestamp("ns", "UTC" if zoned else None)
    try:
        stamps = pc.cast(values, kind)
    except pa.ArrowInvalid:
        return text(), f"kept as text: {_first_bad(values, kind)!r} is no time that exists"
    nanoseconds = np.append(pc.cast(stamps, pa.int64()).to_numpy(zero_copy_only=False), np.iinfo(np.int64).min)
    series: pd.Series = pd.Series(pd.DatetimeIndex(nanoseconds[codes].view("datetime64[ns]")))
    if not zoned:
        return series, None
    series = series.dt.tz_localize("UTC")
    if len(offsets) > 1:
        words = ", ".join(_offset_name(offset) for offset in sorted(offsets)[:3])
        return series, f"times of several offsets ({words}{', ...' if len(offsets) > 3 else ''}) became UTC"
    return series.dt.tz_convert(_zone(offsets.pop())), None


def _offsets(values: pa.Array) -> tuple[set[timedelta], int]:
    """The distinct offsets from UTC, and how many values have one."""
    found = pc.extract_regex(values, rf":[0-9.]+(?P<offset>{_OFFSET})\z").field("offset").drop_null()
    found = found.filter(pc.not_equal(found, ""))
    return {_offset(word) for word in found.unique().to_pylist()}, len(found)


def _offset(word: str) -> timedelta:
    if word == "Z":
        return timedelta(0)
    minutes = 60 * int(word[1:3]) + int(word[-2:])
    return timedelta(minutes=-minutes if word[0] == "-" else minutes)


def _zone(offset: timedelta) -> str | tzinfo:
    return timezone(offset) if offset else "UTC"


def _offset_name(offset: timedelta) -> str:
    return str(timezone(offset))


def _first_bad(values: pa.Array, kind: pa.DataType) -> str:
    """The first value that does not parse, found by halving."""
    start, stop = 0, len(values)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            pc.cast(values[start:middle], kind)
            start = middle
        except pa.ArrowInvalid:
            stop = middle
    return values[start].as_py()
