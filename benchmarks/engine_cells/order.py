"""The orders of leaping schemes on one site, from the exact law of their steps: no sampling, no network.

The rates are the process's, and the extrapolation the sampler's; what is computed apart is the law of a leap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from intarsia import Discrete
from intarsia.samplers import AbstractLeap, Redraw, Shift
from intarsia.samplers._theta_trapezoidal import extrapolate
from intarsia.schedules import AbstractSchedule
from intarsia.testing import BayesDenoiser

CLASSES, HORIZON = 15, 12.0
STEPS = (4, 8, 16, 32, 64, 128, 256)
ASKED = {"law": "smooth", "scheme": "theta-trapezoidal 1/2", "from": 32, "slope": 1.9}
SETTING = (
    f"{CLASSES} classes, uniform noise with alpha(t) = exp(-{HORIZON:g} t), a perfect denoiser and N equal steps "
    "from the uniform law. Leaps with constant rates are compound Poisson displacements, or redraw (`Redraw`)."
)


@dataclass(frozen=True)
class Exponential(AbstractSchedule):
    """alpha(t) = exp(-horizon t)."""

    horizon: float

    def alpha(self, t: Tensor) -> Tensor:
        return torch.exp(-self.horizon * t)

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.horizon * torch.exp(-self.horizon * t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return -alpha.log() / self.horizon


def laws() -> dict[str, Tensor]:
    """A smooth law whose extrapolated rates stay positive, and one whose rates are clipped."""
    i = torch.arange(CLASSES, dtype=torch.float64)
    return {"smooth": (1.0 + 0.15 * torch.cos(2 * math.pi * i / CLASSES)) / CLASSES, "clipped": (i + 1.0) / 120.0}


@dataclass(frozen=True)
class Scheme:
    """Tau-leaping, or with `theta` the trapezoidal scheme."""

    leap: AbstractLeap
    theta: float | None = None


SCHEMES = {
    "tau-leaping": Scheme(Shift()),
    "theta-trapezoidal 1/2": Scheme(Shift(), 1 / 2),
    "theta-trapezoidal 1/3": Scheme(Shift(), 1 / 3),
    "tau-leaping, redrawn": Scheme(Redraw()),
    "theta-trapezoidal 1/2, redrawn": Scheme(Redraw(), 1 / 2),
}
"""With displacements, as in the published curves, and with leaps that are labelled by their target."""


def measure() -> dict[str, Any]:
    """Total variation from the law after N steps, and the slopes between neighbours."""
    process = Discrete.uniform(CLASSES, Exponential(HORIZON))
    found: dict[str, Any] = {}
    for name, law in laws().items():
        points = torch.arange(CLASSES)[:, None]
        denoiser = BayesDenoiser(process, points, law.log())
        for label, scheme in SCHEMES.items():
            errors = [float((final(process, denoiser, scheme, n) - law).abs().sum()) / 2 for n in STEPS]
            slopes = [math.log(a / b) / math.log(n / m) for (m, a), (n, b) in pairwise(zip(STEPS, errors, strict=True))]
            found.setdefault(name, {})[label] = {"steps": STEPS, "tv": errors, "slopes": slopes}
    asked = found[ASKED["law"]][ASKED["scheme"]]
    reached = [slope for n, slope in zip(STEPS, asked["slopes"], strict=False) if n >= ASKED["from"]]
    return {"orders": found, "least_slope": min(reached), "brief": f"done, slopes of {min(reached):.3f} or more"}


def final(process: Discrete, denoiser: BayesDenoiser, scheme: Scheme, steps: int) -> Tensor:
    """The exact law of the last state."""
    law = torch.full((CLASSES,), 1.0 / CLASSES, dtype=torch.float64)
    states = torch.arange(CLASSES)[:, None]
    h = 1.0 / steps
    leaps = _displaced if isinstance(scheme.leap, Shift) else _redrawn
    for k in range(steps, 0, -1):
        first = _rates(process, denoiser, scheme, states, k * h)
        if scheme.theta is None:
            law = law @ leaps(first, torch.arange(CLASSES), h)
            continue
        second = _rates(process, denoiser, scheme, states, (k - scheme.theta) * h)
        law = _trapezoidal(law, first, second, scheme.theta, h, leaps)
    return law


def _trapezoidal(
    law: Tensor, first: Tensor, second: Tensor, theta: float, h: float, leaps: Callable[[Tensor, Tensor, float], Tensor]
) -> Tensor:
    """Through every state in between: the second rates depend on where the step began too."""
    everywhere = torch.arange(CLASSES)
    half = leaps(first, everywhere, theta * h)
    none = torch.zeros(CLASSES, dtype=torch.float64)
    new = torch.zeros_like(law)
    for x in range(CLASSES):
        rates, _ = extrapolate((first[x].expand(CLASSES, -1), none), (second, none), theta)
        new += law[x] * half[x] @ leaps(rates, everywhere, (1.0 - theta) * h)
    return new


def _rates(process: Discrete, denoiser: BayesDenoiser, scheme: Scheme, x: Tensor, t: float) -> Tensor:
    """Rates from every state, ordered by the label of the leap, (states, labels)."""
    here = torch.full((len(x),), t, dtype=torch.float64)
    return scheme.leap.labelled(process, process.rates(denoiser(x, here), x, here), x)[0][:, 0]


def _displaced(rates: Tensor, x: Tensor, h: float) -> Tensor:
    """Compound Poisson displacements modulo the classes, by the Fourier transform of their law, (states, states)."""
    moved = torch.fft.ifft(torch.exp(h * (torch.fft.fft(rates) - rates.sum(-1, keepdim=True)))).real
    return moved.gather(1, (torch.arange(CLASSES) - x[:, None]) % CLASSES)


def _redrawn(rates: Tensor, x: Tensor, h: float) -> Tensor:
    """The last jump decides, (states, states)."""
    total = rates.sum(-1, keepdim=True)
    moved = -torch.expm1(-h * total) * rates / total.clamp(min=1e-300)
    stays = torch.exp(-h * total[:, 0])
    return moved + torch.zeros_like(moved).scatter(1, x[:, None], stays[:, None])
