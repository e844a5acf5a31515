"""Discrete noise with any stationary law, in closed form and without a matrix over classes."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import AbstractClasses, classes_of
from intarsia.processes._finite import IMPOSSIBLE, AbstractFinite
from intarsia.processes._jump_loss import jump_divergence
from intarsia.processes._logspace import kl_terms, log, logaddexp, ratio
from intarsia.schedules import AbstractSchedule, Linear
from intarsia.spaces import Categorical


@dataclass(frozen=True)
class Discrete(AbstractFinite):
    """q(xt | x0) = alpha(t) δ(x0) + (1 - alpha(t)) π, with π = mask · δ(mask state) + (1 - mask) · law.

    Absorbing noise (D3PM, MD4, MDLM) is mask = 1; multinomial noise (Hoogeboom et al. 2021) is mask = 0 with a
    uniform law; mixtures are GIDD's and XDLM's. The mask is the state `num_classes` and never a logit. Bridges
    are three-component mixtures (stay, jump to x0, draw from π), so everything is O(num_classes).

    Args:
        num_classes: one count, or one per site; then logits are flat (batch, sum of classes).
        schedule: survival alpha(t), for all sites or per site.
        mask: the share of π that lies on the mask state.
        law: class probabilities of the rest of π (one law, or one per site); None for uniform.

    Raises:
        ValueError: some class has no mass under π, while alpha(1) > 0 would leave data in the prior.
    """

    num_classes: int | tuple[int, ...]
    schedule: AbstractSchedule = Linear()
    mask: float = 1.0
    law: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        Categorical(self.num_classes)
        if not 0.0 <= self.mask <= 1.0:
            raise ValueError(f"`mask` is a share between 0 and 1, got {self.mask}")
        left = float(self.schedule.alpha(torch.ones(1, 1, dtype=torch.float64)).detach().max())
        if left > 1e-12 and bool((self._law <= 0).any() | torch.tensor(self.mask == 1.0)):
            raise ValueError(
                f"the prior gives some class no mass, so alpha(1) must be 0, got {left:.3g} from {self.schedule}; "
                "use Linear() or Cosine()"
            )

    @classmethod
    def absorbing(cls, num_classes: int | tuple[int, ...], schedule: AbstractSchedule = Linear()) -> "Discrete":
        """Noise that masks sites."""
        return cls(num_classes, schedule, 1.0)

    @classmethod
    def uniform(cls, num_classes: int | tuple[int, ...], schedule: AbstractSchedule = Linear()) -> "Discrete":
        """Noise that redraws sites uniformly (multinomial diffusion)."""
        return cls(num_classes, schedule, 0.0)

    @classmethod
    def marginal(
        cls,
        law: tuple[float, ...] | tuple[tuple[float, ...], ...],
        schedule: AbstractSchedule = Linear(),
    ) -> "Discrete":
        """Noise that redraws sites from `law`, usually the marginals of the data (DiGress)."""
        first = law[0]
        counts = tuple(len(site) for site in law if isinstance(site, tuple)) if isinstance(first, tuple) else len(law)
        return cls(counts, schedule, 0.0, law)

    @property
    def classes(self) -> AbstractClasses:
        return self._classes

    @cached_property
    def _classes(self) -> AbstractClasses:
        return classes_of(self.num_classes)

    @property
    def has_mask(self) -> bool:
        return self.mask > 0.0

    @property
    def time_free(self) -> bool:
        return self.mask == 1.0

    def prior_law(self) -> tuple[Tensor, float]:
        return (1.0 - self.mask) * self._law, self.mask

    @cached_property
    def _law(self) -> Tensor:
        if self.law is not None:
            return self.classes.law(self.law)
        counts = self.classes.counts(torch.device("cpu")).double()
        return self.classes.spread(1.0 / counts[None]).expand(1, self.classes.width)[0]

    def mask_id(self, device: torch.device) -> Tensor:
        """The mask state, one past the last class, broadcastable to (batch, *sites)."""
        return self.classes.counts(device)

    def _alpha(self, t: Tensor, x: Tensor) -> Tensor:
        return self.schedule.alpha(per_site(t, x)).expand(x.shape)

    def _stationary(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """π(x) of every site."""
        masked = x == self.mask_id(x.device)
        law = self._law.to(x.device, dtype)
        return torch.where(masked, self.mask, (1.0 - self.mask) * self.classes.pick(law, torch.where(masked, 0, x)))

    def _draw_stationary(self, shape: torch.Size, device: torch.device, rng: torch.Generator | None) -> Tensor:
        mask = self.mask_id(device).expand(shape).clone()
        if self.mask == 1.0:
            return mask
        u = torch.rand(shape, dtype=torch.float64, generator=rng, device=device)
        logits = self._law.to(device).log()
        lead = shape if isinstance(self.num_classes, int) else shape[:1]
        drawn = self.classes.quantile(logits.expand(*lead, self.classes.width), u)
        if self.mask == 0.0:
            return drawn
        return torch.where(torch.rand(shape, generator=rng, device=device) < self.mask, mask, drawn)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return self._draw_stationary(torch.Size(shape), device, rng)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        kept = torch.rand(x0.shape, generator=rng, device=x0.device) < self._alpha(t, x0)
        return torch.where(kept, x0, self._draw_stationary(x0.shape, x0.device, rng))

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        alpha = self._alpha(t, x0)
        spread = (1.0 - alpha) * self._stationary(xt, alpha.dtype)
        return torch.where(xt == x0, alpha + spread, spread).log()

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        alpha_s, alpha_t = self._alpha(s, x0), self._alpha(t, x0)
        kept = ratio(alpha_t, alpha_s, 1.0)
        pi = self._stationary(xt, alpha_t.dtype)
        stay = kept * (alpha_s * (xt == x0) + (1.0 - alpha_s) * pi)
        jump = (1.0 - kept) * pi * alpha_s
        redraw = (1.0 - kept) * pi * (1.0 - alpha_s)
        # whether a site jumps is drawn apart from what it jumps to; an impossible (x0, xt) stays
        level = torch.rand(x0.shape, generator=rng, device=x0.device) * (stay + jump + redraw)
        xs = torch.where(level < stay + jump, x0, self._draw_stationary(x0.shape, x0.device, rng))
        return torch.where((level < stay) | (jump + redraw <= 0), xt, xs)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        # drawing x0 from the posterior and then the bridge is the mixture kernel, exactly
        return self.bridge(self.classes.sample(pred, rng), xt, s, t, rng)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        logp = self.classes.log_softmax(pred.double())
        return self._step_law(logp, self._is_same(logp, xt), xt, s, t)

    def _is_same(self, logp: Tensor, xt: Tensor) -> Tensor:
        """Posterior probability that x0 = xt; 0 at masked sites."""
        masked = xt == self.mask_id(xt.device)
        return torch.where(masked, 0.0, self.classes.pick(logp, torch.where(masked, 0, xt)).exp())

    def _step_law(self, logp: Tensor, same: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        classes = self.classes
        alpha_s, alpha_t = self._alpha(s.double(), xt), self._alpha(t.double(), xt)
        kept = ratio(alpha_t, alpha_s, 1.0)
        other = (1.0 - alpha_t) * self._stationary(xt, torch.float64)
        clean = other <= 0  # x0 is xt for sure: t = 0, or an unmasked site of absorbing noise
        away = ratio(1.0 - kept, 1.0 - alpha_t, 0.0)
        rho = ratio(other, alpha_t + other, 1.0)
        mixed = 1.0 - same * (1.0 - rho)  # E[q(xt | another x0) / q(xt | x0)]
        stay = kept * (
            alpha_s * same / (alpha_t + other).clamp(min=1e-300) + ratio(1.0 - alpha_s, 1.0 - alpha_t, 0.0) * mixed
        )
        hit = classes.is_class(xt)
        jump = classes.spread((away * alpha_s).log()) + logp + torch.where(hit, classes.spread(rho.log()), 0.0)
        redraw = (away * (1.0 - alpha_s)).log() + mixed.clamp(min=1e-300).log()
        law = self._law.to(xt.device)
        entries = logaddexp(jump, classes.spread(redraw) + ((1.0 - self.mask) * law).log())
        entries = torch.where(hit, logaddexp(entries, classes.spread(log(stay))), entries)
        entries = torch.where(classes.spread(clean), torch.where(hit, 0.0, -torch.inf), entries)
        masked = xt == self.mask_id(xt.device)
        to_mask = redraw.exp() * self.mask + torch.where(masked, stay, 0.0)
        return entries, torch.where(clean, torch.where(masked, 0.0, -torch.inf), log(to_mask))

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """See the base class. Tight in both cases when `pred` is the posterior (reference laws T2 and T3)."""
        if self.mask == 1.0:
            # every step is a weighted cross-entropy at the masked sites (MD4, eq. 4 and its T-step form)
            masked = xt == self.mask_id(xt.device)
            return torch.where(masked, self.unmask_weight(x0, t, s) * -self.classes.log_prob(pred, x0), 0.0)
        if s is None:
            return self._rate_loss(pred, x0, xt, t).to(pred.dtype)
        logp = self.classes.log_softmax(pred.double())
        b, b_mask = self._step_law(self.classes.is_class(x0).double().log(), (xt == x0).double(), xt, s, t)
        p, p_mask = self._step_law(logp, self._is_same(logp, xt), xt, s, t)
        kl = self.classes.sum(kl_terms(b, p)) + kl_terms(b_mask, p_mask)
        return kl.to(pred.dtype)

    def unmask_weight(self, x: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """Weight of the cross-entropy of a masked site: -alpha'/(1 - alpha), or with `s` the chance to unmask."""
        alpha = self._alpha(t, x)
        gain = -self.schedule.dalpha(per_site(t, x)).expand(x.shape) if s is None else self._alpha(s, x) - alpha
        return ratio(gain, 1.0 - alpha, 0.0)

    def _clock_rate(self, xt: Tensor, t: Tensor) -> Tensor:
        """-alpha'/alpha per site, and 0 where xt is x0 for sure (t = 0, an unmasked site of absorbing noise)."""
        alpha = self._alpha(t.double(), xt)
        dalpha = self.schedule.dalpha(per_site(t.double(), xt)).expand(xt.shape)
        clean = (1.0 - alpha) * self._stationary(xt, torch.float64) <= 0
        return torch.where(clean, 0.0, -dalpha / alpha.clamp(min=1e-12))

    def _rate_loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Integrand Σ_y R_θ(y) - R(y) + R(y) log(R(y) / R_θ(y)) over the jumps xt → y of the reversed chain.

        Campbell et al. 2022, prop. 3, with the model's rate averaged over the posterior: no leave-one-out law
        is needed, and the bound is tight at the posterior.
        """
        alpha, here = self._alpha(t.double(), xt), self._stationary(xt, torch.float64)
        rate = self._clock_rate(xt, t)
        sure = (1.0 - alpha) * here <= 0  # any numbers will do there
        alpha, here = torch.where(sure, 0.5, alpha), torch.where(sure, 0.5, here)
        share = torch.full_like(alpha, 1.0 - self.mask)
        law = None if self.law is None else self._law.to(xt.device)
        nats = jump_divergence(self.classes, pred, x0, xt, alpha, here, share, law)
        return torch.where(rate > 0, rate * nats, 0.0)

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Rates of the reversed chain at `t`: to the classes (entries), and to the mask (batch, *sites); 0 to xt.

        -alpha' (p(y) / (1 - alpha) + π(y) E[q(xt | another x0) / q(xt | x0)] / alpha), averaged over the posterior
        (Campbell et al. 2022, prop. 1). Where x0 is xt for sure nothing moves.
        """
        logp = self.classes.log_softmax(pred.double())
        alpha = self._alpha(t.double(), xt)
        other = (1.0 - alpha) * self._stationary(xt, torch.float64)
        slope = -self.schedule.dalpha(per_site(t.double(), xt)).expand(xt.shape)
        slope = torch.where(other > 0, slope, 0.0)
        mixed = 1.0 - self._is_same(logp, xt) * ratio(alpha, alpha + other, 1.0)
        # the second part has no bound where nothing of the data is left, but is 0 for absorbing noise
        redraw = slope / alpha.clamp(min=1e-12) * mixed
        law = (1.0 - self.mask) * self._law.to(xt.device)
        spread = self.classes.spread
        entries = spread(ratio(slope, 1.0 - alpha, 0.0)) * logp.exp() + spread(redraw) * law
        to_mask = torch.where(xt == self.mask_id(xt.device), 0.0, redraw * self.mask)
        return torch.where(self.classes.is_class(xt), 0.0, entries), to_mask

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        alpha = self._alpha(t.double(), xt)
        other = (1.0 - alpha) * self._stationary(xt, torch.float64)
        spread = self.classes.spread
        return torch.where(self.classes.is_class(xt), spread(log(alpha + other)), spread(log(other)))

    def _told(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """log(1 + alpha / ((1 - alpha) π(xt))), by which xt as x0 is likelier than another, and where it is sure."""
        alpha = self._alpha(t.double(), xt)
        other = (1.0 - alpha) * self._stationary(xt, torch.float64)
        return torch.where(other > 0, torch.log1p(ratio(alpha, other, 1.0)), 0.0), other <= 0

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """log p(x0 of a site | xt at the other sites) from the posterior, as entries (Gourevitch et al. 2026).

        The logit of the observed state loses log(1 + alpha / ((1 - alpha) π(xt))); a masked site has told nothing,
        so nothing is to be taken back. Where x0 is xt for sure (t = 0, an unmasked site of absorbing noise) the
        posterior has forgotten what the other sites say, and is returned as it is.
        """
        logp = self.classes.log_softmax(pred.double())
        taken = torch.where(self.classes.is_class(xt), logp - self.classes.spread(self._told(xt, t)[0]), logp)
        return self.classes.log_softmax(taken)

    def from_leave_one_out(self, loo: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """The observed state's logit gains what `leave_one_out` takes; in the dtype of `loo`, float32 at least."""
        told, sure = self._told(xt, t)
        # half precision would blur the gain
        loo = loo if loo.dtype == torch.float64 else loo.float()
        hit, spread = self.classes.is_class(xt), self.classes.spread
        entries = torch.where(hit, loo + spread(told).to(loo.dtype), loo)
        known = spread(sure & (xt != self.mask_id(xt.device)))
        return torch.where(known, torch.where(hit, 0.0, IMPOSSIBLE).to(loo.dtype), entries)

    def prior_kl(self, x0: Tensor) -> Tensor:
        t = torch.ones(x0.shape[:1], dtype=torch.float64, device=x0.device)
        alpha = self._alpha(t, x0)
        pi = self._stationary(x0, torch.float64)
        hit = alpha + (1.0 - alpha) * pi
        kl = hit * (hit / pi).log() + (1.0 - pi) * torch.where(alpha < 1, (1.0 - alpha) * torch.log1p(-alpha), 0.0)
        return torch.where(alpha > 0, kl, 0.0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(x0, dtype=pred.dtype)
