"""Bounds, exact sums, scores of sites and comparisons, on conditionals that do not fit together and on perfect ones."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from intarsia import Diffusion, FirstHitting, Gaussian, Product, Staged
from intarsia.errors import RequirementError
from intarsia.likelihood import (
    any_order_log_prob,
    chain_log_prob,
    chain_site_scores,
    classify,
    exact_log_prob,
    importance_bound,
    log_ratio,
    site_nelbo,
)
from intarsia.processes import Discrete
from intarsia.schedules import Polynomial
from intarsia.testing import BayesDenoiser, all_states, chi_square

COUNTS = (2, 3, 2)
PROCESS = Discrete.absorbing(COUNTS)
POINTS = all_states(list(COUNTS))
ORDERS = list(itertools.permutations(range(3)))


class Inconsistent:
    """Random logits for every masked state: no joint law has these conditionals."""

    time_free = True

    def __init__(self, counts: tuple[int, ...] = COUNTS, seed: int = 0) -> None:
        self.counts = counts
        states = math.prod(count + 1 for count in counts)
        self.logits = torch.randn(states, sum(counts), generator=torch.Generator().manual_seed(seed)).double()

    def __call__(self, xt: Tensor, t: Tensor, cond: object = None) -> Tensor:
        place = torch.tensor([math.prod(c + 1 for c in self.counts[k + 1 :]) for k in range(len(self.counts))])
        return self.logits[xt @ place]


def by_hand(denoiser: Inconsistent, order: tuple[int, ...]) -> Tensor:
    x = torch.tensor(COUNTS).expand(12, -1).clone()
    total = torch.zeros(12, dtype=torch.float64)
    for site in order:
        logits = denoiser(x, torch.ones(12))[:, PROCESS.classes.slices()[site]]  # type: ignore[attr-defined]
        total += logits.log_softmax(-1).gather(1, POINTS[:, site, None])[:, 0]
        x[:, site] = POINTS[:, site]
    return total


ALONG = torch.stack([by_hand(Inconsistent(), order) for order in ORDERS], 1)
EXACT = ALONG.logsumexp(1) - math.log(6)


def test_given_orders() -> None:
    got = any_order_log_prob(PROCESS, Inconsistent(), POINTS, ORDERS)
    assert torch.allclose(got, ALONG, atol=1e-12)
    assert any_order_log_prob(PROCESS, Inconsistent(), POINTS, []).shape == (12, 0)
    with pytest.raises(ValueError, match="once each"):
        any_order_log_prob(PROCESS, Inconsistent(), POINTS, [[0, 0]])
    with pytest.raises(ValueError, match="once each"):
        any_order_log_prob(PROCESS, Inconsistent(), POINTS, [[3]])


def test_orders_of_some_sites_are_marginals() -> None:
    law = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).softmax(0)
    got = any_order_log_prob(PROCESS, BayesDenoiser(PROCESS, POINTS, law.log()), POINTS, [[2, 0], [1], []])
    for column, sites in enumerate([[0, 2], [1]]):
        same = (POINTS[:, None, sites] == POINTS[:, sites]).all(2).double()
        assert torch.allclose(got[:, column], (same @ law).log(), atol=1e-9)
    assert (got[:, 2] == 0).all()


def test_times_fall_along_an_order() -> None:
    seen: list[float] = []

    def denoiser(x: Tensor, t: Tensor, cond: object) -> Tensor:
        seen.append(float(t[0]))
        return torch.zeros(len(x), 7)

    any_order_log_prob(PROCESS, denoiser, POINTS, [[2, 0, 1]])
    assert seen == pytest.approx([5 / 6, 1 / 2, 1 / 6])


def test_the_exact_sum_is_over_all_orders() -> None:
    assert torch.allclose(exact_log_prob(PROCESS, Inconsistent(), POINTS), EXACT, atol=1e-12)
    assert EXACT.exp().sum().item() == pytest.approx(1.0, abs=1e-9)


def test_the_exact_sum_is_the_law_of_first_hitting() -> None:
    rng = torch.Generator().manual_seed(0)
    x = FirstHitting().sample(PROCESS, Inconsistent(), PROCESS.prior((4000, 3), rng), rng=rng)
    counts = torch.bincount(x @ torch.tensor([6, 2, 1]), minlength=12)
    assert chi_square(counts, EXACT.exp()) >= 1e-4


def test_stages_restrict_the_orders() -> None:
    process = Discrete.absorbing(COUNTS, Staged((1, 0, 1)))
    columns = [k for k, order in enumerate(ORDERS) if order[0] == 1]
    expected = ALONG[:, columns].logsumexp(1) - math.log(2)
    assert torch.allclose(exact_log_prob(process, Inconsistent(), POINTS), expected, atol=1e-12)


def test_dense_logits_and_perfect_conditionals() -> None:
    process, points = Discrete.absorbing(3), all_states([3, 3])
    law = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).softmax(0)
    denoiser = BayesDenoiser(process, points, law.log())
    assert torch.allclose(exact_log_prob(process, denoiser, points), law.log(), atol=1e-12)
    got = importance_bound(process, denoiser, points, orders=3, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got, law.log(), atol=1e-9)


def test_the_exact_sum_refuses() -> None:
    with pytest.raises(ValueError, match="at most 16"):
        exact_log_prob(Discrete.absorbing(2), Inconsistent(), torch.zeros(1, 17, dtype=torch.long))
    with pytest.raises(RequirementError, match="absorbing"):
        exact_log_prob(Discrete.uniform(2), Inconsistent(), POINTS)

    class Own(Polynomial):
        def alpha(self, t: Tensor) -> Tensor:
            return 1.0 - t ** torch.tensor([1.0, 2.0, 3.0])

    with pytest.raises(RequirementError, match="schedules of their own"):
        exact_log_prob(Discrete.absorbing(COUNTS, Own(1.0)), Inconsistent(), POINTS)


def test_more_orders_are_tighter() -> None:
    """E[bound] over all tuples of K orders rises to the exact value, from the nelbo at K = 1."""
    means = []
    for count in (1, 2, 3):
        tuples = torch.tensor(list(itertools.product(range(6), repeat=count)))
        means.append((ALONG[:, tuples].logsumexp(2) - math.log(count)).mean(1))
    assert torch.allclose(means[0], ALONG.mean(1), atol=1e-12)
    assert (means[0] < means[1]).all()
    assert (means[1] < means[2]).all()
    assert (means[2] < EXACT).all()


def test_the_bound_is_a_mean_over_its_orders() -> None:
    rng = torch.Generator().manual_seed(0)
    single = torch.stack([chain_log_prob(PROCESS, Inconsistent(), POINTS, orders=1, rng=rng) for _ in range(5)])
    got = importance_bound(PROCESS, Inconsistent(), POINTS, orders=5, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got, single.logsumexp(0) - math.log(5), atol=1e-12)
    mean = chain_log_prob(PROCESS, Inconsistent(), POINTS, orders=5, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(mean, single.mean(0), atol=1e-12)
    assert (got > mean).all()
    many = importance_bound(PROCESS, Inconsistent(), POINTS, orders=600, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(many, EXACT, atol=0.1)


def test_sites_add_up_to_the_chain() -> None:
    sites = chain_site_scores(PROCESS, Inconsistent(), POINTS, orders=3, rng=torch.Generator().manual_seed(0))
    total = chain_log_prob(PROCESS, Inconsistent(), POINTS, orders=3, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(sites.sum(1), total, atol=1e-12)
    known = torch.tensor([[True, False, True]]).expand(12, -1)
    part = chain_site_scores(PROCESS, Inconsistent(), POINTS, known=known, rng=torch.Generator().manual_seed(0))
    assert (part[:, 1] == 0).all()
    assert (part[:, 0] < 0).all()


@pytest.mark.parametrize("count", [0, -1])
def test_there_is_an_order(count: int) -> None:
    with pytest.raises(ValueError, match="orders"):
        chain_log_prob(PROCESS, Inconsistent(), POINTS, orders=count)


def test_site_nelbos_add_up() -> None:
    law = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).softmax(0)
    for process in (PROCESS, Discrete.uniform(COUNTS), Discrete(COUNTS, mask=0.3)):
        denoiser = BayesDenoiser(process, POINTS, law.log())
        got = site_nelbo(process, denoiser, POINTS, samples=3, rng=torch.Generator().manual_seed(0))
        whole = Diffusion(process, denoiser).nelbo(POINTS, samples=3, rng=torch.Generator().manual_seed(0))
        assert got.shape == POINTS.shape
        assert torch.allclose(got.sum(1), whole.total, atol=1e-9)
    record = Product({"a": PROCESS, "b": Gaussian()})
    x0 = {"a": POINTS, "b": torch.linspace(-1, 1, 12, dtype=torch.float64)[:, None]}
    both = BayesDenoiser(record, x0, law.log())
    parts = site_nelbo(record, both, x0, samples=2, rng=torch.Generator().manual_seed(0))
    assert {name: tuple(part.shape) for name, part in parts.items()} == {"a": (12, 3), "b": (12, 1)}
    whole = Diffusion(record, both).nelbo(x0, samples=2, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(parts["a"].sum(1) + parts["b"].sum(1), whole.total, atol=1e-9)


class Labelled:
    """A perfect denoiser of a law for each label."""

    def __init__(self, process: Discrete) -> None:
        draws = torch.randn(3, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
        self.laws = draws.softmax(1)
        self.bayes = [BayesDenoiser(process, POINTS, law.log()) for law in self.laws]

    def __call__(self, xt: Tensor, t: Tensor, cond: int) -> Tensor:
        return self.bayes[cond](xt, t)


def test_t12_the_classifier_is_bayes_rule() -> None:
    denoiser = Labelled(PROCESS)
    prior = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)

    def score(x0: Tensor, cond: int, rng: torch.Generator) -> Tensor:
        return chain_log_prob(PROCESS, denoiser, x0, orders=1, cond=cond, rng=rng)

    got = classify(score, POINTS, [0, 1, 2], log_prior=prior.log(), rng=torch.Generator().manual_seed(0)).exp()
    joint = denoiser.laws.T * prior
    assert torch.allclose(got, joint / joint.sum(1, keepdim=True), atol=1e-9)
    uniform = classify(score, POINTS, [0, 1, 2], rng=torch.Generator().manual_seed(0)).exp()
    assert torch.allclose(uniform, denoiser.laws.T / denoiser.laws.T.sum(1, keepdim=True), atol=1e-9)


@pytest.mark.parametrize("process", [PROCESS, Discrete.uniform(COUNTS)], ids=["absorbing", "uniform"])
def test_t12_nelbos_differ_as_log_likelihoods_do(process: Discrete) -> None:
    """Pointwise for absorbing noise, whose nelbo is tight at every x0; shared noise pays for both."""
    denoiser = Labelled(process)
    model = Diffusion(process, denoiser)

    def score(cond: int):
        return lambda x0, _, rng: -model.nelbo(x0, cond, rng=rng).total

    law = denoiser.laws[0]
    rows = POINTS.repeat_interleave(2000, 0)
    got = log_ratio(score(0), score(1), rows, rng=torch.Generator().manual_seed(0)).view(12, 2000)
    exact = law.log() - denoiser.laws[1].log()
    error = got.std(1) / 2000**0.5
    if process is PROCESS:
        assert ((got.mean(1) - exact).abs() < 5 * error).all()
    alone = score(0)(rows, None, torch.Generator().manual_seed(1)) - score(1)(
        rows, None, torch.Generator().manual_seed(2)
    )
    assert got.var(1).mean() < 0.8 * alone.view(12, 2000).var(1).mean()


def test_equal_models_have_ratio_0() -> None:
    model = Diffusion(PROCESS, Inconsistent())

    def score(x0: Tensor, cond: object, rng: torch.Generator) -> Tensor:
        return -model.nelbo(x0, rng=rng).total

    assert (log_ratio(score, score, POINTS, rng=torch.Generator().manual_seed(0)) == 0).all()
    draws = [log_ratio(lambda x, c, g: torch.rand(12, generator=g), lambda x, c, g: torch.zeros(12), POINTS, rng=rng)
             for rng in (torch.Generator().manual_seed(1), torch.Generator().manual_seed(2))]  # fmt: skip
    assert not torch.equal(*draws)


def test_classes_share_their_noise() -> None:
    def score(x0: Tensor, cond: object, rng: torch.Generator) -> Tensor:
        return torch.randn(len(x0), generator=rng)

    got = classify(score, POINTS, ["a", "b"], rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got.exp(), torch.full((12, 2), 0.5, dtype=torch.float64))


def test_there_is_something_to_classify() -> None:
    def score(x0: Tensor, cond: object, rng: torch.Generator) -> Tensor:
        return torch.zeros(len(x0))

    with pytest.raises(ValueError, match="conditions"):
        classify(score, POINTS, [])
    with pytest.raises(ValueError, match="conditions"):
        classify(score, POINTS, [1, 2], log_prior=torch.zeros(3))
