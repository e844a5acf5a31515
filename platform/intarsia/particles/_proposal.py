"""Steps by another kernel than the model's own, and what a weight must make good for them."""

import math
from typing import Any, Protocol

import torch
from torch import Tensor

from intarsia._types import Clock, clock
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence
from intarsia.guidance._law import log_prob
from intarsia.processes import AbstractFinite, AbstractProcess, Gaussian, Product


class AbstractProposal(Protocol):
    """A guidance: a denoiser that knows the process whose kernel takes its predictions."""

    @property
    def process(self) -> AbstractProcess[Any]:
        """Has the kernel that steps are drawn from."""
        ...

    def __call__(self, xt: Any, t: Any, cond: Any = None) -> Any:
        """The prediction for that kernel."""
        ...


def step_log_prob(
    process: AbstractProcess[Any], pred: Any, xs: Any, xt: Any, s: Clock, t: Clock, given: Evidence | None
) -> Tensor:
    """log p(xs | xt) of the kernel at the sites that are not observed, nats, (rows,).

    Raises:
        RequirementError: the kernel's density is not known.
    """
    if isinstance(process, Product):
        parts = [
            _field(field, pred[name], xs[name], xt[name], clock(s, name), clock(t, name), given, name)
            for name, field in process.fields.items()
        ]
        return torch.stack(parts).sum(0)
    return _field(process, pred, xs, xt, s, t, given, None)


def _field(
    process: AbstractProcess[Any],
    pred: Tensor,
    xs: Tensor,
    xt: Tensor,
    s: Tensor,
    t: Tensor,
    given: Evidence | None,
    name: str | None,
) -> Tensor:
    if isinstance(process, AbstractFinite):
        sites = log_prob(process.classes, process.reverse_law(pred, xt, s, t), xs)
    elif isinstance(process, Gaussian):
        mean, deviation = process.bridge_moments(pred, xt, s, t)
        sites = -0.5 * ((xs - mean) / deviation).square() - deviation.log() - 0.5 * math.log(2 * math.pi)
    else:
        raise RequirementError(f"proposals need a kernel whose density is known, got {process}")
    seen = None if given is None else given.field(name)
    sites = sites.double() if seen is None else torch.where(seen[1], 0.0, sites.double())
    return sites.flatten(1).sum(1)
