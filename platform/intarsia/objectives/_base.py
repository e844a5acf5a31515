"""The contract of an objective."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser, batch_size, device_of
from intarsia.objectives._times import low_discrepancy
from intarsia.processes import AbstractProcess


class AbstractObjective(ABC):
    """What training minimizes."""

    @abstractmethod
    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """A loss per row, (batch,), whose mean over rows and randomness is minimized."""


class AbstractTimed(AbstractObjective):
    """An integral over time, ∫ E[at(t)] dt from 0 to 1: one time a row is drawn, or chosen by `LossAware`."""

    @abstractmethod
    def at(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        t: Tensor,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """A loss per row at times `t` (batch,), (batch,)."""

    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        t = low_discrepancy(batch_size(x0), device_of(x0), rng)
        return self.at(process, denoiser, x0, t, cond, rng)
