"""Squared error of the mean with a bounded weight."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import per_site, sum_sites
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractTimed
from intarsia.processes import AbstractProcess, Gaussian


@dataclass(frozen=True, slots=True)
class MinSNR(AbstractTimed):
    """min(SNR(t), gamma) (x0 - pred)², summed over sites, at uniform times (Hang et al. 2023, arXiv 2303.09556).

    It is min(SNR, gamma) / SNR times the squared error of the predicted noise, for `Gaussian` noise. Where the nelbo
    asks for ever finer detail near t = 0, this asks for the same at every time below the gamma.
    """

    gamma: float = 5.0

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"`gamma` must be positive, got {self.gamma}")

    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        if not isinstance(process, Gaussian):
            raise RequirementError(f"`MinSNR` needs `Gaussian` noise, got {process}")
        xt = process.corrupt(x0, t, rng)
        weight = process.level.log_snr(per_site(t, x0)).exp().clamp(max=self.gamma)
        return sum_sites(weight * (x0 - denoiser(xt, t, cond)).square())
