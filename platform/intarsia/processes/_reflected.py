"""Gaussian noise for numbers between two bounds, reflected there (Lou & Ermon 2023, arXiv 2304.04740)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import invert
from intarsia.processes._base import AbstractProcess, Exactness
from intarsia.processes._gaussian import AbstractNoiseLevel, Gaussian, VarianceExploding
from intarsia.processes._reflection import fold, folded_normal, images

_QUADRATURE = 256


@dataclass(frozen=True)
class Reflected(AbstractProcess[Tensor]):
    """Reflected Brownian motion on [low, high] is folded Brownian motion: xt = fold(x0 + σ(t) ε), σ² = 1 / SNR.

    The noise of reflected diffusion models (Lou & Ermon 2023, arXiv 2304.04740), without simulating it.

    So q(xt | x0) is a sum over the images of x0, the points that fold to it; the bridge is exact (choose the image
    that xt came from, then a Brownian bridge, then fold); the prior is uniform, and no sample leaves the bounds.

    `pred` is the posterior mean of the image of x0 that xt came from, on the line through xt: between walls that are
    far away it is E[x0 | xt], and always the score is (pred - xt) / σ(t)². `reverse` puts it into the Brownian bridge
    and folds, exact up to O(step).

    Args:
        low: the least value.
        high: the largest value.
        level: only its log-SNR is used; at t = 1 the noise should be a few times high - low (see `prior_kl`).

    Raises:
        ValueError: the bounds are not finite, or `low` is not below `high`.
    """

    reverse_is: ClassVar[Exactness] = "first order"

    low: float = -1.0
    high: float = 1.0
    level: AbstractNoiseLevel = VarianceExploding(0.002, 5.0)

    def __post_init__(self) -> None:
        if not (self.low < self.high and math.isfinite(self.high - self.low)):
            raise ValueError(f"`low` must be below `high`, both finite, got {self.low} and {self.high}")

    def _unit(self, x: Tensor) -> Tensor:
        """Where x lies between the bounds, float64."""
        return (x.double() - self.low) / (self.high - self.low)

    def _raw(self, unit: Tensor, like: Tensor) -> Tensor:
        x = (self.low + (self.high - self.low) * unit).to(like.dtype)
        return x.clamp(self.low, self.high)

    def _noise(self, t: Tensor, x: Tensor) -> Tensor:
        """σ(t) as a share of high - low, (batch, *sites)."""
        log_snr = self.level.log_snr(per_site(t.double(), x)).expand(x.shape)
        return (-0.5 * log_snr).exp() / (self.high - self.low)

    def prediction(self, points: Tensor, weights: Tensor, xt: Tensor | None = None, t: Tensor | None = None) -> Tensor:
        """The mean of x0; with `xt` and `t` that of its image, which is the same only where walls are far away."""
        if xt is None or t is None:
            return (weights @ points.double().flatten(1)).view(-1, *points.shape[1:])
        at = torch.stack([self.image(point.expand(xt.shape), xt, t) for point in points], 1)
        return (weights.view(*weights.shape, *[1] * (xt.ndim - 1)) * at).sum(1)

    def prediction_at(self, points: Tensor, weights: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return self.prediction(points, weights, xt, t)

    def image(self, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """E[image of x0 | xt, x0] = xt + σ² ∂ log q(xt | x0), what `pred` is when x0 is known; float64."""
        noise = self._noise(t, xt)
        _, slope = folded_normal(self._unit(xt), self._unit(x0), noise)
        return xt.double() + (self.high - self.low) * noise.square() * slope

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return self.low + (self.high - self.low) * torch.rand(shape, generator=rng, device=device)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        moved = self._unit(x0) + self._noise(t, x0) * _normal(x0, rng)
        return self._raw(fold(moved), x0)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        log_density, _ = folded_normal(self._unit(xt), self._unit(x0), self._noise(t, xt))
        return log_density - math.log(self.high - self.low)

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        noise, here = self._noise(t, xt), self._unit(xt)
        # farther than 9 standard deviations no image counts; there is always one within the nearest two periods
        reach = 2 + math.ceil(4.5 * float(noise.max()))
        start = images(self._unit(x0), reach)
        logits = -0.5 * ((start - here[..., None]) / noise[..., None]).square()
        u = torch.rand(xt.shape, dtype=torch.float64, generator=rng, device=xt.device)
        chosen = start.gather(-1, invert(logits, u).unsqueeze(-1)).squeeze(-1)
        return self._step(chosen, xt, s, t, rng)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self._step(self._unit(pred), xt, s, t, rng)

    def _step(self, start: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None) -> Tensor:
        """Fold a Brownian bridge that was at `start` when there was no noise."""
        before, now = self._noise(s, xt), self._noise(t, xt)
        share = (before / now).square().clamp(max=1.0)
        mean = self._unit(xt) + (1.0 - share) * (start - self._unit(xt))
        moved = mean + before * (1.0 - share).sqrt() * _normal(xt, rng)
        return torch.where(share < 1.0, self._raw(fold(moved), xt), xt)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """½ (-dSNR/dt) (image(x0) - pred)² = ½ (dσ²/dt) (score error)², score matching that is the nelbo.

        With `s` it is ½ (SNR(s) - SNR(t)) times that square, the KL of one step up to terms that vanish with it.
        """
        return Gaussian(self.level).loss(pred.double(), self.image(x0, xt, t), xt, t.double(), s).to(pred.dtype)

    def prior_kl(self, x0: Tensor) -> Tensor:
        end = torch.ones(x0.shape[:1], dtype=torch.float64, device=x0.device)
        # the midpoint rule is exact to rounding on what folds smoothly
        nodes = (torch.arange(_QUADRATURE, dtype=torch.float64, device=x0.device) + 0.5) / _QUADRATURE
        density, _ = folded_normal(nodes, self._unit(x0)[..., None], self._noise(end, x0)[..., None])
        return (density.exp() * density).mean(-1).clamp(min=0.0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        """-log of the density of x0 under noise σ(0) around `pred`, folded, in nats; it may be negative."""
        start = torch.zeros(x0.shape[:1], dtype=torch.float64, device=x0.device)
        return -self.log_q(x0, self.low + (self.high - self.low) * fold(self._unit(pred)), start)


def _normal(like: Tensor, rng: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, dtype=torch.float64, generator=rng, device=like.device)
