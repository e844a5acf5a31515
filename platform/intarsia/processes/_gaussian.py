"""Gaussian noise for reals, variance preserving (VP) or exploding (VE, EDM), in terms of log-SNR."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from intarsia._time import per_site
from intarsia.processes._base import AbstractProcess, Exactness


class AbstractNoiseLevel(ABC):
    """A decreasing log signal-to-noise ratio over t, and the signal scale that goes with it."""

    @abstractmethod
    def log_snr(self, t: Tensor) -> Tensor:
        """log(signal² / noise²) at times `t`."""

    @abstractmethod
    def time(self, log_snr: Tensor) -> Tensor:
        """The time of a log-SNR, the inverse of `log_snr`."""

    @abstractmethod
    def signal(self, log_snr: Tensor) -> Tensor:
        """The factor on x0 at a log-SNR."""


@dataclass(frozen=True, slots=True)
class VariancePreserving(AbstractNoiseLevel):
    """Cosine log-SNR with signal² + noise² = 1 (Nichol & Dhariwal 2021; Kingma & Gao 2023, table 1).

    Args:
        high: log-SNR at t = 0.
        low: log-SNR at t = 1; what signal is left there is reported by `prior_kl`.
    """

    high: float = 14.0
    low: float = -14.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"`low` must be below `high`, got {self.low} and {self.high}")

    def _ends(self) -> tuple[float, float]:
        return math.atan(math.exp(-self.high / 2)), math.atan(math.exp(-self.low / 2))

    def log_snr(self, t: Tensor) -> Tensor:
        first, last = self._ends()
        return -2.0 * torch.tan(first + t * (last - first)).log()

    def time(self, log_snr: Tensor) -> Tensor:
        first, last = self._ends()
        return (torch.atan((-log_snr / 2).exp()) - first) / (last - first)

    def signal(self, log_snr: Tensor) -> Tensor:
        return torch.sigmoid(log_snr).sqrt()


@dataclass(frozen=True, slots=True)
class VarianceExploding(AbstractNoiseLevel):
    """Noise of standard deviation σ(t) = (σ_min^(1/ρ) + t (σ_max^(1/ρ) - σ_min^(1/ρ)))^ρ (Karras 2022, eq. 5)."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max or self.rho <= 0:
            raise ValueError(
                f"expected 0 < sigma_min < sigma_max and rho > 0, got {self.sigma_min}, {self.sigma_max} and {self.rho}"
            )

    def _roots(self) -> tuple[float, float]:
        return self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)

    def log_snr(self, t: Tensor) -> Tensor:
        first, last = self._roots()
        return -2.0 * self.rho * (first + t * (last - first)).log()

    def time(self, log_snr: Tensor) -> Tensor:
        first, last = self._roots()
        return ((-log_snr / (2.0 * self.rho)).exp() - first) / (last - first)

    def signal(self, log_snr: Tensor) -> Tensor:
        return torch.ones_like(log_snr)


@dataclass(frozen=True)
class Gaussian(AbstractProcess[Tensor]):
    """xt = a(t) x0 + b(t) ε, with a the signal and b = a · exp(-log-SNR / 2) the noise; `pred` is E[x0 | xt].

    Kingma et al. 2021, arXiv 2107.00630: the integrand of the nelbo is -SNR'(t) (x0 - pred)² / 2.
    `reverse` puts that mean into the bridge and is exact up to O(step). At t = 0 a little noise is left
    (log-SNR is finite), which `reconstruction` accounts for; observed sites are kept as they are by samplers.
    """

    reverse_is: ClassVar[Exactness] = "first order"

    level: AbstractNoiseLevel = VariancePreserving()

    def coefficients(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Signal a(t) and noise b(t), broadcastable to `x`."""
        log_snr = self.level.log_snr(per_site(t, x).to(x.dtype))
        signal = self.level.signal(log_snr)
        return signal, signal * (-log_snr / 2).exp()

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        x = torch.randn(shape, generator=rng, device=device)
        return self._prior_scale(x) * x

    def _prior_scale(self, x: Tensor) -> Tensor:
        """Standard deviation of the prior: that of pure noise and data of unit variance for VP, σ_max for VE."""
        signal, noise = self.coefficients(torch.ones(x.shape[:1], dtype=x.dtype, device=x.device), x)
        return torch.where(signal < 1.0, 1.0, noise)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        signal, noise = self.coefficients(t, x0)
        return signal * x0 + noise * torch.randn(x0.shape, dtype=x0.dtype, generator=rng, device=x0.device)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        signal, noise = self.coefficients(t, x0)
        return -0.5 * ((xt - signal * x0) / noise).square() - noise.log() - 0.5 * math.log(2 * math.pi)

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """The mean of x0."""
        return (weights @ points.double().flatten(1)).view(-1, *points.shape[1:])

    def bridge_moments(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of q(xs | xt, x0) (Kingma et al. 2021, eq. 25 to 28)."""
        signal_s, noise_s = self.coefficients(s, x0)
        signal_t, noise_t = self.coefficients(t, x0)
        gain = signal_t / signal_s
        # 1 - SNR(t)/SNR(s), the share of the noise at t that came after s
        fresh = -torch.expm1(self.level.log_snr(per_site(t, x0)) - self.level.log_snr(per_site(s, x0))).to(x0.dtype)
        mean = gain * (noise_s / noise_t).square() * xt + signal_s * fresh * x0
        return mean, noise_s * fresh.clamp(min=0.0).sqrt()

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        mean, deviation = self.bridge_moments(x0, xt, s, t)
        return mean + deviation * torch.randn(xt.shape, dtype=xt.dtype, generator=rng, device=xt.device)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.bridge(pred, xt, s, t, rng)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """½ (-dSNR/dt) (x0 - pred)², or with `s` ½ (SNR(s) - SNR(t)) (x0 - pred)² (Kingma et al. 2021, eq. 14, 19)."""
        time = per_site(t, x0).expand(x0.shape)  # levels may differ from site to site
        if s is None:
            # the derivative of exp(log-SNR), by autograd: schedules need not write it down
            with torch.enable_grad():
                leaf = time.detach().clone().requires_grad_(True)
                snr = self.level.log_snr(leaf).exp().sum()
                learned = any(p.requires_grad for p in _parameters(self.level))
                (slope,) = torch.autograd.grad(snr, leaf, create_graph=learned)
            weight = -slope
        else:
            weight = self.level.log_snr(per_site(s, x0)).exp() - self.level.log_snr(time).exp()
        return 0.5 * weight * (x0 - pred).square()

    def prior_kl(self, x0: Tensor) -> Tensor:
        signal, noise = self.coefficients(torch.ones(x0.shape[:1], dtype=x0.dtype, device=x0.device), x0)
        scale = self._prior_scale(x0)
        ratio = (noise / scale).square()
        return 0.5 * ((signal * x0 / scale).square() + ratio - 1.0 - ratio.log())

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        """-log N(x0; pred, exp(-log-SNR(0))), in nats; a density, so it may be negative."""
        start = torch.zeros(x0.shape[:1], dtype=x0.dtype, device=x0.device)
        log_snr = self.level.log_snr(per_site(start, x0))
        return 0.5 * (log_snr.exp() * (x0 - pred).square() - log_snr + math.log(2 * math.pi))


def _parameters(level: AbstractNoiseLevel) -> list[nn.Parameter]:
    """What a level learns."""
    return list(level.parameters()) if isinstance(level, nn.Module) else []
