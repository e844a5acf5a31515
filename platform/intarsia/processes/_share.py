"""How the share of the mask in the noise changes with time."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.schedules import AbstractSchedule


class AbstractShare(ABC):
    """The share m(t) of the mask among noised sites, for all sites alike."""

    @abstractmethod
    def share(self, t: Tensor) -> Tensor:
        """m at times `t`, elementwise, between 0 and 1."""

    @abstractmethod
    def slope(self, t: Tensor) -> Tensor:
        """Derivative of m at times `t`."""


@dataclass(frozen=True, slots=True)
class Ramp(AbstractShare):
    """m(t) = start + (end - start) t; with equal ends the mixture stands still, as in `Discrete`."""

    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.start <= 1.0 and 0.0 <= self.end <= 1.0):
            raise ValueError(f"shares lie between 0 and 1, got {self.start} and {self.end}")

    def share(self, t: Tensor) -> Tensor:
        return self.start + (self.end - self.start) * t

    def slope(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.end - self.start)


@dataclass(frozen=True, slots=True)
class HybridShare(AbstractShare):
    """The mask's share of the hybrid noise of GIDD (arXiv 2503.04482); see `HybridSurvival`."""

    uniform: float = 0.2

    def __post_init__(self) -> None:
        _odds(self.uniform)

    def _parts(self, t: Tensor) -> tuple[Tensor, Tensor]:
        angle = t * (math.pi / 2)
        redrawn = 2.0 * _odds(self.uniform)
        return angle.sin(), angle.sin() + redrawn * angle.cos()

    def share(self, t: Tensor) -> Tensor:
        masked, total = self._parts(t)
        return masked / total

    def slope(self, t: Tensor) -> Tensor:
        return math.pi * _odds(self.uniform) / self._parts(t)[1].square()


@dataclass(frozen=True, slots=True)
class HybridSurvival(AbstractSchedule):
    """The survival of GIDD's hybrid noise (von Rütte et al. 2025, arXiv 2503.04482, with γ = 1), on a cosine clock.

    With u = sin²(πt/2) for the paper's time, a site is kept, masked or redrawn in the proportions
    1 - u : u : 2κ √(u (1 - u)). The paper's clock has an infinite slope at both ends, this one is smooth.

    Args:
        uniform: the largest share of redrawn sites, at u = 1/2, where κ = uniform / (1 - uniform).
    """

    uniform: float = 0.2

    def __post_init__(self) -> None:
        _odds(self.uniform)

    def _total(self, t: Tensor) -> Tensor:
        # exactly 1 at both ends
        return 1.0 + _odds(self.uniform) * torch.sin(math.pi * torch.minimum(t, 1.0 - t))

    def alpha(self, t: Tensor) -> Tensor:
        # sin² of the complement, so that alpha(1) is exactly 0
        return torch.sin((1.0 - t) * (math.pi / 2)).square() / self._total(t)

    def dalpha(self, t: Tensor) -> Tensor:
        kept = torch.sin((1.0 - t) * (math.pi / 2)).square()
        slope = 0.5 * torch.sin(math.pi * t) * self._total(t) + kept * _odds(self.uniform) * torch.cos(math.pi * t)
        return -math.pi * slope / self._total(t).square()

    def inverse(self, alpha: Tensor) -> Tensor:
        # alpha (1 + 2κ √(v (1 - v))) = v for v = 1 - u is a quadratic equation; its larger root
        square = (2.0 * _odds(self.uniform) * alpha).square()
        root = alpha * (square + 4.0 * alpha * (1.0 - alpha)).clamp(min=0.0).sqrt() * (2.0 * _odds(self.uniform))
        left = (2.0 * alpha + square + root) / (2.0 + 2.0 * square)
        return 1.0 - left.clamp(0.0, 1.0).sqrt().asin() * (2.0 / math.pi)


def _odds(uniform: float) -> float:
    if not 0.0 < uniform < 1.0:
        raise ValueError(f"`uniform` must lie between 0 and 1, got {uniform}; use `Discrete` where nothing is redrawn")
    return uniform / (1.0 - uniform)
