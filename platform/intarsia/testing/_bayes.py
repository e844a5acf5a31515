"""The perfect denoiser of a tiny joint law, by enumeration: no trained network can hide a wrong formula from it."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Clock, clock
from intarsia.processes import IMPOSSIBLE, AbstractProcess, Discrete, Product


class BayesDenoiser:
    """The exact posterior p(x0 | xt) of an enumerated joint law, as the prediction that `process` wants.

    The head is what the process's `prediction_at` says: class logits, a mean, a dict of them for records. Works in log
    space and float64 at any time, per row or per site, 0 and 1 included. A state that cannot be (a value of time 0
    that the law rules out) counts the points that contradict it least.

    Args:
        process: the noise.
        support: the states that have probability, (points, *sites), or a dict of them for records; points of
            reals are atoms.
        log_prob: their log-probabilities, (points,); normalized here.

    >>> pairs = torch.tensor([[0, 0], [1, 1]])
    >>> denoiser = BayesDenoiser(Discrete.absorbing(2), pairs, torch.zeros(2))
    >>> denoiser(torch.tensor([[1, 2]]), torch.tensor([0.5])).softmax(-1)[0, 1].tolist()
    [0.0, 1.0]
    """

    def __init__(self, process: AbstractProcess[Any], support: Any, log_prob: Tensor) -> None:
        self.process = process
        self.support = support
        self.log_prob = log_prob.double().log_softmax(0)
        fields = _fields(process, support)
        sizes = {points.shape[0] for _, points in fields.values()}
        if sizes != {log_prob.shape[0]}:
            raise ValueError(f"expected {log_prob.shape[0]} points in every field of the support, got {sorted(sizes)}")
        self.time_free = process.time_free
        self.nfe = 0

    def __call__(self, xt: Any, t: Clock, cond: Any = None) -> Any:
        """The exact prediction for states (batch, *sites) at `t`, per row or per site."""
        self.nfe += 1
        return self.process.prediction_at(self.support, self.posterior(xt, t), xt, t)

    def posterior(self, xt: Any, t: Clock) -> Tensor:
        """Probabilities of the points given `xt`, (batch, points)."""
        total: Tensor | None = None
        for name, (process, points) in _fields(self.process, self.support).items():
            state = cast(Tensor, xt[name] if isinstance(xt, dict) else xt)
            part = _log_likelihood(process, points, state, clock(t, name))
            total = part if total is None else total + part
        assert total is not None
        return (total + self.log_prob).softmax(1)


def _fields(process: AbstractProcess[Any], support: Any) -> dict[str, tuple[AbstractProcess[Tensor], Tensor]]:
    if isinstance(process, Product):
        points = cast(Mapping[str, Tensor], support)
        return {name: (field, points[name]) for name, field in process.fields.items()}
    return {"": (process, support)}


def _log_likelihood(process: AbstractProcess[Tensor], points: Tensor, xt: Tensor, t: Tensor) -> Tensor:
    """log q(xt | point), (batch, points)."""
    rows, count = xt.shape[0], points.shape[0]
    if isinstance(process, Discrete) and process.time_free:
        # an unmasked site is x0, and a masked one says nothing, at every time
        masked = xt == process.mask_id(xt.device)
        fits = masked[:, None] | (xt[:, None] == points)
        return torch.where(fits, 0.0, IMPOSSIBLE).double().reshape(rows, count, -1).sum(2)
    t = t.double().expand(rows, *t.shape[1:]).repeat_interleave(count, 0)
    state = xt.repeat_interleave(count, 0)
    x0 = points.repeat(rows, *[1] * (points.ndim - 1))
    if points.is_floating_point():
        return process.log_q(state.double(), x0.double(), t).reshape(rows, count, -1).sum(2)
    return process.log_q(state, x0, t).double().clamp(min=IMPOSSIBLE).reshape(rows, count, -1).sum(2)
