"""Schedules in closed form."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.schedules._base import AbstractSchedule, mean_grid


@dataclass(frozen=True, slots=True)
class Linear(AbstractSchedule):
    """alpha(t) = 1 - t."""

    def alpha(self, t: Tensor) -> Tensor:
        return 1.0 - t

    def dalpha(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 1.0 - alpha


@dataclass(frozen=True, slots=True)
class Cosine(AbstractSchedule):
    """alpha(t) = cos²(πt/2) (Nichol & Dhariwal 2021, eq. 17, without the offset)."""

    def alpha(self, t: Tensor) -> Tensor:
        # sin² of the complement, so that alpha(1) is exactly 0
        return torch.sin((1.0 - t) * (math.pi / 2)).square()

    def dalpha(self, t: Tensor) -> Tensor:
        return -(math.pi / 2) * torch.sin(math.pi * t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 1.0 - torch.asin(alpha.clamp(0.0, 1.0).sqrt()) * (2 / math.pi)


@dataclass(frozen=True, slots=True)
class Polynomial(AbstractSchedule):
    """alpha(t) = 1 - t^power.

    Args:
        power: one for all sites, or one per site (per class in `ClasswiseAbsorbing`).
    """

    power: float | tuple[float, ...]

    def __post_init__(self) -> None:
        powers = self.power if isinstance(self.power, tuple) else (self.power,)
        if not powers or not all(power > 0 for power in powers):
            raise ValueError(f"`power` must be positive, got {self.power}")

    def _power(self, like: Tensor) -> float | Tensor:
        if isinstance(self.power, tuple):
            return torch.tensor(self.power, dtype=like.dtype, device=like.device)
        return self.power

    def alpha(self, t: Tensor) -> Tensor:
        return 1.0 - t.pow(self._power(t))

    def dalpha(self, t: Tensor) -> Tensor:
        power = self._power(t)
        return -power * t.pow(power - 1.0)

    def inverse(self, alpha: Tensor) -> Tensor:
        return (1.0 - alpha).clamp(min=0.0).pow(1.0 / self._power(alpha))

    def grid(self, steps: int) -> Tensor:
        # slots make a new class, which a `super()` without arguments does not know
        return mean_grid(self, 1, steps) if isinstance(self.power, tuple) else AbstractSchedule.grid(self, steps)


@dataclass(frozen=True, slots=True)
class LogLinear(AbstractSchedule):
    """alpha(t) = 1 - (1 - eps) t, so sigma = -log alpha stays finite (Lou et al. 2024, SEDD).

    A process whose prior is a point needs alpha(1) = 0 and refuses eps > 0: use `Linear` there.
    """

    eps: float = 1e-3

    def __post_init__(self) -> None:
        if not 0.0 < self.eps < 1.0:
            raise ValueError(f"`eps` must lie between 0 and 1, got {self.eps}")

    def alpha(self, t: Tensor) -> Tensor:
        return 1.0 - (1.0 - self.eps) * t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.eps - 1.0)

    def inverse(self, alpha: Tensor) -> Tensor:
        return (1.0 - alpha) / (1.0 - self.eps)
