"""The contract of a sampler: a policy over the kernels of a process."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, restrict
from intarsia.processes import AbstractProcess

Claim = Literal["exact", "first order", "second order", "biased"]
"""What a perfect denoiser gives: the joint itself, a law that converges to it in the step size, or another law.

Drawing several sites in one step ignores their dependence given xt, so ancestral steps are of first order in general
while those that unmask one site at a time are exact. "Biased" are heuristics that trade the law for calls or quality:
they choose sites or values by more than the model's kernel, and more steps need not make it good, or do so slowly.
"""


class AbstractSampler(ABC):
    """Turns draws from the prior into draws from the model."""

    claim: ClassVar[Claim]

    @abstractmethod
    def check(self, process: AbstractProcess[Any]) -> None:
        """Raise RequirementError where this sampler is not defined for `process`."""

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
        """Generate from `x1`, a draw from the prior, holding the sites of `given` at their values.

        Raises:
            RequirementError: this sampler, or the evidence, is not defined for `process`; before the first call.
        """
        self.check(process)
        process, given = restrict(process, given)
        return self.run(process, denoiser, hold(x1, given), given, cond, rng)

    @abstractmethod
    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        """What `sample` does once it has checked, with the observed values in `x1`."""


def uniform_grid(steps: int) -> torch.Tensor:
    """Times 1 > … > 0 with equal steps, float64, (steps + 1,)."""
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1, got {steps}")
    return torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64)


def one_tensor(x: Tensor | dict[str, Tensor], sampler: str) -> Tensor:
    """The state, if it is not a record."""
    if isinstance(x, dict):
        raise RequirementError(f"`{sampler}` needs a state that is one tensor, got a record")
    return x


def not_observed(x: Tensor, given: Evidence | None) -> Tensor:
    """Which sites are generated, bools (batch, *sites)."""
    seen = None if given is None else given.field(None)
    return torch.ones_like(x, dtype=torch.bool) if seen is None else ~seen[1].expand(x.shape)
