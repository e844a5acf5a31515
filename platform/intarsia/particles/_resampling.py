"""Who survives: ancestors drawn in proportion to weights."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor


class AbstractResampling(ABC):
    """Draws as many ancestors as there are particles, particle k being drawn weight_k · particles times on average."""

    @abstractmethod
    def ancestors(self, weights: Tensor, rng: torch.Generator | None) -> Tensor:
        """Indices (groups, particles) for weights (groups, particles) that sum to 1 in each group."""


@dataclass(frozen=True, slots=True)
class Systematic(AbstractResampling):
    """One uniform number a group, in steps of 1 / particles: each count is within 1 of its mean (Kitagawa 1996)."""

    def ancestors(self, weights: Tensor, rng: torch.Generator | None) -> Tensor:
        groups, count = weights.shape
        u = torch.rand((groups, 1), dtype=torch.float64, generator=rng, device=weights.device)
        return _find(weights, (u + torch.arange(count, device=weights.device)) / count)


@dataclass(frozen=True, slots=True)
class Multinomial(AbstractResampling):
    """Independent draws (Gordon et al. 1993)."""

    def ancestors(self, weights: Tensor, rng: torch.Generator | None) -> Tensor:
        return _find(weights, torch.rand(weights.shape, dtype=torch.float64, generator=rng, device=weights.device))


def _find(weights: Tensor, u: Tensor) -> Tensor:
    cdf = weights.double().cumsum(1)
    total = cdf[:, -1:]
    # strictly below the total, so that a particle of weight 0 never survives
    level = torch.minimum(u * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cdf, level, right=True)
