"""Remasking: unmasked sites may be masked again, and what the network knows by then decides anew."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence, times
from intarsia.processes import AbstractProcess
from intarsia.samplers._base import AbstractSampler, Claim, not_observed, one_tensor, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._first_hitting import absorbing
from intarsia.samplers._remasking import AbstractRemasking, Cap, largest_chance


def unmask_chance(alpha_s: Tensor, alpha_t: Tensor, sigma: Tensor) -> Tensor:
    """Chance that a masked site gets a value, (alpha(s) - (1 - σ) alpha(t)) / (1 - alpha(t)): alpha(s) stay in all."""
    return ((alpha_s - (1.0 - sigma) * alpha_t) / (1.0 - alpha_t).clamp(min=1e-300)).clamp(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Remask(AbstractSampler):
    """ReMDM (Wang et al. 2025, arXiv 2503.00307, eq. 5): unmasked sites are masked again with a chance σ.

    Masked sites are drawn that much more often, so that each site is unmasked at s with probability alpha(s), and the
    law of every single site is kept whatever σ is. It mends what a network got wrong early on. A perfect one needs no
    mending: sites that are masked at the same time are drawn apart, so at a given σ the joint is approached only as
    the square root of the steps, where ancestral sampling has order one.

    Args:
        steps: network calls at most; a time-free network is not called for rows that did not change.
        strategy: the chance σ, and when.
    """

    claim: ClassVar[Claim] = "biased"

    steps: int = 100
    strategy: AbstractRemasking = Cap()

    def __post_init__(self) -> None:
        uniform_grid(self.steps)

    def check(self, process: AbstractProcess[Any]) -> None:
        absorbing(process, "Remask")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        masking = absorbing(process, "Remask")
        x = one_tensor(x1, "Remask")
        classes, cached = masking.classes, Cached(denoiser)
        mask, free = masking.mask_id(x.device), not_observed(x, given)
        chance = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
        grid = self.strategy.grid(self.steps).to(x.device)
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            now, then = t.expand(x.shape[0]), s.expand(x.shape[0])
            alpha_t, alpha_s = (masking.schedule.alpha(per_site(u, x)).expand(x.shape) for u in (now, then))
            masked = x == mask
            most = largest_chance(alpha_s, alpha_t)
            sigma = self.strategy.sigma(most, s == t, chance, free & ~masked).clamp(min=0.0)
            sigma = torch.minimum(sigma, most)
            pred = cached(x, times(now, x, given), cond)
            drawn = classes.sample(pred, rng)
            u = torch.rand(x.shape, dtype=torch.float64, generator=rng, device=x.device)
            gains = masked & (u < unmask_chance(alpha_s, alpha_t, sigma))
            chance = torch.where(gains, classes.log_prob(pred, drawn).exp().double(), chance)
            x = torch.where(gains, drawn, torch.where(free & ~masked & (u < sigma), mask, x))
        return cast(State, x)
