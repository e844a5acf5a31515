"""The first part of a noise as a noise of its own."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Clock
from intarsia.processes import AbstractProcess, Exactness


@dataclass(frozen=True)
class Until(AbstractProcess[Any]):
    """`process` until the time `end`, which is time 1 here: samplers start from states of that time.

    Its prior is the law of data at `end`, which nobody can draw; whoever samples brings such a state.
    """

    process: AbstractProcess[Any]
    end: float

    def clock(self, t: Clock) -> Clock:
        """The time of `process`."""
        if isinstance(t, dict):
            return {name: self.end * value for name, value in cast(dict[str, Tensor], t).items()}
        return self.end * t

    @property
    def reverse_is(self) -> Exactness:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.process.reverse_is

    @property
    def time_free(self) -> bool:
        return self.process.time_free

    def prediction(self, points: Any, weights: Tensor) -> Any:
        return self.process.prediction(points, weights)

    def prediction_at(self, points: Any, weights: Tensor, xt: Any, t: Clock) -> Any:
        return self.process.prediction_at(points, weights, xt, self.clock(t))

    def prior(self, shape: Any, rng: torch.Generator | None = None) -> Any:
        raise NotImplementedError(f"the law of data at time {self.end:g} cannot be drawn; bring a state of that time")

    def corrupt(self, x0: Any, t: Clock, rng: torch.Generator | None = None) -> Any:
        return self.process.corrupt(x0, self.clock(t), rng)

    def log_q(self, xt: Any, x0: Any, t: Clock) -> Any:
        return self.process.log_q(xt, x0, self.clock(t))

    def bridge(self, x0: Any, xt: Any, s: Clock, t: Clock, rng: torch.Generator | None = None) -> Any:
        return self.process.bridge(x0, xt, self.clock(s), self.clock(t), rng)

    def reverse(self, pred: Any, xt: Any, s: Clock, t: Clock, rng: torch.Generator | None = None) -> Any:
        return self.process.reverse(pred, xt, self.clock(s), self.clock(t), rng)

    def loss(self, pred: Any, x0: Any, xt: Any, t: Clock, s: Clock | None = None) -> Any:
        """See the base class; the integrand is that of this clock, so it is `end` times as large."""
        if s is None:
            return self.clock(self.process.loss(pred, x0, xt, self.clock(t)))
        return self.process.loss(pred, x0, xt, self.clock(t), self.clock(s))

    def prior_kl(self, x0: Any) -> Any:
        return self.process.prior_kl(x0)

    def reconstruction(self, pred: Any, x0: Any, xt: Any) -> Any:
        return self.process.reconstruction(pred, x0, xt)
