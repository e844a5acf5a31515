"""Transition kernels of a jump process as products over the digits of a time: slow noise and fast, all digits right."""

from typing import NamedTuple

import torch
from torch import Tensor

_FINE, _COARSE = 18, 6
"""Spans are at most these powers of 1/2 of the mean stay in the fastest class: for any rows, and for classes."""
_FEW, _TERMS = 4, 12
"""Terms of the series for what is left below a coarse span, where the next one is 1e-33 of the first; fewer do where
what is left is below a fine span and the whole above a coarse one, so that hardly any jump falls into the rest."""
_BITS = 64
_ENTRIES = 1 << 18
"""Of the kernels of one digit, at most: this decides between the bases 16, 4 and 2."""
_SMALL = 1 << 17
"""Up to so many entries of gathered matrices, one product for all rows is faster than one for each digit."""
_CHUNK = 512


class _Kernels(NamedTuple):
    """The matrices of one direction: exp(σR), to move laws on; or their transposes, to average functions."""

    jumps: Tensor
    """P, (classes, classes)."""
    series: Tensor
    """P^k, (classes, terms + 1, classes)."""
    digits: list[Tensor]
    """For every digit of a number of spans the kernels of its values 0, 1, …, (values, classes, classes)."""


class Digits:
    """exp(σR) for any σ from 0 to `end`, one σ per row, for any rate matrix.

    A σ is a number of small spans, with digits in base 16 for few classes, 4 or 2 for many, and a remainder. The
    kernels of all values of all digits are multiplied once, until their rows agree; for the remainder the uniformized
    series exp(rR) = e^(-λr) Σ (λr)^k P^k / k! (Jensen 1953), with jump chain P = I + R/λ, is short. So a row costs a
    product a digit and a term, nothing of size rows x classes x classes is made, and storage is a few classes² for
    every bit of the ratio of the slowest to the fastest time in R. Rows that are classes pick the terms of the series,
    and need fewer digits for it. Only non-negative numbers are added and multiplied, so every entry is right to about
    1e-13 of itself, whether or not R is reversible or can be diagonalized.

    Args:
        rates: R, float64.
    """

    def __init__(self, rates: Tensor) -> None:
        count = len(rates)
        speed = float(-rates.diagonal().min())
        self._speed = speed if speed > 0 else 1.0
        self._bits = next((bits for bits in (4, 2) if count**2 << bits <= _ENTRIES), 1)
        self._skipped = -(-(_FINE - _COARSE) // self._bits)
        self._coarse = 2.0**-_COARSE / self._speed
        self._span = self._coarse / 2.0 ** (self._bits * self._skipped)
        eye = torch.eye(count, dtype=torch.float64)
        jumps = eye + rates / self._speed
        series = [eye]
        for _ in range(_TERMS):
            series.append(series[-1] @ jumps)
        digits, self.last = self._kernels(jumps)
        self.end = self._span * 2.0 ** (self._bits * len(digits))
        """From here on rows agree, with `last`."""
        there = _Kernels(jumps, torch.stack(series, 1), digits)
        back = _Kernels(jumps.T, torch.stack([power.T for power in series], 1), [kernels.mT for kernels in digits])
        self._sums = {(False, eye.device): there, (True, eye.device): back}

    def _kernels(self, jumps: Tensor) -> tuple[list[Tensor], Tensor]:
        """For every digit the kernels of its values, and one whose rows agree."""
        eye = torch.eye(len(jumps), dtype=torch.float64)
        power = _series(eye, torch.full((len(jumps),), self._span * self._speed, dtype=torch.float64), jumps, _FEW)
        digits: list[Tensor] = []
        calm = 0
        while calm < 3:
            if len(digits) * self._bits >= _BITS + _FINE:
                raise ValueError(f"the rates mix more than 2^{_BITS} times more slowly than their fastest class moves")
            power = power / power.sum(1, keepdim=True)
            # differences of rows are squared with the kernel: two squarings below 1e-12 leave none
            calm += self._bits if float((power.amax(0) - power.amin(0)).max()) < 1e-12 else 0
            kernels = eye[None]
            for _ in range(self._bits):
                more = kernels @ power
                kernels = torch.cat((kernels, more / more.sum(2, keepdim=True)))
                power = power @ power
                power = power / power.sum(1, keepdim=True)
            digits.append(kernels)
        return digits, power

    def move(self, rows: Tensor, time: Tensor, adjoint: bool) -> Tensor:
        """Rows (count, classes) times exp(time R), or its transpose."""
        kernels = self._on(rows.device, adjoint)
        near = time < self._coarse
        steps = torch.where(near, 0.0, (time / self._span).floor())
        rest = (time - steps * self._span).clamp(min=0.0) * self._speed
        out = _series(rows, rest, kernels.jumps, _FEW)
        few = near.nonzero()[:, 0]
        if len(few):
            out = out.index_copy(0, few, _series(rows[few], rest[few], kernels.jumps, _TERMS))
        return self._spans(out, steps, kernels.digits)

    def pick(self, x: Tensor, time: Tensor, adjoint: bool) -> Tensor:
        """Rows `x` (count,) of exp(time R), or its columns."""
        kernels = self._on(x.device, adjoint)
        steps = (time / self._coarse).floor()
        mean = (time - steps * self._coarse).clamp(min=0.0) * self._speed
        weights = [(-mean).exp()]
        for k in range(1, _TERMS + 1):
            weights.append(weights[-1] * mean / k)
        table = torch.stack(weights, 1)[:, None]
        parts = [slice(start, start + _CHUNK) for start in range(0, len(x), _CHUNK)]
        out = torch.cat([table[part] @ kernels.series[x[part]] for part in parts]).squeeze(1)
        return self._spans(out, steps, kernels.digits[self._skipped :])

    def _spans(self, rows: Tensor, steps: Tensor, digits: list[Tensor]) -> Tensor:
        """Rows times the kernels of whole numbers of spans."""
        base = 1 << self._bits
        for level, kernels in enumerate(digits):
            rows = _product(rows, kernels, (steps / float(base) ** level).floor().remainder(base).long())
        return rows

    def _on(self, device: torch.device, adjoint: bool) -> _Kernels:
        """The matrices on a device."""
        if (adjoint, device) not in self._sums:
            there = self._sums[adjoint, torch.device("cpu")]
            moved = [kernels.to(device) for kernels in there.digits]
            self._sums[adjoint, device] = _Kernels(there.jumps.to(device), there.series.to(device), moved)
        return self._sums[adjoint, device]


def _series(rows: Tensor, mean: Tensor, jumps: Tensor, terms: int) -> Tensor:
    """e^(-mean) Σ mean^k rows P^k / k!, the last index running to `terms`."""
    total, term = rows, rows
    for k in range(1, terms + 1):
        term = (term @ jumps) * (mean / k)[:, None]
        total = total + term
    return total * (-mean).exp()[:, None]


def _product(rows: Tensor, kernels: Tensor, digit: Tensor) -> Tensor:
    """Every row times the kernel of its digit; that of digit 0 is none."""
    if not bool(digit.any()):
        return rows
    if rows.numel() * rows.shape[1] <= _SMALL:
        return (rows[:, None] @ kernels[digit]).squeeze(1)
    order = digit.argsort()
    ends = digit.bincount(minlength=len(kernels)).cumsum(0)
    ordered, start = rows[order], 0
    moved: list[Tensor] = []
    for value, kernel in enumerate(kernels):
        part, start = ordered[start : int(ends[value])], int(ends[value])
        moved.append(part @ kernel if value else part)
    return rows.index_copy(0, order, torch.cat(moved))
