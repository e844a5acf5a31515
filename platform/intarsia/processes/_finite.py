"""The contract of noise whose sites take finitely many states, so that its laws can be written down."""

from abc import abstractmethod

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses
from intarsia.processes._base import AbstractProcess

IMPOSSIBLE = -1000.0
"""Log-probability that stands for none: it is 0 after `exp`, and finite."""


class AbstractFinite(AbstractProcess[Tensor]):
    """States are classes and, where `has_mask`, the mask one past the last class of a site."""

    @property
    @abstractmethod
    def classes(self) -> AbstractClasses:
        """The layout of class-wise values."""

    @property
    def has_mask(self) -> bool:
        """Whether a site may be in the mask state."""
        return False

    @abstractmethod
    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """log p(xs | xt) per site: of the classes (entries), and of the mask state (batch, *sites)."""

    @abstractmethod
    def prior_law(self) -> tuple[Tensor, float]:
        """Probabilities of the classes in the prior as entries of one row, (width,), and that of the mask."""

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """Logarithms of the class probabilities of every site."""
        hit = self.classes.is_class(points).double()
        probs = (weights @ hit.flatten(1)).view(-1, *hit.shape[1:])
        return probs.log().clamp(min=IMPOSSIBLE)

    def unmasked(self, shape: torch.Size, device: torch.device) -> Tensor:
        """log p of the mask state where there is none."""
        return torch.full(shape, -torch.inf, dtype=torch.float64, device=device)
