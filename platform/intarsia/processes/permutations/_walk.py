"""Random walks on permutations, how far they are from uniform, and what that says about the number of shuffles."""

import math
from abc import ABC, abstractmethod
from functools import lru_cache

import torch
from torch import Tensor


class AbstractWalk(ABC):
    """Independent shuffles of one kind, one after the other; frozen and hashable.

    The law of the product of a number of shuffles ("count") is constant on the levels of some statistic: rising
    sequences, cycle types. That makes exact distances possible where n! permutations cannot be listed.
    """

    n: int

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """The count around which the walk becomes uniform, as n grows."""

    @property
    @abstractmethod
    def reach(self) -> int:
        """The least count after which every permutation is possible."""

    @abstractmethod
    def draw(self, count: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Products of `count` (rows,) shuffles, permutations (rows, n)."""

    @abstractmethod
    def log_law(self, perm: Tensor, count: Tensor) -> Tensor:
        """log Q_count(perm), float64 (…), of permutations (…, n) and counts (…); -inf where impossible."""

    @abstractmethod
    def levels(self, count: int) -> tuple[Tensor, Tensor]:
        """Logarithms of the size of every level, and of the probability of each one of its permutations."""

    @abstractmethod
    def bridge(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw xs after `then` shuffles given x0 and, after `now` ≥ `then`, a possible xt; counts are (rows,)."""


@lru_cache(maxsize=4096)
def _level_law(walk: AbstractWalk, count: int | None) -> tuple[Tensor, Tensor]:
    """Probability of every level, and log-probability of each one of its permutations; None: of the uniform law."""
    sizes, law = walk.levels(0 if count is None else count)
    if count is None:
        law = torch.full_like(sizes, -math.lgamma(walk.n + 1))
    return (sizes + law).exp(), law


def shuffle_distance(walk: AbstractWalk, first: int, second: int | None = None) -> float:
    """Total variation between the laws of two counts; of `first` from the uniform law where `second` is None.

    For riffles this is Bayer & Diaconis 1992.
    """
    return float((_level_law(walk, first)[0] - _level_law(walk, second)[0]).abs().sum() / 2)


def shuffle_kl(walk: AbstractWalk, count: int) -> float:
    """KL(law of `count` shuffles || uniform) in nats: the prior term of a nelbo (Bayer & Diaconis 1992)."""
    chance, law = _level_law(walk, count)
    return max(0.0, float(torch.where(chance > 0, chance * (law + math.lgamma(walk.n + 1)), 0.0).sum()))


def enough_shuffles(walk: AbstractWalk, tolerance: float = 0.01) -> int:
    """The least count after which everything is possible, and within total variation `tolerance` of uniform.

    SymmetricDiffusers (arXiv 2410.02942) chooses it by hand from the same distances.
    """
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"`tolerance` is a total variation between 0 and 1, got {tolerance}")
    count = walk.reach
    while shuffle_distance(walk, count) > tolerance:
        count += 1
    return count


def merged_shuffles(walk: AbstractWalk, shuffles: int | None = None, jump: float = 0.35) -> tuple[int, ...]:
    """Counts 0 = c_0 < … < c_k at which it is enough to look: consecutive laws are at most `jump` apart.

    Going back from `shuffles` (by default `enough_shuffles`) the smallest count within `jump` of the last one is
    taken, in total variation; where there is none the first jump, from the data, closes the list. This is the
    merging of SymmetricDiffusers (arXiv 2410.02942) with its rule of thumb made exact.
    """
    counts = [enough_shuffles(walk) if shuffles is None else shuffles]
    while True:
        last = counts[-1]
        near = (s for s in range(1, last) if shuffle_distance(walk, s, last) <= jump)
        found = next(near, None)
        if found is None:
            return (0, *reversed(counts))
        counts.append(found)
