"""The first part of a noise as a noise of its own."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Clock
from intarsia.classes import AbstractClasses
from intarsia.processes import AbstractFinite, AbstractProcess, Exactness


def until(process: AbstractProcess[Any], end: float) -> "Until":
    """`process` until the time `end`, with jump rates where it has some."""
    return FiniteUntil(process, end) if isinstance(process, AbstractFinite) else Until(process, end)


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


@dataclass(frozen=True)
class FiniteUntil(Until, AbstractFinite):  # pyright: ignore[reportIncompatibleVariableOverride]
    """The same where sites have finitely many states: leaps take its rates, correctors its leave-one-out law."""

    process: AbstractFinite

    @property
    def classes(self) -> AbstractClasses:
        return self.process.classes

    @property
    def has_mask(self) -> bool:
        return self.process.has_mask

    @property
    def has_rates(self) -> bool:
        return self.process.has_rates

    @property
    def has_leave_one_out(self) -> bool:
        return self.process.has_leave_one_out

    def prior_law(self) -> tuple[Tensor, float]:
        """That of `process`, which nothing at time `end` follows, but whose support is that of the noise."""
        return self.process.prior_law()

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return self.process.reverse_law(pred, xt, self.clock(s), self.clock(t))

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; this clock is slower, so they are `end` times as large."""
        entries, to_mask = self.process.rates(pred, xt, self.clock(t))
        return self.end * entries, self.end * to_mask

    def log_probs(self, pred: Tensor) -> Tensor:
        return self.process.log_probs(pred)

    def log_posterior(self, pred: Tensor, x0: Tensor) -> Tensor:
        return self.process.log_posterior(pred, x0)

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        return self.process.log_likelihood(xt, self.clock(t))

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return self.process.leave_one_out(pred, xt, self.clock(t))

    def from_leave_one_out(self, loo: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return self.process.from_leave_one_out(loo, xt, self.clock(t))
