"""The nelbo itself."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Denoiser
from intarsia.objectives._base import AbstractTimed
from intarsia.processes import AbstractProcess


@dataclass(frozen=True, slots=True)
class NelboObjective(AbstractTimed):
    """The continuous-time nelbo at low-discrepancy times (Kingma et al. 2021, arXiv 2107.00630); for every process."""

    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        xt = process.corrupt(x0, t, rng)
        return sum_sites(process.loss(denoiser(xt, t, cond), x0, xt, t))
