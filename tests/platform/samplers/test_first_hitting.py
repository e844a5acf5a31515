"""T7, and that one site a call is the random-order autoregressive law of any network."""

import itertools

import pytest
import torch

from intarsia import Cosine, Evidence, FirstHitting, Linear, Staged, Stratified
from intarsia.processes import Discrete
from intarsia.samplers import AbstractSampler
from intarsia.samplers._first_hitting import hitting_times
from intarsia.testing import BayesDenoiser, all_states, chi_square

TABLE = torch.randn(4**3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def network(x: torch.Tensor, t: torch.Tensor, cond: object = None) -> torch.Tensor:
    """An arbitrary network: no joint law has these conditionals."""
    return TABLE[(x * torch.tensor([16, 4, 1])).sum(1)]


network.time_free = True  # type: ignore[attr-defined]


def chain(orders: list[tuple[int, ...]], observed: dict[int, int]) -> torch.Tensor:
    """Law of all states, averaged over `orders` of unmasking."""
    states = all_states([3, 3, 3])
    total = torch.zeros(len(states), dtype=torch.float64)
    for order in orders:
        x = torch.full_like(states, 3)
        for site, value in observed.items():
            x[:, site] = value
        logp = torch.zeros(len(states), dtype=torch.float64)
        for site in order:
            if site in observed:
                continue
            logp += network(x, torch.zeros(1)).log_softmax(-1)[:, site].gather(1, states[:, site, None])[:, 0]
            x[:, site] = states[:, site]
        fits = torch.stack([states[:, site] == value for site, value in observed.items()] or [states[:, 0] >= 0]).all(0)
        total += torch.where(fits, logp.exp(), 0.0)
    return total / len(orders)


@pytest.mark.parametrize("sites", [2, 9])
@pytest.mark.parametrize("schedule", [Linear(), Cosine()], ids=repr)
def test_t7_hitting_times_are_beta(sites: int, schedule) -> None:
    """With n masks left 1 - alpha falls by a Beta(n, 1) factor to the next hit; n = 20,000 rows."""
    rng = torch.Generator().manual_seed(0)
    hits = hitting_times(Discrete.absorbing(2, schedule), torch.Size((20_000, sites)), rng, torch.device("cpu"))
    levels = (1 - schedule.alpha(hits)).sort(1, descending=True).values
    before = torch.cat([torch.ones(20_000, 1, dtype=torch.float64), levels[:, :-1]], 1)
    for k in range(sites):
        left = sites - k
        ratio = levels[:, k] / before[:, k]
        assert ratio.mean().item() == pytest.approx(left / (left + 1), abs=5 / 20_000**0.5 / (left + 1))
        bins = torch.bincount((ratio**left * 20).long().clamp(max=19), minlength=20)
        assert chi_square(bins, torch.full((20,), 0.05)) >= 1e-4


@pytest.mark.parametrize("sampler", [FirstHitting(), Stratified(group=1)], ids=repr)
@pytest.mark.parametrize("observed", [{}, {1: 2}, {0: 1, 2: 0}])
def test_t7_the_law_is_a_uniform_random_order(sampler: AbstractSampler, observed: dict[int, int]) -> None:
    """Independent rows (4,000, or 1,200 groups of one) against the average over the six orders."""
    process, n = Discrete.absorbing(3), 4000 if isinstance(sampler, FirstHitting) else 1200
    values, mask = torch.zeros(n, 3, dtype=torch.long), torch.zeros(n, 3, dtype=torch.bool)
    for site, value in observed.items():
        values[:, site], mask[:, site] = value, True
    rng = torch.Generator().manual_seed(4)
    x = sampler.sample(process, network, process.prior((n, 3)), given=Evidence(values, mask), rng=rng)
    counts = torch.bincount((x * torch.tensor([9, 3, 1])).sum(1), minlength=27)
    assert chi_square(counts, chain(list(itertools.permutations(range(3))), observed)) >= 1e-4


def test_staged_schedules_fix_the_order() -> None:
    process, n = Discrete.absorbing(3, Staged((1, 0, 2))), 4000
    x = FirstHitting().sample(process, network, process.prior((n, 3)), rng=torch.Generator().manual_seed(5))
    counts = torch.bincount((x * torch.tensor([9, 3, 1])).sum(1), minlength=27)
    assert chi_square(counts, chain([(1, 0, 2)], {})) >= 1e-4
    assert chi_square(counts, chain([(2, 0, 1)], {})) < 1e-4


def test_one_call_a_site_and_none_for_what_is_known() -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, all_states([2, 2, 2]), torch.zeros(8))
    x1 = process.prior((5, 3))
    FirstHitting().sample(process, denoiser, x1, rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == 3
    seen = torch.zeros(5, 3, dtype=torch.bool)
    seen[:, 1] = True
    given = Evidence(torch.ones(5, 3, dtype=torch.long), seen)
    FirstHitting().sample(process, denoiser, x1, given=given, rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == 5


def test_sites_of_any_shape() -> None:
    process = Discrete.absorbing(2)
    points = torch.tensor([[[0, 0], [1, 1]], [[1, 1], [0, 0]]])
    denoiser = BayesDenoiser(process, points, torch.zeros(2))
    x = FirstHitting().sample(process, denoiser, process.prior((200, 2, 2)), rng=torch.Generator().manual_seed(0))
    assert ((x == points[0]).all(2).all(1) | (x == points[1]).all(2).all(1)).all()
    assert 60 < int(x[:, 0, 0].sum()) < 140
