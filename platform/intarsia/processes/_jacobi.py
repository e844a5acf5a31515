"""Wright-Fisher noise on the simplex: categories as corners, noise as a diffusion to the uniform law of mixtures."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import Dense
from intarsia.processes._base import AbstractProcess, Exactness
from intarsia.processes._dirichlet import dirichlet, flat_dirichlet
from intarsia.processes._finite import IMPOSSIBLE
from intarsia.processes._logspace import ratio
from intarsia.processes._wright_fisher import WrightFisher
from intarsia.schedules import AbstractSchedule, Linear
from intarsia.spaces import Simplex

_LEAST = 1e-12
"""Survival is kept off 0 where its logarithm is taken: nothing of the data is left there."""


@dataclass(frozen=True)
class Jacobi(AbstractProcess[Tensor]):
    """The diffusion of the Dirichlet diffusion score model (Avdeyev et al. 2023, arXiv 2305.10699), in exact form.

    States are points of the simplex (batch, *sites, num_classes); x0 is a corner e_i, the prior Dirichlet(1, …, 1). A
    coordinate is a Jacobi diffusion, as a stick is, and the point is the Wright-Fisher diffusion, whose law from a
    corner needs neither simulated paths nor tables: see `WrightFisher`. Its clock is τ = -2 log alpha(t) /
    num_classes, so that E[xt | x0] = alpha x0 + (1 - alpha) / num_classes.

    `pred` holds class logits (batch, *sites, num_classes) of the posterior; the score is its mixture,
    g_k = p(k | xt) h(x_k), h the score of a start at corner k. The entries of a site share one time: the least of
    those given, so a site with an observed entry is observed.

    `reverse` draws x0 from the posterior and steps towards it by `bridge`: gamma variables with Poisson shapes, made
    to sum to 1. That has the drift and the covariance of the bridge, so it is exact up to O(step), and to the end at
    s = 0, at t = 1 where nothing is left, and in the limit of little noise. Steps stay inside the simplex without
    clamps. Quantities per site are spread over the entries, or stand at the entry of x0.

    Args:
        num_classes: categories of every site, at least 2.
        schedule: survival alpha(t), for all sites or per site.
    """

    reverse_is: ClassVar[Exactness] = "first order"

    num_classes: int
    schedule: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        if self.num_classes < 2:
            raise ValueError(f"a simplex needs at least 2 classes, got {self.num_classes}")
        Simplex(self.num_classes)

    @property
    def _law(self) -> WrightFisher:
        return WrightFisher(self.num_classes)

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """Logarithms of the class probabilities of every site."""
        probs = (weights @ points.double().flatten(1)).view(-1, *points.shape[1:])
        return probs.log().clamp(min=IMPOSSIBLE)

    def _time(self, t: Tensor, x: Tensor) -> Tensor:
        """Times that broadcast against the sites (batch, *sites): the least of a site's entries."""
        time = t.double().amin(-1) if t.ndim == x.ndim and t.ndim > 1 else t.double()
        return per_site(time, x[..., 0])

    def _alpha(self, t: Tensor, x: Tensor) -> Tensor:
        """Survival of the sites, (batch, *sites)."""
        return self.schedule.alpha(self._time(t, x)).expand(x.shape[:-1]).clamp(0.0, 1.0)

    def _clock(self, alpha: Tensor) -> Tensor:
        return -2.0 / self.num_classes * alpha.log()

    def _pace(self, t: Tensor, x: Tensor) -> Tensor:
        """dτ/dt of the sites."""
        slope = self.schedule.dalpha(self._time(t, x)).expand(x.shape[:-1])
        return -2.0 / self.num_classes * slope / self._alpha(t, x).clamp(min=_LEAST)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        device = rng.device if rng is not None else torch.device("cpu")
        return flat_dirichlet(shape, rng, device).to(torch.get_default_dtype())

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        alpha = self._alpha(t, x0)
        away = self._law.draw(self._clock(alpha), rng)[..., None]
        here = self._corner(x0)
        others = torch.where(here, 0.0, flat_dirichlet(tuple(x0.shape), rng, x0.device))
        others = others / others.sum(-1, keepdim=True)
        moved = torch.where(here, 1.0 - away, away * others).to(x0.dtype)
        return torch.where((alpha < 1.0)[..., None], moved, x0)

    def _corner(self, x0: Tensor) -> Tensor:
        """The entry of every site's category, as bools."""
        return Dense(self.num_classes).is_class(x0.argmax(-1))

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        """The density with respect to the first num_classes - 1 coordinates, at the entry of x0; 0 at the others."""
        clock = self._clock(self._alpha(t, xt))[..., None]
        here = self._corner(x0)
        away = torch.where(here, _others(xt), 0.0).sum(-1, keepdim=True)
        density = self._law.log_density(away, clock) + math.lgamma(self.num_classes)
        return torch.where(here, density, 0.0)

    def score(self, probs: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """∂ log p / ∂x (batch, *sites, num_classes) of the law whose posterior over x0 is `probs`, up to a constant."""
        clock = self._clock(self._alpha(t, xt).clamp(min=_LEAST))
        return probs.double() * self._law.score(_others(xt), clock[..., None])

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        alpha_s, alpha_t = (self._alpha(u, xt) for u in (s, t))
        kept = ratio(alpha_t, alpha_s, 1.0)
        moves = (kept < 1.0) & (alpha_s < 1.0)
        here = self._corner(x0)
        # where nothing moves any two survivals will do
        stay, pull = self._lines(xt, here, torch.where(moves, alpha_s, 0.5), torch.where(moves, alpha_t, 0.25))
        counts = torch.poisson(stay[..., None] * xt.double(), generator=rng)
        drawn = dirichlet(1.0 + counts + torch.where(here, pull[..., None], 0.0), rng).to(xt.dtype)
        end = torch.where((kept < 1.0)[..., None], here.to(xt.dtype), xt)
        moved = torch.where(moves[..., None], drawn, end)
        forgotten = moves & (alpha_t <= 0)
        if bool(forgotten.any()):
            moved = torch.where(forgotten[..., None], self.corrupt(x0, s, rng).to(xt.dtype), moved)
        return moved

    def _lines(self, xt: Tensor, here: Tensor, alpha_s: Tensor, alpha_t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean numbers of lines from the state at s to xt, and (beyond those) from x0 to the state at s.

        They make the step exact where x_i is nearly 1, for a Feller diffusion conditioned to start at 0; with the
        second in proportion to the mean number of lines from x0 to xt, the drift is right everywhere.
        """
        kept = alpha_t / alpha_s
        fresh, noise_s, noise_t = 1.0 - kept, 1.0 - alpha_s, 1.0 - alpha_t
        stay = self.num_classes * kept * noise_s / (noise_t * fresh)
        pull = self.num_classes * alpha_s * (2.0 * noise_s + fresh * (alpha_s - noise_s)) / (noise_s * noise_t)
        clock = self._clock(alpha_t.clamp(min=_LEAST))
        away = torch.where(here, _others(xt), 0.0).sum(-1)
        lines = (1.0 - away) * self._law.score(away, clock)
        return stay, pull * (fresh + lines * noise_t / (self.num_classes * alpha_s))

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        classes = Dense(self.num_classes)
        x0 = classes.is_class(classes.sample(pred, rng)).to(xt.dtype)
        return self.bridge(x0, xt, s, t, rng)

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        """½ dτ/dt (Δᵀ (diag(x) - x xᵀ) Δ), Δ the error of the score, as ½ dτ/dt Σ x_k (Δ_k - Δ̄)² by entries.

        Score matching in the diffusion's own metric, so its integral is the nelbo, with no reconstruction. In sticks
        it is Σ_j v_j (1 - v_j) Δ_j² / (2 Π_{i<j} (1 - v_i)): the published loss, without that product and
        over `information`, weighs sticks and times otherwise. With `s` the same over the step, to first order in it.
        """
        error = self.score(pred.double().softmax(-1) - self._corner(x0).double(), xt, t)
        x = xt.double()
        spread = 0.5 * x * (error - (x * error).sum(-1, keepdim=True)).square()
        if s is None:
            return (self._pace(t, xt)[..., None] * spread).to(pred.dtype)
        alpha_s, alpha_t = self._alpha(s, xt), self._alpha(t, xt).clamp(min=_LEAST)
        # the error falls like alpha where little is left: ∫ α² dτ over the step, over α(t)²
        length = ((alpha_s / alpha_t).square() - 1.0).clamp(min=0.0) / self.num_classes
        return (length[..., None] * spread).to(pred.dtype)

    def information(self, t: Tensor) -> Tensor:
        """½ dτ/dt E[h² x_i (1 - x_i)], the expected loss of a score of 0, by which the paper weighs times, (batch,)."""
        like = torch.zeros((*t.shape, self.num_classes), dtype=torch.float64, device=t.device)
        clock = self._clock(self._alpha(t, like).clamp(min=_LEAST))
        law = self._law

        def size(u: Tensor, at: Tensor) -> Tensor:
            return u * (1.0 - u) * law.score(u, at).square()

        return 0.5 * self._pace(t, like) * law.mean(size, clock)

    def prior_kl(self, x0: Tensor) -> Tensor:
        alpha = self._alpha(torch.ones(x0.shape[:1], dtype=torch.float64, device=x0.device), x0)
        kl = self._law.mean(self._law.log_density, self._clock(alpha)).clamp(min=0.0)
        return torch.where(self._corner(x0), kl[..., None], 0.0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros_like(pred)


def _others(x: Tensor) -> Tensor:
    """Σ_{j ≠ k} x_j at every entry k, with the digits that 1 - x_k would lose."""
    count = x.shape[-1]
    return (x.double() @ (1.0 - torch.eye(count, dtype=torch.float64, device=x.device))).clamp(0.0, 1.0)
