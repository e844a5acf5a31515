"""The contract of a sampler: a policy over the kernels of a process."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import torch

from intarsia._types import Denoiser, State
from intarsia.evidence import Evidence
from intarsia.processes import AbstractProcess

Claim = Literal["exact", "first order", "second order"]
"""What a perfect denoiser gives: the joint itself, or a law that converges to it in the step size.

Drawing several sites in one step ignores their dependence given xt, so samplers of finitely many steps are at
best of first order in general; those that unmask one site at a time are exact.
"""


class AbstractSampler(ABC):
    """Turns draws from the prior into draws from the model."""

    claim: ClassVar[Claim]

    @abstractmethod
    def check(self, process: AbstractProcess[Any]) -> None:
        """Raise RequirementError where this sampler is not defined for `process`."""

    @abstractmethod
    def sample(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> State:
        """Generate from `x1`, a draw from the prior, holding the sites of `given` at their values."""


def uniform_grid(steps: int) -> torch.Tensor:
    """Times 1 > … > 0 with equal steps, float64, (steps + 1,)."""
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1, got {steps}")
    return torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64)
