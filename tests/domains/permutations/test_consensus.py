"""Borda, pairs and Kemeny against enumeration."""

from itertools import permutations

import numpy as np
import pytest

from intarsia_domains.permutations import (
    Rankings,
    Unranked,
    borda,
    borda_scores,
    kemeny,
    kendall_distance,
    pairwise_matrix,
    rank_matrix,
)
from intarsia_domains.permutations._consensus import _improve

NAMES = tuple("abcdef")
TOP = Rankings(tuple("abc"), np.array([[0, 1, 2], [2, -1, -1]]), np.array([2, 3]))


def random_rankings(n: int, rows: int, seed: int) -> Rankings:
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
    return Rankings(tuple(map(str, range(n))), orders, rng.integers(1, 5, rows))


def test_unranked_items_lose_to_ranked_ones_or_tell_nothing() -> None:
    assert pairwise_matrix(TOP).tolist() == [[0, 2, 2], [0, 0, 2], [3, 3, 0]]
    anywhere = Rankings(TOP.items, TOP.orders, TOP.counts, Unranked.UNKNOWN)
    assert pairwise_matrix(anywhere).tolist() == [[0, 2, 2], [0, 0, 2], [0, 0, 0]]
    assert rank_matrix(TOP).tolist() == [[2, 0, 0], [0, 2, 0], [3, 0, 2]]


def test_pairs_are_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = random_rankings(5, 30, 0)
    whole = pairwise_matrix(votes)
    monkeypatch.setattr("intarsia_domains.permutations._consensus._CELLS", 60)
    assert (pairwise_matrix(votes) == whole).all()
    assert (whole + whole.T == votes.ballots * (1 - np.eye(5))).all()


def test_borda_is_the_mean_number_of_items_below() -> None:
    votes = random_rankings(5, 30, 1)
    assert borda_scores(votes) == pytest.approx(4 - votes.ranks().T @ votes.counts / votes.ballots)
    # of two items below the third each beats the other half of the time
    assert borda_scores(TOP) == pytest.approx([(2 * 2 + 3 * 0.5) / 5, (2 * 1 + 3 * 0.5) / 5, 3 * 2 / 5])
    assert borda(TOP).items == ("c", "a", "b")


@pytest.mark.parametrize("seed", range(8))
def test_kemeny_is_the_best_of_all_orders(seed: int) -> None:
    votes = random_rankings(6, 7, seed)
    every = np.array(list(permutations(range(6))))
    costs = kendall_distance(every[:, None], votes.orders) @ votes.counts
    best = kemeny(votes)
    assert best.disagreements == costs.min() == kendall_distance(best.order, votes.orders) @ votes.counts
    assert best.is_optimal
    assert best.items == tuple(votes.items[k] for k in best.order)


def test_kemeny_of_a_cycle_and_what_it_says() -> None:
    """Condorcet's paradox: 3 of 9 pairs must be broken; pairs by themselves would allow for 3 × 1 alone."""
    cycle = Rankings.of([list("abc"), list("bca"), list("cab")])
    best = kemeny(cycle)
    assert (best.disagreements, best.lower_bound) == (4, 4)
    searched = kemeny(cycle, exact_up_to=0)
    assert (searched.disagreements, searched.lower_bound, searched.is_optimal) == (4, 3, False)
    assert str(best).endswith(": 4 disagreements (no order has fewer)")
    assert str(searched).endswith("(found by search, no order has under 3)")


def test_without_conflict_search_alone_proves_itself() -> None:
    votes = Rankings.of([list("cabdef")] * 3 + [["c", "a"]], NAMES)
    best = kemeny(votes, exact_up_to=0)
    assert "".join(best.items) == "cabdef"
    assert (best.disagreements, best.is_optimal) == (0, True)


@pytest.mark.parametrize("seed", range(20))
def test_search_ends_where_no_move_of_one_item_helps(seed: int) -> None:
    votes = random_rankings(7, 6, seed)
    wins = pairwise_matrix(votes)

    def cost(order: np.ndarray) -> int:
        return int(kendall_distance(order, votes.orders) @ votes.counts)

    found = _improve(np.arange(7), wins)
    moved = [np.insert(np.delete(found, i), j, found[i]) for i in range(7) for j in range(7)]
    assert cost(found) == min(cost(x) for x in moved)
    assert cost(found) <= cost(np.arange(7))


def test_kemeny_of_many_items_is_exact_too() -> None:
    votes = random_rankings(14, 9, 3)
    best = kemeny(votes)
    assert best.is_optimal
    assert best.disagreements > kemeny(votes, exact_up_to=0).lower_bound  # the bound of pairs alone proves nothing here
    assert kemeny(random_rankings(2, 5, 0)).is_optimal
