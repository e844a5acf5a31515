"""Tau-leaping: jump rates frozen over a step."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from intarsia._types import Denoiser, State
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._base import AbstractSampler, Claim, uniform_grid
from intarsia.samplers._cache import Cached


@dataclass(frozen=True, slots=True)
class TauLeaping(AbstractSampler):
    """A site jumps with probability 1 - exp(-h R), to y in proportion to its rate R(y) (Campbell et al. 2022).

    Masks that outlast the last step are drawn from the posterior.
    """

    claim: ClassVar[Claim] = "first order"

    steps: int = 100

    def __post_init__(self) -> None:
        uniform_grid(self.steps)

    def check(self, process: AbstractProcess[Any]) -> None:
        if not isinstance(process, Discrete):
            raise RequirementError(f"`TauLeaping` needs `Discrete` noise, got {process}. Use `Ancestral` instead.")

    def sample(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> State:
        self.check(process)
        x = hold(x1, given)
        if isinstance(x, dict) or not isinstance(process, Discrete):
            raise RequirementError("`TauLeaping` needs a state that is one tensor, got a record")
        cached = Cached(denoiser)
        for s, t in zip(*_pairs(self.steps, x.device), strict=True):
            here = times(t.expand(x.shape[0]), x, given)
            x = hold(process.leap(cached(x, here, cond), x, here, float(t - s), rng), given)
        masked = x == process.mask_id(x.device)
        if bool(masked.any()):
            end = torch.zeros(x.shape[0], dtype=torch.float64, device=x.device)
            x = torch.where(masked, process.classes.sample(cached(x, times(end, x, given), cond), rng), x)
        return x


def _pairs(steps: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    grid = uniform_grid(steps).to(device)
    return grid[1:], grid[:-1]
