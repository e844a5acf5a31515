"""The theta-trapezoidal scheme: leaps of second order."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess
from intarsia.samplers._base import AbstractSampler, Claim, one_tensor, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._leaps import AbstractLeap, Rates, Redraw, leaping
from intarsia.samplers._tau_leaping import fill


def extrapolate(first: Rates, second: Rates, theta: float) -> Rates:
    """[a1 second - a2 first]₊ with a1 = 1 / (2θ(1-θ)) and a2 = a1 - 1, label by label."""
    a1 = 0.5 / (theta * (1.0 - theta))
    entries, mask = ((a1 * b - (a1 - 1.0) * a).clamp(min=0.0) for a, b in zip(first, second, strict=True))
    return entries, mask


@dataclass(frozen=True, slots=True)
class ThetaTrapezoidal(AbstractSampler):
    """Leap θh with the rates μ at (x, t), then (1-θ)h with a1 μ(x*, t-θh) - a2 μ(x, t) (Ren et al. 2025).

    Algorithm 2 of arXiv 2502.00234. Two calls a step. Of second order where rates are bounded and the extrapolated ones
    stay positive, and up to a logarithm for masks, whose rates grow as 1/t. Negative ones are clipped at 0; then the
    order drops towards one, with a smaller constant than tau-leaping's. The θ-RK-2 scheme of the same paper is not
    offered: on finitely many states its order is one at any θ, because it starts the jumps of its second rates at x
    and not at where the first jump led. Masks that outlast the last step are drawn from the posterior.

    Args:
        steps: equal steps, two network calls each.
        theta: share of a step before the second call, between 0 and 1; 1/2 has the smallest coefficients.
        leap: what frozen rates do to a site that has jumped.
    """

    claim: ClassVar[Claim] = "second order"

    steps: int = 50
    theta: float = 0.5
    leap: AbstractLeap = Redraw()

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if not 0.0 < self.theta < 1.0:
            raise ValueError(f"`theta` must lie between 0 and 1, both excluded, got {self.theta}")

    def check(self, process: AbstractProcess[Any]) -> None:
        self.leap.check(leaping(process, "ThetaTrapezoidal"))

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        noise = leaping(process, "ThetaTrapezoidal")
        x = one_tensor(x1, "ThetaTrapezoidal")
        cached = Cached(denoiser)

        def rates(y: torch.Tensor, t: torch.Tensor) -> Rates:
            here = times(t.expand(y.shape[0]), y, given)
            return self.leap.labelled(noise, noise.rates(cached(y, here, cond), y, here), y)

        grid = uniform_grid(self.steps).to(x.device)
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            h = float(t - s)
            first = rates(x, t)
            y = hold(self.leap.draw(noise, first, x, self.theta * h, rng), given)
            second = rates(y, t - self.theta * h)
            x = hold(
                self.leap.draw(noise, extrapolate(first, second, self.theta), y, (1.0 - self.theta) * h, rng), given
            )
        return fill(noise, cached, x, given, cond, rng)
