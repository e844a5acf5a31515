"""What values a site may take: the support of a field, and which entries of a tensor lie in it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor


class AbstractSpace(ABC):
    """The values that the sites of one field may take."""

    @abstractmethod
    def check(self, x: Tensor) -> Tensor:
        """Say which sites of `x` (batch, *sites) hold a value of this space; a bool tensor of that shape."""


@dataclass(frozen=True, slots=True)
class Categorical(AbstractSpace):
    """Classes 0 … num_classes - 1, without an order.

    Args:
        num_classes: one count for all sites, or one count per site (then states are (batch, sites)).

    >>> Categorical((2, 3)).check(torch.tensor([[1, 3]]))
    tensor([[ True, False]])
    """

    num_classes: int | tuple[int, ...]

    def __post_init__(self) -> None:
        counts = self.num_classes if isinstance(self.num_classes, tuple) else (self.num_classes,)
        if not counts or min(counts) < 1:
            raise ValueError(
                f"`num_classes` must be at least 1 at every site, got {self.num_classes}. "
                "Give one count, or one count per site."
            )

    def check(self, x: Tensor) -> Tensor:
        if x.is_floating_point():
            raise TypeError(f"classes are integers, got a tensor of {x.dtype}")
        counts = torch.as_tensor(self.num_classes, device=x.device)
        return (x >= 0) & (x < counts)


@dataclass(frozen=True, slots=True)
class Ordinal(AbstractSpace):
    """Classes 0 … num_classes - 1 in a meaningful order; see `Categorical` for the argument."""

    num_classes: int | tuple[int, ...]

    def __post_init__(self) -> None:
        Categorical(self.num_classes)

    def check(self, x: Tensor) -> Tensor:
        return Categorical(self.num_classes).check(x)


@dataclass(frozen=True, slots=True)
class Bits(AbstractSpace):
    """Words of `width` bits; the last axis of a state runs over the bits, most significant first."""

    width: int

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"`width` must be at least 1 bit, got {self.width}")

    def check(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.width:
            raise ValueError(f"the last axis must run over {self.width} bits, got shape {tuple(x.shape)}")
        return (x == 0) | (x == 1)


@dataclass(frozen=True, slots=True)
class Real(AbstractSpace):
    """Finite real numbers, optionally between two bounds."""

    low: float = -float("inf")
    high: float = float("inf")

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"`low` must be below `high`, got {self.low} and {self.high}")

    def check(self, x: Tensor) -> Tensor:
        return torch.isfinite(x) & (x >= self.low) & (x <= self.high)


@dataclass(frozen=True, slots=True)
class Permutation(AbstractSpace):
    """Orders of `n` items; the last axis of a state holds each of 0 … n - 1 once.

    >>> Permutation(3).check(torch.tensor([[2, 0, 1], [0, 0, 1]]))
    tensor([[ True,  True,  True],
            [False, False,  True]])
    """

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"`n` must be at least 1 item, got {self.n}")

    def check(self, x: Tensor) -> Tensor:
        if x.is_floating_point():
            raise TypeError(f"items are integers, got a tensor of {x.dtype}")
        if x.shape[-1] != self.n:
            raise ValueError(f"the last axis must run over {self.n} items, got shape {tuple(x.shape)}")
        once = (x.unsqueeze(-1) == x.unsqueeze(-2)).sum(-1) == 1
        return once & (x >= 0) & (x < self.n)


@dataclass(frozen=True, slots=True)
class Count(AbstractSpace):
    """Whole numbers from 0 on, without an upper bound.

    >>> Count().check(torch.tensor([-1, 0, 10**12]))
    tensor([False,  True,  True])
    """

    def check(self, x: Tensor) -> Tensor:
        if x.is_floating_point():
            raise TypeError(f"counts are integers, got a tensor of {x.dtype}")
        return x >= 0


@dataclass(frozen=True, slots=True)
class Simplex(AbstractSpace):
    """Shares of `num_classes` categories; the last axis of a state runs over them and sums to 1, up to 1e-5.

    >>> Simplex(2).check(torch.tensor([[0.25, 0.75], [0.5, 0.75]]))
    tensor([[ True,  True],
            [False, False]])
    """

    num_classes: int

    def __post_init__(self) -> None:
        if self.num_classes < 1:
            raise ValueError(f"`num_classes` must be at least 1, got {self.num_classes}")

    def check(self, x: Tensor) -> Tensor:
        if not x.is_floating_point():
            raise TypeError(f"shares are real numbers, got a tensor of {x.dtype}")
        if x.shape[-1] != self.num_classes:
            raise ValueError(f"the last axis must run over {self.num_classes} categories, got shape {tuple(x.shape)}")
        whole = (x.double().sum(-1, keepdim=True) - 1.0).abs() <= 1e-5
        return (x >= 0) & whole
