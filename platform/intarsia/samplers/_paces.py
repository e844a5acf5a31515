"""Paces of unmasking: how many sites one network call serves."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses
from intarsia.samplers._orders import entropy


class AbstractPace(ABC):
    """How many of the ranked sites are drawn at once."""

    @property
    @abstractmethod
    def keeps_law(self) -> bool:
        """Whether no two sites that may depend on each other are drawn at once."""

    @abstractmethod
    def count(self, classes: AbstractClasses, pred: Tensor, places: Tensor) -> Tensor:
        """Sites a row, (batch,), at least 1; `places` (batch, *sites) are the ranks, masked sites before others."""


@dataclass(frozen=True, slots=True)
class PerStep(AbstractPace):
    """The same number of sites at every call (Chang et al. 2022, MaskGIT, with an even pace)."""

    sites: int = 1

    def __post_init__(self) -> None:
        if self.sites < 1:
            raise ValueError(f"`sites` must be at least 1, got {self.sites}")

    @property
    def keeps_law(self) -> bool:
        return self.sites == 1

    def count(self, classes: AbstractClasses, pred: Tensor, places: Tensor) -> Tensor:
        return torch.full(places.shape[:1], self.sites, device=places.device)


@dataclass(frozen=True, slots=True)
class EntropyBounded(AbstractPace):
    """As many sites as keep Σ H - max H within `gamma` nats (Ben-Hamu et al. 2025, arXiv 2505.24857, eq. 8).

    That bounds the dependence among sites that are drawn at once, so it bounds the error of a step; at 0 only sites
    that leave no choice go together with one that does, and nothing is lost.
    """

    gamma: float = 0.1

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise ValueError(f"`gamma` must not be negative, got {self.gamma}")

    @property
    def keeps_law(self) -> bool:
        return self.gamma == 0.0

    def count(self, classes: AbstractClasses, pred: Tensor, places: Tensor) -> Tensor:
        flat = places.flatten(1)
        ranked = entropy(classes, pred).flatten(1).gather(1, flat.argsort(1)).clamp(min=0.0)
        # it grows with every site, so the sites within the bound come first; the first one always is
        excess = ranked.cumsum(1) - ranked.cummax(1).values
        return (excess <= self.gamma).sum(1).clamp(min=1)
