"""Laws of shuffles over all permutations of a few items, so that kernels and losses are exact there.

Laws over all permutations are (batch, n!), logarithms, in lexicographic order; counts of shuffles are (batch,).
"""

from functools import lru_cache

import torch
from torch import Tensor

from intarsia.processes.permutations._arithmetic import all_permutations, distinct, rank, relative_ranks
from intarsia.processes.permutations._walk import AbstractWalk

ENUMERABLE_LAWS = 6
"""Most items for which n! x n! laws are written down."""


@lru_cache(maxsize=256)
def _law(walk: AbstractWalk, count: int) -> Tensor:
    """log Q_count of all permutations, (n!,)."""
    points = all_permutations(walk.n)
    return walk.log_law(points, torch.full((len(points),), count))


def laws(walk: AbstractWalk, count: Tensor) -> Tensor:
    """log Q_count of all permutations, (batch, n!)."""
    counts, which = distinct(count)
    return torch.stack([_law(walk, c) for c in counts]).to(count.device)[which]


def forwards(walk: AbstractWalk, x: Tensor, count: Tensor) -> Tensor:
    """log Q_count(x⁻¹ y) over all y: where x may go."""
    return laws(walk, count).gather(1, relative_ranks(walk.n).to(x.device)[rank(x)])


def backwards(walk: AbstractWalk, x: Tensor, count: Tensor) -> Tensor:
    """log Q_count(y⁻¹ x) over all y: where x may have come from."""
    return laws(walk, count).gather(1, relative_ranks(walk.n).to(x.device)[:, rank(x)].T)


def reachable(walk: AbstractWalk, posterior: Tensor, xt: Tensor, now: Tensor) -> Tensor:
    """The posterior restricted to the x0 that lead to xt; as it is where none of them has probability."""
    possible = torch.where(backwards(walk, xt, now) > -torch.inf, posterior, -torch.inf)
    some = (possible > -torch.inf).any(1, keepdim=True)
    return torch.where(some, possible, posterior).log_softmax(1)


def bridge_law(walk: AbstractWalk, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor) -> Tensor:
    """log q(xs | xt, x0) over all xs: Bayes' rule."""
    return (backwards(walk, xt, now - then) + forwards(walk, x0, then)).log_softmax(1)


def reverse_law(walk: AbstractWalk, posterior: Tensor, xt: Tensor, then: Tensor, now: Tensor) -> Tensor:
    """log p(xs | xt) over all xs, the mixture of bridges over a reachable posterior; at least 1e-300 inside the sum."""
    came = backwards(walk, xt, now)
    ratio = torch.where(came > -torch.inf, posterior - came.clamp(min=-1e300), -torch.inf)
    largest = ratio.amax(1, keepdim=True).detach().clamp(min=-1e300)
    weight, table = (ratio - largest).exp(), relative_ranks(walk.n).to(xt.device)
    mixed = torch.zeros_like(weight)
    for count in distinct(then)[0]:
        rows = then == count
        mixed = mixed.masked_scatter(rows[:, None], weight[rows] @ _law(walk, count).exp().to(xt.device)[table])
    return mixed.clamp(min=1e-300).log() + largest + backwards(walk, xt, now - then)


def divergence(bridge: Tensor, reverse: Tensor) -> Tensor:
    """KL(bridge || reverse), (batch,)."""
    possible = bridge > -torch.inf
    gap = torch.where(possible, bridge, 0.0) - torch.where(possible, reverse, 0.0)
    return (bridge.exp() * gap).sum(1)
