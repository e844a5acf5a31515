"""The transition kernels exp(σR) of a rate matrix R, applied to rows, with all digits of their small entries."""

import torch
from torch import Tensor

_FINE = 64
"""The finest power of the kernel spans this share of the mean stay in the fastest class."""
_TERMS = 12
"""Terms of the series for what is left: the next one is 1e-33 of the first."""
_LEVELS = 64


class Semigroup:
    """exp(σR) for any σ from 0 to infinity, one σ per row.

    exp(hR), exp(2hR), exp(4hR), … are squared once, until their rows agree. A σ is a sum of such spans and of a
    remainder below h, for which the uniformized series exp(rR) = e^(-λr) Σ (λr)^k P^k / k! (Jensen 1953), with jump
    chain P = I + R/λ, is short. So a row costs O(K²), nothing of size rows x K x K is made, and storage is K² times
    log2 of the ratio of the slowest to the fastest time in R (8 for uniform noise, 20 for smooth noise on 256 classes).

    An eigen-decomposition is cheaper and wrong where it matters: it errs by 1e-16 of the *largest* entry, while
    posteriors and reversed rates are ratios of small ones. Here only non-negative numbers are added and multiplied,
    so every entry is right to about 1e-14 of itself, whether or not R is reversible or can be diagonalized.

    Args:
        rates: R, float64, with non-negative off-diagonals, rows that sum to 0 and one stationary law.
    """

    def __init__(self, rates: Tensor) -> None:
        speed = float(-rates.diagonal().min())
        self._speed = speed if speed > 0 else 1.0
        self._span = 1.0 / (_FINE * self._speed)
        self._jumps = torch.eye(len(rates), dtype=torch.float64) + rates / self._speed
        span = torch.full((len(rates),), self._span, dtype=torch.float64)
        power = self._series(torch.eye(len(rates), dtype=torch.float64), span, self._jumps)
        self._powers: list[Tensor] = []
        calm = 0
        while calm < 3:
            if len(self._powers) == _LEVELS:
                raise ValueError(
                    f"the rates mix more than 2^{_LEVELS} times more slowly than their fastest class moves"
                )
            power = power / power.sum(1, keepdim=True)
            self._powers.append(power)
            # differences of rows are squared with the kernel: two squarings below 1e-12 leave none
            calm += float((power.amax(0) - power.amin(0)).max()) < 1e-12
            power = power @ power
        self.stationary = power.mean(0) / power.mean(0).sum()

    def forward(self, rows: Tensor, sigma: Tensor) -> Tensor:
        """rows · exp(σR): laws carried on by σ; (…, classes) with σ (…)."""
        return self._move(rows, sigma, adjoint=False)

    def backward(self, rows: Tensor, sigma: Tensor) -> Tensor:
        """rows · exp(σR)ᵀ: functions averaged over the state σ later; (…, classes) with σ (…)."""
        return self._move(rows, sigma, adjoint=True)

    def _move(self, rows: Tensor, sigma: Tensor, adjoint: bool) -> Tensor:
        flat, time = rows.reshape(-1, rows.shape[-1]), sigma.reshape(-1)
        steps = (time / self._span).floor()
        mixed = steps >= 2.0 ** len(self._powers)
        steps = torch.where(mixed, 0.0, steps)
        rest = torch.where(mixed, 0.0, time - steps * self._span).clamp(min=0.0)
        out = self._series(flat, rest, self._matrix(self._jumps, rows, adjoint))
        count = steps.long()
        for level, power in enumerate(self._powers):
            chosen = (count >> level & 1).nonzero()[:, 0]
            if len(chosen):
                out = out.index_copy(0, chosen, out[chosen] @ self._matrix(power, rows, adjoint))
        law = self.stationary.to(rows.device)
        end = (flat * law).sum(1, keepdim=True) if adjoint else flat.sum(1, keepdim=True) * law
        return torch.where(mixed[:, None], end, out).view(rows.shape)

    def _series(self, rows: Tensor, time: Tensor, jumps: Tensor) -> Tensor:
        mean = (time * self._speed)[:, None]
        total, term = rows, rows
        for k in range(1, _TERMS + 1):
            term = (term @ jumps) * (mean / k)
            total = total + term
        return total * (-mean).exp()

    @staticmethod
    def _matrix(matrix: Tensor, like: Tensor, adjoint: bool) -> Tensor:
        return (matrix.T if adjoint else matrix).to(like.device)
