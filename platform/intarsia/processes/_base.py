"""The contract of a noise process: everything that follows from q, in one object."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, Literal

import torch
from torch import Tensor

from intarsia._types import Clock, State

Exactness = Literal["exact", "first order"]
"""How `reverse` relates to the mixture of bridges over the posterior: equal to it, or up to O(step)."""


class AbstractProcess(ABC, Generic[State]):
    """Noise for one kind of field. Frozen; holds no randomness and no weights.

    The denoiser predicts the posterior p(x0 | xt): class logits, bit logits, or the mean of a real. `reverse` and
    `loss` stand here because they are consequences of q. Times are tensors, per row (batch,) or per site
    (batch, *sites), with s < t the cleaner one; an observed site lives at time 0.
    """

    reverse_is: ClassVar[Exactness] = "exact"

    @property
    def time_free(self) -> bool:
        """Whether the posterior depends on the state alone, and not on the time (absorbing noise)."""
        return False

    @abstractmethod
    def prediction(self, points: State, weights: Tensor) -> State:
        """What a denoiser predicts for which x0 is points[k] with probability weights[:, k]: this defines the head.

        Args:
            points: states (count, *sites).
            weights: probabilities (batch, count), float64.
        """

    def prediction_at(self, points: State, weights: Tensor, xt: State, t: Clock) -> State:
        """The same at the states `xt` of time `t`, for heads that speak of x0 as seen from there; `prediction` if not.

        Args:
            points: states (count, *sites).
            weights: probabilities (batch, count), float64.
            xt: states (batch, *sites).
            t: their times.
        """
        return self.prediction(points, weights)

    @abstractmethod
    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> State:
        """Draw states (batch, *sites) of time 1."""

    @abstractmethod
    def corrupt(self, x0: State, t: Clock, rng: torch.Generator | None = None) -> State:
        """Draw xt ~ q(xt | x0)."""

    @abstractmethod
    def log_q(self, xt: State, x0: State, t: Clock) -> State:
        """log q(xt | x0) of every site (a density for reals)."""

    @abstractmethod
    def bridge(self, x0: State, xt: State, s: Clock, t: Clock, rng: torch.Generator | None = None) -> State:
        """Draw xs ~ q(xs | xt, x0)."""

    @abstractmethod
    def reverse(self, pred: State, xt: State, s: Clock, t: Clock, rng: torch.Generator | None = None) -> State:
        """Draw xs from the model's kernel p(xs | xt), the bridge averaged over the predicted posterior."""

    @abstractmethod
    def loss(self, pred: State, x0: State, xt: State, t: Clock, s: Clock | None = None) -> State:
        """Nats per site: the integrand of the continuous-time nelbo, or with `s` the KL of one step of a grid."""

    @abstractmethod
    def prior_kl(self, x0: State) -> State:
        """KL(q(x1 | x0) || prior) per site, in nats: what the noise leaves of the data at t = 1."""

    @abstractmethod
    def reconstruction(self, pred: State, x0: State, xt: State) -> State:
        """-log p(x0 | xt) per site at t = 0; zero where xt equals x0 there, as for discrete noise."""
