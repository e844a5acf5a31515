"""Numbers as a coarse and a fine digit of their rank."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractCodec, Codes

Numbers = NDArray[Any]
"""int64 or float64, (rows,)."""


class QuantileDigits(AbstractCodec):
    """A number's bin among coarse · fine bins of equal mass, written as two digits, or as one where `fine` is 1.

    Two small digits learn faster than one large class, and a coarse digit has meaning of its own. Inside a bin the
    value is drawn along a piecewise-linear quantile function through `knots` order statistics, because a uniform
    draw would blur correlations; in the two outermost bins the knots are all values, so that tails keep their
    length. Rows of one bin are spread evenly over it (stratified draws; Owen 2013, ch. 8), each of them uniform.
    Equal values share a bin. Integers stay integers, to 2^63.

    Args:
        coarse: values of the first digit.
        fine: values of the second digit.
        knots: order statistics kept of each bin; decoding stays within the bin of the encoded value.
    """

    def __init__(self, coarse: int = 32, fine: int = 16, knots: int = 16) -> None:
        if coarse < 1 or fine < 1 or knots < 1:
            raise ValueError(f"`coarse`, `fine` and `knots` must be at least 1, got {coarse}, {fine}, {knots}")
        self.coarse, self.fine, self.knots = coarse, fine, knots

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Values of the digits that are in use; there is one digit where `fine` is 1."""
        return (-(-len(self.knots_) // self.fine), self.fine)[: 1 + (self.fine > 1)]

    @property
    def starts(self) -> Numbers:
        """The smallest value of every bin."""
        return self.knots_[:, 0]

    def positions(self) -> NDArray[np.float64]:
        """Middle rank of every bin, in (0, 1)."""
        ends = np.cumsum(self.mass_)
        return (ends - self.mass_ / 2) / ends[-1]

    def fit(self, values: Numbers) -> Self:
        """Learn bins from finite numbers, in any order; raises ValueError if there are none."""
        ordered = np.sort(values)
        if not len(ordered) or not np.isfinite(ordered).all():
            raise ValueError("quantile bins need at least one value, and only finite ones")
        even = np.linspace(0, len(ordered), max(self.coarse * self.fine - 1, 2)).astype(np.int64)[:-1]
        # the two outermost bins hold no more values than knots: a tail is too uneven to be drawn along fewer
        ends = [min(self.knots, len(ordered) // 2), len(ordered) - min(self.knots, len(ordered) // 2)]
        cuts = np.unique(np.append(even, ends))[: self.coarse * self.fine]
        starts = np.unique(ordered[cuts[cuts < len(ordered)]])
        low = np.searchsorted(ordered, starts, "left")
        high = np.append(low[1:], len(ordered))
        share = np.linspace(0.0, 1.0, self.knots)
        places = low[:, None] + np.rint((high - low - 1)[:, None] * share).astype(np.int64)
        self.knots_: Numbers = ordered[places]
        self.mass_: NDArray[np.int64] = high - low
        return self

    def encode(self, values: Numbers) -> Codes:
        """Digits (rows, sites); a value outside the range seen goes to the bin at that end."""
        bins = np.searchsorted(self.starts, values, "right") - 1
        bins = np.clip(bins, 0, len(self.knots_) - 1)
        return np.stack([bins // self.fine, bins % self.fine], 1)[:, : len(self.num_classes)]

    def decode(self, codes: Codes, rng: np.random.Generator) -> Numbers:
        """Numbers of digits (rows, sites); digits past the last bin mean the last bin."""
        bins = np.minimum(codes[:, 0] * self.fine + codes[:, 1:].sum(1), len(self.knots_) - 1)
        place = _spread(bins, rng) * (self.knots - 1)
        left = np.minimum(place.astype(np.int64), max(self.knots - 2, 0))
        low = self.knots_[bins, left]
        high = self.knots_[bins, np.minimum(left + 1, self.knots - 1)]
        if np.issubdtype(self.knots_.dtype, np.integer):
            # unsigned differences cannot overflow, and only the step is rounded, so that large integers stay exact
            room = high.astype(np.uint64) - low.astype(np.uint64)
            step = np.minimum(np.rint(room * (place - left)).astype(np.uint64), room)
            return (low.astype(np.uint64) + step).view(np.int64)
        return np.minimum(low + (high - low) * (place - left), high)

    def to_json(self) -> dict[str, Any]:
        """Bins and knots."""
        return {
            "fine": self.fine,
            "coarse": self.coarse,
            "knots": self.knots,
            "integer": bool(np.issubdtype(self.knots_.dtype, np.integer)),
            "values": self.knots_.tolist(),
            "mass": self.mass_.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if the bins are malformed."""
        codec = cls(int(data["coarse"]), int(data["fine"]), int(data["knots"]))
        codec.knots_ = np.array(data["values"], dtype=np.int64 if data["integer"] else np.float64)
        codec.mass_ = np.array(data["mass"], dtype=np.int64)
        if codec.knots_.ndim != 2 or codec.knots_.shape != (len(codec.mass_), codec.knots) or not len(codec.mass_):
            raise ValueError(f"quantile bins have shape {codec.knots_.shape} for {len(codec.mass_)} masses")
        return codec


def _spread(bins: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Places in [0, 1), (rows,): each uniform, and one in each of as many strata as there are rows of the same bin."""
    rows = len(bins)
    order = np.lexsort((rng.random(rows), bins))
    counts = np.bincount(bins)
    stratum = np.empty(rows, dtype=np.int64)
    stratum[order] = np.arange(rows) - (np.cumsum(counts) - counts)[bins[order]]
    return np.minimum((stratum + rng.random(rows)) / counts[bins], np.nextafter(1.0, 0.0))
