"""Psi samplers: a step back along the bridge, or forward again from a drawn x0."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Clock, Denoiser, State, batch_size, clock, device_of
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractFinite, AbstractProcess, Product
from intarsia.samplers._base import AbstractSampler, Claim, uniform_grid
from intarsia.samplers._cache import Cached


@dataclass(frozen=True, slots=True)
class Psi(AbstractSampler):
    """xs ~ κ q(xs | xt, x0) + (1 - κ) q(xs | x0) with x0 drawn from p(x0 | xt) (arXiv 2602.21185).

    A predictor and corrector for any noise whose x0 can be drawn: both parts have the marginals of time s, so the
    mixture has, at every κ. κ = 1 is ancestral sampling; for masks it is remasking with σ = (1 - κ)(1 - alpha(s)). Less
    than 1 lets sites forget and be drawn again from what the others have become, which mends a network's errors and
    costs a perfect one order: see `Remask`. Sites of finite noise choose apart, others row by row. In a record the
    fields whose prediction is only a mean take ancestral steps; `Heun` with churn is what corrects Gaussian ones.

    Args:
        steps: equal steps.
        kappa: share of the bridge.
        window: times between which κ is used; it is 1 outside.
    """

    steps: int = 100
    kappa: float = 0.95
    window: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if not 0.0 <= self.kappa <= 1.0:
            raise ValueError(f"`kappa` must lie between 0 and 1, got {self.kappa}")
        if not 0.0 <= self.window[0] < self.window[1] <= 1.0:
            raise ValueError(f"`window` must be two rising times between 0 and 1, got {self.window}")

    @property
    def claim(self) -> Claim:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Ancestral at κ = 1; at less the joint is approached more slowly than one over the steps."""
        return "first order" if self.kappa == 1.0 else "biased"

    def check(self, process: AbstractProcess[Any]) -> None:
        fields = process.fields.values() if isinstance(process, Product) else [process]
        if all(field.reverse_is != "exact" for field in fields):
            raise RequirementError(
                f"`Psi` needs noise whose prediction is a law that x0 can be drawn from, got {process}. "
                "Use `Ancestral`, or `Heun` with churn for a Gaussian field."
            )

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        cached = Cached(denoiser)
        grid = uniform_grid(self.steps).to(device_of(x1))
        x: Any = x1
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            there, here = (times(u.expand(batch_size(x)), x, given) for u in (s, t))
            used = self.kappa if self.window[0] <= float(s) <= self.window[1] else 1.0
            x = hold(stepped(process, cached(x, here, cond), x, there, here, used, rng), given)
        return x


def stepped(
    process: AbstractProcess[Any], pred: Any, x: Any, s: Clock, t: Clock, kappa: float, rng: torch.Generator | None
) -> Any:
    """One step of every field that x0 can be drawn for, and the reverse kernel of the others."""
    if isinstance(process, Product):
        fields = process.fields.items()
        return {k: stepped(f, pred[k], x[k], clock(s, k), clock(t, k), kappa, rng) for k, f in fields}
    if process.reverse_is != "exact":
        return process.reverse(pred, x, s, t, rng)
    x0 = process.reverse(pred, x, torch.zeros_like(s), t, rng)
    back = process.bridge(x0, x, s, t, rng)
    return back if kappa == 1.0 else mixed(process, back, process.corrupt(x0, s, rng), kappa, rng)


def mixed(process: AbstractProcess[Any], a: Tensor, b: Tensor, kappa: float, rng: torch.Generator | None) -> Tensor:
    """`a` with probability κ and else `b`: site by site for finite noise, or row by row."""
    shape = a.shape if isinstance(process, AbstractFinite) else (a.shape[0],) + (1,) * (a.ndim - 1)
    return torch.where(torch.rand(shape, dtype=torch.float64, generator=rng, device=a.device) < kappa, a, b)
