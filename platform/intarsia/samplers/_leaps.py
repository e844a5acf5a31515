"""Leaps: what rates that stand still for a while do to a site, also after its first jump."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, AbstractProcess

Rates: TypeAlias = tuple[Tensor, Tensor]
"""Rates of jumps: to the classes (entries), and to the mask (batch, *sites)."""


class AbstractLeap(ABC):
    """A label for every jump that says where it leads from any state.

    Frozen rates need one, because a site may jump again while they stand still: only then is the leap the exact
    exponential of a generator, on which the orders of leaping schemes rest.
    """

    @abstractmethod
    def check(self, process: AbstractFinite) -> None:
        """Raise RequirementError where the labels do not fit the states of `process`."""

    @abstractmethod
    def labelled(self, process: AbstractFinite, rates: Rates, x: Tensor) -> Rates:
        """Rates of jumps from `x`, ordered by label instead of by target."""

    @abstractmethod
    def draw(self, process: AbstractFinite, rates: Rates, x: Tensor, h: float, rng: torch.Generator | None) -> Tensor:
        """Draw where `x` is after a time `h` with constant labelled rates."""


@dataclass(frozen=True, slots=True)
class Redraw(AbstractLeap):
    """A jump is labelled by its target: the last one decides, so the leap is one draw (`AbstractFinite.jump`).

    It takes masks too. Labels of similar states have similar rates, so the extrapolation of `ThetaTrapezoidal` is
    clipped less than with displacements, and its error on a smooth law is half as large.
    """

    def check(self, process: AbstractFinite) -> None:
        """Every state is a target."""

    def labelled(self, process: AbstractFinite, rates: Rates, x: Tensor) -> Rates:
        return rates

    def draw(self, process: AbstractFinite, rates: Rates, x: Tensor, h: float, rng: torch.Generator | None) -> Tensor:
        return process.jump(*rates, x, h, rng)


@dataclass(frozen=True, slots=True)
class Shift(AbstractLeap):
    """A jump is labelled by its displacement, modulo the number of classes: compound Poisson leaps.

    The form of the paper on lattices (Ren et al. 2025, arXiv 2502.00234, alg. 2), for ordered classes.
    """

    def check(self, process: AbstractFinite) -> None:
        if process.has_mask:
            raise RequirementError(f"`Shift` needs noise without a mask, got {process}. Use `Redraw` instead.")

    def labelled(self, process: AbstractFinite, rates: Rates, x: Tensor) -> Rates:
        return process.classes.roll(rates[0], x), rates[1]

    def draw(self, process: AbstractFinite, rates: Rates, x: Tensor, h: float, rng: torch.Generator | None) -> Tensor:
        jumps = torch.poisson(h * rates[0], generator=rng)
        moved = process.classes.sum(jumps * process.classes.numbers(x.device)).long()
        return (x + moved) % process.classes.counts(x.device)


def leaping(process: AbstractProcess[Any], sampler: str) -> AbstractFinite:
    """The process, if it has jump rates."""
    if not isinstance(process, AbstractFinite) or not process.has_rates:
        raise RequirementError(
            f"`{sampler}` needs jump rates between finitely many states, got {process}. Use `Ancestral` instead."
        )
    return process
