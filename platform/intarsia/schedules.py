"""Survival schedules alpha(t): how much of the data is left at time t; t = 0 is data, t = 1 is noise.

`Gaussian` noise speaks log-SNR instead; its schedules stand beside it.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor


class AbstractSchedule(ABC):
    """A decreasing function alpha from alpha(0) = 1 towards alpha(1), for every site alike or per site."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Survival probability at times `t`, elementwise."""

    @abstractmethod
    def dalpha(self, t: Tensor) -> Tensor:
        """Derivative of alpha at times `t`; never positive."""

    @abstractmethod
    def inverse(self, alpha: Tensor) -> Tensor:
        """The time at which `alpha` is left; the latest one where the schedule is flat."""

    def grid(self, steps: int) -> Tensor:
        """Times 1 = t_0 > … > t_steps = 0 that spend equal survival a step, float64, (steps + 1,)."""
        if steps < 1:
            raise ValueError(f"`steps` must be at least 1, got {steps}")
        ends = self.alpha(torch.tensor([1.0, 0.0], dtype=torch.float64))
        levels = torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)
        times = self.inverse(ends[0] + (ends[1] - ends[0]) * levels)
        times[0], times[-1] = 1.0, 0.0
        return times


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
    """alpha(t) = 1 - t^power."""

    power: float

    def __post_init__(self) -> None:
        if not self.power > 0:
            raise ValueError(f"`power` must be positive, got {self.power}")

    def alpha(self, t: Tensor) -> Tensor:
        return 1.0 - t.pow(self.power)

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.power * t.pow(self.power - 1.0)

    def inverse(self, alpha: Tensor) -> Tensor:
        return (1.0 - alpha).clamp(min=0.0).pow(1.0 / self.power)


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


@dataclass(frozen=True, slots=True)
class Staged(AbstractSchedule):
    """One window of time per stage: the sites of a later stage are noised first and generated last.

    With `stages` S in all, site i follows `base` inside [1 - (k+1)/S, 1 - k/S] for its stage k, is clean before
    it and pure noise after it. Coarse digits at stage 0 and fine digits at stage 1 make generation coarse to
    fine; one stage a site fixes the order of generation.

    Args:
        stages: the stage of every site, counted from 0 (states are (batch, sites)).
        base: the schedule inside a window.
    """

    stages: tuple[int, ...]
    base: AbstractSchedule = Linear()

    def __post_init__(self) -> None:
        if not self.stages or set(self.stages) != set(range(max(self.stages) + 1)):
            raise ValueError(f"`stages` must use every number from 0 to its largest, got {self.stages}")

    def _window(self, t: Tensor) -> tuple[Tensor, Tensor, int]:
        count = max(self.stages) + 1
        stage = torch.tensor(self.stages, device=t.device, dtype=t.dtype)
        local = t * count - (count - 1 - stage)
        return local.clamp(0.0, 1.0), (local >= 0.0) & (local <= 1.0), count

    def alpha(self, t: Tensor) -> Tensor:
        return self.base.alpha(self._window(t)[0])

    def dalpha(self, t: Tensor) -> Tensor:
        local, inside, count = self._window(t)
        return torch.where(inside, self.base.dalpha(local) * count, 0.0)

    def inverse(self, alpha: Tensor) -> Tensor:
        count = max(self.stages) + 1
        stage = torch.tensor(self.stages, device=alpha.device, dtype=alpha.dtype)
        return (self.base.inverse(alpha) + (count - 1 - stage)) / count

    def grid(self, steps: int) -> Tensor:
        count = max(self.stages) + 1
        if steps < count:
            raise ValueError(f"{count} stages need at least {count} steps, got {steps}")
        sizes = [(steps * (k + 1)) // count - (steps * k) // count for k in range(count)]
        parts = [(self.base.grid(size)[:-1] + (count - 1 - k)) / count for k, size in enumerate(sizes)]
        return torch.cat([*parts, torch.zeros(1, dtype=torch.float64)])
