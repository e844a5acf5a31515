"""Ballots as arrays: what is read, what is refused with the row, and what is kept."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia_domains.permutations import (
    Rankings,
    Unranked,
    borda,
    evaluate_rankings,
    kemeny,
    pairwise_figure,
    rank_figure,
)

VOTES = Rankings.of([["tea", "milk"], ["milk", "tea", "water"], ["tea", "milk"], ["water"]])


def test_labels_become_numbers_in_the_order_of_their_names() -> None:
    assert VOTES.items == ("milk", "tea", "water")
    assert VOTES.orders.tolist() == [[1, 0, -1], [0, 1, 2], [1, 0, -1], [2, -1, -1]]
    assert VOTES.ranks().tolist() == [[1, 0, -1], [0, 1, 2], [1, 0, -1], [-1, -1, 0]]
    assert VOTES.lengths.tolist() == [2, 3, 2, 1]
    assert VOTES.labels()[3] == ["water"]
    assert (len(VOTES), VOTES.ballots, VOTES.n, VOTES.is_complete) == (4, 4, 3, False)
    assert repr(VOTES) == "<Rankings of 3 items: 4 rows, 4 ballots that rank 1 to 3>"


@pytest.mark.parametrize(
    "raw",
    [
        np.array([[10, 2, 3], [2, 3, -1]]),
        [[10, 2, 3], [2, 3]],
        [["10", " 2 ", "3"], ["2", "3", None]],
        pd.DataFrame({"x": [10, 2], "y": [2, 3], "z": [3, None]}),
        pd.DataFrame({"x": [10, 2], "y": [2, 3], "z": [3, pd.NA]}).astype("Int64"),
        pd.DataFrame({"x": ["10", "2"], "y": ["2", "3"], "z": ["3", ""]}, dtype="category"),
    ],
)
def test_every_shape_reads_alike_and_whole_numbers_sort_by_size(raw: object) -> None:
    assert Rankings.of(raw) == Rankings(("2", "3", "10"), np.array([[2, 0, 1], [0, 1, -1]]))


def test_polars_frames_and_counts() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"count": [3, 1], "first": ["b", "a"], "second": ["a", None]})
    votes = Rankings.of(frame)
    assert votes == Rankings(("a", "b"), np.array([[1, 0], [0, -1]]), np.array([3, 1]))
    assert votes.ballots == 4


@pytest.mark.parametrize(
    "raw, items, message",
    [
        ([["a", "b"], ["b", "b"]], None, "row 1: the item 'b' is ranked twice"),
        ([["a", "b"], []], None, "row 1: nobody is ranked"),
        ([["a", "b"], [None, "a"]], None, "row 1: rank 1 is empty although a later one is not"),
        ([["a", "b"], ["c"]], ("a", "b"), "row 1: there is no item 'c'; there are 'a', 'b'"),
        ([["milt", "tea"]], ("milk", "tea"), "row 0: there is no item 'milt'; did you mean 'milk'?"),
        ([["a", "b"]], ("a", "b", "a"), "the item 'a' is listed twice"),
        ([["a"]], None, "at least two items, got \\['a'\\]"),
        ([["a"]], ("a",), "at least two items"),
        ([], None, "give at least one ballot"),
        (np.zeros((0, 3), int), None, "give at least one ballot"),
        (pd.DataFrame({"count": [1.5], "x": ["a"], "y": ["b"]}), None, "row 0: .*whole number of times.*1.5"),
        (pd.DataFrame({"count": [None], "x": ["a"], "y": ["b"]}), None, "row 0: .*whole number of times.*nan"),
    ],
)
def test_what_is_no_ranking_is_refused_with_its_row(raw: object, items: tuple[str, ...] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rankings.of(raw, items)


@pytest.mark.parametrize(
    "orders, counts, message",
    [
        ([[0, 1, 2], [0, 3, 1]], [], "row 1: there is no item number 3 among 3 items"),
        ([[0, 1, 2], [0, -2, -1]], [], "row 1: there is no item number -2"),
        ([[0, 1, 2], [1, 0, 1]], [], "row 1: the item 'b' is ranked twice"),
        ([[0, -1, 2]], [], "row 0: rank 2 is empty although rank 3 is not"),
        ([[-1, -1, -1]], [], "row 0: nobody is ranked"),
        ([[0, 1, 2, -1], [0, 1, 2, 0]], [], "row 1: 4 ranks are more than the 3 items that there are"),
        ([[0, 1, 2]], [1, 2], "one count for each of the 1 rows"),
        ([[0, 1, 2]], [0], "row 0: a ballot counts a whole number of times, at least once, got 0"),
    ],
)
def test_item_numbers_are_checked(orders: list[list[int]], counts: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rankings(("a", "b", "c"), np.array(orders), np.array(counts, dtype=np.int64))


@pytest.mark.parametrize("raw", ["ab", 3, ["ab", "ba"], np.array([1, 2]), {"a": 1}])
def test_what_holds_no_ballots_is_a_type_error(raw: object) -> None:
    with pytest.raises(TypeError):
        Rankings.of(raw)
    with pytest.raises(TypeError, match="labels go to"):
        Rankings(("a", "b"), np.array([["a", "b"]]))  # type: ignore[arg-type]


def test_two_items_and_one_ballot_are_enough() -> None:
    assert Rankings.of([["a", "b"]]).completed().is_complete
    assert Rankings.of([["a"]], ("a", "b")).completed().orders.tolist() == [[0, 1]]


def test_no_rankings_are_rankings_too() -> None:
    none = Rankings(("a", "b", "c"), np.zeros((0, 3), np.int64))
    assert none == Rankings.of([], ("a", "b", "c")) == Rankings.of(none.frame(), none.items)
    assert none == none.merge() == none.expand() == none.completed() == none.complete_rows() == none.subset([])
    assert (len(none), none.ballots, none.labels(), none.is_complete) == (0, 0, [], True)
    assert repr(none) == "<Rankings of 3 items: no rows>"
    assert none.ranks().shape == (0, 3)


@pytest.mark.parametrize(
    ("use", "purpose"),
    [
        (borda, "a consensus"),
        (kemeny, "a consensus"),
        (lambda none: rank_figure({"votes": VOTES, "none": none}), "a picture"),
        (lambda none: pairwise_figure({"votes": VOTES, "none": none}), "a picture"),
        (lambda none: evaluate_rankings(VOTES, none, VOTES), "a report"),
    ],
)
def test_what_needs_a_ballot_says_so(use: Callable[[Rankings], object], purpose: str) -> None:
    with pytest.raises(ValueError, match=f"there are no rankings: {purpose} needs at least one ballot"):
        use(VOTES.subset([]))


def test_the_last_item_is_known_only_where_the_rest_is_below() -> None:
    assert VOTES.completed().orders.tolist() == [[1, 0, 2], [0, 1, 2], [1, 0, 2], [2, -1, -1]]
    anywhere = Rankings(VOTES.items, VOTES.orders, VOTES.counts, Unranked.UNKNOWN)
    assert anywhere.completed() == anywhere != VOTES
    assert anywhere.subset([0]).unranked is Unranked.UNKNOWN
    assert anywhere.expand().unranked is anywhere.merge().unranked is Unranked.UNKNOWN
    assert {part.unranked for part in anywhere.split(2, seed=0)} == {Unranked.UNKNOWN}


def test_merge_expand_and_frames_keep_every_ballot() -> None:
    merged = VOTES.merge()
    assert merged.counts.tolist() == [2, 1, 1]
    assert merged.orders[0].tolist() == [1, 0, -1]
    assert merged.expand().merge() == merged
    assert Rankings.of(merged.frame()) == merged
    assert Rankings.of(VOTES.frame()) == VOTES
    assert VOTES.complete_rows().orders.tolist() == [[0, 1, 2]]
    assert list(merged.frame().columns) == ["count", "rank 1", "rank 2", "rank 3"]


def test_items_can_be_listed_in_another_order_or_with_more() -> None:
    wider = VOTES.over(("water", "beer", "tea", "milk"))
    assert wider.labels() == VOTES.labels()
    assert wider.n == 4
    assert Rankings.of(VOTES, ("milk", "tea", "water")) is VOTES
    with pytest.raises(ValueError, match="have the item 'milk', which is not among 'tea', 'water'"):
        VOTES.over(("tea", "water"))


def test_arrays_cannot_be_written_to_and_callers_keep_theirs() -> None:
    orders = np.array([[0, 1]])
    held = Rankings(("a", "b"), orders)
    orders[0] = [1, 0]
    assert held.orders.tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="read-only"):
        held.orders[0, 0] = 1


@given(st.lists(st.permutations(range(4)), min_size=2, max_size=9), st.integers(0, 99), st.data())
def test_a_split_divides_the_ballots(rows: list[list[int]], seed: int, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    votes = Rankings(tuple("abcd"), np.array(rows), np.array(counts))
    held = data.draw(st.integers(1, votes.ballots - 1))
    train, test = votes.split(held, seed)
    assert (train.ballots, test.ballots) == (votes.ballots - held, held)
    both = np.concatenate([train.expand().orders, test.expand().orders])
    assert Rankings(votes.items, both).merge() == votes.merge()
    again = votes.split(held, seed)
    assert (train, test) == again


def test_a_split_by_share_and_its_limits() -> None:
    votes = Rankings(("a", "b"), np.array([[0, 1]]), np.array([10]))
    train, test = votes.split(0.25, seed=1)
    assert (train.ballots, test.ballots) == (8, 2)
    for wrong in (0, 10, 0.01, -1):
        with pytest.raises(ValueError, match=f"cannot hold out {wrong} of 10 ballots"):
            votes.split(wrong, seed=1)
