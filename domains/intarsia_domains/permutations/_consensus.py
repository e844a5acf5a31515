"""One order for many: who beats whom, Borda's scores and Kemeny's order."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.permutations._rankings import Rankings, Unranked

Integers = NDArray[np.int64]
_CELLS = 1 << 24  # of pairs of items looked at together
EXACT = 25
"""Most items for which Kemeny's order is looked for by integer programming, unless told otherwise."""


@dataclass(frozen=True, eq=False, slots=True)
class Consensus:
    """An order, and how much the ballots disagree with it.

    Attributes:
        items: names, best first.
        order: their numbers, (n,).
        disagreements: over all ballots, pairs of items that they have the other way round.
        lower_bound: no order has fewer.
    """

    items: tuple[str, ...]
    order: Integers
    disagreements: int
    lower_bound: int

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no order has fewer disagreements."""
        return self.disagreements == self.lower_bound

    def __str__(self) -> str:
        proof = "no order has fewer" if self.is_optimal else f"found by search, no order has under {self.lower_bound:,}"
        return f"{' > '.join(self.items)}: {self.disagreements:,} disagreements ({proof})"


def pairwise_matrix(rankings: Rankings) -> Integers:
    """How many ballots put the item of the row before that of the column, (n, n).

    A pair of which a ballot leaves out one item counts where unranked ones are below, and a pair of which it leaves out
    both never does.
    """
    n, ranks = rankings.n, rankings.ranks()
    ranked = ranks >= 0
    worst = np.where(ranked, ranks, n)
    wins = np.zeros((n, n), np.int64)
    step = max(1, _CELLS // n**2)
    for start in range(0, len(ranks), step):
        part = slice(start, start + step)
        before = worst[part, :, None] < worst[part, None, :]
        if rankings.unranked is Unranked.UNKNOWN:
            before &= ranked[part, None, :]
        wins += np.einsum("rij,r->ij", before, rankings.counts[part])
    return wins


def rank_matrix(rankings: Rankings) -> Integers:
    """How many ballots put the item of the row at the rank of the column, (n, n)."""
    n = rankings.n
    ranked = rankings.orders >= 0
    place = (rankings.orders * n + np.arange(n))[ranked]
    counts = np.broadcast_to(rankings.counts[:, None], rankings.orders.shape)[ranked]
    return np.bincount(place, counts, n * n).astype(np.int64).reshape(n, n)


def borda_scores(rankings: Rankings) -> NDArray[np.float64]:
    """How many items each one beats in the mean of all ballots, 0 … n - 1, (n,); a pair not known counts a half.

    Raises:
        ValueError: there are no ballots.
    """
    wins = pairwise_matrix(rankings.at_least_one("a consensus"))
    known = wins + wins.T
    halves = (rankings.ballots - known) / 2 * (1 - np.eye(rankings.n))
    return (wins + halves).sum(1) / rankings.ballots


def borda(rankings: Rankings) -> Consensus:
    """Items by falling Borda score; equal scores in the order of the items."""
    return _consensus(rankings, np.argsort(-borda_scores(rankings), kind="stable"), pairwise_matrix(rankings), 0)


def kemeny(rankings: Rankings, exact_up_to: int = EXACT, seconds: float = 60.0) -> Consensus:
    """The order with the fewest disagreements (Kemeny 1959).

    With few items this is solved as a linear ordering problem, an integer program over "i before j" without cycles of
    three. With more it is a local search from Borda's order that moves one item at a time (insertion neighbourhood)
    until no move helps. `Consensus.is_optimal` says whether the result is proven to be the best.

    Args:
        rankings: of which pairs that are not known count for nothing.
        exact_up_to: most items for the integer program; it has n³ / 3 constraints.
        seconds: after which it stops with the better of what it has and local search.
    """
    wins = pairwise_matrix(rankings)
    order = _improve(borda(rankings).order, wins)
    found = _consensus(rankings, order, wins, 0)
    if found.is_optimal or rankings.n > exact_up_to:
        return found
    order, bound = _linear_ordering(wins, order, seconds)
    return _consensus(rankings, order, wins, bound)


def _consensus(rankings: Rankings, order: Integers, wins: Integers, bound: int) -> Consensus:
    least = int(np.minimum(wins, wins.T)[np.triu_indices(len(wins), 1)].sum())  # each pair decided for itself
    return Consensus(tuple(rankings.items[k] for k in order), order, _cost(order, wins), max(least, bound))


def _cost(order: Integers, wins: Integers) -> int:
    """Ballots and pairs in which the later item is the preferred one."""
    return int(np.tril(wins[np.ix_(order, order)], -1).sum())


def _improve(order: Integers, wins: Integers) -> Integers:
    """Move the item whose move helps most, until none does."""
    n = len(order)
    while True:
        margin = wins[np.ix_(order, order)]
        margin = margin - margin.T
        passed = np.cumsum(margin, 1)  # what moving item i behind item j costs, up to a constant of the row
        change = np.where(np.arange(n) > np.arange(n)[:, None], passed, np.pad(passed, ((0, 0), (1, 0)))[:, :-1])
        change -= passed.diagonal()[:, None]
        i, j = (int(k) for k in np.unravel_index(change.argmin(), change.shape))
        if change[i, j] >= 0:
            return order
        order = np.insert(np.delete(order, i), j, order[i])


def _linear_ordering(wins: Integers, order: Integers, seconds: float) -> tuple[Integers, int]:
    """The best order and a bound: minimise Σ_{i<j} x_ij wins_ji + (1 - x_ij) wins_ij, where x_ij is "i before j"."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    n = len(wins)
    i, j = np.triu_indices(n, 1)
    number = np.zeros((n, n), np.int64)
    number[i, j] = np.arange(len(i))
    a, b, c = np.array(list(combinations(range(n), 3)), dtype=np.int64).reshape(-1, 3).T
    columns = np.stack([number[a, b], number[b, c], number[a, c]], 1)
    signs = np.tile([1.0, 1.0, -1.0], (len(a), 1))
    rows = np.repeat(np.arange(len(a)), 3)
    triangles = csr_array((signs.ravel(), (rows, columns.ravel())), shape=(len(a), len(i)))
    solved = milp(
        (wins[j, i] - wins[i, j]).astype(float),
        integrality=np.ones(len(i)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(triangles, 0, 1)] if len(a) else (),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    constant = int(wins[i, j].sum())
    bound = 0 if solved.mip_dual_bound is None else int(np.ceil(solved.mip_dual_bound + constant - 1e-6))
    if solved.x is None:
        return order, bound
    before = np.zeros((n, n))
    before[i, j] = np.round(solved.x)
    before[j, i] = 1 - np.round(solved.x)
    best = np.argsort(-before.sum(1), kind="stable")
    return (best, bound) if _cost(best, wins) < _cost(order, wins) else (order, bound)
