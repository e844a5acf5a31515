"""Numbers as fixed-point bits."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs._base import Codes
from intarsia.codecs._bits import AbstractBitCodec, nearest, read_bits, to_tensor, write_bits
from intarsia.codecs._quantile_digits import Numbers
from intarsia.codecs._reading import reading, require

MAX_DECIMALS = 9
EXACT = 2**53


class FixedPoint(AbstractBitCodec):
    """A number's step between the smallest and the largest as a binary number (Binary Diffusion, arXiv 2409.13882).

    Integers, and floats with at most nine decimals, are counted in the greatest step that reaches all of them: no
    loss, and only the bits that are needed. Other floats are rounded to 2^width - 1 steps of equal size. Unused words
    are read without their first bit.

    Args:
        width: bits of floats that are no decimals, at most 52.
    """

    def __init__(self, width: int = 32) -> None:
        if not 1 <= width <= 52:
            raise ValueError(f"`width` must be from 1 to 52, got {width}")
        self._most = width

    @property
    def width(self) -> int:
        return self._top.bit_length()

    @property
    def tolerance(self) -> float:
        """Largest |decode(encode(x)) - x| over the range seen: 0, or half a step and what float64 cannot hold."""
        if self.step_ or not self._top:
            return 0.0
        rounding = 4 * np.finfo(np.float64).eps * max(abs(self.low_), abs(self.high_))
        return (self.high_ / self._top - self.low_ / self._top) * 0.5 + rounding

    def fit(self, values: Numbers) -> Self:
        """Learn range and step of finite numbers; raises ValueError if there are none or they span 63 bits."""
        if not len(values) or not np.isfinite(values).all():
            raise ValueError("fixed-point numbers need at least one value, and only finite ones")
        integer = bool(np.issubdtype(values.dtype, np.integer))
        decimals = 0 if integer else _decimals(values)
        if decimals is None:
            return self._set(integer, None, float(values.min()), float(values.max()), 0)
        distinct = np.unique(values if integer else np.rint(values * 10.0**decimals).astype(np.int64))
        low, high = int(distinct[0]), int(distinct[-1])
        # a span that has 64 bits is refused by `_set`, whatever step wraps around here
        step = int(np.gcd.reduce(np.diff(distinct))) if len(distinct) > 1 else 1
        return self._set(integer, decimals, low, high, abs(step) or 1)

    def _set(self, integer: bool, decimals: int | None, low: float, high: float, step: int) -> Self:
        require(decimals is None or high - low < 2**63, f"integers from {low} to {high} span more than 63 bits")
        self.integer_, self.decimals_, self.low_, self.high_, self.step_ = integer, decimals, low, high, step
        self._top = int(high - low) // step if step else ((1 << self._most) - 1) * (high > low)
        return self

    def encode(self, values: Numbers) -> Codes:
        """Words (rows, width) of the nearest steps; numbers outside the range seen go to its ends."""
        require(not np.isnan(values).any(), "fixed-point numbers have no code for NaN")
        return write_bits(to_tensor(self._count(values)), self.width).numpy()

    def _count(self, values: Numbers) -> NDArray[np.int64]:
        if self.decimals_ is None:
            span = self.high_ - self.low_
            scale = 1.0 if np.isfinite(span) else 0.5  # the span itself may be past the largest float
            kept = np.clip(values, self.low_, self.high_) * scale - self.low_ * scale
            return np.rint(kept / ((self.high_ * scale - self.low_ * scale) or 1.0) * self._top).astype(np.int64)
        low, high = int(self.low_), int(self.high_)
        if not np.issubdtype(values.dtype, np.integer):
            unit = 10.0**self.decimals_
            values = np.rint(np.clip(values, low / unit, high / unit) * unit)
        steps, rest = np.divmod(np.clip(values.astype(np.int64), low, high) - low, self.step_)
        return np.minimum(steps + (rest > self.step_ - rest), self._top)

    def decode(self, codes: Codes, rng: np.random.Generator) -> Numbers:
        """Numbers (rows,) of any words (rows, width)."""
        count = nearest(read_bits(to_tensor(codes)), self._top).numpy()
        if self.decimals_ is None:
            share = count / max(self._top, 1)
            return np.clip((1.0 - share) * self.low_ + share * self.high_, self.low_, self.high_)
        number = int(self.low_) + self.step_ * count
        return number if self.integer_ else number / 10.0**self.decimals_

    def canonical(self, bits: Tensor) -> Tensor:
        return write_bits(nearest(read_bits(bits), self._top), self.width).to(bits.dtype)

    def to_json(self) -> dict[str, Any]:
        """Range and step."""
        return {
            "width": self._most,
            "integer": self.integer_,
            "decimals": self.decimals_,
            "low": self.low_,
            "high": self.high_,
            "step": self.step_,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if range or step are malformed."""
        with reading(cls):
            decimals, step = data["decimals"], int(data["step"])
            kind = float if decimals is None else int
            low, high = kind(data["low"]), kind(data["high"])
            require(bool(np.isfinite([low, high]).all()) and low <= high, f"no range from {low} to {high}")
            require(decimals is None or (low >= -(2**63) and high < 2**63), f"{low} or {high} has more than 64 bits")
            require(step >= 1 if decimals is not None else step == 0, f"no step {step}")
            require(decimals is None or 0 <= int(decimals) <= MAX_DECIMALS, f"no number of decimals: {decimals}")
            integer = bool(data["integer"])
            require(not integer or decimals == 0, "integers have no decimals")
            return cls(int(data["width"]))._set(integer, None if decimals is None else int(decimals), low, high, step)


def _decimals(values: Numbers) -> int | None:
    """The fewest decimals that give floats back, or None."""
    largest = float(np.abs(values).max())
    for decimals in range(MAX_DECIMALS + 1):
        unit = 10.0**decimals
        if largest >= EXACT / unit:
            return None
        if np.array_equal(np.rint(values * unit) / unit, values):
            return decimals
    return None
