"""Transition kernels of a symmetric jump process by its modes, where all of their entries are large enough."""

from typing import cast

import torch
from torch import Tensor

_EVEN = 0.01
"""The smallest entry of a kernel over the largest from which on the modes are used."""
_LATEST = 4.0


class Modes:
    """exp(σR) = V e^(-σΛ) Vᵀ of a symmetric R, for σ from `since` on: two products a row, or one for classes.

    Sums over modes err by 1e-16 of the *largest* entry. Posteriors and reversed rates are ratios of entries, so this is
    for kernels whose smallest entry is at least a hundredth of the largest: there every entry is right to 1e-13 of
    itself as well. Before `since` they are not, and `Digits` is for that.

    Args:
        rates: R, float64, symmetric with rows that sum to 0, connected.
    """

    def __init__(self, rates: Tensor) -> None:
        modes = torch.linalg.eigh(-rates)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        values, vectors = cast(tuple[Tensor, Tensor], modes)
        self._values, self._vectors = values.clamp(min=0.0), vectors
        self._moved = {vectors.device: (self._values, self._vectors)}
        gap = float(values[1]) if len(values) > 1 else 1.0
        later = _LATEST / gap
        self.since = later
        while self._is_even(later):
            self.since, later = later, 0.7 * later

    def _is_even(self, time: float) -> bool:
        kernel = (self._vectors * (-time * self._values).exp()) @ self._vectors.T
        return len(kernel) > 1 and float(kernel.min()) >= _EVEN * float(kernel.max())

    def move(self, rows: Tensor, time: Tensor) -> Tensor:
        """Rows (count, classes) times exp(time R)."""
        values, vectors = self._on(rows.device)
        return ((rows @ vectors) * (-time[:, None] * values).exp()) @ vectors.T

    def pick(self, x: Tensor, time: Tensor) -> Tensor:
        """Rows `x` (count,) of exp(time R)."""
        values, vectors = self._on(x.device)
        return (vectors[x] * (-time[:, None] * values).exp()) @ vectors.T

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if device not in self._moved:
            self._moved[device] = self._values.to(device), self._vectors.to(device)
        return self._moved[device]
