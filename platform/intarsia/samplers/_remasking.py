"""How likely an unmasked site is masked again, and when: the strategies of ReMDM (arXiv 2503.00307, section 4)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.samplers._base import uniform_grid


def largest_chance(alpha_s: Tensor, alpha_t: Tensor) -> Tensor:
    """The largest σ at which alpha(s) sites can still be unmasked, min(1, (1 - alpha(s)) / alpha(t))."""
    return ((1.0 - alpha_s) / alpha_t.clamp(min=1e-300)).clamp(max=1.0)


def _share(eta: float) -> None:
    if not 0.0 <= eta <= 1.0:
        raise ValueError(f"`eta` must lie between 0 and 1, got {eta}")


class AbstractRemasking(ABC):
    """A chance σ of remasking for every site."""

    def grid(self, steps: int) -> Tensor:
        """Times 1 ≥ … ≥ 0 of the steps, float64, (steps + 1,)."""
        return uniform_grid(steps)

    @abstractmethod
    def sigma(self, most: Tensor, still: Tensor, chance: Tensor, unmasked: Tensor) -> Tensor:
        """σ of every site, (batch, *sites); the sampler limits it to what is possible.

        Args:
            most: the largest σ, (batch, *sites).
            still: whether time stands still in this step, a bool ().
            chance: the probability that the value of a site had when it was drawn, (batch, *sites).
            unmasked: sites that can be masked again, bools (batch, *sites).
        """


@dataclass(frozen=True, slots=True)
class Cap(AbstractRemasking):
    """σ = min(eta, σ_max): "cap" of ReMDM (arXiv 2503.00307)."""

    eta: float = 0.02

    def __post_init__(self) -> None:
        _share(self.eta)

    def sigma(self, most: Tensor, still: Tensor, chance: Tensor, unmasked: Tensor) -> Tensor:
        return most.clamp(max=self.eta)


@dataclass(frozen=True, slots=True)
class Rescale(AbstractRemasking):
    """σ = eta σ_max: "rescale" of ReMDM (arXiv 2503.00307)."""

    eta: float = 0.02

    def __post_init__(self) -> None:
        _share(self.eta)

    def sigma(self, most: Tensor, still: Tensor, chance: Tensor, unmasked: Tensor) -> Tensor:
        return self.eta * most


@dataclass(frozen=True, slots=True)
class LeastConfident(AbstractRemasking):
    """The σ of `base` is shared out by softmax(-p) over the unmasked sites, p the chance a value was drawn with.

    "conf" of ReMDM (arXiv 2503.00307). σ depends on the values then, and the laws of single sites are no longer kept.
    """

    base: AbstractRemasking = Rescale(1.0)

    def grid(self, steps: int) -> Tensor:
        return self.base.grid(steps)

    def sigma(self, most: Tensor, still: Tensor, chance: Tensor, unmasked: Tensor) -> Tensor:
        doubt = torch.where(unmasked, -chance, -torch.inf).flatten(1).softmax(1).view_as(most)
        return self.base.sigma(most, still, chance, unmasked) * torch.where(unmasked, doubt, 0.0)


@dataclass(frozen=True, slots=True)
class Loop(AbstractRemasking):
    """Down to the time `level`, then around at it with the σ of `base`, then to the end; no remasking elsewhere.

    "loop" of ReMDM (arXiv 2503.00307).

    Args:
        base: σ while time stands still.
        level: time at which it does; with `Linear` a share of 1 - level of the sites is unmasked there.
        first: share of the steps before it.
        last: share of the steps until it goes on.
    """

    base: AbstractRemasking = Cap()
    level: float = 0.1
    first: float = 0.45
    last: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"`level` must lie between 0 and 1, both excluded, got {self.level}")
        if not 0.0 < self.first <= self.last < 1.0:
            raise ValueError(f"expected 0 < first <= last < 1, got {self.first} and {self.last}")

    def grid(self, steps: int) -> Tensor:
        if steps < 3:
            raise ValueError(f"`Loop` needs at least 3 steps (down, around, on), got {steps}")
        down = min(max(1, round(steps * self.first)), steps - 2)
        on = min(max(1, steps - round(steps * self.last)), steps - 1 - down)
        before = torch.linspace(1.0, self.level, down + 1, dtype=torch.float64)
        around = torch.full((steps - down - on,), self.level, dtype=torch.float64)
        after = torch.linspace(self.level, 0.0, on + 1, dtype=torch.float64)
        return torch.cat([before, around, after[1:]])

    def sigma(self, most: Tensor, still: Tensor, chance: Tensor, unmasked: Tensor) -> Tensor:
        return torch.where(still, self.base.sigma(most, still, chance, unmasked), 0.0)
