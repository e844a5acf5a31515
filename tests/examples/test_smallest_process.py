"""The least that a noise needs, with jump rates: classes that fade, one by one, to class 0."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from intarsia import Cosine, Gibbs, Linear, RequirementError, TauLeaping
from intarsia.classes import Dense
from intarsia.processes import AbstractFinite, per_site
from intarsia.schedules import AbstractSchedule
from intarsia.testing import check_process, check_sampler


@dataclass(frozen=True)
class Fading(AbstractFinite):
    """q(xt | x0) = alpha(t) δ(x0) + (1 - alpha(t)) δ(0): a site that has left its class is class 0, for good."""

    num_classes: int
    schedule: AbstractSchedule = Linear()

    @property
    def classes(self) -> Dense:
        return Dense(self.num_classes)

    def alpha(self, t: Tensor, x: Tensor) -> Tensor:
        return self.schedule.alpha(per_site(t.double(), x)).expand(x.shape)

    def returned(self, s: Tensor, t: Tensor, x: Tensor) -> Tensor:
        """The chance that a faded site had not faded at s: (alpha(s) - alpha(t)) / (1 - alpha(t)), 0 at s = t = 0."""
        before, now = self.alpha(s, x), self.alpha(t, x)
        return (before - now) / (1.0 - now).clamp(min=1e-300)

    # q and its bridge

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        return torch.zeros(shape, dtype=torch.long, device=None if rng is None else rng.device)

    def prior_law(self) -> tuple[Tensor, float]:
        return self.classes.law([1.0] + [0.0] * (self.num_classes - 1)), 0.0

    def prior_kl(self, x0: Tensor) -> Tensor:
        return torch.zeros(x0.shape, dtype=torch.float64, device=x0.device)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return torch.where(torch.rand(x0.shape, generator=rng, device=x0.device) < self.alpha(t, x0), x0, 0)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        alpha = self.alpha(t, x0)
        return (alpha * (xt == x0) + (1.0 - alpha) * (xt == 0)).log()

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        return torch.where((xt == 0) & (u < self.returned(s, t, x0)), x0, xt)

    # the kernel, rates and loss of a posterior

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.bridge(self.classes.sample(pred, rng), xt, s, t, rng)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        back, still = self.returned(s, t, xt)[..., None], self.classes.is_class(xt).double()
        law = torch.where((xt == 0)[..., None], back * self.log_probs(pred).exp() + (1.0 - back) * still, still)
        return law.log(), self.unmasked(xt.shape, xt.device)

    def pace(self, xt: Tensor, t: Tensor) -> Tensor:
        """Rate of a faded site's return, the slope of `returned`: -alpha' / (1 - alpha); 0 where none has faded."""
        slope = -self.schedule.dalpha(per_site(t.double(), xt)).expand(xt.shape)
        faded = (xt == 0) & (self.alpha(t, xt) < 1.0)
        return torch.where(faded, slope / torch.where(faded, 1.0 - self.alpha(t, xt), 1.0), 0.0)

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        there = torch.where(self.classes.is_class(xt), 0.0, self.log_probs(pred).exp())
        return self.pace(xt, t)[..., None] * there, torch.zeros(xt.shape, dtype=torch.float64, device=xt.device)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        log_p = self.log_probs(pred)
        away, right = -torch.expm1(log_p[..., 0]), self.classes.pick(log_p, x0)  # P(x0 is not 0), log P(x0)
        if s is None:  # Σ R_θ - R + R log(R / R_θ) over the returns
            return self.pace(xt, t) * torch.where(x0 == 0, away, away - 1.0 - right)
        back = torch.where(xt == 0, self.returned(s, t, xt), 0.0)
        stays = -torch.log1p(-back * away.clamp(max=1.0 - 1e-15))  # -log P(xs = 0)
        known = stays + torch.special.xlogy(1.0 - back, 1.0 - back) - back * (right + stays)
        return torch.where(x0 == 0, stays, known)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(x0, dtype=pred.dtype)


@pytest.mark.parametrize("process", [Fading(2), Fading(4, Cosine())], ids=repr)
def test_fading(process: Fading) -> None:
    check_process(process)


def test_it_has_rates_so_leaps_take_it() -> None:
    check_sampler(TauLeaping(12), Fading(3), n=2000)


def test_what_a_state_rules_out_is_refused() -> None:
    """A class that is still there has told all: no law given the other sites can be had from its posterior."""
    with pytest.raises(RequirementError, match="given the others"):
        Gibbs().check(Fading(3))
