"""The walk of random transpositions on cycle types, that is on the partitions of n."""

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import torch
from torch import Tensor

from intarsia.errors import RequirementError

MOST_ITEMS = 30
"""Most items whose cycle types (5604 of them) are listed for exact laws."""


@dataclass(frozen=True)
class CycleTypes:
    """The partitions of n: sorted keys, the code that makes a key of cycle counts, sizes of classes, and the walk."""

    keys: Tensor
    code: Tensor
    log_sizes: Tensor
    identity: int
    source: Tensor
    target: Tensor
    chance: Tensor


def _partitions(n: int, largest: int) -> Iterator[tuple[int, ...]]:
    if n == 0:
        yield ()
    for part in range(min(n, largest), 0, -1):
        for rest in _partitions(n - part, part):
            yield (part, *rest)


def _neighbours(parts: tuple[int, ...]) -> Counter[tuple[int, ...]]:
    """Of the n² draws of two places, how many lead to each cycle type: cycles merge or split."""
    ways: Counter[tuple[int, ...]] = Counter({parts: sum(parts)})
    count = Counter(parts)
    for a, b in combinations_with_replacement(sorted(count), 2):
        pairs = count[a] * (count[b] - 1) if a == b else 2 * count[a] * count[b]
        if pairs:
            ways[_replaced(parts, (a, b), (a + b,))] += pairs * a * b
    for a in count:
        for cut in range(1, a):
            ways[_replaced(parts, (a,), (cut, a - cut))] += count[a] * a
    return ways


def _replaced(parts: tuple[int, ...], old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    left = list(parts)
    for part in old:
        left.remove(part)
    return tuple(sorted([*left, *new], reverse=True))


@lru_cache(maxsize=8)
def cycle_types(n: int) -> CycleTypes:
    """The cycle types of permutations of n items.

    Raises:
        RequirementError: there are too many of them.
    """
    if n > MOST_ITEMS:
        raise RequirementError(
            f"exact laws of random transpositions are known for at most {MOST_ITEMS} items, got {n}; "
            "use `Riffle`, or a head of moves to sample"
        )
    draws = random.Random(0)
    code = [draws.getrandbits(50) for _ in range(n)]
    keyed = {sum(code[part - 1] for part in parts): parts for parts in _partitions(n, n)}
    keys = sorted(keyed)
    place = {keyed[key]: k for k, key in enumerate(keys)}
    edges = [(k, place[to], ways) for parts, k in place.items() for to, ways in _neighbours(parts).items()]
    source, target, ways = zip(*edges, strict=True)
    return CycleTypes(
        torch.tensor(keys),
        torch.tensor(code),
        torch.tensor([_log_size(keyed[key], n) for key in keys], dtype=torch.float64),
        place[(1,) * n],
        torch.tensor(source),
        torch.tensor(target),
        torch.tensor(ways, dtype=torch.float64) / n**2,
    )


def _log_size(parts: tuple[int, ...], n: int) -> float:
    """log of n! / Π m^c c! over the c cycles of every length m."""
    fixed = sum(c * math.log(m) + math.lgamma(c + 1) for m, c in Counter(parts).items())
    return math.lgamma(n + 1) - fixed


def class_laws(n: int, most: int) -> Tensor:
    """log-probability of each permutation of every class after 0 … at least `most` swaps, (counts, classes)."""
    return _class_laws(n, 1 << max(most, 1).bit_length())  # powers of two, so that few tables are kept


@lru_cache(maxsize=16)
def _class_laws(n: int, most: int) -> Tensor:
    types = cycle_types(n)
    law = torch.zeros(len(types.keys), dtype=torch.float64)
    law[types.identity] = 1.0
    laws = [law]
    for _ in range(most):
        law = torch.zeros_like(law).index_add(0, types.target, law[types.source] * types.chance)
        laws.append(law)
    return torch.stack(laws).log() - types.log_sizes
