"""Path planning: propose every site, keep the best, mask the rest again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence, times
from intarsia.processes import AbstractProcess
from intarsia.samplers._base import AbstractSampler, Claim, not_observed, one_tensor, uniform_grid
from intarsia.samplers._cache import Cached
from intarsia.samplers._first_hitting import absorbing
from intarsia.samplers._orders import ranks


@dataclass(frozen=True, slots=True)
class Planner(AbstractSampler):
    """Draw all masked sites, score every site, keep the alpha(s) share that scores best (Peng et al. 2025, P2).

    Algorithm 1 of arXiv 2502.03540. Sites that were kept may be masked again, so mistakes can be mended; but which
    sites stay depends on the values drawn, so the law is not the model's even where the network is perfect.

    Args:
        steps: network calls; a planner of its own is called as often.
        score: `(x0, t, cond) -> log-probabilities` of the values of full states, (batch, *sites), none positive; None
            takes the denoiser's own prediction. Networks that carry unmasked values over are sure of them, and
            never mask them again on their own judgement.
        eta: factor on the scores of sites that were kept before: 0 never masks them again, above 1 does so more.
    """

    claim: ClassVar[Claim] = "biased"

    steps: int = 50
    score: Callable[[Tensor, Any, Any], Tensor] | None = None
    eta: float = 1.0

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.eta < 0:
            raise ValueError(f"`eta` must not be negative, got {self.eta}")

    def check(self, process: AbstractProcess[Any]) -> None:
        absorbing(process, "Planner")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        masking = absorbing(process, "Planner")
        x = one_tensor(x1, "Planner")
        classes, cached = masking.classes, Cached(denoiser)
        mask, free = masking.mask_id(x.device), not_observed(x, given)
        grid = uniform_grid(self.steps).to(x.device)
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            here = times(t.expand(x.shape[0]), x, given)
            pred = cached(x, here, cond)
            masked = x == mask
            full = torch.where(masked, classes.sample(pred, rng), x)
            score = classes.log_prob(pred, full) if self.score is None else self.score(full, here, cond)
            score = torch.where(masked, score, self.eta * score.clamp(min=-1e30))
            left = masking.schedule.alpha(per_site(s.expand(x.shape[0]), x)).expand(x.shape)
            kept = (left * free).flatten(1).sum(1).sub(1e-9).ceil() + (~free).flatten(1).sum(1)
            places = ranks(torch.where(free, score.double(), torch.inf))
            x = torch.where(places < kept.view(-1, *[1] * (x.ndim - 1)), full, mask)
        return cast(State, x)
