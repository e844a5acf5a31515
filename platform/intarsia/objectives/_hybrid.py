"""The nelbo and cross-entropy together."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractTimed
from intarsia.processes import AbstractProcess, Discrete


@dataclass(frozen=True, slots=True)
class HybridObjective(AbstractTimed):
    """nelbo + weight · cross-entropy of x0 (Austin et al. 2021, eq. 5), for discrete noise.

    Both terms want the posterior here, because the loss averages bridges over it.
    """

    weight: float = 0.01

    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        if not isinstance(process, Discrete):
            raise RequirementError(f"`HybridObjective` needs `Discrete` noise, got {process}")
        xt = process.corrupt(x0, t, rng)
        pred = denoiser(xt, t, cond)
        entropy = sum_sites(-process.classes.log_prob(pred, x0))
        return sum_sites(process.loss(pred, x0, xt, t)) + self.weight * entropy
