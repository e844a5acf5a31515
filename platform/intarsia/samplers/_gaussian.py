"""Samplers of Gaussian noise: DDIM and the Heun solver of EDM, both on x / signal and its noise level σ."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess, Gaussian
from intarsia.samplers._base import AbstractSampler, Claim, one_tensor, uniform_grid


def _gaussian(process: AbstractProcess[Any], sampler: str) -> Gaussian:
    if not isinstance(process, Gaussian):
        raise RequirementError(f"`{sampler}` needs `Gaussian` noise, got {process}. Use `Ancestral` instead.")
    return process


@dataclass(frozen=True, slots=True)
class DDIM(AbstractSampler):
    """Move along the predicted noise (Song et al. 2021, eq. 12); `eta` = 0 is deterministic, 1 is ancestral."""

    claim: ClassVar[Claim] = "first order"

    steps: int = 50
    eta: float = 0.0

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if not 0.0 <= self.eta <= 1.0:
            raise ValueError(f"`eta` must lie between 0 and 1, got {self.eta}")

    def check(self, process: AbstractProcess[Any]) -> None:
        _gaussian(process, "DDIM")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        noise = _gaussian(process, "DDIM")
        x = one_tensor(x1, "DDIM")
        grid = uniform_grid(self.steps).to(x.device)
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            now, then = t.expand(x.shape[0]), s.expand(x.shape[0])
            mean = denoiser(x, times(now, x, given), cond)
            signal_t, noise_t = noise.coefficients(now, x)
            signal_s, noise_s = noise.coefficients(then, x)
            spread = self.eta * noise.bridge_moments(mean, x, then, now)[1]
            direction = (x - signal_t * mean) / noise_t
            fresh = torch.randn(x.shape, dtype=x.dtype, generator=rng, device=x.device)
            x = signal_s * mean + (noise_s.square() - spread.square()).clamp(min=0).sqrt() * direction
            x = hold(x + spread * fresh, given)
        return cast(State, _clean(noise, denoiser, x, given, cond))


@dataclass(frozen=True, slots=True)
class Heun(AbstractSampler):
    """Second-order solver of the probability flow, with churn (Karras et al. 2022, algorithm 2).

    Args:
        steps: noise levels of the ρ = 7 grid; two network calls each but the last.
        churn: S_churn; 0 is deterministic.
    """

    claim: ClassVar[Claim] = "second order"

    steps: int = 25
    churn: float = 0.0

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.churn < 0:
            raise ValueError(f"`churn` must not be negative, got {self.churn}")

    def check(self, process: AbstractProcess[Any]) -> None:
        _gaussian(process, "Heun")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        level = _gaussian(process, "Heun").level
        x = one_tensor(x1, "Heun")

        def call(y: Tensor, sigma: Tensor) -> Tensor:
            """The mean at the noise level σ of y = x / signal; observed sites enter as they are."""
            log_snr = -2.0 * sigma.log()
            t = level.time(log_snr).expand(y.shape[0])
            state = one_tensor(hold((level.signal(log_snr) * y).to(x.dtype), given), "Heun")
            return denoiser(state, times(t, state, given), cond).double()

        ends = level.log_snr(torch.tensor([1.0, 0.0], dtype=torch.float64, device=x.device))
        root = (-ends / 2.0).exp().pow(1.0 / 7.0)
        sigmas = (root[0] + uniform_grid(self.steps).flip(0).to(x.device) * (root[1] - root[0])).pow(7.0)
        gamma = min(self.churn / self.steps, 2.0**0.5 - 1.0)
        y = x.double() / level.signal(ends[:1])
        for i in range(self.steps):
            sigma, after = sigmas[i], sigmas[i + 1]
            if gamma > 0 and i > 0:
                raised = sigma * (1.0 + gamma)
                noise = torch.randn(y.shape, dtype=y.dtype, generator=rng, device=y.device)
                y, sigma = y + (raised.square() - sigma.square()).sqrt() * noise, raised
            slope = (y - call(y, sigma)) / sigma
            guess = y + (after - sigma) * slope
            y = y + (after - sigma) * (slope + (guess - call(guess, after)) / after) / 2.0
        return cast(State, hold(call(y, sigmas[-1]).to(x.dtype), given))


def _clean(process: Gaussian, denoiser: Denoiser, x: Tensor, given: Evidence | None, cond: object) -> Tensor:
    """The mean given the little noise that is left at t = 0."""
    end = torch.zeros(x.shape[0], dtype=torch.float64, device=x.device)
    return one_tensor(hold(denoiser(x, times(end, x, given), cond), given), "DDIM")
