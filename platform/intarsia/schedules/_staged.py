"""Windows of time: the order of generation as a schedule."""

from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.schedules._base import AbstractSchedule
from intarsia.schedules._plain import Linear


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
