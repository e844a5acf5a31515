"""Integers as counts."""

from typing import Any, Self

import numpy as np

from intarsia.codecs._base import AbstractCountCodec, Codes
from intarsia.codecs._quantile_digits import Numbers
from intarsia.codecs._reading import reading, require


class Counts(AbstractCountCodec):
    """An integer as its distance from the smallest, for `Death` noise. Counts past the largest are read as that."""

    @property
    def width(self) -> int:
        return 1

    def fit(self, values: Numbers) -> Self:
        """Learn the range of integers; raises TypeError for others, ValueError if there are none or they span 2^53."""
        if not np.issubdtype(values.dtype, np.integer):
            raise TypeError(f"counts are integers, got {values.dtype}; round them, or choose another code")
        if not len(values):
            raise ValueError("counts need at least one integer")
        return self._set(int(values.min()), int(values.max()))

    def _set(self, low: int, high: int) -> Self:
        require(low <= high and high - low < 2**53, f"counts from {low} to {high} are not below 2^53")
        self.low_, self.high_ = low, high
        return self

    def encode(self, values: Numbers) -> Codes:
        """Counts (rows, 1); integers outside the range seen go to its ends."""
        return (np.clip(values, self.low_, self.high_) - self.low_).astype(np.int64)[:, None]

    def decode(self, codes: Codes, rng: np.random.Generator) -> Numbers:
        """Integers (rows,) of any counts (rows, 1)."""
        return np.clip(codes[:, 0], 0, self.high_ - self.low_) + self.low_

    def to_json(self) -> dict[str, Any]:
        """The range."""
        return {"low": self.low_, "high": self.high_}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if the range is malformed."""
        with reading(cls):
            return cls()._set(int(data["low"]), int(data["high"]))
