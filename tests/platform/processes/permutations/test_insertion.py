"""Random insertions: the closed laws of reference/permutations.md, sections 1.2, 1.4 and fact 8."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import (
    Insertion,
    InsertionWalk,
    InverseInsertion,
    Riffle,
    merged_shuffles,
    shuffle_distance,
)
from intarsia.processes.permutations._arithmetic import (
    all_permutations,
    increasing_prefix,
    inverse,
    rank,
    relative_ranks,
)
from intarsia.processes.permutations._insertion import _completions, _stirling_tails
from intarsia.processes.permutations._laws import bridge_law
from intarsia.testing import chi_square


def law(n: int, count: int) -> Tensor:
    points = all_permutations(n)
    return InsertionWalk(n).log_law(points, torch.full((len(points),), count)).exp()


def one_insertion(n: int) -> Tensor:
    out = torch.zeros(math.factorial(n), dtype=torch.float64)
    for place in range(n):
        deck = list(range(n - 1))
        deck.insert(place, n - 1)
        out[rank(torch.tensor(deck))] += 1 / n
    return out


def to_top(n: int) -> Tensor:
    out = torch.zeros(math.factorial(n), dtype=torch.float64)
    for place in range(n):
        deck = [place, *(k for k in range(n) if k != place)]
        out[rank(torch.tensor(deck))] += 1 / n
    return out


def walked(step: Tensor, n: int, count: int) -> Tensor:
    start = torch.zeros_like(step)
    start[0] = 1.0
    for _ in range(count):
        start = start @ step[relative_ranks(n)]
    return start


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("count", range(6))
def test_fact_8_insertion_law(n: int, count: int) -> None:
    brute = walked(one_insertion(n), n, count)
    assert torch.allclose(law(n, count), brute, atol=1e-14)
    assert shuffle_distance(InsertionWalk(n), count) == pytest.approx(
        float((brute - 1 / len(brute)).abs().sum() / 2), abs=1e-12
    )


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_fact_8_random_to_top_law(n: int, count: int) -> None:
    """The same sum, with L the longest increasing suffix of the deck."""
    suffix = increasing_prefix(n - 1 - all_permutations(n).flip(1))
    closed = (_stirling_tails(n, count)[count, n - suffix] - count * math.log(n)).exp()
    assert torch.allclose(closed, walked(to_top(n), n, count), atol=1e-14)


def test_stirling_numbers() -> None:
    """S(6, ·) = 1, 31, 90, 65, 15, 1."""
    tails = _stirling_tails(6, 6)[6].exp()
    assert tails.tolist() == pytest.approx([203, 203, 202, 171, 81, 16, 1])


def test_completions_are_the_law() -> None:
    """From no touched item, the sequences that reach a deck with L items in order number n^t P_t."""
    lengths = torch.arange(1, 6)
    ways = _completions(5, 7, lengths)[:, :, 0]
    tails = _stirling_tails(5, 7)[:, 5 - lengths].T
    assert torch.allclose(ways[:, 1:], tails[:, 1:], atol=1e-12)


def test_cutoffs() -> None:
    assert [InsertionWalk(n).cutoff for n in (52, 100)] == pytest.approx([205, 460], abs=0.6)


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_draws_follow_the_law(count: int) -> None:
    rng = torch.Generator().manual_seed(count)
    drawn = InsertionWalk(4).draw(torch.full((4000,), count), rng)
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), law(4, count)) > 1e-3


@pytest.mark.parametrize(("then", "now"), [(0, 3), (1, 3), (2, 3), (1, 5), (4, 6)])
@pytest.mark.parametrize("xt", [[2, 0, 3, 1], [2, 3, 0, 1], [1, 2, 0, 3]])
def test_the_bridge_is_the_bayes_posterior(then: int, now: int, xt: list[int]) -> None:
    walk = InsertionWalk(4)
    rng = torch.Generator().manual_seed(now)
    x0, end = torch.tensor([[2, 0, 3, 1]]), torch.tensor([xt])
    start, stop = torch.full((3000,), then), torch.full((3000,), now)
    xs = walk.bridge(x0.expand(3000, 4), end.expand(3000, 4), start, stop, rng)
    want = bridge_law(walk, x0, end, start[:1], stop[:1])[0].exp()
    assert chi_square(torch.bincount(rank(xs), minlength=24).double(), want) > 1e-3


def test_a_large_deck_goes_there_and_back() -> None:
    """Laws of a deck of 52 add up, and bridges lie between their ends, row by row."""
    walk = InsertionWalk(52)
    sizes, each = walk.levels(205)
    assert (sizes + each).logsumexp(0).item() == pytest.approx(0.0, abs=1e-9)
    process = Insertion(52, 205)
    rng = torch.Generator().manual_seed(0)
    x0 = torch.randperm(52, generator=rng).repeat(4, 1)
    t, s = torch.tensor([0.1, 0.3, 0.6, 1.0]).double(), torch.tensor([0.05, 0.3, 0.0, 0.5]).double()
    xt = process.corrupt(x0, t, rng)
    xs = process.bridge(x0, xt, s, t, rng)
    assert bool((xs.sort(1).values == torch.arange(52)).all())
    assert torch.equal(xs[1], xt[1])
    assert torch.equal(xs[2], x0[2])
    assert bool(process.log_q(xs, x0, s).isfinite().all())
    moved = walk.log_law(inverse(xs).gather(1, xt), process.count(t, x0) - process.count(s, x0))
    assert bool(moved.isfinite().all())


def test_moves_of_one_insertion() -> None:
    rng = torch.Generator().manual_seed(1)
    pred = torch.randn(1, 4, generator=rng)
    head = InverseInsertion()
    got = head.log_law(pred, 4).exp()[0]
    fair = head.log_law(torch.zeros(1, 4), 4).exp()[0]
    assert torch.allclose(fair, one_insertion(4)[rank(inverse(all_permutations(4)))], atol=1e-14)
    assert got.sum().item() == pytest.approx(1.0)
    last = torch.tensor([[1, 2, 3, 0], [0, 2, 3, 1], [0, 1, 3, 2], [0, 1, 2, 3]])
    assert torch.allclose(got[rank(last)], pred.double().softmax(1)[0])
    drawn = head.sample(pred.expand(3000, 4), rng)
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), got) > 1e-3


def test_schedules_follow_their_rule() -> None:
    walk = InsertionWalk(7)
    counts = merged_shuffles(walk)
    assert shuffle_distance(walk, counts[-1]) <= 0.01 < shuffle_distance(walk, counts[-1] - 1)
    for s, t in itertools.pairwise(counts[1:]):
        assert shuffle_distance(walk, s, t) <= 0.35 < shuffle_distance(walk, s - 1, t)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="rise from 0"):
        Insertion(4, (1, 5))
    with pytest.raises(ValueError, match="rise from 0"):
        Insertion(4, (0, 5, 5))
    with pytest.raises(RequirementError, match="InsertionWalk"):
        Riffle(4, 5, InverseInsertion())
