"""Absorbing noise that masks some classes earlier than others."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import AbstractClasses, classes_of
from intarsia.processes._finite import AbstractFinite
from intarsia.processes._logspace import log, ratio
from intarsia.schedules import AbstractSchedule, Linear
from intarsia.spaces import Categorical


@dataclass(frozen=True)
class ClasswiseAbsorbing(AbstractFinite):
    """A site of class k keeps it with probability alpha_k(t), and is masked otherwise (Shi et al. 2024, GenMD4).

    The reverse kernel of a masked site with posterior μ: it becomes k with probability μ_k (alpha_k(s) - alpha_k(t)) /
    (1 - alpha_k(t)) and stays masked with Σ μ_k (1 - alpha_k(s)) / (1 - alpha_k(t)). When a site is unmasked tells
    something about its class, so the posterior depends on the time, unlike that of `Discrete.absorbing`.

    Args:
        num_classes: one count, or one per site; then logits are flat (batch, sum of classes).
        schedule: survival per class: what it gives for times (…, 1) must broadcast to the class entries, as
            `Polynomial((1.0, 2.0, 1.5))` and `LearnedPolynomial(num_classes)` do; flat where counts differ.

    Raises:
        ValueError: the schedule has another number of classes, or leaves data at t = 1.
    """

    num_classes: int | tuple[int, ...]
    schedule: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        Categorical(self.num_classes)
        with torch.no_grad():
            try:
                left = self.schedule.alpha(self.classes.spread(torch.ones(1, 1, dtype=torch.float64)))
            except RuntimeError:  # flat times and exponents of another length
                left = torch.empty(1, 0)
            if left.shape[-1] not in (1, self.classes.width):
                raise ValueError(f"expected a survival for each of {self.classes.width} classes, got {self.schedule}")
            if float(left.max()) > 1e-12:
                raise ValueError(f"the prior is all masks, so alpha(1) must be 0, got {float(left.max()):.3g}")

    @property
    def classes(self) -> AbstractClasses:
        return self._classes

    @cached_property
    def _classes(self) -> AbstractClasses:
        return classes_of(self.num_classes)

    @property
    def has_mask(self) -> bool:
        return True

    def prior_law(self) -> tuple[Tensor, float]:
        return torch.zeros(self.classes.width, dtype=torch.float64), 1.0

    def mask_id(self, device: torch.device) -> Tensor:
        """The mask state, one past the last class, broadcastable to (batch, *sites)."""
        return self.classes.counts(device)

    def _times(self, t: Tensor, x: Tensor) -> Tensor:
        """Times as class entries, float64."""
        return self.classes.spread(per_site(t.double(), x))

    def _survival(self, t: Tensor, x0: Tensor) -> Tensor:
        """alpha(t) of the classes `x0`, (batch, *sites)."""
        return self.classes.pick(self.schedule.alpha(self._times(t, x0)), x0)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return self.mask_id(device).expand(shape).clone()

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        return torch.where(u < self._survival(t, x0), x0, self.mask_id(x0.device))

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        alpha = self._survival(t, x0)
        masked = xt == self.mask_id(xt.device)
        return log(torch.where(masked, 1.0 - alpha, torch.where(xt == x0, alpha, 0.0)))

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        before, now = self._survival(s, x0), self._survival(t, x0)
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        unmasked = u < ratio(before - now, 1.0 - now, 0.0)
        return torch.where((xt == self.mask_id(xt.device)) & unmasked, x0, xt)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        # drawing x0 from the posterior and then the bridge is the mixture kernel, exactly
        return self.bridge(self.classes.sample(pred, rng), xt, s, t, rng)

    def _step(self, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Chances per class (entries) that a masked site is unmasked, and that it stays masked."""
        before, now = self.schedule.alpha(self._times(s, xt)), self.schedule.alpha(self._times(t, xt))
        return ratio(before - now, 1.0 - now, 0.0), ratio(1.0 - before, 1.0 - now, 1.0)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        logp = self.classes.log_softmax(pred.double())
        unmask, stay = self._step(xt, s, t)
        masked = xt == self.mask_id(xt.device)
        hit = torch.where(self.classes.is_class(xt), 0.0, -torch.inf)
        entries = torch.where(self.classes.spread(masked), logp + log(unmask), hit)
        return entries, torch.where(masked, self.classes.logsumexp(logp + log(stay)), -torch.inf)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """See the base class; 0 at unmasked sites. Differentiable in the schedule."""
        logp = self.classes.log_softmax(pred.double())
        nats = self._rate_loss(logp, x0, t) if s is None else self._step_loss(logp, x0, xt, s, t)
        return torch.where(xt == self.mask_id(xt.device), nats, 0.0).to(pred.dtype)

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """A masked site becomes k at the rate μ_k · -alpha_k' / (1 - alpha_k); see the base class."""
        masked = self.classes.spread(xt == self.mask_id(xt.device))
        rates = self.classes.log_softmax(pred.double()).exp() * self._unmasking(xt, t)
        return torch.where(masked, rates, 0.0), torch.zeros(xt.shape, dtype=torch.float64, device=xt.device)

    def _unmasking(self, x: Tensor, t: Tensor) -> Tensor:
        """-alpha_k' / (1 - alpha_k) of every class, as entries."""
        times = self._times(t, x)
        return ratio(-self.schedule.dalpha(times), 1.0 - self.schedule.alpha(times), 0.0)

    def _rate_loss(self, logp: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        """Σ_k r_k (μ_k - [x0 = k] (1 + log μ_k)) with the rates r_k = -alpha_k' / (1 - alpha_k) of unmasking."""
        rate = self._unmasking(x0, t)
        others = self.classes.sum(torch.where(self.classes.is_class(x0), 0.0, rate * logp.exp()))
        right = self.classes.pick(logp, x0)
        return self.classes.pick(rate, x0) * (torch.expm1(right) - right) + others

    def _step_loss(self, logp: Tensor, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        unmask, stay = self._step(xt, s, t)
        still = self.classes.pick(stay, x0)
        model = self.classes.sum(stay * logp.exp()).clamp(min=1e-300)
        # u log(u / (μ u)) for the unmasking, and the same for what stays masked
        kept = torch.where(still > 0, still * (torch.where(still > 0, still, 1.0).log() - model.log()), 0.0)
        return self.classes.pick(unmask, x0) * -self.classes.pick(logp, x0) + kept

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        alpha = self.schedule.alpha(self._times(t, xt))
        kept = torch.where(self.classes.is_class(xt), log(alpha), -torch.inf)
        return torch.where(self.classes.spread(xt == self.mask_id(xt.device)), log(1.0 - alpha), kept)

    def prior_kl(self, x0: Tensor) -> Tensor:
        return torch.zeros(x0.shape, dtype=torch.float64, device=x0.device)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(x0, dtype=pred.dtype)
