"""The algebra of permutations that shuffles and their heads share.

A permutation is an integer list that is applied by a gather, x'[j] = x[p[j]]; a state is an ordered list of items.
Everything works on the last axis of a tensor (…, n).
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

ENUMERABLE = 8
"""Most items of which all permutations are listed."""


def compose(p: Tensor, q: Tensor) -> Tensor:
    """First p, then q: p[q]."""
    return p.gather(-1, q)


def inverse(p: Tensor) -> Tensor:
    """The permutation that undoes `p`."""
    return p.argsort(-1)


def relative(x: Tensor, y: Tensor) -> Tensor:
    """x⁻¹ y, which turns x into y: y = x[relative(x, y)]."""
    return inverse(x).gather(-1, y)


def descents(p: Tensor) -> Tensor:
    """How many neighbours are in falling order, (…)."""
    return (p[..., 1:] < p[..., :-1]).sum(-1)


def rising_sequences(deck: Tensor) -> Tensor:
    """r(d) = 1 + des(d⁻¹): maximal runs of consecutive cards that lie in order, (…); of the inverse, not of d."""
    return 1 + descents(inverse(deck))


def increasing_prefix(p: Tensor) -> Tensor:
    """Length of the longest increasing prefix, (…)."""
    return 1 + (p[..., 1:] > p[..., :-1]).long().cumprod(-1).sum(-1)


def cycle_counts(p: Tensor) -> Tensor:
    """How many cycles have 1 … n items, (…, n)."""
    n = p.shape[-1]
    lowest, hop = torch.arange(n, device=p.device).expand(p.shape), p
    for _ in range(max(n - 1, 1).bit_length()):  # every hop is twice as far as the one before
        lowest, hop = torch.minimum(lowest, lowest.gather(-1, hop)), hop.gather(-1, hop)
    one = torch.ones_like(p)
    size = torch.zeros_like(p).scatter_add(-1, lowest, one)  # at the lowest item of each cycle
    return torch.zeros((*p.shape[:-1], n + 1), dtype=p.dtype, device=p.device).scatter_add(-1, size, one)[..., 1:]


def lehmer_code(p: Tensor) -> Tensor:
    """Digit i counts the smaller items to the right of place i, so it is one of 0 … n - 1 - i."""
    smaller = p.unsqueeze(-2) < p.unsqueeze(-1)
    return smaller.triu(1).sum(-1)


def from_lehmer_code(code: Tensor) -> Tensor:
    """The permutation of a Lehmer code."""
    p = code.clone()
    for i in reversed(range(code.shape[-1] - 1)):
        p[..., i + 1 :] += p[..., i + 1 :] >= p[..., i : i + 1]
    return p


def inversions(p: Tensor) -> Tensor:
    """Pairs of items in falling order (Kendall's distance from the identity), (…)."""
    return lehmer_code(p).sum(-1)


def _places(n: int, device: torch.device) -> Tensor:
    return torch.tensor([math.factorial(n - 1 - i) for i in range(n)], device=device)


def rank(p: Tensor) -> Tensor:
    """Place in the lexicographic order of all permutations, (…); for at most 20 items."""
    return (lehmer_code(p) * _places(p.shape[-1], p.device)).sum(-1)


def unrank(k: Tensor, n: int) -> Tensor:
    """The permutations (…, n) at places `k` (…) of the lexicographic order."""
    place = _places(n, k.device)
    digits = torch.arange(n, 0, -1, device=k.device)
    return from_lehmer_code(k.unsqueeze(-1) // place % digits)


def distinct(x: Tensor) -> tuple[list[int], Tensor]:
    """The different values of small counts (batch,), rising, and which of them each is."""
    present = torch.bincount(x) > 0
    return [k for k in range(len(present)) if bool(present[k])], present.long().cumsum(0)[x] - 1


@lru_cache(maxsize=ENUMERABLE)
def all_permutations(n: int) -> Tensor:
    """All permutations in lexicographic order, (n!, n); shared, so not to be written to."""
    if n > ENUMERABLE:
        raise ValueError(f"the permutations of at most {ENUMERABLE} items are listed, got {n} items")
    return unrank(torch.arange(math.factorial(n)), n)


@lru_cache(maxsize=ENUMERABLE)
def relative_ranks(n: int) -> Tensor:
    """Rank of a⁻¹ b by the ranks of a and b, (n!, n!): the multiplication table of the group; shared."""
    points = all_permutations(n)
    return torch.stack([rank(relative(a.expand_as(points), points)) for a in points])
