"""The nelbo of absorbing noise without its integral over time."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractObjective
from intarsia.objectives._times import low_discrepancy
from intarsia.processes import AbstractProcess, Discrete


@dataclass(frozen=True, slots=True)
class AnyOrderObjective(AbstractObjective):
    """The same nelbo as a sum over unmaskings instead of an integral over time, for absorbing noise.

    Sites are masked at their hitting times; the state just before the k-th unmasking is kept, with k uniform and
    one per stratum of the batch, and scored at every site that could be unmasked next, weighted by its hazard:
    L · Σ h_i / Σ h · -log p(x0_i). With equal schedules that is L/k · Σ over the k masked sites, the k-DCE of
    Ou et al. 2025 (RADD, eq. 3.13); it has no 1/t weight, so its variance is far lower than `NelboObjective`'s.
    With a `Staged` schedule only the sites of the open stage are scored. A learned schedule gets no gradient here.
    """

    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        xt, t, weight = self.draw(process, x0, rng)
        assert isinstance(process, Discrete)
        nats = -process.classes.log_prob(denoiser(xt, t, cond), x0)
        return sum_sites(torch.where(weight > 0, weight * nats, 0.0))

    @torch.no_grad()
    def draw(
        self, process: AbstractProcess[Any], x0: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A masked state, its times (batch,), and the weights of -log p(x0_i) at its sites."""
        if not isinstance(process, Discrete) or process.mask != 1.0:
            raise RequirementError(f"`AnyOrderObjective` needs absorbing noise, got {process}")
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        hits = process.schedule.inverse(u).flatten(1)
        sites = hits.shape[1]
        left = (low_discrepancy(x0.shape[0], x0.device, rng) * sites).floor().long().clamp(max=sites - 1)
        # the site that is unmasked next is the last of the `left + 1` masked ones to have been masked
        t = hits.sort(1).values.gather(1, left[:, None])
        masked = (hits <= t).view(x0.shape)
        hazard = torch.where(masked, process.unmask_weight(x0, t[:, 0]), 0.0)
        weight = sites * hazard / sum_sites(hazard).clamp(min=1e-300).view(-1, *(1,) * (x0.ndim - 1))
        return torch.where(masked, process.mask_id(x0.device), x0), t[:, 0], weight
