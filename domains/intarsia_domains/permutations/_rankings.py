"""Rankings as integer arrays: who stands where, how often, and what it means not to be ranked."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.permutations._ballots import read_ballots

if TYPE_CHECKING:
    import pandas as pd

Integers = NDArray[np.int64]


class Unranked(Enum):
    """What is known of the items that a ballot leaves out."""

    BELOW = "below all that are ranked, in an unknown order (top-k)"
    UNKNOWN = "nothing: they may stand anywhere between those that are ranked (incomplete)"


@dataclass(frozen=True, eq=False, slots=True)
class Rankings:
    """Ballots over named items, best first; `Rankings.of` makes them from labels.

    A row may stand for many equal ballots. `len` counts rows, as everything computed from `orders` has as many;
    `ballots` counts what the rows stand for, and `expand` gives each ballot a row of its own. Rows count from 0. There
    may be none, as in a sample of no rankings; what needs one says so.

    Attributes:
        items: names, at least two.
        orders: item numbers from 0, (rows, n), best first; places that are not filled are -1, at the end.
        counts: ballots that a row stands for, (rows,), from 1; ones if left out.
        unranked: what it means for an item to be left out of a row.

    Raises:
        ValueError: what cannot be a ranking; the message names the row and the item.
        TypeError: orders that are no array (rows, n) of item numbers.

    >>> votes = Rankings.of([["tea", "milk"], ["milk", "tea", "water"]])
    >>> votes.items, votes.orders.tolist()
    (('milk', 'tea', 'water'), [[1, 0, -1], [0, 1, 2]])
    """

    items: tuple[str, ...]
    orders: Integers
    counts: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    unranked: Unranked = Unranked.BELOW

    def __post_init__(self) -> None:
        items = tuple(self.items)
        check_items(items)
        orders = _orders(items, self.orders)
        counts = np.array(self.counts) if np.size(self.counts) else np.ones(len(orders), np.int64)
        _check_counts(counts, len(orders))
        counts = counts.astype(np.int64)
        for array in (orders, counts):
            array.setflags(write=False)
        for name, value in (("items", items), ("orders", orders), ("counts", counts)):
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, raw: Any, items: Any = None, unranked: Unranked = Unranked.BELOW) -> "Rankings":
        """Rankings of labels.

        Args:
            raw: `Rankings`; a list of lists of labels, best first; or an array or a data frame whose column k says who
                is at rank k. None, NaN, "" and -1 mean that there is nobody. A column named `count` of a frame holds
                multiplicities.
            items: all names, where some may be on no ballot or their order matters; by default the labels found,
                sorted (whole numbers by size). Labels are compared as text. Orders that are item numbers already
                go to `Rankings(items, orders)`.
            unranked: what it means to be left out.

        Raises:
            ValueError: an item twice in a row, an unknown label, a gap between ranks, an empty ballot, no ballots and
                no `items`, fewer than two items, an item listed twice.
            TypeError: something that holds no ballots.
        """
        if isinstance(raw, Rankings):
            return raw if items is None else raw.over(items)
        names = None if items is None else tuple(str(item) for item in items)
        if names is not None:
            check_items(names)
        names, orders, counts = read_ballots(raw, names)
        return cls(names, orders, counts, unranked)

    def __len__(self) -> int:
        return len(self.orders)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rankings):
            return NotImplemented
        return (
            (self.items, self.unranked) == (other.items, other.unranked)
            and np.array_equal(self.orders, other.orders)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not len(self):
            return f"<Rankings of {self.n} items: no rows>"
        short, long = self.lengths.min(), self.lengths.max()
        ranked = f"{long}" if short == long else f"{short} to {long}"
        return f"<Rankings of {self.n} items: {len(self)} rows, {self.ballots} ballots that rank {ranked}>"

    @property
    def n(self) -> int:
        """How many items there are."""
        return len(self.items)

    @property
    def ballots(self) -> int:
        """How many ballots the rows stand for."""
        return int(self.counts.sum())

    @property
    def lengths(self) -> Integers:
        """How many items each row ranks, (rows,)."""
        return (self.orders >= 0).sum(1)

    @property
    def is_complete(self) -> bool:
        """Whether every row ranks every item."""
        return bool((self.orders >= 0).all())

    def ranks(self) -> Integers:
        """Rank of every item from 0 = best, -1 where it is not ranked, (rows, n)."""
        places = np.full((len(self), self.n + 1), -1, np.int64)  # the last column takes the places nobody fills
        np.put_along_axis(places, self.orders % (self.n + 1), np.arange(self.n)[None], 1)
        return places[:, :-1]

    def labels(self) -> list[list[str]]:
        """The rows as lists of names."""
        return [[self.items[k] for k in row if k >= 0] for row in self.orders.tolist()]

    def subset(self, rows: Any) -> "Rankings":
        """Some of the rows, by numbers or by a mask (rows,)."""
        return Rankings(self.items, self.orders[rows], self.counts[rows], self.unranked)

    def complete_rows(self) -> "Rankings":
        """The rows that rank every item, which may be none."""
        return self.subset(self.lengths == self.n)

    def completed(self) -> "Rankings":
        """The same, with the last item put into rows that lack only one.

        Where unranked items may stand anywhere, one that is missing is not known to be last, and nothing changes.
        """
        lacking = self.lengths == self.n - 1
        if self.unranked is Unranked.UNKNOWN or not lacking.any():
            return self
        orders = self.orders.copy()
        orders[lacking, -1] = self.n * (self.n - 1) // 2 - self.orders[lacking, :-1].sum(1)
        return Rankings(self.items, orders, self.counts, self.unranked)

    def expand(self) -> "Rankings":
        """One row a ballot, equal ones side by side."""
        return Rankings(self.items, np.repeat(self.orders, self.counts, 0), unranked=self.unranked)

    def at_least_one(self, purpose: str) -> "Rankings":
        """The same; raises ValueError where there are no rows, with what they were wanted for."""
        if not len(self):
            raise ValueError(f"there are no rankings: {purpose} needs at least one ballot")
        return self

    def merge(self) -> "Rankings":
        """Equal rows made one, most frequent first, then in lexicographic order."""
        if not len(self):
            return self
        orders, which = np.unique(self.orders, axis=0, return_inverse=True)
        counts = np.bincount(which.ravel(), self.counts, len(orders)).astype(np.int64)
        by_count = np.argsort(-counts, kind="stable")
        return Rankings(self.items, orders[by_count], counts[by_count], self.unranked)

    def split(self, holdout: float | int, seed: int) -> "tuple[Rankings, Rankings]":
        """Ballots, not rows, divided at random into a part to train on and a part held out.

        Args:
            holdout: how many ballots to hold out, or their share if it is below 1.
            seed: of the division.

        Raises:
            ValueError: one of the two parts would be empty.
        """
        total = self.ballots
        held = round(holdout * total) if 0 < holdout < 1 else int(holdout)
        if not 0 < held < total:
            raise ValueError(f"cannot hold out {holdout} of {total} ballots: leave at least one on either side")
        row = np.repeat(np.arange(len(self)), self.counts)
        drawn = np.random.default_rng(seed).permutation(total)[:held]
        test = np.bincount(row[drawn], minlength=len(self))
        return self._with_counts(self.counts - test), self._with_counts(test)

    def over(self, items: Any) -> "Rankings":
        """The same ballots with the items listed in another order, or with more of them, which nobody ranked.

        Raises:
            ValueError: an item is missing from the new list.
        """
        names = tuple(str(item) for item in items)
        if names == self.items:
            return self
        check_items(names)
        place = {name: k for k, name in enumerate(names)}
        lost = [name for name in self.items if name not in place]
        if lost:
            raise ValueError(f"the rankings have the item {lost[0]!r}, which is not among {_few(names)}")
        number = np.array([place[name] for name in self.items] + [-1])
        return Rankings(names, number[self.orders], self.counts, self.unranked)

    def frame(self) -> "pd.DataFrame":
        """A data frame that `of` reads back: a column a rank, None where there is nobody, `count` where it is not 1."""
        import pandas as pd

        names = np.array([*self.items, None], dtype=object)
        frame = pd.DataFrame(names[self.orders], columns=pd.Index([f"rank {k + 1}" for k in range(self.n)]))
        if (self.counts != 1).any():
            frame.insert(0, "count", self.counts)
        return frame

    def _with_counts(self, counts: Integers) -> "Rankings":
        kept = counts > 0
        return Rankings(self.items, self.orders[kept], counts[kept], self.unranked)


def check_items(items: tuple[str, ...]) -> None:
    """Raise ValueError for fewer than two items, or for one that is listed twice or has no name."""
    if len(items) < 2:
        raise ValueError(f"a ranking needs at least two items, got {list(items)}")
    for item in items:
        if not isinstance(item, str) or not item:
            raise ValueError(f"the names of items are texts that are not empty, got {item!r}")
    if len(set(items)) < len(items):
        twice = next(item for k, item in enumerate(items) if item in items[:k])
        raise ValueError(f"the item {twice!r} is listed twice; give each item a name of its own")


def _orders(items: tuple[str, ...], orders: Any) -> Integers:
    """A checked copy with a column an item."""
    found = np.asarray(orders)
    n = len(items)
    if found.ndim != 2 or not np.issubdtype(found.dtype, np.integer):
        raise TypeError(
            f"orders are item numbers in an array (rows, n), got shape {found.shape} of {found.dtype}; "
            "labels go to `Rankings.of`"
        )
    ranked = found != -1
    _refuse(found, ranked[:, n:], lambda i, _: f"{ranked[i].sum()} ranks are more than the {n} items that there are")
    full = np.full((len(found), n), -1, np.int64)
    full[:, : found.shape[1]] = found[:, :n]
    _refuse(full, (full >= n) | (full < -1), lambda i, j: f"there is no item number {full[i, j]} among {n} items")
    ranked = full >= 0
    _refuse(full, (~ranked[:, :1]), lambda i, _: "nobody is ranked; leave out empty ballots")
    _refuse(full, ranked[:, 1:] & ~ranked[:, :-1], lambda i, j: f"rank {j + 1} is empty although rank {j + 2} is not")
    ordered = np.sort(full, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    _refuse(full, twice, lambda i, j: f"the item {items[ordered[i, j]]!r} is ranked twice")
    return full


def _refuse(orders: Integers, wrong: NDArray[np.bool_], says: Any) -> None:
    """Raise for the first place that is wrong."""
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"row {row}: {says(row, column)}")


def _check_counts(counts: NDArray[Any], rows: int) -> None:
    if counts.shape != (rows,):
        raise ValueError(f"there is one count for each of the {rows} rows, got shape {counts.shape}")
    wrong = ~np.isfinite(counts) | (counts < 1) | (counts != np.floor(counts))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"row {row}: a ballot counts a whole number of times, at least once, got {counts[row]}")


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
