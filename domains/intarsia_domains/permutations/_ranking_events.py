"""Events on rankings as tensors: who stands at which rank, and who stands before whom."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Event:
    """One event a row: the item at some ranks, and pairs of which the first stands before the second.

    Prefixes are the items at the first ranks; a set of the best is the pairs of its members with everybody else; an
    order of some of the items is the pairs of its neighbours.

    Args:
        at: the item at every rank, -1 where any may stand, (rows, n).
        before: whether item i stands before item j, (rows, n, n); closed under transitivity by `closed`.
    """

    at: Tensor
    before: Tensor

    @classmethod
    def anything(cls, rows: int, n: int) -> Self:
        """The sure event."""
        return cls(torch.full((rows, n), -1), torch.zeros((rows, n, n), dtype=torch.bool))

    @classmethod
    def prefixes(cls, orders: Tensor) -> Self:
        """Orders (rows, n), padded with -1, stand at the first ranks."""
        return cls(orders, torch.zeros((*orders.shape, orders.shape[1]), dtype=torch.bool, device=orders.device))

    @classmethod
    def relative(cls, orders: Tensor) -> Self:
        """The items of orders (rows, n), padded with -1, stand in this order, with others anywhere between them."""
        rows, n = orders.shape
        before = torch.zeros((rows, n + 1, n + 1), dtype=torch.bool)  # the last item is the padding
        row = torch.arange(rows)[:, None]
        for i in range(n - 1):
            before[row, orders[:, i : i + 1], orders[:, i + 1 :]] = True
        return cls(torch.full((rows, n), -1), before[:, :n, :n].clone())

    def __len__(self) -> int:
        return len(self.at)

    @property
    def n(self) -> int:
        """How many items there are."""
        return self.at.shape[1]

    def to(self, device: torch.device) -> Self:
        """On another device."""
        return type(self)(self.at.to(device), self.before.to(device))

    def rows(self, chosen: Tensor | slice) -> Self:
        """The events of some rows."""
        return type(self)(self.at[chosen], self.before[chosen])

    def repeated(self, times: int) -> Self:
        """Every row so many times, side by side."""
        return type(self)(self.at.repeat_interleave(times, 0), self.before.repeat_interleave(times, 0))

    def both(self, other: "Event") -> Self:
        """Both events at once, row by row; raises ValueError where they put two items at a rank."""
        clash = (self.at >= 0) & (other.at >= 0) & (self.at != other.at)
        if bool(clash.any()):
            row, rank = (int(k) for k in clash.nonzero()[0])
            raise ValueError(f"row {row}: two items are to stand at rank {rank + 1}")
        return type(self)(torch.maximum(self.at, other.at), self.before | other.before)

    def closed(self) -> Self:
        """With every pair that follows from two others."""
        before = self.before
        for _ in range(max(self.n - 1, 1).bit_length()):
            before = before | (before.float() @ before.float() > 0)
        return type(self)(self.at, before)

    def prefix_lengths(self) -> Tensor:
        """How many of the first ranks are told, (rows,)."""
        return (self.at >= 0).long().cumprod(1).sum(1)

    @property
    def is_prefix(self) -> bool:
        """Whether every row tells its first ranks and nothing else."""
        return not bool(self.before.any()) and bool(((self.at >= 0).sum(1) == self.prefix_lengths()).all())

    def holds(self, x: Tensor) -> Tensor:
        """Whether permutations (rows, n) are in their row's event, (rows,)."""
        stands = ((self.at == x) | (self.at < 0)).all(1)
        # pairs in the order of x: none may lie below the diagonal
        column = x[:, None].expand(-1, self.n, -1)
        ordered = self.before.gather(1, x[:, :, None].expand(-1, -1, self.n)).gather(2, column)
        return stands & ~ordered.tril(-1).flatten(1).any(1)

    def indicator(self, points: Tensor) -> Tensor:
        """Whether each of the permutations (points, n) is in each row's event, (rows, points)."""
        rows, size = len(self), len(points)
        return self.repeated(size).holds(points.repeat(rows, 1)).view(rows, size)


class Windows:
    """The ranks at which the items of events may stand at all, and which of them may come next.

    Raises:
        ValueError: no permutation is in the event of some row; the message says which.
    """

    def __init__(self, event: Event, items: tuple[str, ...] | None = None) -> None:
        n = event.n
        names = items or tuple(map(str, range(n)))
        event = event.closed()
        loop = event.before.diagonal(dim1=1, dim2=2)
        if bool(loop.any()):
            row, item = (int(k) for k in loop.nonzero()[0])
            raise ValueError(f"row {row}: the pairs go round in a circle, {names[item]!r} stands before itself")
        self.event = event
        pinned = torch.full((len(event), n + 1), -1, device=event.at.device)
        ranks = torch.arange(n, device=event.at.device)
        pinned.scatter_(1, event.at.where(event.at >= 0, n), ranks.expand(len(event), n))
        pinned = pinned[:, :n]
        first = torch.where(pinned >= 0, pinned, 0)
        last = torch.where(pinned >= 0, pinned, n - 1)
        for _ in range(n):  # the longest chain of pairs
            first = torch.maximum(first, torch.where(event.before, first[:, :, None] + 1, 0).amax(1))
            last = torch.minimum(last, torch.where(event.before, last[:, None] - 1, n).amin(2))
        self.first, self.last = first, last
        self._refuse(self._schedulable(), names)

    def _schedulable(self) -> Tensor:
        """Earliest deadline first fits all items into their windows if anything does (unit jobs on one machine)."""
        left = torch.ones_like(self.first, dtype=torch.bool)
        fits = torch.ones(len(left), dtype=torch.bool, device=left.device)
        for rank in range(self.event.n):
            ready = left & (self.first <= rank)
            due = torch.where(ready, self.last, 2 * self.event.n)
            chosen = due.argmin(1, keepdim=True)
            fits &= ready.any(1) & (due.gather(1, chosen)[:, 0] >= rank)
            left = left.scatter(1, chosen, False)
        return fits

    def _refuse(self, fits: Tensor, names: tuple[str, ...]) -> None:
        if bool(fits.all()):
            return
        row = int((~fits).nonzero()[0])
        wrong = (self.first > self.last)[row].nonzero()
        who = f", as nothing is left for {names[int(wrong[0])]!r}" if len(wrong) else ""
        raise ValueError(f"row {row}: no ranking can be as asked{who}; the ranks and pairs contradict each other")

    def allowed(self, taken: Tensor, rank: int) -> Tensor:
        """Items that may stand at `rank` after the `taken` ones (rows, n); none where the row has come to an end."""
        waits = (self.event.before & ~taken[:, :, None]).any(1)
        may = ~taken & ~waits & (self.first <= rank) & (self.last >= rank)
        # who has to stand by rank r must find room: with item j now, the others due by r are at most r - rank
        due = torch.zeros((len(taken), self.event.n), dtype=torch.long, device=taken.device)
        due = due.scatter_add(1, self.last, (~taken).long()).cumsum(1)
        room = torch.arange(self.event.n, device=taken.device) - rank
        full, over = due == room + 1, due > room + 1
        urgent = torch.where(full[:, rank:].any(1), full[:, rank:].long().argmax(1) + rank, self.event.n)
        return may & (self.last <= urgent[:, None]) & ~over[:, rank:].any(1, keepdim=True)
