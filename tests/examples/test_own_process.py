"""A noise of one's own: classes on a ring that move one way, at the ticks of a Poisson clock."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from intarsia import Linear
from intarsia.classes import Dense
from intarsia.processes import IMPOSSIBLE, AbstractFinite
from intarsia.schedules import AbstractSchedule
from intarsia.testing import check_process


@dataclass(frozen=True)
class RingDrift(AbstractFinite):
    """xt = x0 + N mod K with N ~ Poisson(τ(t)), τ = ticks · (1 - alpha(t)): a chain that is not reversible.

    q(xt | x0) = k(xt - x0 mod K; τ), k(d; τ) = Σ_j e^-τ τ^(d + jK) / (d + jK)!, is a row of a circulant kernel, summed
    in log space. The loss is that of the reversed jumps (Campbell et al. 2022); the only one leads from xt to xt - 1.

    Args:
        num_classes: K, at least 2.
        schedule: alpha, the share of ticks that are still to come.
        left: what the slowest mode, of eigenvalue exp(2πi / K) - 1, keeps after all ticks.
    """

    num_classes: int
    schedule: AbstractSchedule = Linear()
    left: float = 1e-3

    def __post_init__(self) -> None:
        if self.num_classes < 2 or not 0 < self.left < 1:
            raise ValueError(f"expected at least 2 classes and 0 < left < 1, got {self.num_classes} and {self.left}")

    @property
    def classes(self) -> Dense:
        return Dense(self.num_classes)

    @property
    def ticks(self) -> float:
        """Ticks expected from t = 0 to t = 1."""
        return -math.log(self.left) / (1 - math.cos(2 * math.pi / self.num_classes))

    def tau(self, t: Tensor, x: Tensor) -> Tensor:
        """Ticks expected until `t`, float64, of the shape of `x`."""
        alpha = self.schedule.alpha(t.double().reshape(t.shape + (1,) * (x.ndim - t.ndim)))
        return (self.ticks * (1 - alpha)).expand(x.shape)

    def log_k(self, tau: Tensor) -> Tensor:
        """log k(d; τ) for d = 0, …, K - 1, (*tau.shape, K); -inf where it is 0."""
        laps = math.ceil((self.ticks + 12 * math.sqrt(self.ticks) + 30) / self.num_classes)
        n = torch.arange(laps * self.num_classes, device=tau.device, dtype=torch.float64)
        poisson = torch.special.xlogy(n, tau[..., None]) - tau[..., None] - torch.lgamma(n + 1)
        return poisson.unflatten(-1, (laps, self.num_classes)).logsumexp(-2)

    def at(self, log_k: Tensor, x: Tensor, origin: Tensor) -> Tensor:
        """Entries of `log_k` at the distances from `origin` to `x`, which broadcast against each other."""
        d = (x - origin) % self.num_classes
        return log_k.expand(*d.shape[:-1], self.num_classes).gather(-1, d)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        return torch.randint(self.num_classes, shape, generator=rng, device=None if rng is None else rng.device)

    def prior_law(self) -> tuple[Tensor, float]:
        return self.classes.law([1 / self.num_classes] * self.num_classes), 0.0

    def prior_kl(self, x0: Tensor) -> Tensor:
        log_k = self.log_k(self.tau(torch.ones(1, device=x0.device), x0))
        return (log_k.exp() * log_k).sum(-1) + math.log(self.num_classes)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return (x0 + torch.poisson(self.tau(t, x0), generator=rng).long()) % self.num_classes

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        return self.at(self.log_k(self.tau(t, xt)), xt[..., None], x0[..., None]).squeeze(-1)

    def bridge_law(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """log q(xs | xt, x0) of candidates x0 (*xt.shape, m), (*xt.shape, m, K); stays where s = t."""
        xs, first, both = self.classes.numbers(xt.device), self.tau(s, xt), self.tau(t, xt)
        later = self.log_k((both - first).clamp(min=0)).clamp(min=3 * IMPOSSIBLE)
        earlier = self.log_k(first).clamp(min=IMPOSSIBLE)[..., None, :]
        ways = self.at(earlier, xs, x0[..., None]) + self.at(later, xt[..., None], xs)[..., None, :]
        return ways.log_softmax(-1)

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.classes.sample(self.bridge_law(x0[..., None], xt, s, t).squeeze(-2), rng)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        bridges = self.bridge_law(self.classes.numbers(xt.device).expand(*xt.shape, -1), xt, s, t)
        log_p = self.classes.log_softmax(pred).double()
        return (bridges + log_p[..., None]).logsumexp(-2), self.unmasked(xt.shape, xt.device)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.classes.sample(self.reverse_law(pred, xt, s, t)[0], rng)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        if s is not None:
            true = self.bridge_law(x0[..., None], xt, s, t).squeeze(-2)
            return (true.exp() * (true - self.reverse_law(pred, xt, s, t)[0])).sum(-1)
        rate = -self.ticks * self.schedule.dalpha(t.double().reshape(t.shape + (1,) * (xt.ndim - t.ndim)))
        log_k = self.log_k(self.tau(t, xt).clamp(min=1e-9))  # the least for which ratios are finite
        numbers = self.classes.numbers(xt.device)
        ratios = self.at(log_k, xt[..., None] - 1, numbers) - self.at(log_k, xt[..., None], numbers)
        model = (self.classes.log_softmax(pred).double() + ratios).logsumexp(-1)
        true = self.classes.pick(ratios, x0)
        return rate * (model.exp() - true.exp() + true.exp() * (true - model))

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.where(xt == x0, 0.0, -self.classes.log_prob(pred, x0))


@pytest.mark.parametrize("process", [RingDrift(2), RingDrift(5, left=0.1)])
def test_ring_drift(process: RingDrift) -> None:
    check_process(process)
