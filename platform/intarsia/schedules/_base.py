"""The contract of a schedule."""

from abc import ABC, abstractmethod

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
        ends = self.alpha(torch.tensor([1.0, 0.0], dtype=torch.float64))
        times = self.inverse(ends[0] + (ends[1] - ends[0]) * unit_grid(steps))
        times[0], times[-1] = 1.0, 0.0
        return times


def unit_grid(steps: int) -> Tensor:
    """Levels 0, 1/steps, …, 1, float64."""
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1, got {steps}")
    return torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)


def mean_grid(schedule: AbstractSchedule, axes: int, steps: int) -> Tensor:
    """The grid of a schedule whose sites (or classes) differ, along `axes` axes: equal survival on average, a step."""
    levels = unit_grid(steps)

    def mean(t: Tensor) -> Tensor:
        return schedule.alpha(t.view(-1, *(1,) * axes)).flatten(1).mean(1)

    with torch.no_grad():
        first, last = mean(torch.tensor([1.0, 0.0], dtype=torch.float64))
        wanted = first + (last - first) * levels
        low, high = torch.zeros_like(levels), torch.ones_like(levels)
        for _ in range(60):  # bisection down to the resolution of float64
            middle = (low + high) / 2
            left = mean(middle) > wanted
            low, high = torch.where(left, middle, low), torch.where(left, high, middle)
    times = (low + high) / 2
    times[0], times[-1] = 1.0, 0.0
    return times
