"""Ancestral sampling: the model's own kernel, step by step."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from intarsia._types import Denoiser, State, batch_size, device_of
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess
from intarsia.samplers._base import AbstractSampler, Claim, uniform_grid
from intarsia.samplers._cache import Cached


@dataclass(frozen=True, slots=True)
class Ancestral(AbstractSampler):
    """xs ~ Σ p(x0 | xt) q(xs | xt, x0) on a uniform grid (Ho et al. 2020; Austin et al. 2021).

    For one site of a discrete process it is exact at every number of steps. The analytic sampler of score models (Lou
    et al. 2024, SEDD, theorem 4.2, "Tweedie τ-leaping"), p(y) ∝ [exp(-Δσ Q) s]_y exp(Δσ Q)(xt, y) with s the ratios
    p_t(y) / p_t(xt) of a site, is this kernel written with the score in place of the posterior.
    """

    claim: ClassVar[Claim] = "first order"

    steps: int = 100

    def __post_init__(self) -> None:
        uniform_grid(self.steps)

    def check(self, process: AbstractProcess[Any]) -> None:
        """Every process has a reverse kernel."""

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        cached = Cached(denoiser)
        grid = uniform_grid(self.steps).to(device_of(x1))
        x = x1
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            here = times(t.expand(batch_size(x)), x, given)
            there = times(s.expand(batch_size(x)), x, given)
            x = hold(process.reverse(cached(x, here, cond), x, there, here, rng), given)
        return x
