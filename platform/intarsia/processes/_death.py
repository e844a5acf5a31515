"""Death noise for counts: every unit survives on its own, and nothing is left at t = 1 (Blackout diffusion)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.processes._base import AbstractProcess, Exactness
from intarsia.processes._logspace import ratio
from intarsia.schedules import AbstractSchedule, Linear

_LEAST = 1e-30
"""The least number of missing units, so that its logarithm is finite."""
_NODES = 64


@dataclass(frozen=True)
class Death(AbstractProcess[Tensor]):
    """xt | x0 ~ Binomial(x0, alpha(t)) on counts without an upper bound (Santos et al. 2023, arXiv 2305.11089).

    States are integers; the prior is 0. Run backwards, each of the x0 - xt missing units is born independently, so
    the bridge is xs = xt + Binomial(x0 - xt, (alpha(s) - alpha(t)) / (1 - alpha(t))) and the birth rate is
    (x0 - xt) · -alpha'(t) / (1 - alpha(t)).

    `pred` is the posterior mean E[x0 | xt]. Only pred - xt, the expected number still missing, enters; a network
    that gives its logarithm (never negative, and the loss is convex in it) returns `mean(raw, xt)`.
    The mean is all that continuous time needs: the nelbo is tight at it, for any law of x0. In a step of finite
    length `reverse` takes the missing units to be Poisson: xs = xt + Poisson((pred - xt) · chance), which is exact
    if they are, and else O(step).

    Args:
        schedule: survival alpha(t), for all sites or per site; alpha(1) must be 0.

    Raises:
        ValueError: alpha(1) > 0, which would leave data in the prior.
    """

    reverse_is: ClassVar[Exactness] = "first order"

    schedule: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        left = float(self.schedule.alpha(torch.ones(1, 1, dtype=torch.float64)).max())
        if left > 1e-12:
            raise ValueError(
                f"the prior is 0, so alpha(1) must be 0, got {left:.3g} from {self.schedule}; use Linear() or Cosine()"
            )

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """The mean of x0."""
        return (weights @ points.double().flatten(1)).view(-1, *points.shape[1:])

    @staticmethod
    def mean(log_missing: Tensor, xt: Tensor) -> Tensor:
        """The prediction xt + exp(log_missing), for networks that give the log of the number missing; float64."""
        return xt.double() + log_missing.double().exp()

    @staticmethod
    def missing(pred: Tensor, xt: Tensor) -> Tensor:
        """Expected number of units still to be born, at least 1e-30; float64."""
        return (pred.double() - xt).clamp(min=_LEAST)

    def _alpha(self, t: Tensor, x: Tensor) -> Tensor:
        return self.schedule.alpha(per_site(t.double(), x)).expand(x.shape)

    def _chance(self, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """Probability that a unit missing at t is back at s."""
        alpha_s, alpha_t = self._alpha(s, x), self._alpha(t, x)
        return ratio(alpha_s - alpha_t, 1.0 - alpha_t, 0.0).clamp(0.0, 1.0)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        return torch.zeros(shape, dtype=torch.long, device=rng.device if rng is not None else None)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return _binomial(x0, self._alpha(t, x0), rng)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        return _log_binomial(xt, x0, self._alpha(t, x0))

    def log_bridge(self, xs: Tensor, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """log q(xs | xt, x0) of every site."""
        return _log_binomial(xs - xt, (x0 - xt).clamp(min=0), self._chance(xt, s, t))

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return xt + _binomial((x0 - xt).clamp(min=0), self._chance(xt, s, t), rng)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        births = torch.poisson(self.missing(pred, xt) * self._chance(xt, s, t), generator=rng)
        return xt + births.to(xt.dtype)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """-alpha' / (1 - alpha) (m - d + d log(d / m)) with d = x0 - xt missing and m expected; see the base class.

        With `s` it is KL(Binomial(d, p) || Poisson(m p)), p the chance of a birth in the step: that divergence of
        Poisson laws plus what a binomial law differs from a Poisson law of its mean. So the prediction that is sure
        and right has the least loss, but not 0.
        """
        missing, model = (x0 - xt).clamp(min=0).double(), self.missing(pred, xt)
        nats = model - missing + torch.xlogy(missing, missing) - missing * model.log()
        nats = nats.clamp(min=0.0)
        if s is not None:
            chance = self._chance(xt, s, t)
            return (chance * nats + _binomial_against_poisson(missing, chance)).to(pred.dtype)
        slope = -self.schedule.dalpha(per_site(t.double(), xt)).expand(xt.shape)
        return (ratio(slope, 1.0 - self._alpha(t, xt), 0.0) * nats).to(pred.dtype)

    def prior_kl(self, x0: Tensor) -> Tensor:
        """0: every unit is dead at t = 1."""
        return torch.zeros(x0.shape, dtype=torch.float64, device=x0.device)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(pred)


def _binomial(count: Tensor, chance: Tensor, rng: torch.Generator | None) -> Tensor:
    return torch.binomial(count.double(), chance.double(), generator=rng).to(count.dtype)


def _log_binomial(k: Tensor, count: Tensor, chance: Tensor) -> Tensor:
    """log Binomial(k; count, chance), -infinity for more than `count`."""
    count, k = _alike(count.double(), k.double())
    fits = (k >= 0) & (k <= count)
    some = torch.where(fits, k, 0.0)
    ways = torch.lgamma(count + 1.0) - torch.lgamma(some + 1.0) - torch.lgamma(count - some + 1.0)
    return torch.where(fits, ways + torch.xlogy(some, chance) + torch.xlogy(count - some, 1.0 - chance), -torch.inf)


def _alike(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    shape = (a + b).shape
    return a.expand(shape), b.expand(shape)


def _binomial_against_poisson(count: Tensor, chance: Tensor) -> Tensor:
    """KL(Binomial(n, p) || Poisson(n p)), elementwise, about 1e-9 for counts up to a million.

    Summed over at most 129 values around the mean, every h-th one where the law is wide: the trapezoidal rule is
    exact to rounding on a law that is smooth over h = a third of its standard deviation.
    """
    count, chance = _alike(count, chance)
    mean = count * chance
    stride = ((mean * (1.0 - chance)).clamp(min=0.0).sqrt() / 3.0).floor().clamp(min=1.0)
    offsets = torch.arange(-_NODES, _NODES + 1, dtype=count.dtype, device=count.device)
    k = mean.round()[..., None] + stride[..., None] * offsets
    log_law = _log_binomial(k, count[..., None].expand(k.shape), chance[..., None].expand(k.shape))
    weights = log_law.softmax(-1)
    poisson = torch.xlogy(k, mean[..., None]) - mean[..., None] - torch.lgamma(k.clamp(min=0.0) + 1.0)
    terms = torch.where(weights > 0, weights * (log_law - poisson), 0.0)
    return torch.where(mean > 0, terms.sum(-1), 0.0).clamp(min=0.0)
