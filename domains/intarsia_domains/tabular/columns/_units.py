"""Numbers of every dtype as integers in units of their own, or as floats where they have no unit."""

import decimal
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import Numbers
from intarsia_domains.tabular.columns._base import dtype_from_json, dtype_to_json

MAX_DIGITS = 9
EXACT = 2**53


@dataclass(frozen=True)
class Units:
    """value = (offset + step · k) / 10^digits with integer k; or the value itself where `step` is 0.

    Args:
        dtype: of the Series that are decoded to.
        digits: decimals of the values; None for floats without a fixed number of them.
        offset: in units of 10^-digits (nanoseconds or the like for times).
        step: the greatest common divisor of the differences, so that multiples of 100 stay so; 0 for plain floats.
        decimals: values are `decimal.Decimal`.
    """

    dtype: Any
    digits: int | None
    offset: int
    step: int
    decimals: bool = False

    @classmethod
    def of(cls, present: pd.Series) -> "Units":
        """The units of a Series without missing values."""
        dtype = present.dtype
        if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
            return cls._integers(_ticks(present), dtype, 0)
        if pd.api.types.is_object_dtype(dtype) and all(isinstance(v, decimal.Decimal) for v in present):
            exponents = [v.as_tuple().exponent for v in present]
            digits = max(0, *(-int(e) for e in exponents))
            return cls._integers(np.array([int(v.scaleb(digits)) for v in present]), dtype, digits, decimals=True)
        if pd.api.types.is_integer_dtype(dtype):
            return cls._integers(present.to_numpy(), dtype, 0)
        values = present.to_numpy(dtype=np.float64)
        for digits in range(MAX_DIGITS + 1):
            scaled = values * 10.0**digits
            if np.abs(scaled).max(initial=0.0) >= EXACT:
                break
            if np.array_equal(np.rint(scaled) / 10.0**digits, values):
                return cls._integers(np.rint(scaled).astype(np.int64), dtype, digits)
        return cls(dtype, None, 0, 0)

    @classmethod
    def _integers(cls, values: NDArray[Any], dtype: Any, digits: int, *, decimals: bool = False) -> "Units":
        lowest, highest = int(values.min()), int(values.max())
        if highest - lowest >= 2**63 or lowest < -(2**63):
            raise OverflowError(f"values from {lowest} to {highest} span more than 64 bits")
        distinct = np.unique(values)
        gaps = np.unique((distinct[1:] - distinct[:-1]).astype(np.int64)) if len(distinct) > 1 else np.array([1])
        return cls(dtype, digits, lowest, int(np.gcd.reduce(gaps)) or 1, decimals)

    def count(self, present: pd.Series) -> Numbers:
        """Numbers k of a Series without missing values; floats where there is no unit."""
        if self.step == 0:
            return present.to_numpy(dtype=np.float64)
        if self.decimals:
            scaled = np.array([int(v.scaleb(self.digits or 0)) for v in present], dtype=object)
        elif pd.api.types.is_datetime64_any_dtype(self.dtype) or pd.api.types.is_timedelta64_dtype(self.dtype):
            scaled = _ticks(present.astype(self.dtype))
        elif pd.api.types.is_float_dtype(present.dtype):
            scaled = np.rint(present.to_numpy(dtype=np.float64) * 10.0 ** (self.digits or 0)).astype(np.int64)
        elif self.digits:
            scaled = np.rint(present.to_numpy(dtype=np.float64) * 10.0**self.digits).astype(np.int64)
        else:
            scaled = present.to_numpy()
        if scaled.dtype == object or scaled.dtype == np.uint64:
            return np.array([(int(v) - self.offset) // self.step for v in scaled], dtype=np.int64)
        return (scaled.astype(np.int64) - self.offset) // self.step

    def series(self, numbers: Numbers, missing: NDArray[np.bool_], name: Any) -> pd.Series:
        """The Series of numbers k, with missing values where `missing`."""
        if self.step == 0:
            values = numbers.astype(np.float64)
            values[missing] = np.nan
            return pd.Series(values, name=name).astype(self.dtype)
        units = self._add_offset(numbers.astype(np.int64))
        if self.decimals:
            whole = [decimal.Decimal(int(v)).scaleb(-(self.digits or 0)) for v in units]
            return pd.Series(
                [None if gone else v for v, gone in zip(whole, missing, strict=True)], dtype=object, name=name
            )
        if pd.api.types.is_datetime64_any_dtype(self.dtype) or pd.api.types.is_timedelta64_dtype(self.dtype):
            return _from_ticks(units, missing, self.dtype, name)
        if pd.api.types.is_integer_dtype(self.dtype):
            series = pd.Series(units, name=name)
            return series.astype(self.dtype).mask(missing) if missing.any() else series.astype(self.dtype)
        values = units / 10.0 ** (self.digits or 0)
        values[missing] = np.nan
        return pd.Series(values, name=name).astype(self.dtype)

    def _add_offset(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Offset + step · k as int64, or as uint64 where that is the dtype."""
        if pd.api.types.is_unsigned_integer_dtype(self.dtype):
            return np.array([self.offset + self.step * int(k) for k in numbers], dtype=np.uint64)
        return self.offset + self.step * numbers

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "dtype": dtype_to_json(self.dtype),
            "digits": self.digits,
            "offset": self.offset,
            "step": self.step,
            "decimals": self.decimals,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Units":
        """Rebuild."""
        digits = None if data["digits"] is None else int(data["digits"])
        return cls(
            dtype_from_json(data["dtype"]), digits, int(data["offset"]), int(data["step"]), bool(data["decimals"])
        )


def _ticks(times: pd.Series) -> NDArray[np.int64]:
    """Times as integers of their dtype's own resolution (UTC for those with a zone)."""
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return times.to_numpy().view(np.int64)


def _from_ticks(ticks: NDArray[np.int64], missing: NDArray[np.bool_], dtype: Any, name: Any) -> pd.Series:
    ticks = ticks.copy()
    ticks[missing] = np.iinfo(np.int64).min  # NaT
    if isinstance(dtype, pd.DatetimeTZDtype):
        index = pd.DatetimeIndex(ticks.view(f"M8[{dtype.unit}]"), tz="UTC").tz_convert(dtype.tz)
        return pd.Series(index, name=name)
    return pd.Series(ticks.view(dtype), name=name)
