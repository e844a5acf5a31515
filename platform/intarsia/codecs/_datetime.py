"""Times as calendar parts."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractCodec, Codes
from intarsia.codecs._reading import reading, require

RADIX = {"h": 24, "m": 60, "s": 60, "ms": 1000, "us": 1000, "ns": 1000}
FURTHEST = 10**6

Times = NDArray[np.datetime64]


class Datetime(AbstractCodec):
    """A time as year, month, day, hour, minute, second, and thousandths thereof, as far down as the data go.

    Lossless at the resolution of the data. A day that its month does not have is read as the last of the month, and
    a time outside the range seen as its nearer end. Times are datetime64 arrays (rows,) of any unit from years to ns.
    """

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Years of the range, then the values of every part in use."""
        return (self._years, 12, 31, *self._radix)[: self.parts_]

    @property
    def _radix(self) -> tuple[int, ...]:
        units = list(RADIX)
        return tuple(RADIX.values())[: units.index(self.unit_) + 1 if self.unit_ in RADIX else 0]

    def fit(self, values: Times) -> Self:
        """Learn range and resolution; raises ValueError if there are none or some are missing, TypeError for others."""
        if values.dtype.kind != "M":
            raise TypeError(f"times are an array of datetime64, got {values.dtype}")
        require(len(values) > 0 and not np.isnat(values).any(), "times need at least one value, and no missing ones")
        unit, step = np.datetime_data(values.dtype)
        require(step == 1, f"times count in single units, got {values.dtype}; convert them to {unit}")
        self.unit_ = _known(unit)
        ticks = self._ticks(values)
        parts = 1 + int(np.nonzero(self._split(ticks))[1].max(initial=0))
        return self._set(unit, int(ticks.min()), int(ticks.max()), parts)

    def _set(self, unit: str, low: int, high: int, parts: int) -> Self:
        require(-(2**63) < low <= high < 2**63, f"no range from {low} to {high}")
        self.unit_, self.low_, self.high_, self.parts_ = _known(unit), low, high, parts
        require(1 <= parts <= 3 + len(self._radix), f"times in {unit} do not have {parts} parts")
        days = np.array([low, high]) // self._per_day
        require(bool((np.abs(days) < 366 * FURTHEST).all()), f"years must lie within {FURTHEST} of 1970")
        self._first, last = (int(year) for year in self._split(np.array([low, high]))[:, 0])
        self._years = last - self._first + 1
        return self

    @property
    def _per_day(self) -> int:
        return int(np.prod(self._radix, dtype=np.int64))

    def _ticks(self, values: Times) -> NDArray[np.int64]:
        """Times in their unit, or in days if that is coarser, since 1970."""
        years = values.astype("M8[Y]").astype(np.int64)
        require(bool((np.abs(years) < FURTHEST).all()), f"years must lie within {FURTHEST} of 1970")
        return values.astype(f"M8[{self.unit_ if self.unit_ in RADIX else 'D'}]").astype(np.int64)

    def _split(self, ticks: NDArray[np.int64]) -> Codes:
        """All parts (rows, parts) of ticks (rows,): the year since 1970, the others from 0."""
        days, rest = np.divmod(ticks, self._per_day)
        months = days.view("M8[D]").astype("M8[M]")
        day = days - months.astype("M8[D]").astype(np.int64)
        parts = [*np.divmod(months.astype(np.int64), 12), day]
        unit = self._per_day
        for radix in self._radix:
            unit //= radix
            parts.append(rest // unit % radix)
        return np.stack(parts, 1)

    def encode(self, values: Times) -> Codes:
        """Parts (rows, sites); times outside the range seen go to its ends, and finer parts than seen are dropped."""
        require(not np.isnat(values).any(), "calendar parts cannot say that a time is missing")
        parts = self._split(np.clip(self._ticks(values), self.low_, self.high_))[:, : self.parts_]
        parts[:, 0] -= self._first
        return parts

    def decode(self, codes: Codes, rng: np.random.Generator) -> Times:
        """Times (rows,) of any parts (rows, sites)."""
        parts = np.zeros((len(codes), 3 + len(self._radix)), dtype=np.int64)
        parts[:, : self.parts_] = codes
        months = 12 * (parts[:, 0] + self._first) + parts[:, 1]
        start, end = ((months + more).view("M8[M]").astype("M8[D]").astype(np.int64) for more in (0, 1))
        days = start + np.minimum(parts[:, 2], end - start - 1)
        rest = np.zeros(len(codes), dtype=np.int64)
        for site, radix in enumerate(self._radix, start=3):
            rest = rest * radix + parts[:, site]
        # within the range by day and rest apart, because the product may leave int64 outside of it
        for limit, outside in ((self.low_, np.less), (self.high_, np.greater)):
            day, tick = divmod(limit, self._per_day)
            past = outside(days, day) | ((days == day) & outside(rest, tick))
            days, rest = np.where(past, day, days), np.where(past, tick, rest)
        ticks = days * self._per_day + rest
        return ticks.view(f"M8[{self.unit_ if self.unit_ in RADIX else 'D'}]").astype(f"M8[{self.unit_}]")

    def to_json(self) -> dict[str, Any]:
        """Unit, range in it (days for coarser units), and how many parts are in use."""
        return {"unit": self.unit_, "low": self.low_, "high": self.high_, "parts": self.parts_}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if unit, range or parts are malformed."""
        with reading(cls):
            return cls()._set(str(data["unit"]), int(data["low"]), int(data["high"]), int(data["parts"]))


def _known(unit: str) -> str:
    require(unit in ("Y", "M", "W", "D", *RADIX), f"times in {unit!r} are not supported; convert them to ns")
    return unit
