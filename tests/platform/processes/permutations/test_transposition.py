"""Random transpositions: exact facts of reference/permutations.md, sections 1.2, 1.4 and fact 8."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import (
    Enumerated,
    InverseTransposition,
    Move,
    PlackettLuce,
    Transposition,
    TranspositionWalk,
    enough_shuffles,
    merged_shuffles,
    shuffle_distance,
    shuffle_kl,
)
from intarsia.processes.permutations._arithmetic import all_permutations, cycle_counts, rank, relative_ranks
from intarsia.processes.permutations._cycle_types import cycle_types
from intarsia.processes.permutations._laws import bridge_law
from intarsia.testing import chi_square

TO_UNIFORM = {
    4: ".7083 .2812 .1693 .0762 .0418 .0194 .0104 .0049 .0026 .0012 .0007 .0003",
    5: ".9083 .6167 .2885 .2235 .1176 .0794 .0443 .0284 .0162 .0102 .0059 .0037",
    6: ".9778 .8597 .5526 .3541 .2638 .1630 .1188 .0759",
}


def law(n: int, count: int) -> Tensor:
    points = all_permutations(n)
    return TranspositionWalk(n).log_law(points, torch.full((len(points),), count)).exp()


def one_swap(n: int) -> Tensor:
    out = torch.zeros(math.factorial(n), dtype=torch.float64)
    for i, j in itertools.product(range(n), repeat=2):
        perm = torch.arange(n)
        perm[i], perm[j] = j, i
        out[rank(perm)] += 1 / n**2
    return out


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_walk_on_cycle_types_is_the_walk_on_permutations(n: int) -> None:
    kernel = one_swap(n)[relative_ranks(n)]
    walked = torch.zeros(len(kernel), dtype=torch.float64)
    walked[0] = 1.0
    for count in range(9):
        assert torch.allclose(law(n, count), walked, atol=1e-14)
        uniform = torch.full_like(walked, 1 / len(walked))
        assert shuffle_distance(TranspositionWalk(n), count) == pytest.approx(
            float((walked - uniform).abs().sum() / 2), abs=1e-12
        )
        divergence = torch.where(walked > 0, walked * (walked.clamp(min=1e-300) / uniform).log(), 0.0).sum()
        assert shuffle_kl(TranspositionWalk(n), count) == pytest.approx(float(divergence), abs=1e-12)
        walked = walked @ kernel


@pytest.mark.parametrize("n", TO_UNIFORM)
def test_fact_8_total_variation(n: int) -> None:
    expected = [float(number) for number in TO_UNIFORM[n].split()]
    got = [shuffle_distance(TranspositionWalk(n), t) for t in range(1, len(expected) + 1)]
    assert got == pytest.approx(expected, abs=5.1e-5)


def test_eigenvalues_are_normalized_characters() -> None:
    """1/n + ((n-1)/n) χ(τ)/d with multiplicity d²; χ/d of S_4 is 1, 1/3, 0, -1/3, -1 for d = 1, 3, 2, 3, 1."""
    got = torch.linalg.eigvalsh(one_swap(4)[relative_ranks(4)])
    expected = [
        0.25 + 0.75 * ratio for ratio, d in ((-1, 1), (-1 / 3, 3), (0, 2), (1 / 3, 3), (1, 1)) for _ in range(d**2)
    ]
    assert got.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_gap_is_two_over_n(n: int) -> None:
    values = torch.linalg.eigvalsh(one_swap(n)[relative_ranks(n)])
    second = values[values < 1 - 1e-9].max().item()
    assert second == pytest.approx(1 - 2 / n, abs=1e-12)


def test_cutoffs() -> None:
    assert [TranspositionWalk(n).cutoff for n in (52, 100)] == pytest.approx([102.7, 230], abs=0.3)


def test_cycle_types_of_thirty_items_are_all_there() -> None:
    types = cycle_types(30)
    assert len(types.keys) == 5604
    assert types.log_sizes.logsumexp(0).item() == pytest.approx(math.lgamma(31), abs=1e-9)
    out = torch.zeros(5604, dtype=torch.float64).index_add(0, types.source, types.chance)
    assert torch.allclose(out, torch.ones(5604, dtype=torch.float64), atol=1e-12)
    counts = cycle_counts(torch.tensor([[1, 0, 2, 4, 5, 3], [1, 2, 3, 4, 5, 0]]))
    assert counts.tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_draws_follow_the_law(count: int) -> None:
    rng = torch.Generator().manual_seed(count)
    drawn = TranspositionWalk(4).draw(torch.full((4000,), count), rng)
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), law(4, count)) > 1e-3


@pytest.mark.parametrize(("then", "now"), [(0, 3), (1, 2), (1, 4), (3, 6)])
def test_the_bridge_is_the_bayes_posterior(then: int, now: int) -> None:
    walk = TranspositionWalk(4)
    rng = torch.Generator().manual_seed(then)
    x0, xt = torch.tensor([[2, 0, 3, 1]]), torch.tensor([[0, 2, 1, 3]])
    start, end = torch.full((4000,), then), torch.full((4000,), now)
    xs = walk.bridge(x0.expand(4000, 4), xt.expand(4000, 4), start, end, rng)
    want = bridge_law(walk, x0, xt, start[:1], end[:1])[0].exp()
    assert chi_square(torch.bincount(rank(xs), minlength=24).double(), want) > 1e-3


def test_schedules_follow_their_rule() -> None:
    walk = TranspositionWalk(8)
    counts = merged_shuffles(walk, jump=0.3)
    assert counts[-1] == enough_shuffles(walk)
    assert shuffle_distance(walk, counts[-1]) <= 0.01 < shuffle_distance(walk, counts[-1] - 1)
    for s, t in itertools.pairwise(counts[1:]):
        assert shuffle_distance(walk, s, t) <= 0.3 < shuffle_distance(walk, s - 1, t)
    assert all(shuffle_distance(walk, s, counts[1]) > 0.3 for s in range(1, counts[1]))


def test_many_items_are_shuffled_and_nothing_more() -> None:
    process = Transposition(40, 60, Move(PlackettLuce()))
    rng = torch.Generator().manual_seed(0)
    x0, time = torch.arange(40).repeat(5, 1), torch.linspace(0.2, 1.0, 5)
    xt = process.corrupt(x0, time, rng)
    assert bool((xt.sort(1).values == x0).all())
    assert process.reverse(torch.zeros(5, 40), xt, time - 1 / 60, time, rng).shape == (5, 40)
    for refused in (
        lambda: process.log_q(xt, x0, time),
        lambda: process.bridge(x0, xt, time / 2, time, rng),
        lambda: process.prior_kl(x0),
    ):
        with pytest.raises(RequirementError, match="30 items"):
            refused()


def test_moves_of_one_swap() -> None:
    rng = torch.Generator().manual_seed(4)
    pred = torch.randn(1, 5, generator=rng)
    head = InverseTransposition()
    got = head.log_law(pred, 4).exp()[0]
    p, stay = pred[0, :4].double().softmax(0), pred[0, 4].double().sigmoid()
    expected = torch.zeros(24, dtype=torch.float64)
    expected[0] = stay
    for i, j in itertools.combinations(range(4), 2):
        perm = torch.arange(4)
        perm[i], perm[j] = j, i
        expected[rank(perm)] = (1 - stay) * (p[i] * p[j] / (1 - p[i]) + p[j] * p[i] / (1 - p[j]))
    assert torch.allclose(got, expected, atol=1e-12)
    assert got.sum().item() == pytest.approx(1.0)
    drawn = head.sample(pred.expand(4000, 5), rng)
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), got) > 1e-3


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="not every permutation"):
        Transposition(5, 3)
    with pytest.raises(RequirementError, match="one shuffle"):
        Transposition(4, (0, 2, 5), InverseTransposition())
    with pytest.raises(ValueError, match="tolerance"):
        enough_shuffles(TranspositionWalk(4), 0.0)
    assert Transposition(4, 3, Enumerated()).walk.reach == 3
