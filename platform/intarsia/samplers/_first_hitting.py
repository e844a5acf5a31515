"""First-hitting sampling of absorbing noise: jump from one unmasking to the next."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._base import AbstractSampler, Claim, one_tensor


def absorbing(process: AbstractProcess[Any], sampler: str) -> Discrete:
    """The process, if it is absorbing noise on one field."""
    if not isinstance(process, Discrete) or process.mask != 1.0:
        raise RequirementError(f"`{sampler}` needs absorbing noise, got {process}. Use `Ancestral` instead.")
    return process


def hitting_times(process: Discrete, shape: torch.Size, rng: torch.Generator | None, device: torch.device) -> Tensor:
    """When each site is masked by the noise: alpha(τ) = u, so P(τ > t) = alpha(t); float64, of `shape`."""
    u = torch.rand(shape, dtype=torch.float64, generator=rng, device=device)
    return process.schedule.inverse(u)


@dataclass(frozen=True, slots=True)
class FirstHitting(AbstractSampler):
    """Unmask one site a call, at the sites' own hitting times (Zheng et al. 2024, arXiv 2409.02908).

    When a site is unmasked does not depend on any value, so the times are drawn beforehand; L calls for L sites
    and no error from the grid.
    """

    claim: ClassVar[Claim] = "exact"

    def check(self, process: AbstractProcess[Any]) -> None:
        absorbing(process, "FirstHitting")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        masking = absorbing(process, "FirstHitting")
        x = one_tensor(x1, "FirstHitting")
        hits = hitting_times(masking, x.shape, rng, x.device)
        order = torch.where(x == masking.mask_id(x.device), hits, -1.0).flatten(1).argsort(1, descending=True)
        for site in order.T:
            still = (x == masking.mask_id(x.device)).flatten(1).gather(1, site[:, None])[:, 0]
            if not bool(still.any()):
                break
            now = hits.flatten(1).gather(1, site[:, None])[:, 0]
            pred = denoiser(x, times(now, x, given), cond)
            drawn = masking.classes.sample(pred, rng)
            here = torch.zeros_like(x, dtype=torch.bool).flatten(1).scatter(1, site[:, None], still[:, None])
            x = torch.where(here.view_as(x), drawn, x)
        return cast(State, x)
