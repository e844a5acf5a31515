"""What a state on its way promises: estimates of log E[exp reward(x0) | xt]."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.guidance._law import likeliest
from intarsia.particles._rows import zero_time
from intarsia.processes import IMPOSSIBLE, AbstractFinite, AbstractProcess, Gaussian, Product, Xor

Reward: TypeAlias = Callable[[Any], Tensor]
"""Of states x0: a log-weight in nats, λ r(x0), or a bool that says whether an event happened, (rows,)."""


def log_weight(reward: Tensor) -> Tensor:
    """A reward as a log-weight in float64; events that did not happen weigh nothing."""
    return torch.where(reward, 0.0, -torch.inf).double() if reward.dtype == torch.bool else reward.double()


class AbstractValue(ABC):
    """Estimates the value of states; any estimate gives the same law, a good one wastes fewer particles."""

    @abstractmethod
    def __call__(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        xt: Any,
        t: Any,
        reward: Reward,
        rng: torch.Generator | None,
    ) -> Tensor:
        """log E[exp reward(x0) | xt] (rows,), float64 and finite, from the denoiser's prediction at `t`."""


@dataclass(frozen=True, slots=True)
class Sampled(AbstractValue):
    """The mean of exp(reward) over x0 drawn from the prediction, sites independently (by `process.reverse` to time 0).

    Shares of events that happened are smoothed to (hits + 1/2) / (count + 1): a particle that was unlucky once must not
    be lost for good.

    Args:
        count: how many x0 are drawn.
    """

    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"`count` must be at least 1, got {self.count}")

    def __call__(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        xt: Any,
        t: Any,
        reward: Reward,
        rng: torch.Generator | None,
    ) -> Tensor:
        end = zero_time(t)
        return _average([reward(process.reverse(pred, xt, end, t, rng)) for _ in range(self.count)])


@dataclass(frozen=True, slots=True)
class Likeliest(AbstractValue):
    """The reward of one estimate of x0: the likeliest class of every site, the mean of every real."""

    def __call__(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        xt: Any,
        t: Any,
        reward: Reward,
        rng: torch.Generator | None,
    ) -> Tensor:
        return _average([reward(_likeliest(process, pred, xt, t))])


@dataclass(frozen=True, slots=True)
class Known(AbstractValue):
    """A value function of noised states: a formula, or a network that was trained for it.

    Args:
        function: `(xt, t) -> log-value` in nats, (rows,).
    """

    function: Callable[[Any, Any], Tensor]

    def __call__(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        xt: Any,
        t: Any,
        reward: Reward,
        rng: torch.Generator | None,
    ) -> Tensor:
        return self.function(xt, t).double().clamp(min=IMPOSSIBLE)


def _average(rewards: list[Tensor]) -> Tensor:
    """log mean exp of log-weights, or the log of the smoothed share of events."""
    stack = torch.stack(rewards)
    if stack.dtype == torch.bool:
        return ((stack.double().sum(0) + 0.5) / (len(rewards) + 1)).log()
    return (stack.double().logsumexp(0) - math.log(len(rewards))).clamp(min=IMPOSSIBLE)


def _likeliest(process: AbstractProcess[Any], pred: Any, xt: Any, t: Any) -> Any:
    if isinstance(process, Product):
        clocks = t if isinstance(t, dict) else dict.fromkeys(process.fields, t)  # pyright: ignore[reportUnknownVariableType]
        return {name: _likeliest(field, pred[name], xt[name], clocks[name]) for name, field in process.fields.items()}
    if isinstance(process, Xor):
        return (pred > 0).to(xt.dtype)
    if isinstance(process, AbstractFinite):
        return likeliest(process.classes, process.reverse_law(pred, xt, t * 0, t)[0])
    if isinstance(process, Gaussian):
        return pred
    raise RequirementError(f"the likeliest x0 is not known for {process}; use `Sampled`")
