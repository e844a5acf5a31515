"""Exploding noise whose levels are spread over time as learned, site by site."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from intarsia.processes._gaussian import AbstractNoiseLevel


class LearnedExploding(nn.Module, AbstractNoiseLevel):
    """σ(t) = (σ_min^(1/ρ) + t (σ_max^(1/ρ) - σ_min^(1/ρ)))^ρ with ρ = floor + softplus(θ) of its own for every site.

    TabDiff's noise of numeric columns (Shi et al. 2025, arXiv 2410.20626): `VarianceExploding` with a learned ρ.

    Args:
        shape: of the sites.
        sigma_min, sigma_max: noise at t = 0 and at t = 1.
        start: ρ before training.
        floor: what ρ stays above.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        sigma_min: float = 0.002,
        sigma_max: float = 80.0,
        start: float = 7.0,
        floor: float = 5.0,
    ) -> None:
        super().__init__()
        if not 0 < sigma_min < sigma_max or not 0 <= floor < start:
            raise ValueError(
                "expected 0 < sigma_min < sigma_max and 0 <= floor < start, "
                f"got {sigma_min}, {sigma_max}, {floor} and {start}"
            )
        self.shape = (shape,) if isinstance(shape, int) else shape
        self.sigma_min, self.sigma_max, self.floor = sigma_min, sigma_max, floor
        # softplus(θ) = start - floor
        theta = (start - floor) + math.log(-math.expm1(floor - start))
        self.theta = nn.Parameter(torch.full((math.prod(self.shape),), theta))

    @property
    def rho(self) -> Tensor:
        """The exponents as they are now, of `shape`."""
        return (self.floor + softplus(self.theta)).view(self.shape)

    def _roots(self, rho: Tensor) -> tuple[Tensor, Tensor]:
        return (math.log(self.sigma_min) / rho).exp(), (math.log(self.sigma_max) / rho).exp()

    def log_snr(self, t: Tensor) -> Tensor:
        rho = self.rho.to(t.dtype)
        first, last = self._roots(rho)
        return -2.0 * rho * (first + t * (last - first)).log()

    def time(self, log_snr: Tensor) -> Tensor:
        rho = self.rho.to(log_snr.dtype)
        first, last = self._roots(rho)
        return ((-log_snr / (2.0 * rho)).exp() - first) / (last - first)

    def signal(self, log_snr: Tensor) -> Tensor:
        return torch.ones_like(log_snr)

    def extra_repr(self) -> str:
        """Shape and ends."""
        return f"shape={self.shape}, sigma_min={self.sigma_min}, sigma_max={self.sigma_max}, floor={self.floor}"
