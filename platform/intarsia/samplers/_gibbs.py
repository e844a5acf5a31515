"""Gibbs correction: after each step some sites are drawn anew given all the others."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Clock, Denoiser, State, batch_size, clock, device_of
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractFinite, AbstractProcess, Product
from intarsia.samplers._base import AbstractSampler, Claim, not_observed, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._orders import gumbel, ranks

_Rng = torch.Generator | None
_Ask = Callable[[Tensor], Tensor]
"""What the denoiser says about the field that moves, when that is in another state."""


@dataclass(frozen=True, slots=True)
class Gibbs(AbstractSampler):
    """Ancestral steps, each followed by moves that redraw sites given the others (Zhao et al. 2024, arXiv 2407.21243).

    With absorbing noise the chosen sites are masked and the network called again; a move costs a call. Other noise of
    finitely many states needs no second call: `leave_one_out` turns the posterior into p(x0 | the other sites), of
    which Σ loo(x0) q(xs | x0) is the law of the site at time s, exactly (Gourevitch et al. 2026, arXiv 2605.22765).
    Where a site's own state rules out some x0, as unmasked ones do that were masked class by class, it is masked first.
    One site a move, chosen at random, leaves the law of time s as it is. The informed corrector redraws several, those
    whose values the others doubt most, by log p(value) - log p(best other value) with Gumbel noise of a `temperature`;
    it mends faster, and keeps no law exactly. In a record every field of finitely many states moves, one after the
    other; means and whole orders of items, for which there is no such law, only take the steps.

    Args:
        steps: ancestral steps.
        moves: moves after each, of every field.
        sites: sites redrawn at once.
        temperature: of the choice; infinite chooses at random, 0 takes the most doubtful. Absorbing noise judges by
            the network's prediction at unmasked sites, for one more call, and networks that carry values over doubt
            none.
    """

    steps: int = 100
    moves: int = 1
    sites: int = 1
    temperature: float = math.inf

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.moves < 1 or self.sites < 1:
            raise ValueError(f"`moves` and `sites` must be at least 1, got {self.moves} and {self.sites}")
        if not self.temperature >= 0.0:
            raise ValueError(f"`temperature` must not be negative, got {self.temperature}")

    @property
    def claim(self) -> Claim:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What the ancestral steps are, where the moves keep every law."""
        return "first order" if self.sites == 1 and self.temperature == math.inf else "biased"

    def check(self, process: AbstractProcess[Any]) -> None:
        movable(process)

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        fields, cached = movable(process), Cached(denoiser)
        grid = uniform_grid(self.steps).to(device_of(x1))
        x: Any = x1
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            here, there = (times(u.expand(batch_size(x)), x, given) for u in (t, s))
            x = hold(process.reverse(cached(x, here, cond), x, there, here, rng), given)
            for _ in range(self.moves):
                for name, noise in fields.items():
                    # at time 0 only masks let a site forget its value
                    if noise.time_free or float(s) > 0.0:
                        x = self._moved(name, noise, cached, x, there, given, cond, rng)
        return x

    def _moved(
        self,
        name: str | None,
        noise: AbstractFinite,
        cached: Cached,
        x: Any,
        t: Clock,
        given: Evidence | None,
        cond: object,
        rng: _Rng,
    ) -> Any:
        """The state after a move of one field, or of the whole where `name` is None."""
        whole, seen = x if name is None else x[name], None if given is None else given.field(name)
        free = not_observed(whole, None if seen is None else Evidence(*seen))

        def ask(value: Tensor) -> Tensor:
            return cached(value, t, cond) if name is None else cached({**x, name: value}, t, cond)[name]

        move = self._remasked if noise.time_free else self._redrawn
        moved = move(noise, ask, whole, clock(t, name or ""), free, rng)
        return moved if name is None else {**cast(dict[str, Tensor], x), name: moved}

    def _remasked(self, noise: AbstractFinite, ask: _Ask, x: Tensor, t: Tensor, free: Tensor, rng: _Rng) -> Tensor:
        mask = noise.classes.counts(x.device)
        able = free & (x != mask)
        known = torch.where(x == mask, 0, x)
        judged = None if self.temperature == math.inf else noise.log_probs(ask(x))
        chosen = self._chosen(noise, judged, known, able, rng)
        holed = torch.where(chosen, mask, x)
        return torch.where(chosen, noise.classes.sample(noise.log_probs(ask(holed)), rng), x)

    def _redrawn(self, noise: AbstractFinite, ask: _Ask, x: Tensor, t: Tensor, free: Tensor, rng: _Rng) -> Tensor:
        mask = noise.classes.counts(x.device)
        loo = noise.log_probs(noise.leave_one_out(ask(x), x, t))
        chosen = self._chosen(noise, loo, torch.where(x == mask, 0, x), free, rng, x == mask)
        if noise.has_mask and bool((chosen & _certain(noise, x, t)).any()):
            holed = torch.where(chosen, mask, x)
            loo = noise.log_probs(noise.leave_one_out(ask(holed), holed, t))
        return torch.where(chosen, noise.corrupt(noise.classes.sample(loo, rng), t, rng), x)

    def _chosen(
        self,
        noise: AbstractFinite,
        logp: Tensor | None,
        x: Tensor,
        able: Tensor,
        rng: torch.Generator | None,
        undoubted: Tensor | None = None,
    ) -> Tensor:
        """The sites to redraw, bools: of those `able` the ones with the lowest noisy margin."""
        doubt = gumbel(x.shape, rng, x.device)
        if logp is not None and self.temperature < math.inf:
            best = noise.classes.top(logp, 2).double()
            own = noise.classes.pick(logp, x).double()
            margin = own - torch.where(own >= best[..., 0], best[..., 1], best[..., 0])
            margin = margin if undoubted is None else torch.where(undoubted, 0.0, margin)
            doubt = self.temperature * doubt - margin.clamp(-1e6, 1e6)
        return able & (ranks(torch.where(able, doubt, -torch.inf)) < self.sites)


def _certain(noise: AbstractFinite, x: Tensor, t: Tensor) -> Tensor:
    """Sites whose state some x0 cannot have become, so that the posterior has forgotten what the others say of it."""
    possible = (noise.log_likelihood(x, t) > -torch.inf).double()
    return noise.classes.sum(possible) < noise.classes.counts(x.device)


def movable(process: AbstractProcess[Any]) -> dict[str | None, AbstractFinite]:
    """The fields of a record that Gibbs moves are defined for, or the process itself under None."""
    fields = dict(process.fields) if isinstance(process, Product) else {None: process}
    able = {name: field for name, field in fields.items() if isinstance(field, AbstractFinite) and _forgets(field)}
    if not able:
        raise RequirementError(
            f"`Gibbs` needs noise of finitely many states that can become any other, got {process}: "
            "elsewhere the prediction does not tell a site's law given the others. Use `Ancestral` instead."
        )
    return able


def _forgets(noise: AbstractFinite) -> bool:
    """Whether every x0 may have become every state, or at least the mask."""
    return noise.has_leave_one_out and (noise.has_mask or bool((noise.prior_law()[0] > 0).all()))
