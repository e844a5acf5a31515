"""Unmasking in an order that the network chooses."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._base import AbstractSampler, Claim, not_observed, one_tensor
from intarsia.samplers._cache import Cached
from intarsia.samplers._first_hitting import absorbing
from intarsia.samplers._orders import AbstractOrder, Margin, ranks
from intarsia.samplers._paces import AbstractPace, PerStep


@dataclass(frozen=True, slots=True)
class Unmask(AbstractSampler):
    """At every call draw the masked sites that score highest, as many as the pace allows.

    One site a call is exact in every order that looks at the current state only, since it is the chain rule; sites
    that are drawn at once are taken for independent. With a network that errs most on sites it is unsure of, an order
    that leaves those to the end does better than a random one, most of all on puzzles (arXiv 2502.06768).

    Args:
        order: scores the sites.
        pace: says how many are drawn at a call.
    """

    order: AbstractOrder = Margin()
    pace: AbstractPace = PerStep()

    @property
    def claim(self) -> Claim:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Exact where sites are drawn one by one from the prediction itself."""
        return "exact" if self.order.keeps_law and self.pace.keeps_law else "biased"

    def check(self, process: AbstractProcess[Any]) -> None:
        absorbing(process, "Unmask")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        masking = absorbing(process, "Unmask")
        x = one_tensor(x1, "Unmask")
        classes, cached = masking.classes, Cached(denoiser)
        while bool((masked := x == masking.mask_id(x.device)).any()):
            pred = cached(x, times(mask_clock(masking, masked, given), x, given), cond)
            score = torch.nan_to_num(self.order.score(classes, pred, rng).double(), nan=0.0)
            places = ranks(torch.where(masked, score, -torch.inf))
            count = self.pace.count(classes, pred, places).view(-1, *[1] * (x.ndim - 1))
            drawn = classes.sample(self.order.drawn_from(classes, pred), rng)
            x = torch.where(masked & (places < count), drawn, x)
        return cast(State, x)


def mask_clock(process: Discrete, masked: Tensor, given: Evidence | None) -> Tensor:
    """The time at which the noise leaves as many sites masked, per row, or per site where the schedule is per site.

    Only networks that read the time look at it: the posterior of absorbing noise does not depend on it.
    """
    free = not_observed(masked, given).flatten(1).sum(1).clamp(min=1)
    alpha = 1.0 - masked.flatten(1).sum(1).double() / free
    t = process.schedule.inverse(alpha.clamp(min=0.0).view(-1, *[1] * (masked.ndim - 1)))
    return t if t[:1].numel() > 1 else t.flatten()
