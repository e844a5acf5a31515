"""The nelbo with the gradient of learned schedules, which also decide how states are drawn."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Clock, Denoiser, batch_size, clock, device_of
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractTimed
from intarsia.processes import AbstractFinite, AbstractProcess, Product, learned_modules


@dataclass(frozen=True, slots=True)
class LearnedNoise(AbstractTimed):
    """The nelbo from two draws of xt a row, with an unbiased gradient for network and schedules.

    ∇ E_q[f] = E_q[∇f] + E_q[f ∇ log q]: the first term flows through the weights of the loss, the second is the score
    of the draws, with the other draw's loss as its baseline (leave-one-out, Kool et al. 2019), as GenMD4 trains its
    schedules (Shi et al. 2024, arXiv 2406.04329): ½ (f₁ - f₂) (∇ log q₁ - ∇ log q₂). The value is ½ (f₁ + f₂). What
    a schedule is at t = 1 must not be learned, because the prior's part of the nelbo is left out, as everywhere in
    training. Fields of reals may be part of a record, with noise that is not learned.
    """

    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        draws = process.corrupt(x0, t, rng), process.corrupt(x0, t, rng)
        return self.of_draws(process, denoiser, x0, draws, t, cond)

    def of_draws(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        draws: tuple[Any, Any],
        t: Clock,
        cond: object = None,
    ) -> Tensor:
        """The loss per row of two independent draws from q(xt | x0), (batch,)."""
        first, second = (sum_sites(process.loss(denoiser(xt, t, cond), x0, xt, t)) for xt in draws)
        score, other = (_log_q(process, xt, x0, t) for xt in draws)
        difference = score - other
        reinforced = (first - second).detach() * (difference - difference.detach())
        return 0.5 * (first + second + reinforced)


def _log_q(process: AbstractProcess[Any], xt: Any, x0: Any, t: Clock) -> Tensor:
    """log q(xt | x0) of a row, over the fields whose draws hide how they depend on the noise."""
    if isinstance(process, Product):
        fields = process.fields.items()
        learned = {name: field for name, field in fields if isinstance(field, AbstractFinite) or learned_modules(field)}
        parts = [_log_q(field, xt[name], x0[name], clock(t, name)) for name, field in learned.items()]
        return torch.stack(parts).sum(0) if parts else torch.zeros(batch_size(x0), device=device_of(x0))
    if not isinstance(process, AbstractFinite):
        raise RequirementError(f"`LearnedNoise` learns the noise of finitely many states, got {process}")
    return sum_sites(process.log_q(xt, x0, t))
