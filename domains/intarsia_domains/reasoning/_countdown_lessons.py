"""Countdown problems with an answer, made forwards: random legal steps whose result is a target."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

_BATCH = 1 << 15
_MOST_ROUNDS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Countdown problems and how they are solved.

    Args:
        numbers: what is given, (n, numbers).
        lefts, signs, rights, results: of every step, (n, numbers - 1); signs as indices of `+-*/`.
    """

    numbers: np.ndarray
    lefts: np.ndarray
    signs: np.ndarray
    rights: np.ndarray
    results: np.ndarray

    @property
    def targets(self) -> np.ndarray:
        """What comes out in the end, (n,)."""
        return self.results[:, -1]

    def take(self, rows: np.ndarray) -> "Steps":
        """Some of them."""
        return Steps(*(getattr(self, name)[rows] for name in self.__slots__))


def countdown_lessons(
    n: int, numbers: int, targets: tuple[int, int], excluded: Collection[int], largest: int, seed: int
) -> Steps:
    """Problems with numbers of 1 to 99 and a target from the range that is not excluded.

    Args:
        n: how many.
        numbers: that are given.
        targets: the least and the greatest.
        excluded: targets that are left out, such as those of a test.
        largest: results above it are not made.
        seed: of everything.

    Raises:
        ValueError: every target is excluded.
    """
    wanted = np.array([t for t in range(targets[0], targets[1] + 1) if t not in set(excluded)])
    if not len(wanted):
        raise ValueError(f"all targets from {targets[0]} to {targets[1]} are excluded; leave some to learn from")
    rng = np.random.default_rng(seed)
    found: list[Steps] = []
    count = 0
    for _ in range(_MOST_ROUNDS):
        if count >= n:
            break
        steps = _forwards(rng.integers(1, 100, (_BATCH, numbers)), largest, rng)
        found.append(steps.take(np.isin(steps.targets, wanted)))
        count += len(found[-1].numbers)
    if count < n:
        raise ValueError(f"found {count} of {n} problems; allow more targets")
    whole = Steps(*(np.concatenate([getattr(part, name) for part in found]) for name in Steps.__slots__))
    return whole.take(np.arange(n))


def _forwards(numbers: np.ndarray, largest: int, rng: np.random.Generator) -> Steps:
    """One random way to use up the numbers of every row; the last result is whatever it is."""
    rows = np.arange(len(numbers))
    open_ = numbers.copy()
    made: list[tuple[np.ndarray, ...]] = []
    while open_.shape[1] > 1:
        places = rng.random(open_.shape).argsort(1)[:, :2]
        places.sort(1)  # sums and products name the earlier quantity first
        first, second = open_[rows, places[:, 0]], open_[rows, places[:, 1]]
        high, low = np.maximum(first, second), np.minimum(first, second)
        legal = np.stack(
            [high + low <= largest, np.ones(len(rows), bool), high * low <= largest, (low > 0) & _divides(low, high)], 1
        )
        sign = np.where(legal, rng.random(legal.shape), -1.0).argmax(1)
        ordered = sign % 2 == 1  # differences and quotients take the larger one first
        left, right = np.where(ordered, high, first), np.where(ordered, low, second)
        result = np.choose(sign, [high + low, high - low, high * low, high // np.maximum(low, 1)])
        made.append((left, sign, right, result))
        kept = np.ones(open_.shape, dtype=bool)
        np.put_along_axis(kept, places, False, 1)
        open_ = np.concatenate([open_[kept].reshape(len(rows), -1), result[:, None]], 1)
    return Steps(numbers, *(np.stack(column, 1) for column in zip(*made, strict=True)))


def _divides(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return high % np.maximum(low, 1) == 0
