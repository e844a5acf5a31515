"""What encoders read and give: items made of shared parts, and features of items and of pairs."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Encoded(NamedTuple):
    """Features of items (rows, n, features), and of pairs (rows, n, n, pair features) or None."""

    features: Tensor
    pairs: Tensor | None = None

    def repeat(self, times: int) -> "Encoded":
        """Each row `times` times, one after the other."""
        pairs = None if self.pairs is None else self.pairs.repeat_interleave(times, 0)
        return Encoded(self.features.repeat_interleave(times, 0), pairs)


@dataclass(frozen=True, eq=False)
class Parts:
    """Items that are made of images of a bank: each distinct image is read once, however many items it is part of.

    Args:
        bank: distinct images (m, channels, height, width).
        index: which of them each item is made of, (rows, n, parts), in the order of rows of the grid.
    """

    bank: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        if self.bank.ndim != 4 or self.index.ndim != 3:
            shapes = tuple(self.bank.shape), tuple(self.index.shape)
            raise ValueError(f"`bank` is (m, channels, height, width), `index` (rows, n, parts), got {shapes}")
        if self.index.numel() and not 0 <= int(self.index.min()) <= int(self.index.max()) < len(self.bank):
            raise ValueError(f"`index` must hold numbers of the {len(self.bank)} images of `bank`")

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and items, as of a tensor."""
        return tuple(self.index.shape[:2])

    def __len__(self) -> int:
        return len(self.index)

    def rows(self, rows: Tensor) -> "Parts":
        """Some rows, with those images of the bank that they need."""
        used, index = self.index[rows].unique(return_inverse=True)
        return Parts(self.bank[used], index)

    def to(self, device: torch.device | str) -> "Parts":
        """On another device."""
        return Parts(self.bank.to(device), self.index.to(device))

    def images(self, grid: tuple[int, int]) -> Tensor:
        """All items as images (rows, n, channels, height, width)."""
        rows, n, _ = self.index.shape
        _, channels, height, width = self.bank.shape
        found = self.bank[self.index].view(rows, n, *grid, channels, height, width)
        return found.permute(0, 1, 4, 2, 5, 3, 6).reshape(rows, n, channels, grid[0] * height, grid[1] * width)


def cut(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """Images (…, channels, height, width) as parts (…, rows x columns of the grid, channels, height', width')."""
    *lead, channels, height, width = images.shape
    down, across = height // grid[0], width // grid[1]
    parts = images.reshape(*lead, channels, grid[0], down, grid[1], across)
    k = len(lead)
    order = (*range(k), k + 1, k + 3, k, k + 2, k + 4)
    return parts.permute(order).reshape(*lead, grid[0] * grid[1], channels, down, across)


Items = Tensor | Parts
"""Items of rows of sets: a tensor (rows, n, …), or `Parts`."""


def take(items: Items, rows: Tensor) -> Items:
    """Some rows of items."""
    return items.rows(rows) if isinstance(items, Parts) else items[rows]
