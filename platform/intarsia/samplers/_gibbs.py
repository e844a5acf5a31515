"""Gibbs correction: after each step some sites are drawn anew given all the others."""

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._base import AbstractSampler, Claim, not_observed, one_tensor, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._orders import gumbel, ranks

_Rng = torch.Generator | None


@dataclass(frozen=True, slots=True)
class Gibbs(AbstractSampler):
    """Ancestral steps, each followed by moves that redraw sites given the others (Zhao et al. 2024, arXiv 2407.21243).

    With absorbing noise the chosen sites are masked and the network called again; a move costs a call. Other noise
    needs no second call: `Discrete.leave_one_out` turns the posterior into p(x0 | the other sites), which at time s
    gives alpha(s) loo + (1 - alpha(s)) π exactly. One site a move, chosen at random, leaves the law of time s as it is.
    The informed corrector redraws several, those whose values the others doubt most, by log p(value) - log p(best
    other value) with Gumbel noise of a `temperature`; it mends faster, and keeps no law exactly.

    Args:
        steps: ancestral steps.
        moves: moves after each.
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
        _discrete(process)

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        noise = _discrete(process)
        x = one_tensor(x1, "Gibbs")
        cached, free = Cached(denoiser), not_observed(x, given)
        grid = uniform_grid(self.steps).to(x.device)
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            here, there = (times(u.expand(x.shape[0]), x, given) for u in (t, s))
            x = hold(noise.reverse(cached(x, here, cond), x, there, here, rng), given)
            # at time 0 only masks let a site forget its value
            for _ in range(self.moves if noise.time_free or float(s) > 0.0 else 0):
                move = self._remasked if noise.time_free else self._redrawn
                x = move(noise, cached, x, there, free, cond, rng)
        return cast(State, x)

    def _remasked(
        self, noise: Discrete, cached: Cached, x: Tensor, t: Tensor, free: Tensor, cond: object, rng: _Rng
    ) -> Tensor:
        mask = noise.mask_id(x.device)
        able = free & (x != mask)
        known = torch.where(x == mask, 0, x)
        judged = None if self.temperature == math.inf else noise.classes.log_softmax(cached(x, t, cond))
        chosen = self._chosen(noise, judged, known, able, rng)
        holed = torch.where(chosen, mask, x)
        return torch.where(chosen, noise.classes.sample(cached(holed, t, cond), rng), x)

    def _redrawn(
        self, noise: Discrete, cached: Cached, x: Tensor, t: Tensor, free: Tensor, cond: object, rng: _Rng
    ) -> Tensor:
        loo = noise.leave_one_out(cached(x, t, cond), x, t)
        masked = x == noise.mask_id(x.device)
        chosen = self._chosen(noise, loo, torch.where(masked, 0, x), free, rng, masked)
        return torch.where(chosen, noise.corrupt(noise.classes.sample(loo, rng), t, rng), x)

    def _chosen(
        self,
        noise: Discrete,
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


def _discrete(process: AbstractProcess[Any]) -> Discrete:
    if not isinstance(process, Discrete):
        raise RequirementError(f"`Gibbs` needs `Discrete` noise, got {process}. Use `Ancestral` instead.")
    return process
