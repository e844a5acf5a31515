"""Schedules whose shape is learned with the network."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from intarsia.schedules._base import AbstractSchedule, mean_grid

_TINY = 1e-12


class LearnedPolynomial(nn.Module, AbstractSchedule):
    """alpha(t) = 1 - t^w, with an exponent w = floor + softplus(θ) of its own for every site, or every class.

    Per class it is GenMD4's schedule (Shi et al. 2024, arXiv 2406.04329), for `ClasswiseAbsorbing`; per column, with
    floor 1 and start 1.0025, TabDiff's of categories (Shi et al. 2025, arXiv 2410.20626), whose -log alpha is
    -log(1 - t^w). Train θ by `LearnedNoise`: how the states were drawn depends on it too. `learned_modules` finds it
    in a process, for the optimizer and for what is saved.

    Args:
        shape: of the exponents; they broadcast against times (batch, *sites), or against class entries.
        start: the exponents before training.
        floor: what they stay above.
    """

    def __init__(self, shape: int | tuple[int, ...], start: float = 1.0, floor: float = 0.0) -> None:
        super().__init__()
        if not (floor >= 0.0 and start > floor):
            raise ValueError(f"exponents must be positive: 0 <= floor < start, got floor={floor} and start={start}")
        self.shape = (shape,) if isinstance(shape, int) else shape
        self.floor = floor
        # softplus(θ) = start - floor; a flat vector, which the optimizer does not pull towards 0 by weight decay
        theta = (start - floor) + math.log(-math.expm1(floor - start))
        self.theta = nn.Parameter(torch.full((math.prod(self.shape),), theta))

    @property
    def powers(self) -> Tensor:
        """The exponents as they are now, of `shape`."""
        return (self.floor + softplus(self.theta)).view(self.shape)

    def _powers(self, like: Tensor) -> Tensor:
        return self.powers.to(like.dtype)

    def alpha(self, t: Tensor) -> Tensor:
        return 1.0 - t.pow(self._powers(t))

    def dalpha(self, t: Tensor) -> Tensor:
        power = self._powers(t)
        # finite at t = 0 too, and so are its gradients
        return -power * t.clamp(min=_TINY).pow(power - 1.0)

    def inverse(self, alpha: Tensor) -> Tensor:
        return (1.0 - alpha).clamp(min=0.0).pow(1.0 / self._powers(alpha))

    def grid(self, steps: int) -> Tensor:
        return mean_grid(self, len(self.shape), steps)

    def extra_repr(self) -> str:
        """Shape and floor."""
        return f"shape={self.shape}, floor={self.floor}"
