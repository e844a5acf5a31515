"""Sets of items and their orders, checked: every complaint names the row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intarsia_domains.permutations._encoders import AbstractEncoder
from intarsia_domains.permutations._encoders_items import Items, Parts, take

Source = Callable[[int, np.random.Generator], tuple[Any, Any]]
"""`(rows, rng) -> (items, orders)`: fresh training sets."""


def read_items(raw: Any, encoder: AbstractEncoder) -> Items:
    """Items as a float32 tensor (rows, n, …), or `Parts` as they are.

    Raises:
        ValueError: the array has no rows and items, holds values that are not finite, or is nothing that the encoder
            reads; the first bad row and item is named.
    """
    if isinstance(raw, Parts):
        return Parts(raw.bank.float(), raw.index)
    items = raw if isinstance(raw, Tensor) else torch.from_numpy(np.asarray(raw, dtype=np.float32))
    items = items.float()
    if items.ndim < 3:
        raise ValueError(
            f"items are an array (rows, n, …) of sets of n items, got shape {tuple(items.shape)}; "
            "add the missing axes, also for one set"
        )
    if items.shape[1] < 1:
        raise ValueError("the sets have no items; every row needs at least one")
    encoder.check(items)
    finite = items.flatten(2).isfinite().all(2)
    if not bool(finite.all()):
        row, item = (int(x) for x in (~finite).nonzero()[0])
        raise ValueError(f"item {item} of row {row} holds a value that is not a finite number")
    return items


def read_points(raw: Any, encoder: AbstractEncoder) -> Items:
    """Items of tours: no two cities of a row may be in one place.

    Raises:
        ValueError: two are; the row and both cities are named.
    """
    items = read_items(raw, encoder)
    if isinstance(items, Tensor):
        order = items[..., 1].argsort(dim=1, stable=True)
        order = order.gather(1, items[..., 0].gather(1, order).argsort(dim=1, stable=True))
        sorted_items = items.gather(1, order[..., None].expand_as(items))
        same = (sorted_items[:, 1:] == sorted_items[:, :-1]).all(2)
        if bool(same.any()):
            row, place = (int(x) for x in same.nonzero()[0])
            first, second = sorted(int(order[row, place + k]) for k in (0, 1))
            raise ValueError(f"cities {first} and {second} of row {row} are in one place; give each city once")
    return items


def read_orders(raw: Any, rows: int, n: int) -> Tensor:
    """Orders (rows, n), int64: which item comes first, second, ….

    Raises:
        ValueError: the shape is not that of the items, or an item is missing or repeated; the row is named.
        TypeError: the orders are not whole numbers.
    """
    array = np.asarray(raw)
    if array.dtype.kind not in "iu":
        raise TypeError(f"orders are whole numbers of items, got {array.dtype}")
    if array.shape != (rows, n):
        raise ValueError(f"expected an order for each set, ({rows}, {n}), got shape {array.shape}")
    wrong = (np.sort(array, 1) != np.arange(n)).any(1)
    if wrong.any():
        row = int(wrong.argmax())
        values, counts = np.unique(array[row], return_counts=True)
        outside = values[(values < 0) | (values >= n)]
        why = f"names item {outside[0]}" if len(outside) else f"holds item {values[counts > 1][0]} twice"
        raise ValueError(f"the order of row {row} {why}; it must hold each of the items 0 to {n - 1} once")
    return torch.from_numpy(array.astype(np.int64))


def read_prefixes(raw: Any, rows: int, n: int, pinned: int) -> Tensor:
    """The first items of orders (rows, n), int64, and -1 at the ranks that are free.

    Raises:
        ValueError: the shape is not that of the items, an item is unknown or repeated, a free rank stands before a
            known one, or a pinned item stands elsewhere; the row is named.
        TypeError: the orders are not whole numbers.
    """
    array = np.asarray(raw)
    if array.dtype.kind not in "iu":
        raise TypeError(f"orders are whole numbers of items, and -1 where a rank is free, got {array.dtype}")
    if array.shape != (rows, n):
        raise ValueError(f"expected the known part of an order for each set, ({rows}, {n}), got shape {array.shape}")
    known, rising = array >= 0, np.sort(array, 1)
    moved = (array[:, :pinned] != np.arange(pinned)) & known[:, :pinned]
    wrong = {
        "names an item that there is not": ((array < -1) | (array >= n)).any(1),
        "holds an item twice": ((rising[:, 1:] == rising[:, :-1]) & (rising[:, 1:] >= 0)).any(1),
        f"begins otherwise than with item {pinned - 1}, as tours do": moved.any(1),
        "has a free rank before a known one; only a prefix can be given": (known[:, 1:] & ~known[:, :-1]).any(1),
    }
    for what, where in wrong.items():
        if where.any():
            raise ValueError(f"the order of row {int(where.argmax())} {what}; items are 0 to {n - 1}")
    return torch.from_numpy(array.astype(np.int64))


@dataclass(frozen=True)
class Fixed:
    """Training sets that were given."""

    items: Items
    orders: Tensor

    def batch(self, rows: Tensor, rng: torch.Generator) -> tuple[Items, Tensor]:
        """Those rows."""
        return take(self.items, rows), self.orders[rows]


@dataclass(frozen=True)
class Fresh:
    """Training sets that are made when they are needed."""

    source: Source
    read: Callable[[Any], Items]

    def batch(self, rows: Tensor, rng: torch.Generator) -> tuple[Items, Tensor]:
        """As many new rows, by a generator that follows from `rng`."""
        seed = int(torch.randint(2**62, (1,), generator=rng, device=rng.device))
        return self.draw(len(rows), seed)

    def draw(self, rows: int, seed: int) -> tuple[Items, Tensor]:
        """New rows by a seed."""
        raw, orders = self.source(rows, np.random.default_rng(seed))
        items = self.read(raw)
        return items, read_orders(orders, len(items), items.shape[1])
