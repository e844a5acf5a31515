"""Heads: laws over permutations that a network parametrises, p(x0 | xt) for the noises on permutations."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import invert
from intarsia.errors import RequirementError
from intarsia.processes._finite import IMPOSSIBLE
from intarsia.processes.permutations._arithmetic import ENUMERABLE, all_permutations, rank


class AbstractPermutationLaw(ABC):
    """A law over permutations (batch, n) with parameters `pred`, one set a row."""

    @abstractmethod
    def shape(self, n: int) -> tuple[int, ...]:
        """Shape of the parameters of one row."""

    @abstractmethod
    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw one permutation a row, in float64."""

    @abstractmethod
    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        """log p(x) in float64, (batch,)."""

    def log_law(self, pred: Tensor, n: int) -> Tensor:
        """log p of all permutations of a few items in lexicographic order, (batch, n!)."""
        points = all_permutations(n).to(pred.device)
        return self.log_prob(pred.repeat_interleave(len(points), 0), points.repeat(len(pred), 1)).view(len(pred), -1)


class AbstractPermutationHead(AbstractPermutationLaw):
    """The posterior over x0; parameters are numbered by item, not by place in xt."""

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """The parameters that give points[k] the probability weights[:, k]; see `AbstractProcess.prediction`."""
        raise RequirementError(
            f"{self} cannot give points any probabilities; a prediction from points needs the head `Enumerated`"
        )

    def given(self, values: Tensor, mask: Tensor) -> "Observed":
        """This head restricted to the event that x0 equals `values` where `mask`, both (batch, n)."""
        return Observed(self, values, mask)

    @abstractmethod
    def check_event(self, values: Tensor, mask: Tensor) -> None:
        """Raise RequirementError where this head cannot restrict itself to the event."""

    @abstractmethod
    def sample_given(self, pred: Tensor, values: Tensor, mask: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw from p(x | x equals `values` where `mask`)."""

    @abstractmethod
    def log_prob_given(self, pred: Tensor, x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """log p(x | x equals `values` where `mask`), (batch,); -inf outside the event."""


@dataclass(frozen=True, eq=False)
class Observed(AbstractPermutationHead):
    """A head given the items at some ranks: prefixes with heads that choose item by item, any ranks with `Enumerated`.

    The law is exact, p(x0 | xt, event), so that a reverse chain with it samples what the evidence leaves.
    """

    head: AbstractPermutationHead
    values: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        if self.values.shape != self.mask.shape or self.values.ndim != 2:
            shapes = tuple(self.values.shape), tuple(self.mask.shape)
            raise ValueError(f"`values` and `mask` must both be (batch, n), got {shapes[0]} and {shapes[1]}")
        n = self.values.shape[1]
        seen = torch.where(self.mask, self.values, torch.arange(n, 2 * n, device=self.values.device)).sort(1).values
        observed = self.values[self.mask]
        if bool((seen[:, 1:] == seen[:, :-1]).any() | (observed < 0).any() | (observed >= n).any()):
            raise ValueError(f"the observed items of a row must be different numbers from 0 to {n - 1}")
        self.head.check_event(self.values, self.mask)

    def shape(self, n: int) -> tuple[int, ...]:
        return self.head.shape(n)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.head.sample_given(pred, self.values, self.mask, rng)

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        return self.head.log_prob_given(pred, x, self.values, self.mask)

    def log_law(self, pred: Tensor, n: int) -> Tensor:
        points = all_permutations(n).to(pred.device)
        fits = agrees(points[None], self.values[:, None], self.mask[:, None])
        return torch.where(fits, self.head.log_law(pred, n), -torch.inf).log_softmax(1)

    def check_event(self, values: Tensor, mask: Tensor) -> None:
        raise RequirementError("evidence was given to this head before; give all of it at once")

    def sample_given(self, pred: Tensor, values: Tensor, mask: Tensor, rng: torch.Generator | None = None) -> Tensor:
        raise RequirementError("evidence was given to this head before; give all of it at once")

    def log_prob_given(self, pred: Tensor, x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        raise RequirementError("evidence was given to this head before; give all of it at once")


def agrees(x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Whether permutations equal `values` where `mask`."""
    return ((x == values) | ~mask).all(-1)


@dataclass(frozen=True, slots=True)
class Enumerated(AbstractPermutationHead):
    """A logit for each of the n! permutations in lexicographic order, (batch, n!): every law, for at most 8 items."""

    def shape(self, n: int) -> tuple[int, ...]:
        if n > ENUMERABLE:
            raise RequirementError(f"`Enumerated` lists the permutations of at most {ENUMERABLE} items, got {n}")
        return (math.factorial(n),)

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """Logarithms of the probabilities."""
        chance = torch.zeros((len(weights), *self.shape(points.shape[1])), dtype=torch.float64, device=weights.device)
        return chance.index_add(1, rank(points), weights.double()).log().clamp(min=IMPOSSIBLE)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(len(pred), dtype=torch.float64, generator=rng, device=pred.device)
        return all_permutations(self._items(pred)).to(pred.device)[invert(pred, u)]

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        return pred.double().log_softmax(1).gather(1, rank(x)[:, None])[:, 0]

    def log_law(self, pred: Tensor, n: int) -> Tensor:
        return pred.double().log_softmax(1)

    def check_event(self, values: Tensor, mask: Tensor) -> None:
        """Any ranks may be observed."""

    def sample_given(self, pred: Tensor, values: Tensor, mask: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.sample(self._restricted(pred, values, mask), rng)

    def log_prob_given(self, pred: Tensor, x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        return self.log_prob(self._restricted(pred, values, mask), x)

    def _restricted(self, pred: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        points = all_permutations(self._items(pred)).to(pred.device)
        return torch.where(agrees(points[None], values[:, None], mask[:, None]), pred.double(), -torch.inf)

    def _items(self, pred: Tensor) -> int:
        sizes = {math.factorial(n): n for n in range(1, ENUMERABLE + 1)}
        if pred.shape[-1] not in sizes:
            raise ValueError(f"expected a logit for each of n! permutations, got shape {tuple(pred.shape)}")
        return sizes[pred.shape[-1]]
