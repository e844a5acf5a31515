"""What to do with ties in ballots: refuse them, break them, or read one at the end as a tail that is not ranked."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Groups = list[list[int]]
"""Items that stand at the same rank, best rank first."""


class AbstractTies(ABC):
    """Turns ballots with ties into orders without."""

    def start(self) -> "AbstractTies":
        """The object that handles one file; one that draws starts from its seed."""
        return self

    @abstractmethod
    def orders(self, groups: Groups, count: int, where: str) -> NDArray[np.int64]:
        """Orders (1 or count, items) of `count` equal ballots; of one row if they stay equal.

        Args:
            groups: at least one of them holds several items.
            count: how many ballots.
            where: begins the message of an error: file and line.

        Raises:
            ValueError: these ties are not wanted.
        """


@dataclass(frozen=True, slots=True)
class RefuseTies(AbstractTies):
    """No ties: the message names the line."""

    def orders(self, groups: Groups, count: int, where: str) -> NDArray[np.int64]:
        tied = next(group for group in groups if len(group) > 1)
        raise ValueError(
            f"{where}: {len(tied)} alternatives are tied, {{{','.join(str(k + 1) for k in tied)}}}; break ties with "
            "ties=RandomTies(), ItemOrder(), or TailTies() where the last place means not ranked"
        )


@dataclass(frozen=True, slots=True)
class ItemOrder(AbstractTies):
    """Tied items stand in the order of the list of items."""

    def orders(self, groups: Groups, count: int, where: str) -> NDArray[np.int64]:
        return np.array([[item for group in groups for item in sorted(group)]])


@dataclass(frozen=True, slots=True)
class RandomTies(AbstractTies):
    """Ties are broken at random, for every ballot of a line anew."""

    seed: int = 0
    _rng: np.random.Generator | None = field(default=None, repr=False, compare=False)

    def start(self) -> "RandomTies":
        return RandomTies(self.seed, np.random.default_rng(self.seed))

    def orders(self, groups: Groups, count: int, where: str) -> NDArray[np.int64]:
        rng = np.random.default_rng(self.seed) if self._rng is None else self._rng
        parts = [rng.permuted(np.tile(np.array(group), (count, 1)), axis=1) for group in groups]
        return np.concatenate(parts, 1)


@dataclass(frozen=True, slots=True)
class TailTies(AbstractTies):
    """Items tied at the last place are not ranked, as files write a top-k ballot; other ties go to `others`."""

    others: AbstractTies = RefuseTies()

    def start(self) -> "TailTies":
        return TailTies(self.others.start())

    def orders(self, groups: Groups, count: int, where: str) -> NDArray[np.int64]:
        kept = groups[:-1] if len(groups) > 1 and len(groups[-1]) > 1 else groups
        if any(len(group) > 1 for group in kept):
            return self.others.orders(kept, count, where)
        return np.array([[group[0] for group in kept]])
