"""Tau-leaping: jump rates frozen over a step."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractFinite, AbstractProcess
from intarsia.samplers._base import AbstractSampler, Claim, one_tensor, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._leaps import leaping


@dataclass(frozen=True, slots=True)
class TauLeaping(AbstractSampler):
    """A site jumps with probability 1 - exp(-h R), to y in proportion to its rate R(y) (Campbell et al. 2022).

    For any noise of finitely many states that has `rates`, guided kernels included. Masks that outlast the last step
    are drawn from the posterior.
    """

    claim: ClassVar[Claim] = "first order"

    steps: int = 100

    def __post_init__(self) -> None:
        uniform_grid(self.steps)

    def check(self, process: AbstractProcess[Any]) -> None:
        leaping(process, "TauLeaping")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        noise = leaping(process, "TauLeaping")
        x = one_tensor(x1, "TauLeaping")
        cached = Cached(denoiser)
        for s, t in zip(*_pairs(self.steps, x.device), strict=True):
            here = times(t.expand(x.shape[0]), x, given)
            x = hold(noise.leap(cached(x, here, cond), x, here, float(t - s), rng), given)
        return fill(noise, cached, x, given, cond, rng)


def fill(
    process: AbstractFinite,
    denoiser: Denoiser,
    x: Tensor,
    given: Evidence | None,
    cond: object,
    rng: torch.Generator | None,
) -> Any:
    """Draw the masks that are left at time 0 from the posterior, which is the kernel of one step from 1 to 0."""
    masked = x == process.classes.counts(x.device)
    if not process.has_mask or not bool(masked.any()):
        return x
    end = torch.zeros(x.shape[0], dtype=torch.float64, device=x.device)
    pred = denoiser(x, times(end, x, given), cond)
    law, _ = process.reverse_law(pred, x, end, torch.ones_like(end))
    return torch.where(masked, process.classes.sample(law, rng), x)


def _pairs(steps: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    grid = uniform_grid(steps).to(device)
    return grid[1:], grid[:-1]
