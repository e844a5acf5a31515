"""Distances between orders against scipy and enumeration."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import kendalltau

from intarsia_domains.permutations import correct_share, exact_share, footrule, kendall_distance, kendall_tau

ALL = np.array(list(permutations(range(4))))


def test_kendall_counts_the_pairs_that_are_the_other_way_round() -> None:
    for x in ALL:
        rank = np.argsort(x)
        swapped = [
            sum((rank[i] < rank[j]) != (list(y).index(i) < list(y).index(j)) for i, j in combinations(range(4), 2))
            for y in ALL
        ]
        assert kendall_distance(x, ALL).tolist() == swapped


def test_tau_is_that_of_scipy_between_ranks() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.permuted(np.tile(np.arange(9), (2, 40, 1)), axis=2)
    expected = [kendalltau(np.argsort(x), np.argsort(y)).statistic for x, y in zip(a, b, strict=True)]
    assert kendall_tau(a, b) == pytest.approx(expected)
    assert kendall_tau(ALL[0], ALL[[0, -1]]).tolist() == [1.0, -1.0]


def test_footrule_lies_between_kendall_and_twice_kendall() -> None:
    """Diaconis and Graham 1977; and its largest value is ⌊n² / 2⌋."""
    d = kendall_distance(ALL[:, None], ALL[None])
    f = footrule(ALL[:, None], ALL[None])
    assert d.shape == f.shape == (24, 24)
    assert (d <= f).all()
    assert (f <= 2 * d).all()
    assert f.max() == 8
    assert footrule([0, 1, 2, 3], [3, 1, 2, 0]) == 6


def test_numbering_the_items_otherwise_changes_nothing() -> None:
    names = np.array([2, 0, 3, 1])
    for distance in (kendall_distance, footrule):
        assert (distance(names[ALL[:, None]], names[ALL]) == distance(ALL[:, None], ALL)).all()


def test_many_rows_are_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kendall_distance(ALL[:, None], ALL)
    monkeypatch.setattr("intarsia_domains.permutations._metrics._CELLS", 100)
    assert (kendall_distance(ALL[:, None], ALL) == whole).all()


def test_shares_of_orders_and_of_places() -> None:
    truth, guess = [[0, 1, 2, 3]] * 2, [[0, 1, 2, 3], [0, 2, 1, 3]]
    assert exact_share(truth, guess) == 0.5
    assert correct_share(truth, guess) == 0.75


@pytest.mark.parametrize(
    "a, b, message",
    [
        ([[0, 1]], [[0, 1, 2]], "same items"),
        ([[0, 1], [1, 1]], [[0, 1], [0, 1]], "row 1: not an order of the items 0 … 1"),
        ([[0, 1, -1]], [[0, 1, 2]], "row 0: .*leave out rows that are not complete"),
        ([[0]], [[0]], "at least two items"),
        (np.zeros((0, 3), int), [[0, 1, 2]], "at least one order"),
    ],
)
def test_what_is_no_order_is_refused(a: object, b: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kendall_distance(a, b)  # type: ignore[arg-type]
