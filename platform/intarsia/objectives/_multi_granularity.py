"""Harder sites and easier times first: the weights of multi-granularity diffusion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractObjective
from intarsia.objectives._times import low_discrepancy
from intarsia.processes import AbstractProcess, Discrete

StepWeight: TypeAlias = Callable[[Tensor, int], Tensor]
"""The weight of step k = 0 … T - 1 (batch,) of T, (batch,)."""


def falling(step: Tensor, steps: int) -> Tensor:
    """T - k: little masked, much weight (arXiv 2410.14157)."""
    return steps - step


def inverse(step: Tensor, steps: int) -> Tensor:
    """1 / (k + 1), the weight of the nelbo with a linear schedule (arXiv 2406.04329)."""
    return 1.0 / (step + 1.0)


@dataclass(frozen=True, slots=True)
class MultiGranularity(AbstractObjective):
    """Cross-entropy u of the masked sites, weighted by step and by site (Ye et al. 2025, MGDM, arXiv 2410.14157).

    With k uniform on 0 … T - 1 and xt at time (k + 1) / T, it is w(k) · mean over the masked sites of
    alpha (1 - exp(-u))^beta u, for absorbing noise: hard sites count more, as in the focal loss, and their weight has
    a gradient too. It is no bound of the likelihood, and where a site is not sure its minimum is not the posterior. A
    row without a masked site has loss 0.

    Args:
        steps: T.
        alpha: scale of the weight of a site.
        beta: how much hard sites are preferred; 0 for not at all. The paper has 1 for Sudoku, 2 for Countdown.
        weight: w, `falling` or `inverse` or a function of your own.
    """

    steps: int = 20
    alpha: float = 0.25
    beta: float = 1.0
    weight: StepWeight = falling

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.alpha > 0 or not self.beta >= 0:
            raise ValueError(
                "expected steps >= 1, alpha > 0 and beta >= 0, "
                f"got steps={self.steps}, alpha={self.alpha} and beta={self.beta}"
            )

    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        if not isinstance(process, Discrete) or process.mask != 1.0:
            raise RequirementError(f"`MultiGranularity` needs absorbing noise, got {process}")
        step = (low_discrepancy(x0.shape[0], x0.device, rng) * self.steps).floor().clamp(max=self.steps - 1)
        t = (step + 1.0) / self.steps
        xt = process.corrupt(x0, t, rng)
        masked = xt == process.mask_id(xt.device)
        nats = torch.where(masked, -process.classes.log_prob(denoiser(xt, t, cond), x0), 0.0)
        # a power below 1 has no gradient at 0
        hard = (-torch.expm1(-nats)).clamp(min=1e-12).pow(self.beta)
        return self.weight(step, self.steps) * sum_sites(self.alpha * hard * nats) / sum_sites(masked).clamp(min=1)
