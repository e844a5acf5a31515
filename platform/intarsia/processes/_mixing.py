"""Discrete noise whose stationary law moves from one mixture of mask and classes to another."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import AbstractClasses, classes_of
from intarsia.processes._finite import AbstractFinite
from intarsia.processes._jump_loss import jump_divergence
from intarsia.processes._logspace import kl_terms, log, logaddexp, ratio
from intarsia.processes._share import AbstractShare, HybridShare, HybridSurvival, Ramp
from intarsia.schedules import AbstractSchedule, Linear
from intarsia.spaces import Categorical


@dataclass(frozen=True)
class Mixing(AbstractFinite):
    """q(xt | x0) = alpha(t) δ(x0) + (1 - alpha(t)) π_t, with π_t = m(t) · δ(mask) + (1 - m(t)) · law.

    Mixtures of masks and redrawn classes: von Rütte et al. 2025, GIDD, arXiv 2503.04482, and XDLM.

    It is a Markov chain, q(xt | xs) = alpha(t)/alpha(s) δ(xs) + c with c = (1 - alpha(t)) π_t - alpha(t)/alpha(s)
    (1 - alpha(s)) π_s, where c is not negative: where neither (1 - alpha) m / alpha nor (1 - alpha) (1 - m) / alpha
    ever falls. Masks may be redrawn and classes masked, so a model can correct what it wrote. With a constant share it
    is `Discrete`, and like that O(num_classes).

    Args:
        num_classes: one count, or one per site; then logits are flat (batch, sum of classes).
        schedule: survival alpha(t), for all sites or per site.
        share: m(t).
        law: class probabilities of the rest of π (one law, or one per site); None for uniform.

    Raises:
        ValueError: no Markov chain has these laws, or the prior gives some class no mass while alpha(1) > 0.
    """

    num_classes: int | tuple[int, ...]
    schedule: AbstractSchedule = Linear()
    share: AbstractShare = Ramp()
    law: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        Categorical(self.num_classes)
        with torch.no_grad():
            t = torch.linspace(0.0, 1.0, 1025, dtype=torch.float64)[:, None]
            alpha, share = self.schedule.alpha(t), self.share.share(t)
            kept = ratio(alpha[1:], alpha[:-1], 1.0)
            for part, name in ((share, "m"), (1.0 - share, "(1 - m)")):
                noise = (1.0 - alpha) * part
                rise = noise[1:] - kept * noise[:-1]
                if float(rise.min()) < -1e-9:
                    at = float(t[int(rise.amin(1).argmin())])
                    raise ValueError(
                        f"no Markov chain has these laws: (1 - alpha) {name} / alpha falls at t = {at:.3g} "
                        f"with {self.schedule} and {self.share}; let the share change more slowly"
                    )
            left = float(alpha[-1].max())
        classes = self.prior_law()[0]
        if left > 1e-12 and bool((classes <= 0).any()):
            raise ValueError(
                f"the prior gives some class no mass, so alpha(1) must be 0, got {left:.3g} from {self.schedule}"
            )

    @classmethod
    def hybrid(cls, num_classes: int | tuple[int, ...], uniform: float = 0.2) -> "Mixing":
        """GIDD's noise: masks at the end, and on the way up to a share `uniform` of sites with another class."""
        return cls(num_classes, HybridSurvival(uniform), HybridShare(uniform))

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
        masked = float(self.share.share(torch.ones(1, dtype=torch.float64)))
        return (1.0 - masked) * self._law, masked

    @cached_property
    def _law(self) -> Tensor:
        if self.law is not None:
            return self.classes.law(self.law)
        counts = self.classes.counts(torch.device("cpu")).double()
        return self.classes.spread(1.0 / counts[None]).expand(1, self.classes.width)[0]

    def mask_id(self, device: torch.device) -> Tensor:
        """The mask state, one past the last class, broadcastable to (batch, *sites)."""
        return self.classes.counts(device)

    def _at(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """alpha(t) and m(t) of every site, float64."""
        time = per_site(t.double(), x)
        return self.schedule.alpha(time).expand(x.shape), self.share.share(time).expand(x.shape)

    def _noise(self, x: Tensor, alpha: Tensor, share: Tensor) -> Tensor:
        """(1 - alpha) π(x) of every site."""
        masked = x == self.mask_id(x.device)
        law = self.classes.pick(self._law.to(x.device), torch.where(masked, 0, x))
        return (1.0 - alpha) * torch.where(masked, share, (1.0 - share) * law)

    def _redrawn(self, share: Tensor, rng: torch.Generator | None) -> Tensor:
        """Draw from π where the mask has `share` (batch, *sites)."""
        u = torch.rand((2, *share.shape), dtype=torch.float64, generator=rng, device=share.device)
        lead = share.shape if isinstance(self.num_classes, int) else share.shape[:1]
        logits = self._law.to(share.device).log().expand(*lead, self.classes.width)
        return torch.where(u[0] < share, self.mask_id(share.device), self.classes.quantile(logits, u[1]))

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return self._redrawn(self.share.share(torch.ones(shape, dtype=torch.float64, device=device)), rng)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        alpha, share = self._at(t, x0)
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        return torch.where(u < alpha, x0, self._redrawn(share, rng))

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        alpha, share = self._at(t, x0)
        return (torch.where(xt == x0, alpha, 0.0) + self._noise(xt, alpha, share)).log()

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        (alpha_s, share_s), (alpha_t, share_t) = self._at(s, x0), self._at(t, x0)
        kept = ratio(alpha_t, alpha_s, 1.0)
        before = self._noise(xt, alpha_s, share_s)
        came = (self._noise(xt, alpha_t, share_t) - kept * before).clamp(min=0.0)
        stay = kept * (torch.where(xt == x0, alpha_s, 0.0) + before)
        # whether a site jumps is drawn apart from what it jumps to; an impossible (x0, xt) stays
        u = torch.rand(x0.shape, dtype=torch.float64, generator=rng, device=x0.device)
        level = u * (stay + came)
        xs = torch.where(level < stay + came * alpha_s, x0, self._redrawn(share_s, rng))
        return torch.where((level < stay) | (came <= 0), xt, xs)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        # drawing x0 from the posterior and then the bridge is the mixture kernel, exactly
        return self.bridge(self.classes.sample(pred, rng), xt, s, t, rng)

    def _is_same(self, logp: Tensor, xt: Tensor) -> Tensor:
        """Posterior probability that x0 = xt; 0 at masked sites."""
        masked = xt == self.mask_id(xt.device)
        return torch.where(masked, 0.0, self.classes.pick(logp, torch.where(masked, 0, xt)).exp())

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        logp = self.classes.log_softmax(pred.double())
        return self._step_law(logp, self._is_same(logp, xt), xt, s, t)

    def _step_law(self, logp: Tensor, same: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Σ p(x0) q(xs | xt, x0) for a law `logp` of x0, with `same` its mass on xt."""
        spread = self.classes.spread
        (alpha_s, share_s), (alpha_t, share_t) = self._at(s, xt), self._at(t, xt)
        noise = self._noise(xt, alpha_t, share_t)
        clean = noise <= 0  # x0 is xt for sure
        # of noise at t: already there at s, or come since
        back = ratio(ratio(alpha_t, alpha_s, 1.0) * self._noise(xt, alpha_s, share_s), noise, 1.0).clamp(max=1.0)
        came = 1.0 - back
        rho = ratio(noise, alpha_t + noise, 1.0)
        mixed = (1.0 - same * (1.0 - rho)).clamp(min=1e-300)  # E[q(xt | another x0) / q(xt | x0)]
        hit = self.classes.is_class(xt)
        jump = spread(log(came * alpha_s)) + logp + torch.where(hit, spread(log(rho)), 0.0)
        redraw = log(came * (1.0 - alpha_s)) + mixed.log()
        entries = logaddexp(jump, spread(redraw + log(1.0 - share_s)) + log(self._law.to(xt.device)))
        stay = same * (1.0 - rho) + back * mixed
        entries = torch.where(hit, logaddexp(entries, spread(log(stay))), entries)
        entries = torch.where(spread(clean), torch.where(hit, 0.0, -torch.inf), entries)
        masked = xt == self.mask_id(xt.device)
        to_mask = logaddexp(redraw + log(share_s), torch.where(masked, log(stay), -torch.inf))
        return entries, torch.where(clean, torch.where(masked, 0.0, -torch.inf), to_mask)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        if s is None:
            return self._rate_loss(pred, x0, xt, t).to(pred.dtype)
        logp = self.classes.log_softmax(pred.double())
        model = logp, self._is_same(logp, xt)
        truth = log(self.classes.is_class(x0).double()), (xt == x0).double()
        (p, p_mask), (b, b_mask) = (self._step_law(*law, xt, s, t) for law in (model, truth))
        return (self.classes.sum(kl_terms(b, p)) + kl_terms(b_mask, p_mask)).to(pred.dtype)

    def _rate_loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Integrand Σ_y R_θ(y) - R(y) + R(y) log(R(y) / R_θ(y)) over the jumps xt → y.

        Campbell et al. 2022, prop. 3, with the model's rate averaged over the posterior, where it is tight.
        """
        alpha, share = self._at(t, xt)
        rate = self._clock_rate(xt, t) * (1.0 - alpha)
        here = self._noise(xt, torch.zeros_like(alpha), share)
        sure = (1.0 - alpha) * here <= 0  # any numbers will do there
        alpha, here = torch.where(sure, 0.5, alpha), torch.where(sure, 0.5, here)
        law = None if self.law is None else self._law.to(xt.device)
        nats = jump_divergence(self.classes, pred, x0, xt, alpha, here, 1.0 - share, law)
        return torch.where(rate > 0, rate * nats, 0.0)

    def _clock_rate(self, xt: Tensor, t: Tensor) -> Tensor:
        """Forward rate into xt over (1 - alpha) π(xt): the slope of the logarithm of (1 - alpha) π(xt) / alpha.

        0 where xt is x0 for sure.
        """
        came, drift, alpha = self._slopes(xt, t)
        return (came / alpha.clamp(min=1e-12) + drift).clamp(min=0.0)

    def _slopes(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-alpha' / (1 - alpha), the slope of the log of the share of xt's kind in the noise, and alpha."""
        alpha, share = self._at(t, xt)
        time = per_site(t.double(), xt)
        slope = self.share.slope(time).expand(xt.shape)
        masked = xt == self.mask_id(xt.device)
        drift = ratio(torch.where(masked, slope, -slope), torch.where(masked, share, 1.0 - share), 0.0)
        came = ratio(-self.schedule.dalpha(time).expand(xt.shape), 1.0 - alpha, 0.0)
        noised = self._noise(xt, alpha, share) > 0
        return torch.where(noised, came, 0.0), torch.where(noised, drift, 0.0), alpha

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The rate into xt, with what came from y: p(y) alpha, or a redraw; see the base class."""
        logp = self.classes.log_softmax(pred.double())
        came, drift, alpha = self._slopes(xt, t)
        _, share = self._at(t, xt)
        odds = ratio(alpha, alpha + self._noise(xt, alpha, share), 1.0)
        redraw = self._clock_rate(xt, t) * (1.0 - alpha) * (1.0 - self._is_same(logp, xt) * odds).clamp(min=0.0)
        spread = self.classes.spread
        # a rate to a value of the data that is finite where nothing of the data is left
        entries = spread((came + alpha * drift).clamp(min=0.0)) * logp.exp()
        entries = entries + spread(redraw * (1.0 - share)) * self._law.to(xt.device)
        to_mask = torch.where(xt == self.mask_id(xt.device), 0.0, redraw * share)
        return torch.where(self.classes.is_class(xt), 0.0, entries), to_mask

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        alpha, share = self._at(t, xt)
        noise, spread = self._noise(xt, alpha, share), self.classes.spread
        return torch.where(self.classes.is_class(xt), spread(log(alpha + noise)), spread(log(noise)))

    def prior_kl(self, x0: Tensor) -> Tensor:
        alpha, share = self._at(torch.ones(x0.shape[:1], dtype=torch.float64, device=x0.device), x0)
        pi = self._noise(x0, torch.zeros_like(alpha), share)
        hit = alpha + (1.0 - alpha) * pi
        rest = (1.0 - pi) * torch.where(alpha < 1, (1.0 - alpha) * torch.log1p(-alpha), 0.0)
        return torch.where(alpha > 0, hit * (hit / pi).log() + rest, 0.0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(x0, dtype=pred.dtype)
