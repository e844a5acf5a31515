"""From vectors of items (or of places) to the parameters of a head; all of them are zero at first."""

import math

import torch
from torch import Tensor, nn

from intarsia.processes import (
    AbstractMoveHead,
    AbstractPermutationLaw,
    GeneralizedPlackettLuce,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
)
from intarsia_domains.permutations._ranking_pointer import PointerHead


def _silent(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class _Items(nn.Module):
    """A score an item, (batch, n)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = _silent(width, 1)

    def forward(self, h: Tensor) -> Tensor:
        return self.score(h)[..., 0]


class _Columns(nn.Module):
    """So many numbers an item, (batch, numbers, n): scores at every rank, or keys."""

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        self.score = _silent(width, numbers)

    def forward(self, h: Tensor) -> Tensor:
        return self.score(h).transpose(1, 2)


class _Tables(nn.Module):
    """Scores at ranks, by chosen items and by the last one, (batch, 3, n, n)."""

    def __init__(self, width: int, n: int) -> None:
        super().__init__()
        self.ranks = _Columns(width, n)
        self.key = nn.Linear(width, width)
        self.chosen, self.last = _silent(width, width), _silent(width, width)

    def forward(self, h: Tensor) -> Tensor:
        key = self.key(h).transpose(1, 2) / math.sqrt(h.shape[-1])
        return torch.stack([self.ranks(h), self.chosen(h) @ key, self.last(h) @ key], 1)


class _Pointers(nn.Module):
    """Tables and keys, (batch, 3n + keys, n)."""

    def __init__(self, width: int, n: int, keys: int) -> None:
        super().__init__()
        self.tables, self.keys = _Tables(width, n), _Columns(width, keys)

    def forward(self, h: Tensor) -> Tensor:
        return torch.cat([self.tables(h).flatten(1, 2), self.keys(h)], 1)


class _Whole(nn.Module):
    """Parameters of any shape, from all vectors at once."""

    def __init__(self, width: int, n: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.out = _silent(n * width, math.prod(shape))

    def forward(self, h: Tensor) -> Tensor:
        return self.out(h.flatten(1)).view(len(h), *self.shape)


def readout(head: AbstractPermutationLaw, n: int, width: int) -> nn.Module:
    """The layer that ends in the parameters of `head`."""
    law = head.law if isinstance(head, Move) else head
    if isinstance(law, PointerHead):
        return _Pointers(width, n, law.width)
    if isinstance(law, PrefixPlackettLuce):
        return _Tables(width, n)
    if isinstance(law, GeneralizedPlackettLuce):
        return _Columns(width, n)
    if isinstance(law, PlackettLuce) or (isinstance(head, AbstractMoveHead) and law.shape(n) == (n,)):
        return _Items(width)
    return _Whole(width, n, law.shape(n))
