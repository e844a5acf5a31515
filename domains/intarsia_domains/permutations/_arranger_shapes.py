"""What an order of items is: a line from first to last, or a closed tour."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.processes import (
    AbstractPermutationHead,
    GeneralizedPlackettLuce,
    PlackettLuce,
)
from intarsia_domains.permutations._encoders_items import Items
from intarsia_domains.permutations._tours import counter_clockwise, distance_matrix, tour_lengths


class AbstractShape(ABC):
    """Which orders of n items are the same, and the permutations of fewer items that stand for them ("free")."""

    pinned: int
    """Items that have a place of their own, from the first on, and are not shuffled."""

    @abstractmethod
    def canonical(self, items: Items, orders: Tensor) -> Tensor:
        """The one of several equal orders (rows, n) that is learned."""

    @abstractmethod
    def mixed(self, items: Items, orders: Tensor, rng: torch.Generator) -> tuple[Items, Tensor]:
        """The same sets with other items pinned, for training."""

    def turned(self, items: Items, number: int) -> Items:
        """The same sets with their items renumbered, for repeated starts of a decoder; 0 is as they are."""
        return items

    def turned_back(self, items: Items, orders: Tensor, number: int) -> Tensor:
        """Orders (rows, k, n) of items that `turned` renumbered, as canonical orders of `items`."""
        return orders

    @abstractmethod
    def cost(self, items: Items, orders: Tensor) -> Tensor | None:
        """What is to be small of orders (rows, k, n), (rows, k); None where orders are only right or wrong."""

    def free(self, orders: Tensor) -> Tensor:
        """Orders (…, n) as permutations of the free items."""
        return orders[..., self.pinned :] - self.pinned

    def whole(self, free: Tensor) -> Tensor:
        """Back to orders."""
        first = torch.arange(self.pinned, device=free.device).expand(*free.shape[:-1], -1)
        return torch.cat([first, free + self.pinned], -1)

    @abstractmethod
    def of_free(self, law: AbstractPermutationHead, pred: Tensor) -> Tensor:
        """Parameters for all items -> parameters for the free ones."""


@dataclass(frozen=True)
class Line(AbstractShape):
    """Every order is one of its own: sorting, jigsaws, rankings."""

    pinned = 0

    def canonical(self, items: Items, orders: Tensor) -> Tensor:
        return orders

    def mixed(self, items: Items, orders: Tensor, rng: torch.Generator) -> tuple[Items, Tensor]:
        return items, orders

    def cost(self, items: Items, orders: Tensor) -> Tensor | None:
        return None

    def of_free(self, law: AbstractPermutationHead, pred: Tensor) -> Tensor:
        return pred


@dataclass(frozen=True)
class Tour(AbstractShape):
    """Closed tours of points: item 0 comes first, and the tour runs counter-clockwise.

    A network would otherwise have to guess which of two directions is meant. Training starts anywhere, and so do
    repeated starts of a decoder, whose first cities are spread evenly over the numbers.
    """

    pinned = 1

    def canonical(self, items: Items, orders: Tensor) -> Tensor:
        return counter_clockwise(_points(items), orders)

    def mixed(self, items: Items, orders: Tensor, rng: torch.Generator) -> tuple[Items, Tensor]:
        points = _points(items)
        number = torch.rand(orders.shape, generator=rng, device=orders.device).argsort(1)
        moved = points.gather(1, number[:, :, None].expand_as(points))
        return moved, number.argsort(1).gather(1, orders)

    def turned(self, items: Items, number: int) -> Items:
        return _points(items).roll(-_first(number, items.shape[1]), 1)

    def turned_back(self, items: Items, orders: Tensor, number: int) -> Tensor:
        n = orders.shape[2]
        tours = ((orders + _first(number, n)) % n).flatten(0, 1)
        points = _points(items).repeat_interleave(orders.shape[1], 0)
        return counter_clockwise(points, tours).view(orders.shape)

    def cost(self, items: Items, orders: Tensor) -> Tensor | None:
        return tour_lengths(distance_matrix(_points(items)), orders)

    def of_free(self, law: AbstractPermutationHead, pred: Tensor) -> Tensor:
        if isinstance(law, PlackettLuce):
            return pred[:, 1:]
        if isinstance(law, GeneralizedPlackettLuce):
            return pred[:, 1:, 1:]
        at_rank, chosen, last = pred.unbind(1)
        # the pinned item is chosen before all ranks, and is the last one before the first rank
        at_rank = at_rank[:, 1:, 1:] + chosen[:, :1, 1:]
        at_rank = torch.cat([at_rank[:, :1] + last[:, :1, 1:], at_rank[:, 1:]], 1)
        return torch.stack([at_rank, chosen[:, 1:, 1:], last[:, 1:, 1:]], 1)


def _first(number: int, n: int) -> int:
    """The city at which start `number` begins: multiples of the golden section of n, which never bunch."""
    return round(number * 0.6180339887498949 * n) % n


def _points(items: Items) -> Tensor:
    if not isinstance(items, Tensor) or items.ndim != 3 or items.shape[2] != 2:
        raise TypeError("tours go through points (rows, n, 2); use `PointEncoder` and a plain array")
    return items
