"""Editing by noise: forget a region to some level, and remember it differently."""

from dataclasses import dataclass
from typing import Any

import torch

from intarsia._types import Denoiser, batch_size, device_of
from intarsia.editing._region import check_level, outside
from intarsia.evidence import hold, times
from intarsia.processes import AbstractProcess
from intarsia.samplers import Cached
from intarsia.samplers._base import uniform_grid


@dataclass(frozen=True, slots=True)
class Renoise:
    """Noise x0 to `level` inside a region, hold everything else, and denoise (SDEdit; Meng et al. 2022).

    With a perfect denoiser and many steps the model's law is kept: edits of draws from p(x0) are draws from p(x0), and
    at level 1 the region is drawn from p(region | rest). Lower levels stay closer to what was there. A condition turns
    the edit towards it.

    Args:
        level: the time to which the region is noised, in (0, 1].
        steps: equal steps from there to 0.
    """

    level: float = 0.5
    steps: int = 50

    def __post_init__(self) -> None:
        check_level(self.level, self.steps)

    def edit(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        *,
        region: Any = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Any:
        """Edited states of the shape of `x0`.

        Args:
            process: any noise.
            denoiser: predicts the posterior.
            x0: states (batch, *sites), or a dict of them.
            region: bools, true at sites that may change; None for all.
            cond: the condition that the edit should meet.
            rng: draws everything.
        """
        given, rows = outside(x0, region), batch_size(x0)
        grid = self.level * uniform_grid(self.steps).to(device_of(x0))
        cached = Cached(denoiser)
        with torch.no_grad():
            x = hold(process.corrupt(x0, times(grid[0].expand(rows), x0, given), rng), given)
            for s, t in zip(grid[1:], grid[:-1], strict=True):
                here, there = (times(u.expand(rows), x, given) for u in (t, s))
                x = hold(process.reverse(cached(x, here, cond), x, there, here, rng), given)
        return x
