"""The nelbo and cross-entropy together."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.objectives._base import AbstractTimed
from intarsia.processes import AbstractFinite, AbstractProcess, Product


@dataclass(frozen=True, slots=True)
class HybridObjective(AbstractTimed):
    """nelbo + weight · cross-entropy of x0 (Austin et al. 2021, eq. 5), for noise of finitely many states.

    Both terms want the posterior here, because the loss averages bridges over it. In a record every field must have
    finitely many states: a mean has no cross-entropy, and the loss of a real weighs its error already.
    """

    weight: float = 0.01

    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        _require_laws(process)
        xt = process.corrupt(x0, t, rng)
        pred = denoiser(xt, t, cond)
        nats = sum_sites(process.loss(pred, x0, xt, t))
        return nats - self.weight * _log_posterior(process, pred, x0)


def _require_laws(process: AbstractProcess[Any]) -> None:
    fields = process.fields if isinstance(process, Product) else {"": process}
    for name, field in fields.items():
        if not isinstance(field, AbstractFinite):
            where = f" in the field {name!r}" if name else ""
            raise RequirementError(
                f"`HybridObjective` needs predictions of a law over finitely many states, got {field}{where}; "
                "use `NelboObjective`"
            )


def _log_posterior(process: AbstractProcess[Any], pred: Any, x0: Any) -> Tensor:
    if isinstance(process, Product):
        parts = [_log_posterior(field, pred[name], x0[name]) for name, field in process.fields.items()]
        return torch.stack(parts).sum(0)
    assert isinstance(process, AbstractFinite)
    return sum_sites(process.log_posterior(pred, x0))
