"""Columns of integers, decimals, times and durations."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import Codes, Numbers, QuantileDigits
from intarsia_domains.tabular.columns._base import AbstractColumn, evenly
from intarsia_domains.tabular.columns._units import Units

FLAT = 128
"""A column with at most so many distinct numbers has one class for each of them."""
SPIKE = 0.02
"""A value that holds this share of the rows or more (a zero, a cap) has a coarse class of its own."""


class NumberColumn(AbstractColumn):
    """Few distinct numbers: a class each. Many: a coarse and a fine digit of the rank, spikes and missing apart.

    Numbers are counted in the column's own units (`Units`), so precision, lattices such as multiples of 100,
    large integers and time resolution are kept; values stay within the range of the training rows.

    Args:
        name: of the column.
        kind: "integer", "decimal" or "datetime".
        coarse, fine: see `QuantileDigits`.
        clip: so many of the smallest and of the largest values are replaced by the next one inside, so that no
            extreme of a single person is shown.
    """

    def __init__(self, name: Any, kind: str, coarse: int = 32, fine: int = 16, clip: int = 0) -> None:
        self.name, self.kind, self.coarse, self.fine, self.clip = name, kind, coarse, fine, clip

    @property
    def num_classes(self) -> tuple[int, ...]:
        """The classes of the numbers, or the coarse digits and spikes; then the fine digits."""
        extra = len(self.special_) + self.has_missing_
        if self.digits_ is None:
            return (extra,)
        coarse, fine = self.digits_.num_classes
        return (coarse + extra, fine)

    @property
    def _first_special(self) -> int:
        return 0 if self.digits_ is None else self.digits_.num_classes[0]

    @property
    def range_(self) -> tuple[Any, Any]:
        """Smallest and largest value that can be drawn, of the column's dtype."""
        series = self.units_.series(np.array(self._ends()), np.zeros(2, dtype=bool), self.name)
        return series.iloc[0], series.iloc[1]

    def _ends(self) -> tuple[Any, Any]:
        ends = [numbers for numbers in (self.special_, self._knots()) if len(numbers)]
        return min(e.min() for e in ends), max(e.max() for e in ends)

    def _knots(self) -> Numbers:
        return self.special_[:0] if self.digits_ is None else self.digits_.knots_.reshape(-1)

    @property
    def missing_class(self) -> int | None:
        """The last class of the first site, where missing values were seen."""
        return self.num_classes[0] - 1 if self.has_missing_ else None

    def fit(self, values: pd.Series) -> Self:
        """Learn units and bins; raises ValueError for infinite values, naming the column."""
        present = values.dropna()
        if pd.api.types.is_float_dtype(present.dtype):
            infinite = int(np.isinf(present.to_numpy(dtype=np.float64)).sum())
            if infinite:
                raise ValueError(
                    f"column {self.name!r} has {infinite} infinite values; "
                    "put missing values or a finite cap in their place before fitting"
                )
        self.has_missing_ = len(present) < len(values)
        self.units_ = Units.of(present)
        numbers = self.units_.count(present)
        if self.clip and len(numbers) > 2 * self.clip:
            low, high = np.partition(numbers, [self.clip, -self.clip - 1])[[self.clip, -self.clip - 1]]
            numbers = np.clip(numbers, low, high)
        distinct, counts = np.unique(numbers, return_counts=True)
        self.digits_: QuantileDigits | None = None
        self.special_ = distinct
        self.counts_: NDArray[np.int64] = counts
        if len(distinct) > FLAT:
            spike = counts >= SPIKE * len(numbers)
            rest = numbers[~np.isin(numbers, distinct[spike])]
            self.special_, self.counts_ = distinct[spike], counts[spike]
            self.digits_ = QuantileDigits(self.coarse, self.fine).fit(rest)
        return self

    def encode(self, values: pd.Series) -> Codes:
        """Classes (rows, sites); a number that is no class goes to the nearest one."""
        seen = values.notna().to_numpy()
        numbers = self.units_.count(values[seen])
        codes = np.zeros((len(values), len(self.num_classes)), dtype=np.int64)
        codes[~seen, 0] = self.missing_class or 0
        codes[seen] = self._encode_numbers(numbers)
        return codes

    def _encode_numbers(self, numbers: Numbers) -> Codes:
        special = self.special_
        if self.digits_ is None:
            right = (
                np.clip(np.searchsorted(special, numbers), 1, max(len(special) - 1, 1)) if len(special) > 1 else None
            )
            if right is None:
                return np.zeros((len(numbers), 1), dtype=np.int64)
            nearer_left = numbers - special[right - 1] < special[right] - numbers
            return (right - nearer_left)[:, None].astype(np.int64)
        codes = self.digits_.encode(numbers)
        if len(special):
            place = np.minimum(np.searchsorted(special, numbers), len(special) - 1)
            hit = special[place] == numbers
            codes[hit] = np.stack([self._first_special + place[hit], np.zeros(int(hit.sum()), dtype=np.int64)], 1)
        return codes

    def numbers(self, values: pd.Series) -> Numbers:
        """Numbers in the column's units, (rows,); that of a missing value is the middle one of the others."""
        seen = values.notna().to_numpy()
        known = np.clip(self.units_.count(values[seen]), *self._ends())
        numbers = np.full(len(values), np.sort(known)[len(known) // 2] if len(known) else self._ends()[0])
        numbers[seen] = known
        return numbers

    def from_numbers(self, numbers: Numbers, missing: NDArray[np.bool_]) -> pd.Series:
        """The Series of numbers, moved into the training range, with missing values where `missing`."""
        return self.units_.series(np.clip(numbers, *self._ends()), missing, self.name)

    def decode(self, codes: Codes, rng: np.random.Generator) -> pd.Series:
        """Numbers of classes (rows, sites)."""
        first = codes[:, 0]
        missing = first == self.missing_class if self.has_missing_ else np.zeros(len(codes), dtype=bool)
        special = ~missing & (first >= self._first_special)
        kind = np.float64 if self.units_.step == 0 else np.int64
        numbers = np.zeros(len(codes), dtype=kind)
        if self.digits_ is not None:
            plain = ~missing & ~special
            numbers[plain] = self.digits_.decode(codes[plain], rng)
        numbers[special] = self.special_[first[special] - self._first_special]
        return self.units_.series(numbers, missing, self.name)

    def positions(self) -> NDArray[np.float64]:
        """Middle ranks of bins and special values; few distinct values lie evenly, however unevenly they are used."""
        if self.digits_ is None:
            result = np.full(self.num_classes[0] + 1, np.nan)
            result[: len(self.special_)] = evenly(len(self.special_))
            return result
        coarse, fine = self.num_classes
        result = np.full((coarse + 1, fine + 1), np.nan)
        digits = self.digits_
        bins = digits.positions()
        grid = np.full(digits.num_classes[0] * fine, bins[-1])
        grid[: len(bins)] = bins
        result[: digits.num_classes[0], :fine] = grid.reshape(-1, fine)
        result[: digits.num_classes[0], fine] = grid.reshape(-1, fine).mean(1)
        ranks = np.searchsorted(digits.starts, self.special_)
        for i, rank in enumerate(ranks):
            result[digits.num_classes[0] + i] = bins[min(rank, len(bins) - 1)]
        return result.reshape(-1)

    def to_json(self) -> dict[str, Any]:
        """Units, special values and bins."""
        return {
            "kind": self.kind,
            "units": self.units_.to_json(),
            "special": self.special_.tolist(),
            "counts": self.counts_.tolist(),
            "digits": None if self.digits_ is None else self.digits_.to_json(),
            "coarse": self.coarse,
            "fine": self.fine,
            "clip": self.clip,
            "missing": self.has_missing_,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], name: Any = None) -> Self:
        """Rebuild a fitted column."""
        column = cls(name, str(data["kind"]), int(data["coarse"]), int(data["fine"]), int(data["clip"]))
        column.units_ = Units.from_json(data["units"])
        kind = np.float64 if column.units_.step == 0 else np.int64
        column.special_ = np.array(data["special"], dtype=kind)
        column.counts_ = np.array(data["counts"], dtype=np.int64)
        column.digits_ = None if data["digits"] is None else QuantileDigits.from_json(data["digits"])
        column.has_missing_ = bool(data["missing"])
        return column
