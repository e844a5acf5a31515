"""An order of unmasking that is fixed beforehand."""

from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses
from intarsia.samplers import AbstractOrder


@dataclass(frozen=True, slots=True)
class InOrder(AbstractOrder):
    """Sites in an order that the problem suggests, such as sums from the lowest place up, after their carries.

    Orders that follow the network's confidence take short cuts: on long carries they err far more often (Confidence
    shortcut, arXiv 2605.29123).

    Args:
        places: when each site is drawn, the lowest first.
    """

    places: tuple[int, ...]

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        best = classes.top(pred, 1)[..., 0]
        return -torch.tensor(self.places, dtype=torch.float64, device=pred.device).expand(best.shape)
