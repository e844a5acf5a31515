"""Bit-flipping noise: the binary symmetric channel with its exact bridge."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from intarsia._time import per_site
from intarsia.classes import AbstractClasses
from intarsia.processes._discrete import Discrete
from intarsia.processes._finite import IMPOSSIBLE, AbstractFinite
from intarsia.schedules import AbstractSchedule, Linear
from intarsia.spaces import Bits


@dataclass(frozen=True)
class Xor(AbstractFinite):
    """xt = x0 ⊕ Bernoulli(e), with flip probability e(t) = (1 - alpha(t)) / 2 (Binary Diffusion, arXiv 2409.13882).

    States are 0/1 integers whose last axis runs over `width` bits; `pred` holds the logit of bit = 1 at each of
    them. It is uniform noise over two classes, so the nelbo that the paper lacks is that of `Discrete`.
    """

    width: int
    schedule: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        Bits(self.width)

    @cached_property
    def _pairs(self) -> Discrete:
        return Discrete.uniform(2, self.schedule)

    @property
    def classes(self) -> AbstractClasses:
        return self._pairs.classes

    def prior_law(self) -> tuple[Tensor, float]:
        return self._pairs.prior_law()

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """Logits of bit = 1."""
        one = points.double().flatten(1)
        odds = (weights @ one).log().clamp(min=IMPOSSIBLE) - (weights @ (1.0 - one)).log().clamp(min=IMPOSSIBLE)
        return odds.view(-1, *points.shape[1:])

    def _flip(self, t: Tensor, x: Tensor) -> Tensor:
        return ((1.0 - self.schedule.alpha(per_site(t, x))) / 2).expand(x.shape)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return torch.randint(2, shape, generator=rng, device=device)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        flips = torch.rand(x0.shape, generator=rng, device=x0.device) < self._flip(t, x0)
        return x0 ^ flips.to(x0.dtype)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        flip = self._flip(t, x0)
        return torch.where(xt == x0, torch.log1p(-flip), flip.log())

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        flip_s, flip_t = self._flip(s, x0), self._flip(t, x0)
        room = 1.0 - 2.0 * flip_s
        step = torch.where(room > 0, (flip_t - flip_s) / torch.where(room > 0, room, 1.0), 0.0)

        def weight(xs: Tensor) -> Tensor:
            return torch.where(xt == xs, 1.0 - step, step) * torch.where(xs == x0, 1.0 - flip_s, flip_s)

        one, zero = weight(torch.ones_like(x0)), weight(torch.zeros_like(x0))
        level = torch.rand(x0.shape, generator=rng, device=x0.device) * (one + zero)
        # an impossible pair (x0 and xt differ at t = 0) has no weight and stays
        return torch.where(one + zero > 0, (level < one).to(x0.dtype), xt)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(pred.shape, dtype=torch.float64, generator=rng, device=pred.device)
        x0 = (u.log() < logsigmoid(pred.double())).to(xt.dtype)
        return self.bridge(x0, xt, s, t, rng)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return self._pairs.reverse_law(_two_logits(pred), xt, s, t)

    def log_probs(self, pred: Tensor) -> Tensor:
        return torch.stack((logsigmoid(-pred.double()), logsigmoid(pred.double())), -1)

    def log_posterior(self, pred: Tensor, x0: Tensor) -> Tensor:
        return logsigmoid(torch.where(x0 == 1, pred, -pred))

    def _told(self, xt: Tensor, t: Tensor) -> Tensor:
        """log(q(xt | 1) / q(xt | 0)), by which the logit of the posterior exceeds that of the other sites."""
        flip = self._flip(t.double(), xt).clamp(min=1e-300)
        return torch.where(xt == 1, 1.0, -1.0) * (torch.log1p(-flip) - flip.log())

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Bit logits; see the base class."""
        return pred.double() - torch.where(self._flip(t, xt) > 0, self._told(xt, t), 0.0)

    def from_leave_one_out(self, loo: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Bit logits; see the base class."""
        return loo.double() + self._told(xt, t)

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return self._pairs.rates(_two_logits(pred), xt, t)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        return self._pairs.loss(_two_logits(pred), x0, xt, t, s)

    def prior_kl(self, x0: Tensor) -> Tensor:
        return self._pairs.prior_kl(x0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(pred)


def _two_logits(pred: Tensor) -> Tensor:
    return torch.stack((torch.zeros_like(pred), pred), -1)
