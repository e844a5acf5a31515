"""Importance sampling of times by the size of the loss there."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from intarsia._types import Denoiser, batch_size, device_of
from intarsia.objectives._base import AbstractObjective, AbstractTimed
from intarsia.objectives._times import low_discrepancy
from intarsia.processes import AbstractProcess


class LossMemory(nn.Module):
    """How large losses were in `bins` equal intervals of time, and times drawn by it.

    The density is proportional to the root of the mean squared loss of an interval, which makes the variance least
    (Nichol & Dhariwal 2021, eq. 18); the means are averages that forget, as in Hoogeboom et al. 2021. Its buffers are
    its state: `state_dict` keeps it with a run.

    Args:
        bins: intervals of (0, 1).
        decay: how much of an average stays at an update.
        visits: updates of every interval before which times are uniform.
        floor: share of the draws that stays uniform, which bounds the weights by 1 / floor.
    """

    second: Tensor
    seen: Tensor

    def __init__(self, bins: int = 100, decay: float = 0.9, visits: int = 10, floor: float = 0.01) -> None:
        super().__init__()
        if bins < 1 or not 0.0 <= decay < 1.0 or visits < 1 or not 0.0 <= floor <= 1.0:
            raise ValueError(
                "expected bins >= 1, 0 <= decay < 1, visits >= 1 and 0 <= floor <= 1, "
                f"got bins={bins}, decay={decay}, visits={visits} and floor={floor}"
            )
        self.bins, self.decay, self.visits, self.floor = bins, decay, visits, floor
        self.register_buffer("second", torch.zeros(bins, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(bins, dtype=torch.long))

    def chances(self) -> Tensor:
        """Probabilities of the intervals, (bins,)."""
        even = torch.full_like(self.second, 1.0 / self.bins)
        size = self.second.sqrt()
        if int(self.seen.min()) < self.visits or not float(size.sum()) > 0:
            return even
        return (1.0 - self.floor) * size / size.sum() + self.floor * even

    def draw(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Times for uniform numbers `u` (batch,), and the weights 1 / density that make averages unbiased."""
        p = self.chances().to(u.device)
        cdf = p.cumsum(0)
        k = torch.searchsorted(cdf, u, right=True).clamp(max=self.bins - 1)
        inside = ((u - (cdf - p)[k]) / p[k]).clamp(0.0, 1.0)
        return ((k + inside) / self.bins).clamp(1e-6, 1.0), 1.0 / (self.bins * p[k])

    @torch.no_grad()
    def update(self, t: Tensor, losses: Tensor) -> None:
        """Take in losses (batch,) at times `t` (batch,); those that are not finite are ignored."""
        known = losses.isfinite()
        k = (t[known] * self.bins).long().clamp(max=self.bins - 1).to(self.seen.device)
        squares = losses[known].to(self.second).square()
        count = torch.zeros_like(self.second).index_add_(0, k, torch.ones_like(squares))
        mean = torch.zeros_like(self.second).index_add_(0, k, squares) / count.clamp(min=1.0)
        kept = torch.where(self.seen > 0, self.decay, 0.0)
        self.second.copy_(torch.where(count > 0, kept * self.second + (1.0 - kept) * mean, self.second))
        self.seen.add_((count > 0).long())


@dataclass(frozen=True, slots=True)
class LossAware(AbstractObjective):
    """Another objective at times drawn where its loss is large; its expectation stays as it is.

    Nichol & Dhariwal 2021, arXiv 2102.09672, eq. 18, for any loss that is an integral over time.

    `memory` learns from every call that has gradients, so evaluations leave it alone.
    """

    inner: AbstractTimed
    memory: LossMemory

    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        t, weight = self.memory.draw(low_discrepancy(batch_size(x0), device_of(x0), rng))
        losses = self.inner.at(process, denoiser, x0, t, cond, rng)
        if torch.is_grad_enabled():
            self.memory.update(t, losses)
        return weight * losses
