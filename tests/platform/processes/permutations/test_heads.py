"""Heads on permutations: facts 9, 10 and section 1.6 of reference/permutations.md, against sums over all n!."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import (
    AbstractPermutationHead,
    AbstractSequentialHead,
    Enumerated,
    GeneralizedPlackettLuce,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
    Riffle,
)
from intarsia.processes.permutations._arithmetic import (
    all_permutations,
    compose,
    from_lehmer_code,
    inverse,
    inversions,
    lehmer_code,
    rank,
    relative,
    rising_sequences,
    unrank,
)
from intarsia.testing import chi_square

SEQUENTIAL = [PlackettLuce(), GeneralizedPlackettLuce(), PrefixPlackettLuce()]
HEADS: list[AbstractPermutationHead] = [*SEQUENTIAL, Enumerated()]


def parameters(head: AbstractPermutationHead, n: int, rows: int = 1, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn((rows, *head.shape(n)), generator=rng, dtype=torch.float64)


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_algebra(first: list[int], second: list[int]) -> None:
    p, q = torch.tensor([first]), torch.tensor([second])
    x = torch.arange(10, 17)[None]
    assert torch.equal(x.gather(1, compose(p, q)), x.gather(1, p).gather(1, q))
    assert torch.equal(compose(p, inverse(p)), torch.arange(7)[None])
    assert torch.equal(compose(p, relative(p, q)), q)
    assert torch.equal(from_lehmer_code(lehmer_code(p)), p)
    assert torch.equal(unrank(rank(p), 7), p)
    assert int(inversions(p)) == sum(first[i] > first[j] for i, j in itertools.combinations(range(7), 2))
    places = [first.index(card) for card in range(7)]
    assert int(rising_sequences(p)) == 1 + sum(b < a for a, b in itertools.pairwise(places))


def test_the_order_is_lexicographic() -> None:
    for n in (1, 2, 5):
        assert all_permutations(n).tolist() == [list(p) for p in itertools.permutations(range(n))]
        assert torch.equal(rank(all_permutations(n)), torch.arange(math.factorial(n)))
    with pytest.raises(ValueError, match="at most 8"):
        all_permutations(9)


@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_fact_10_laws_sum_to_one(head: AbstractPermutationHead, n: int) -> None:
    law = head.log_law(parameters(head, n, rows=3), n)
    assert law.shape == (3, math.factorial(n))
    assert torch.allclose(law.exp().sum(1), torch.ones(3, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("head", HEADS, ids=repr)
def test_draws_follow_the_law(head: AbstractPermutationHead) -> None:
    pred = parameters(head, 4)
    drawn = head.sample(pred.expand(4000, *pred.shape[1:]), torch.Generator().manual_seed(1))
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), head.log_law(pred, 4)[0].exp()) > 1e-3


@pytest.mark.parametrize("head", SEQUENTIAL, ids=repr)
def test_scores_are_the_logits_of_their_prefix(head: AbstractSequentialHead) -> None:
    points = all_permutations(4)
    pred = parameters(head, 4, rows=24, seed=3)
    scores = head.scores(pred, points)
    slow = AbstractSequentialHead.scores(head, pred, points)
    later = torch.ones(4, 4, dtype=torch.bool).triu()  # what was taken before rank i does not count
    assert torch.allclose(scores[:, later], slow[:, later], atol=1e-12)


def test_fact_10_plackett_luce() -> None:
    pred, points = parameters(PlackettLuce(), 5), all_permutations(5)
    law, weight = PlackettLuce().log_law(pred, 5)[0].exp(), pred[0].exp()
    top = torch.zeros(5, dtype=torch.float64).index_add(0, points[:, 0], law)
    assert torch.allclose(top, pred[0].softmax(0), atol=1e-12)
    place = inverse(points)
    for i, j in itertools.combinations(range(5), 2):
        before = law[place[:, i] < place[:, j]].sum()
        assert before.item() == pytest.approx(float(weight[i] / (weight[i] + weight[j])), abs=1e-12)
    # Luce: without the last item the order of the others is Plackett-Luce with their scores
    rest = points[points != 4].view(-1, 4)
    marginal = torch.zeros(24, dtype=torch.float64).index_add(0, rank(rest), law)
    assert torch.allclose(marginal, PlackettLuce().log_law(pred[:, :4], 4)[0].exp(), atol=1e-12)


def test_fact_10_equal_rows_are_plackett_luce() -> None:
    pred = parameters(PlackettLuce(), 4)
    rows = pred[:, None].expand(-1, 4, -1)
    assert torch.allclose(GeneralizedPlackettLuce().log_law(rows, 4), PlackettLuce().log_law(pred, 4), atol=1e-12)
    nothing = torch.zeros(1, 4, 4, dtype=torch.float64)
    prefix = torch.stack([rows, nothing, nothing], 1)
    assert torch.allclose(PrefixPlackettLuce().log_law(prefix, 4), PlackettLuce().log_law(pred, 4), atol=1e-12)


@pytest.mark.parametrize("n", [3, 4])
def test_fact_10_degrees_of_freedom(n: int) -> None:
    """(n - 1)², so at n = 3 only 4 of 5: not every law; with the prefix all 5."""

    def freedom(head: AbstractPermutationHead) -> int:
        def law(pred: Tensor) -> Tensor:
            return head.log_law(pred[None], n)[0]

        jacobian = torch.autograd.functional.jacobian(law, parameters(head, n)[0])
        return int(torch.linalg.matrix_rank(jacobian.flatten(1), tol=1e-8))

    assert freedom(GeneralizedPlackettLuce()) == (n - 1) ** 2
    assert freedom(PlackettLuce()) == n - 1
    if n == 3:
        assert freedom(PrefixPlackettLuce()) == 5


def test_fact_9_mallows_is_a_prefix_law() -> None:
    """Z_5(.7) = 9.376252 and E[d] = 2.457802, from A[i, k] = -θ k and B[j, k] = θ where j < k."""
    theta, n = 0.7, 5
    item = torch.arange(n, dtype=torch.float64)
    ranks = (-theta * item).expand(n, n)
    chosen = theta * (item[:, None] < item).double()
    pred = torch.stack([ranks, chosen, torch.zeros(n, n, dtype=torch.float64)])[None]
    law, distance = PrefixPlackettLuce().log_law(pred, n)[0], inversions(all_permutations(n)).double()
    assert torch.allclose(law, -theta * distance - math.log(9.376252), atol=1e-6)
    assert (law.exp() * distance).sum().item() == pytest.approx(2.457802, abs=1e-6)
    total = math.prod((1 - math.exp(-j * theta)) / (1 - math.exp(-theta)) for j in range(1, n + 1))
    assert math.exp(-float(law[0])) == pytest.approx(total)
    closed = n * math.exp(-theta) / (1 - math.exp(-theta)) - sum(
        j * math.exp(-j * theta) / (1 - math.exp(-j * theta)) for j in range(1, n + 1)
    )
    assert (law.exp() * distance).sum().item() == pytest.approx(closed)


def test_both_reach_a_delta_in_the_limit() -> None:
    target = torch.tensor([[2, 0, 3, 1]])
    scores = -50.0 * inverse(target).double()
    assert PlackettLuce().log_prob(scores, target).item() == pytest.approx(0.0, abs=1e-9)
    table = torch.zeros(1, 4, 4, dtype=torch.float64).scatter(2, target[:, :, None], 50.0)
    assert GeneralizedPlackettLuce().log_prob(table, target).item() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("known", [0, 1, 3, 4])
def test_prefixes_are_conditioned_on_exactly(head: AbstractPermutationHead, known: int) -> None:
    pred, points = parameters(head, 4), all_permutations(4)
    values, mask = torch.tensor([[2, 0, 3, 1]]), torch.arange(4)[None] < known
    fits = ((points == values) | ~mask).all(1)
    law = torch.where(fits, head.log_law(pred, 4)[0].exp(), 0.0)
    observed = head.given(values, mask)
    assert torch.allclose(observed.log_law(pred, 4)[0].exp(), law / law.sum(), atol=1e-12)
    many = head.given(values.expand(24, 4), mask.expand(24, 4))
    each = many.log_prob(pred.expand(24, *pred.shape[1:]), points)
    assert torch.allclose(each.exp(), law / law.sum(), atol=1e-12)
    wide = head.given(values.expand(3000, 4), mask.expand(3000, 4))
    drawn = wide.sample(pred.expand(3000, *pred.shape[1:]), torch.Generator().manual_seed(known))
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), law / law.sum()) > 1e-3


def test_other_events_need_the_enumerated_head() -> None:
    values, mask = torch.tensor([[0, 3, 0, 1]]), torch.tensor([[False, True, False, True]])
    pred, points = parameters(Enumerated(), 4), all_permutations(4)
    law = Enumerated().given(values, mask).log_law(pred, 4)[0].exp()
    fits = (points[:, 1] == 3) & (points[:, 3] == 1)
    assert torch.equal(law > 0, fits)
    for head in SEQUENTIAL:
        with pytest.raises(RequirementError, match="prefix only"):
            head.given(values, mask)
    observed = PlackettLuce().given(values, torch.zeros(1, 4, dtype=torch.bool))
    with pytest.raises(RequirementError, match="before"):
        observed.given(values, mask)
    for wrong in (torch.tensor([[2, 2, 0, 0]]), torch.tensor([[4, 1, 0, 0]]), torch.tensor([[-1, 1, 0, 0]])):
        with pytest.raises(ValueError, match="different numbers"):
            PlackettLuce().given(wrong, torch.tensor([[True, True, False, False]]))


def test_predictions_from_points() -> None:
    points, weights = torch.tensor([[1, 0, 2], [0, 1, 2], [1, 0, 2]]), torch.tensor([[0.25, 0.5, 0.25]]).double()
    law = Enumerated().log_law(Enumerated().prediction(points, weights), 3).exp()
    assert law[0].tolist() == pytest.approx([0.5, 0.0, 0.5, 0.0, 0.0, 0.0])
    for head in SEQUENTIAL:
        with pytest.raises(RequirementError, match="Enumerated"):
            head.prediction(points, weights)
    with pytest.raises(RequirementError, match="PlackettLuce"):
        Riffle(3, 4, Move(Enumerated())).prediction(points, weights)
    with pytest.raises(RequirementError, match="at most 8"):
        Enumerated().shape(9)
    with pytest.raises(ValueError, match="n! permutations"):
        Enumerated().sample(torch.zeros(1, 7))


def test_many_items_are_drawn_without_repetition() -> None:
    for head in SEQUENTIAL:
        pred = 5.0 * parameters(head, 60, rows=3)
        drawn = head.sample(pred.float(), torch.Generator().manual_seed(0))
        assert torch.equal(drawn.sort(1).values, torch.arange(60).expand(3, -1))
        assert bool(head.log_prob(pred.float(), drawn).isfinite().all())
