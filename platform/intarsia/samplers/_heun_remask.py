"""The stochastic sampler of mixed records: Heun for reals, ancestral steps for the rest, and noise put back in."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Clock, Denoiser, State, batch_size, clock, device_of
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Product, Xor
from intarsia.samplers._base import AbstractSampler, Claim, uniform_grid

Record = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class HeunRemask(AbstractSampler):
    """TabDiff's sampler (Shi et al. 2024, arXiv 2410.20626, algorithm 2) for records of reals and finite fields.

    Before a step from t the record is noised again, up to the time at which the noise level of some real field is
    1 + min(churn / steps, √2 - 1) times as high: reals by Gaussian noise, a class with probability
    1 - alpha(t^) / alpha(t) by a draw from the prior, which for absorbing noise is the mask. Then reals take a Heun
    step of the probability flow (Karras et al. 2022) and the other fields their reverse kernel; the second call of a
    step sees both. Errors of early steps are forgotten, which in the paper is worth as much as learned schedules.

    Args:
        steps: equal steps of time, two calls each, and one at the end.
        churn: how much noise is put back; 0 is none.
    """

    claim: ClassVar[Claim] = "first order"

    steps: int = 50
    churn: float = 1.0

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.churn < 0:
            raise ValueError(f"`churn` must not be negative, got {self.churn}")

    def check(self, process: AbstractProcess[Any]) -> None:
        _fields(process)

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        fields = _fields(process)
        x: Any = x1
        grid = uniform_grid(self.steps).to(device_of(x1))
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            now = t.expand(batch_size(x))
            raised = self._raised(fields, now, x)
            x = hold({k: _noised(p, x[k], now, raised, rng) for k, p in fields.items()}, given)
            here, there = times(raised, x, given), times(s.expand(batch_size(x)), x, given)
            pred = denoiser(x, here, cond)
            guess = {k: _step(p, pred[k], x[k], clock(there, k), clock(here, k), rng) for k, p in fields.items()}
            guess = hold(guess, given)
            again = denoiser(guess, there, cond)
            x = hold({k: _corrected(p, pred, again, x, guess, there, here, k) for k, p in fields.items()}, given)
        end = times(torch.zeros(batch_size(x), dtype=torch.float64, device=device_of(x1)), x, given)
        last = denoiser(x, end, cond)
        clean = {k: last[k].to(x[k].dtype) if isinstance(p, Gaussian) else x[k] for k, p in fields.items()}
        return cast(State, hold(clean, given))

    def _raised(self, fields: dict[str, AbstractProcess[Tensor]], t: Tensor, x: Record) -> Tensor:
        """The time t^ >= t of every row to which noise is put back, the earliest that a real field asks for."""
        factor = 1.0 + min(self.churn / self.steps, 2.0**0.5 - 1.0)
        found = torch.ones_like(t)
        for name, field in fields.items():
            if isinstance(field, Gaussian):
                level = field.level.log_snr(per_site(t, x[name])) - 2.0 * torch.tensor(factor, dtype=t.dtype).log()
                found = torch.minimum(found, field.level.time(level).flatten(1).amin(1))
        return torch.maximum(found, t)


def _fields(process: AbstractProcess[Any]) -> dict[str, AbstractProcess[Tensor]]:
    fields = dict(process.fields) if isinstance(process, Product) else {}
    if not any(isinstance(field, Gaussian) for field in fields.values()) or not all(
        isinstance(field, Gaussian | Discrete | Xor) for field in fields.values()
    ):
        raise RequirementError(
            f"`HeunRemask` needs a `Product` of `Gaussian` and `Discrete` or `Xor` fields, got {process}. "
            "Use `Ancestral` instead."
        )
    return fields


def _level(process: Gaussian, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """x / signal, and its noise level σ, in float64."""
    signal, noise = process.coefficients(t, x.double())
    return x.double() / signal, noise / signal


def _noised(
    process: AbstractProcess[Tensor], x: Tensor, t: Tensor, raised: Tensor, rng: torch.Generator | None
) -> Tensor:
    """Draw from the noise between the times `t` and `raised`."""
    if isinstance(process, Gaussian):
        y, sigma = _level(process, x, t)
        signal, noise = process.coefficients(raised, x.double())
        spread = ((noise / signal).square() - sigma.square()).clamp(min=0.0).sqrt()
        fresh = torch.randn(x.shape, dtype=torch.float64, generator=rng, device=x.device)
        return (signal * (y + spread * fresh)).to(x.dtype)
    assert isinstance(process, Discrete | Xor)
    before, after = (process.schedule.alpha(per_site(u, x)).expand(x.shape) for u in (t, raised))
    u = torch.rand(x.shape, dtype=torch.float64, generator=rng, device=x.device)
    return torch.where(u * before <= after, x, process.prior(tuple(x.shape), rng).to(x.device))


def _step(
    process: AbstractProcess[Tensor], pred: Tensor, x: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None
) -> Tensor:
    """An Euler step of the probability flow for reals, the reverse kernel for others."""
    if not isinstance(process, Gaussian):
        return process.reverse(pred, x, s, t, rng)
    (y, sigma), (_, after) = _level(process, x, t), _level(process, x, s)
    signal, _ = process.coefficients(s, x.double())
    return (signal * (y + (after - sigma) * (y - pred.double()) / sigma)).to(x.dtype)


def _corrected(
    process: AbstractProcess[Tensor],
    pred: Record,
    again: Record,
    x: Record,
    guess: Record,
    s: Clock,
    t: Clock,
    name: str,
) -> Tensor:
    """The step once more with the mean of the slopes at its ends, for reals."""
    if not isinstance(process, Gaussian):
        return guess[name]
    y, sigma = _level(process, x[name], clock(t, name))
    ahead, after = _level(process, guess[name], clock(s, name))
    slope = (y - pred[name].double()) / sigma + (ahead - again[name].double()) / after
    signal, _ = process.coefficients(clock(s, name), x[name].double())
    return (signal * (y + (after - sigma) * slope / 2.0)).to(x[name].dtype)
