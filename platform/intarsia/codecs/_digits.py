"""Integers as digits."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractCodec, Codes
from intarsia.codecs._reading import reading, require


class Digits(AbstractCodec):
    """An int64's distance from the smallest one as digits of a base, most significant first.

    A number of digits that is past the largest integer is read with one less in its first digit.

    Args:
        base: values of a digit, at least 2; the first digit has only those it needs.
    """

    def __init__(self, base: int = 10) -> None:
        if not 2 <= base <= 2**31:
            raise ValueError(f"`base` must be from 2 to 2^31, got {base}")
        self.base = base

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Values of every digit; no digits where there is one integer."""
        return (int(self._last[0]) + 1, *[self.base] * (len(self._last) - 1)) if len(self._last) else ()

    def fit(self, values: NDArray[np.int64]) -> Self:
        """Learn the range of integers; raises ValueError if there are none, TypeError for other numbers."""
        if values.dtype != np.int64:
            raise TypeError(f"digits are of int64, got {values.dtype}")
        require(len(values) > 0, "digits need at least one integer")
        return self._set(int(values.min()), int(values.max()))

    def _set(self, low: int, high: int) -> Self:
        require(-(2**63) <= low <= high < 2**63, f"no range of int64 from {low} to {high}")
        self.low_, self.high_ = low, high
        powers = [1]
        while powers[-1] * self.base <= high - low:
            powers.append(powers[-1] * self.base)
        # distances have up to 64 bits
        self._powers = np.array(powers[::-1] if high > low else [], dtype=np.uint64)
        self._offset = np.array([low]).astype(np.uint64)
        self._last = self._split(np.array([high]))[0]
        return self

    def _split(self, values: NDArray[np.int64]) -> Codes:
        distance = values.astype(np.uint64) - self._offset
        return (distance[:, None] // self._powers % np.uint64(self.base)).astype(np.int64)

    def encode(self, values: NDArray[np.int64]) -> Codes:
        """Digits (rows, sites); integers outside the range seen go to its ends."""
        return self._split(np.clip(values, self.low_, self.high_))

    def decode(self, codes: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
        """Integers (rows,) of any digits (rows, sites)."""
        digits = codes.astype(np.uint64)
        if len(self._last):
            order = np.sign(codes - self._last)
            first = np.argmax(order != 0, axis=1)
            past = np.take_along_axis(order, first[:, None], 1)[:, 0] > 0
            digits[:, 0] -= past.astype(np.uint64)
        return ((digits * self._powers).sum(1, dtype=np.uint64) + self._offset).view(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Base and range."""
        return {"base": self.base, "low": self.low_, "high": self.high_}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if base or range are malformed."""
        with reading(cls):
            return cls(int(data["base"]))._set(int(data["low"]), int(data["high"]))
