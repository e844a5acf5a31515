"""D3PM's structured noise: classes that move to similar classes, in continuous time."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import AbstractClasses, Dense
from intarsia.processes._finite import AbstractFinite
from intarsia.processes._logspace import kl_terms, log, ratio
from intarsia.processes._rate_matrices import checked, gaussian, nearest, paced, transient
from intarsia.processes._semigroup import Semigroup
from intarsia.schedules import AbstractSchedule, Linear

_TINY = 1e-280
"""Below this a kernel's entry counts as none: x0 and xt that cannot both be."""


@dataclass(frozen=True, eq=False)
class Structured(AbstractFinite):
    """q(xt | x0) = exp(σ(t) R) with one rate matrix R and σ = -log alpha (Austin et al. 2021, app. A, in all times).

    Any s < t is exact: q(xt | xs) = exp((σ(t) - σ(s)) R). `pred` holds class logits, one count for all sites.

    Where alpha(1) = 0, σ is infinite and x1 follows the stationary law π of R exactly, which is the prior. R must
    therefore have one law: groups of classes that never meet are refused. Classes without mass under π are allowed
    where alpha(1) = 0. The slowest mode of R survives as alpha(t)^gap; `gaussian`, `nearest` and `paced` scale R to
    gap 1. A matrix of your own is taken as it is: with a gap far below 1 nearly all noise comes just before t = 1,
    and with one below 1/2 the nelbo's integrand has no bound there.

    Args:
        matrix: R (classes, classes): matrix[i, j] ≥ 0 of jumps from i to j; rows sum to 0.
        schedule: survival alpha(t), for all sites or per site.

    Raises:
        ValueError: `matrix` holds no rates, its noise cannot forget x0, or alpha(1) > 0 while π lacks classes.
    """

    matrix: Tensor = field(repr=False)
    schedule: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", checked(self.matrix))
        left = float(self.schedule.alpha(torch.ones(1, 1, dtype=torch.float64)).max())
        if left > 1e-12 and bool(transient(self.matrix).any()):
            raise ValueError(
                f"the stationary law gives some class no mass, so alpha(1) must be 0, got {left:.3g} from "
                f"{self.schedule}; use Linear() or Cosine()"
            )

    @classmethod
    def gaussian(cls, num_classes: int, width: float, schedule: AbstractSchedule = Linear()) -> "Structured":
        """D3PM's discretized Gaussian: ordered classes, rates ∝ exp(-(i - j)² / (2 width²)), uniform prior.

        `width` is in classes; the paper's β (app. A.2.3) is 8 width² / (num_classes - 1)².
        """
        return cls.paced(gaussian(num_classes, width), schedule)

    @classmethod
    def nearest(cls, embeddings: Tensor, neighbours: int, schedule: AbstractSchedule = Linear()) -> "Structured":
        """D3PM's nearest neighbours: classes move to the nearest ones in `embeddings` (classes, features).

        R = (G + Gᵀ)/(2k) between classes, G the graph of the k nearest (app. A.2.4); the prior is uniform.
        """
        return cls.paced(nearest(embeddings, neighbours), schedule)

    @classmethod
    def paced(cls, rates: Tensor, schedule: AbstractSchedule = Linear()) -> "Structured":
        """Noise with a rate matrix of your own, scaled so that its slowest mode survives as alpha(t)."""
        return cls(paced(rates), schedule)

    @cached_property
    def _kernel(self) -> Semigroup:
        return Semigroup(self.matrix)

    @property
    def classes(self) -> AbstractClasses:
        """The layout of this process's logits."""
        return Dense(len(self.matrix))

    def prior_law(self) -> tuple[Tensor, float]:
        return self._kernel.stationary, 0.0

    def _alpha(self, t: Tensor, x: Tensor) -> Tensor:
        return self.schedule.alpha(per_site(t.double(), x)).expand(x.shape)

    def _after(self, x: Tensor, alpha: Tensor) -> Tensor:
        """Law of the state when `alpha` is left, from classes `x`, (batch, *sites, classes)."""
        return self._kernel.after(x, -_log(alpha))

    def _into(self, x: Tensor, alpha: Tensor) -> Tensor:
        """Chances to be at `x` when `alpha` is left, from every class, (batch, *sites, classes)."""
        return self._kernel.into(x, -_log(alpha))

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return self.classes.sample(self._kernel.stationary.to(device).log().expand(*shape, -1), rng)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.classes.sample(self._after(x0, self._alpha(t, x0)).log(), rng).to(x0.dtype)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        return log(self.classes.pick(self._after(x0, self._alpha(t, x0)), xt))

    def _bridge_law(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """q(xs | xt, x0), (batch, *sites, classes); an impossible pair stays at xt."""
        alpha_s = self._alpha(s, xt)
        law = self._after(x0, alpha_s) * self._into(xt, ratio(self._alpha(t, xt), alpha_s, 1.0))
        total = law.sum(-1, keepdim=True)
        return torch.where(total > _TINY, law / total.clamp(min=_TINY), self.classes.is_class(xt).double())

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.classes.sample(self._bridge_law(x0, xt, s, t).log(), rng).to(xt.dtype)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        # drawing x0 from the posterior and then the bridge is the mixture kernel, exactly
        return self.bridge(self.classes.sample(pred, rng), xt, s, t, rng)

    def _weights(self, pred: Tensor, xt: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """p(x0 | xt) / q(xt | x0) as entries, and the posterior mass on x0 that cannot have become xt, per site."""
        probs = self.classes.log_softmax(pred.double()).exp()
        chance = self._into(xt, alpha)
        possible = chance > _TINY
        lost = self.classes.sum(torch.where(possible, 0.0, probs))
        return ratio(probs, torch.where(possible, chance, 0.0), 0.0), lost

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        law = log(self._mixture(pred, xt, s, t))
        return law, self.unmasked(xt.shape, xt.device)

    def _mixture(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        alpha_s, alpha_t = self._alpha(s, xt), self._alpha(t, xt)
        weights, lost = self._weights(pred, xt, alpha_t)
        moved = self._kernel.forward(weights, -_log(alpha_s)) * self._into(xt, ratio(alpha_t, alpha_s, 1.0))
        return moved + self.classes.spread(lost) * self.classes.is_class(xt)

    def _jumps(self, xt: Tensor) -> Tensor:
        """R(y → xt) for every y ≠ xt, as entries."""
        columns = self.matrix.T.to(xt.device)[xt]
        return torch.where(self.classes.is_class(xt), 0.0, columns)

    def _pace(self, xt: Tensor, t: Tensor) -> Tensor:
        """dσ/dt per site; alpha is kept off 0, where nothing of the data is left to learn."""
        slope = self.schedule.dalpha(per_site(t.double(), xt)).expand(xt.shape)
        return -slope / self._alpha(t, xt).clamp(min=1e-12)

    def _reversed(self, pred: Tensor, xt: Tensor, alpha: Tensor) -> Tensor:
        """Rates xt → y of the reversed chain over dσ/dt, averaged over the posterior, as entries."""
        weights, _ = self._weights(pred, xt, alpha)
        return self._jumps(xt) * self._kernel.forward(weights, -_log(alpha))

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Rates of the reversed chain at `t` to the classes (entries, 0 to xt), and to the mask, which is never.

        σ' R(y → xt) Σ p(x0 | xt) q(y | x0) / q(xt | x0) (Campbell et al. 2022, prop. 1).
        """
        rates = self.classes.spread(self._pace(xt, t)) * self._reversed(pred, xt, self._alpha(t, xt))
        return rates, torch.zeros(xt.shape, dtype=torch.float64, device=xt.device)

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        return log(self._into(xt, self._alpha(t, xt)))

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """log p(x0 of a site | xt at the other sites) ∝ p(x0 | xt) / q(xt | x0); as it is where alpha = 1."""
        alpha = self._alpha(t, xt)
        logp = self.classes.log_softmax(pred.double())
        told = self.classes.log_softmax(logp - log(self._into(xt, alpha)).clamp(min=-600.0))
        return torch.where(self.classes.spread(alpha < 1.0), told, logp)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """See the base class. Tight in both cases when `pred` is the posterior.

        Without `s` it is Σ_y R_θ(y) - R(y) + R(y) log(R(y) / R_θ(y)) over the jumps xt → y of the reversed chain
        (Campbell et al. 2022, prop. 3), the model's rate averaged over the posterior.
        """
        if s is not None:
            model = self._mixture(pred, xt, s, t).clamp(min=1e-300)
            kl = self.classes.sum(kl_terms(log(self._bridge_law(x0, xt, s, t)), model.log()))
            return kl.clamp(min=0.0).to(pred.dtype)
        alpha = self._alpha(t, xt)
        law = self._after(x0, alpha)
        here = self.classes.pick(law, xt)
        truth = self._jumps(xt) * ratio(law, self.classes.spread(here).expand(law.shape), 0.0)
        nats = self._pace(xt, t) * self.classes.sum(_bregman(truth, self._reversed(pred, xt, alpha)))
        return torch.where(here > _TINY, nats, 0.0).to(pred.dtype)

    def prior_kl(self, x0: Tensor) -> Tensor:
        end = torch.ones(x0.shape[:1], dtype=torch.float64, device=x0.device)
        law, prior = self._after(x0, self._alpha(end, x0)), self._kernel.stationary.to(x0.device)
        return self.classes.sum(kl_terms(log(law), prior.clamp(min=1e-300).log()))

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(x0, dtype=pred.dtype)


def _log(alpha: Tensor) -> Tensor:
    """log alpha, -infinity with gradient 0 where it is 0."""
    return log(alpha.clamp(max=1.0))


def _bregman(truth: Tensor, model: Tensor) -> Tensor:
    """p - q + q log(q / p) of rates q = truth and p = model, with the digits of small differences; p where q = 0."""
    some = truth > 1e-200
    q = torch.where(some, truth, 1.0)
    excess = torch.where(some, model / q - 1.0, 0.0)
    close = excess.abs() < 0.5
    far = model.clamp(min=1e-300).log() - q.log()
    log_ratio = torch.where(close, torch.log1p(torch.where(close, excess, 0.0)), far)
    return torch.where(some, q * (excess - log_ratio).clamp(min=0.0), model)
