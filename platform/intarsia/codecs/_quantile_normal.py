"""Numbers as standard normal ones of the same rank."""

from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractRealCodec, Reals
from intarsia.codecs._quantile_digits import Numbers
from intarsia.codecs._reading import reading, require

SPECIAL = cast(Any, torch.special)  # it has no types


class QuantileNormal(AbstractRealCodec):
    """A number ↔ the standard normal quantile of its rank, for Gaussian noise (TabDDPM, arXiv 2209.15421).

    The i-th of n values stands at the quantile of (i - ½) / n. Equal values own the interval from the first to the
    last of their ranks and are written as its median. Between two neighbours the map is linear, unless both are seen
    more than once: then nothing lies between them, and the interval is cut at their common rank. So few different
    values, zeros among reals and the like come back as they are. Beyond the smallest and the largest value, which
    stand for 1 / 2n of the mass each, numbers are read as those. Integers stay integers.

    `decode(encode(x))` is x at every knot, and between two knots within 10^-9 of their distance for up to 10^6 values.

    Args:
        knots: different values kept at most, evenly spaced by rank.
    """

    def __init__(self, knots: int = 1000) -> None:
        if knots < 2:
            raise ValueError(f"`knots` must be at least 2, got {knots}")
        self.knots = knots

    @property
    def width(self) -> int:
        return 1

    def fit(self, values: Numbers) -> Self:
        """Learn knots of finite numbers; raises ValueError if there are none."""
        if not len(values) or not np.isfinite(values).all():
            raise ValueError("quantiles need at least one value, and only finite ones")
        distinct, counts = np.unique(values, return_counts=True)
        ends = np.cumsum(counts)
        ranks = np.rint(np.linspace(0, len(values) - 1, self.knots)).astype(np.int64)
        kept = np.arange(len(distinct))
        if len(distinct) > self.knots:
            kept = np.unique(np.searchsorted(ends, ranks, "right"))
        low, high = (ends - counts + 0.5)[kept], (ends - 0.5)[kept]
        # nothing is seen between two values that both are seen often and follow each other
        cut = np.flatnonzero((np.diff(kept) == 1) & (counts[kept][1:] > 1) & (counts[kept][:-1] > 1))
        low[cut + 1] = high[cut] = ends[kept][cut]
        return self._set(distinct[kept], _quantile(low / len(values)), _quantile(high / len(values)))

    def _set(self, values: Numbers, low: Reals, high: Reals) -> Self:
        """Knots and, of each, where its interval of normal numbers begins and ends."""
        shapes = f"knots have shapes {values.shape}, {low.shape} and {high.shape}"
        require(values.ndim == 1 and len(values) > 0 and values.shape == low.shape == high.shape, shapes)
        require(all(np.isfinite(part).all() for part in (values, low, high)), "knots must be finite")
        rising = (values[1:] > values[:-1]).all() and (low[1:] > low[:-1]).all() and (low <= high).all()
        require(bool(rising and (high[:-1] <= low[1:]).all()), "knots must rise")
        self.values_, self.low_, self.high_ = values, low, high
        median = _quantile((_rank(low) + _rank(high)) / 2)
        self._middle = np.where(low < high, np.clip(median, low, high), low)
        return self

    def encode(self, values: Numbers) -> Reals:
        """Normal numbers (rows, 1); numbers outside the range seen go to its ends."""
        require(not np.isnan(values).any(), "quantiles have no place for NaN")
        values = np.clip(values, self.values_[0], self.values_[-1])
        if values.dtype != self.values_.dtype:  # floats among integers
            values = np.rint(values).astype(self.values_.dtype)
        knot = np.searchsorted(self.values_, values, "right") - 1
        after = np.minimum(knot + 1, len(self.values_) - 1)
        a, b = self.values_[knot], self.values_[after]
        room = _gap(a, b)
        share = _gap(a, values) / np.where(room > 0, room, 1.0)
        between = self.high_[knot] + share * (self.low_[after] - self.high_[knot])
        return np.where(values == a, self._middle[knot], between)[:, None]

    def decode(self, codes: Reals, rng: np.random.Generator) -> Numbers:
        """Numbers (rows,) of any finite numbers (rows, 1)."""
        z = np.clip(codes[:, 0], self.low_[0], self.high_[-1])
        knot = np.searchsorted(self.low_, z, "right") - 1
        after = np.minimum(knot + 1, len(self.values_) - 1)
        room = self.low_[after] - self.high_[knot]
        share = np.clip((z - self.high_[knot]) / np.where(room > 0, room, 1.0), 0.0, 1.0)
        a, b = self.values_[knot], self.values_[after]
        if np.issubdtype(self.values_.dtype, np.integer):
            # unsigned distances cannot overflow, and only the step is rounded, so that large integers stay exact
            room = b.astype(np.uint64) - a.astype(np.uint64)
            step = np.minimum(np.rint(room * share), np.nextafter(2.0**64, 0)).astype(np.uint64)
            return (a.astype(np.uint64) + np.minimum(step, room)).view(np.int64)
        return np.clip((1.0 - share) * a + share * b, a, b)

    def to_json(self) -> dict[str, Any]:
        """Knots and their intervals."""
        return {
            "knots": self.knots,
            "integer": bool(np.issubdtype(self.values_.dtype, np.integer)),
            "values": self.values_.tolist(),
            "low": self.low_.tolist(),
            "high": self.high_.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if the knots are malformed."""
        with reading(cls):
            values = np.array(data["values"], dtype=np.int64 if data["integer"] else np.float64)
            low, high = (np.array(data[name], dtype=np.float64) for name in ("low", "high"))
            return cls(int(data["knots"]))._set(values, low, high)


def _gap(low: Numbers, high: Numbers) -> NDArray[np.float64]:
    """Distances without overflow: of floats the half."""
    if np.issubdtype(low.dtype, np.integer):
        return (high.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64)
    return high / 2 - low / 2


def _quantile(rank: NDArray[np.float64]) -> Reals:
    return SPECIAL.ndtri(torch.as_tensor(rank)).numpy()


def _rank(z: Reals) -> NDArray[np.float64]:
    return SPECIAL.ndtr(torch.as_tensor(z)).numpy()
