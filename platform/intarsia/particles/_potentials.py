"""What the weight of a particle is before it has arrived, as a function of the rewards seen on its way."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor


class AbstractPotential(ABC):
    """The product of the potentials G of a path so far; at t = 0 every one of them is exp(reward(x0)).

    Any choice targets the same law (Singhal et al. 2025, arXiv 2501.06848); they differ in when particles are
    given up.
    """

    start: ClassVar[tuple[float, ...]] = ()
    """What is remembered of a path before its first reward."""

    @abstractmethod
    def advance(self, reward: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """log Π G up to now (rows,), and what is remembered (rows, numbers), from the estimated reward (rows,)."""


@dataclass(frozen=True, slots=True)
class Difference(AbstractPotential):
    """G = exp(r(xs) - r(xt)), the first one exp(r): a path weighs what its state promises (arXiv 2501.06848)."""

    def advance(self, reward: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return reward, memory


@dataclass(frozen=True, slots=True)
class Max(AbstractPotential):
    """G = exp(max of r so far): a path is known by its best moment (arXiv 2501.06848)."""

    start: ClassVar[tuple[float, ...]] = (-torch.inf, 0.0)

    def advance(self, reward: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        best = torch.maximum(memory[:, 0], reward)
        total = memory[:, 1] + best
        return total, torch.stack([best, total], 1)


@dataclass(frozen=True, slots=True)
class Sum(AbstractPotential):
    """G = exp(sum of r so far): early promises count again at every step (arXiv 2501.06848)."""

    start: ClassVar[tuple[float, ...]] = (0.0, 0.0)

    def advance(self, reward: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        seen = memory[:, 0] + reward
        total = memory[:, 1] + seen
        return total, torch.stack([seen, total], 1)
