"""The transition kernels exp(σR) of a rate matrix R, applied to rows, with all digits of their small entries."""

from collections.abc import Callable

import torch
from torch import Tensor

from intarsia.processes._digits import Digits
from intarsia.processes._modes import Modes


class Semigroup:
    """exp(σR) for any σ from 0 to infinity, one σ per row, right to about 1e-13 of every entry.

    Posteriors and reversed rates are ratios of entries, so their small ones must have all digits. `Digits` gives them
    for every R; where R is symmetric and σ so long that no entry is small, `Modes` takes a third of the time; where no
    digit of the start is left, the stationary law is the answer.

    Args:
        rates: R, float64, with non-negative off-diagonals, rows that sum to 0 and one stationary law.
    """

    def __init__(self, rates: Tensor) -> None:
        self._digits = Digits(rates)
        self._modes = Modes(rates) if torch.allclose(rates, rates.T, rtol=1e-14, atol=0.0) else None
        self._since = self._digits.end if self._modes is None else min(self._modes.since, self._digits.end)
        self.stationary = self._digits.last.mean(0) / self._digits.last.mean(0).sum()

    def forward(self, rows: Tensor, sigma: Tensor) -> Tensor:
        """rows · exp(σR): laws carried on by σ; (…, classes) with σ (…)."""
        return self._move(rows, sigma, adjoint=False)

    def backward(self, rows: Tensor, sigma: Tensor) -> Tensor:
        """rows · exp(σR)ᵀ: functions averaged over the state σ later; (…, classes) with σ (…)."""
        return self._move(rows, sigma, adjoint=True)

    def after(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Rows `x` of exp(σR): laws of the state σ after the classes `x`, (…, classes)."""
        return self._pick(x, sigma, adjoint=False)

    def into(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Columns `x` of exp(σR): chances to be at the classes `x` σ later, from every class, (…, classes)."""
        return self._pick(x, sigma, adjoint=True)

    def _move(self, rows: Tensor, sigma: Tensor, adjoint: bool) -> Tensor:
        flat, law = rows.reshape(-1, rows.shape[-1]), self.stationary.to(rows.device)

        def mixed(part: Tensor, time: Tensor) -> Tensor:
            return (part * law).sum(1, keepdim=True).expand(part.shape) if adjoint else part.sum(1, keepdim=True) * law

        def exact(part: Tensor, time: Tensor) -> Tensor:
            return self._digits.move(part, time, adjoint)

        modes = None if self._modes is None else self._modes.move
        return self._by_time(flat, sigma.reshape(-1), exact, modes, mixed).view(rows.shape)

    def _pick(self, x: Tensor, sigma: Tensor, adjoint: bool) -> Tensor:
        flat, law = x.reshape(-1), self.stationary.to(x.device)

        def mixed(part: Tensor, time: Tensor) -> Tensor:
            return (law[part][:, None] if adjoint else law).expand(len(part), len(law))

        def exact(part: Tensor, time: Tensor) -> Tensor:
            return self._digits.pick(part, time, adjoint)

        modes = None if self._modes is None else self._modes.pick
        return self._by_time(flat, sigma.reshape(-1), exact, modes, mixed).view(*x.shape, -1)

    def _by_time(self, rows: Tensor, time: Tensor, *ways: Callable[[Tensor, Tensor], Tensor] | None) -> Tensor:
        """Treat the rows before `since`, from there to where all is mixed, and after that, each in its own way."""
        kind = (time >= self._since).long() + (time >= self._digits.end)
        out = rows.new_empty((len(rows), len(self.stationary)), dtype=torch.float64)
        for value, way in enumerate(ways):
            chosen = (kind == value).nonzero()[:, 0]
            if len(chosen) == len(rows) and way is not None:
                return way(rows, time)
            if len(chosen) and way is not None:
                out = out.index_copy(0, chosen, way(rows[chosen], time[chosen]))
        return out
