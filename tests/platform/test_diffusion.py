"""Nelbo and samples of `Diffusion` with perfect denoisers: T2 to the digits given."""

import itertools
import math

import numpy as np
import pytest
import torch

from intarsia import Ancestral, Cosine, Diffusion, Evidence, Linear, Polynomial, Staged, TauLeaping
from intarsia.errors import RequirementError
from intarsia.processes import Discrete, Gaussian, Product
from intarsia.schedules import AbstractSchedule
from intarsia.testing import BayesDenoiser, all_states
from intarsia.testing._process_nelbo import quadrature

PAIR = torch.tensor([[0, 0], [1, 1]])
EVEN = torch.tensor([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])


def step_nelbo(
    process: Discrete, denoiser: BayesDenoiser, points: torch.Tensor, t: float, s: float | None
) -> torch.Tensor:
    """E[loss | x0] over all mask patterns, (points,)."""
    sites = points.shape[1]
    alpha = process.schedule.alpha(torch.full((1, sites), t, dtype=torch.float64))[0]
    total = torch.zeros(len(points), dtype=torch.float64)
    start = None if s is None else torch.full((len(points),), s, dtype=torch.float64)
    now = torch.full((len(points),), t, dtype=torch.float64)
    for pattern in itertools.product([False, True], repeat=sites):
        masked = torch.tensor(pattern)
        chance = torch.where(masked, 1 - alpha, alpha).prod()
        if chance > 0:
            xt = torch.where(masked, process.mask_id(points.device), points)
            total += chance * process.loss(denoiser(xt, now), points, xt, now, start).sum(1)
    return total


def grid_nelbo(points: torch.Tensor, law: torch.Tensor, steps: int, schedule: AbstractSchedule = Linear()) -> float:
    process = Discrete.absorbing(int(points.max()) + 1, schedule)
    denoiser = BayesDenoiser(process, points, law.log())
    parts = [step_nelbo(process, denoiser, points, (k + 1) / steps, k / steps) for k in range(steps)]
    return float((law * torch.stack(parts).sum(0)).sum())


@pytest.mark.parametrize(
    ("steps", "nats"), [(1, 1.386294), (2, 1.039721), (4, 0.866434), (8, 0.779791), (16, 0.736469)]
)
def test_t2_pairs(steps: int, nats: float) -> None:
    got = grid_nelbo(PAIR, torch.full((2,), 0.5).double(), steps)
    assert got == pytest.approx(nats, abs=1e-6)
    assert got / math.log(2) == pytest.approx(1 + 1 / steps, abs=1e-12)


@pytest.mark.parametrize(("steps", "bits"), [(1, 3), (2, 2.625), (3, 2.444444), (4, 2.34375), (6, 2.236111)])
def test_t2_even_triples(steps: int, bits: float) -> None:
    got = grid_nelbo(EVEN, torch.full((4,), 0.25).double(), steps) / math.log(2)
    assert got == pytest.approx(bits, abs=1e-6)
    one, two = 1 / steps**2, 3 * (steps - 1) / steps**2
    assert got == pytest.approx(3 * one + 2.5 * two + 2 * (1 - one - two), abs=1e-12)


@pytest.mark.parametrize(("steps", "gap"), [(1, 0.397740), (2, 0.219467), (4, 0.114883), (8, 0.058729)])
def test_t2_random_law(steps: int, gap: float) -> None:
    law = torch.from_numpy(np.random.default_rng(1).dirichlet(np.ones(27)))
    entropy = float(-(law * law.log()).sum()) / math.log(2)
    assert entropy == pytest.approx(4.16545069, abs=1e-8)
    got = grid_nelbo(all_states([3, 3, 3]), law, steps) / math.log(2)
    assert got - entropy == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize(("steps"), [1, 3, 5])
def test_t2_any_two_sites_pay_their_mutual_information_over_the_steps(steps: int) -> None:
    law = torch.from_numpy(np.random.default_rng(3).dirichlet(np.ones(4))).view(2, 2)
    entropy = -(law * law.log()).sum()
    rows, columns = law.sum(1), law.sum(0)
    information = -(rows * rows.log()).sum() - (columns * columns.log()).sum() - entropy
    got = grid_nelbo(all_states([2, 2]), law.flatten(), steps)
    assert got == pytest.approx(float(entropy + information / steps), abs=1e-12)


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0), Staged((0, 1, 0))], ids=repr)
def test_t2_continuous_time_is_pointwise_tight(schedule: AbstractSchedule) -> None:
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    process = Discrete.absorbing(2, schedule)
    denoiser = BayesDenoiser(process, EVEN, law.log())
    total = torch.zeros(4, dtype=torch.float64)
    for t, weight in zip(*quadrature(torch.linspace(0, 1, 41, dtype=torch.float64)), strict=True):
        total += weight * step_nelbo(process, denoiser, EVEN, t, None)
    assert torch.allclose(total, -law.log(), atol=1e-6)


@pytest.mark.parametrize("steps", [None, 1, 4])
def test_nelbo_estimates_its_expectation(steps: int | None) -> None:
    """The estimator of `Diffusion.nelbo` against the enumerated value; 4,000 rows a point, 5 standard errors."""
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, EVEN, law.log())
    if steps is None:
        exact = -law.log()
    else:
        parts = [step_nelbo(process, denoiser, EVEN, (k + 1) / steps, k / steps) for k in range(steps)]
        exact = torch.stack(parts).sum(0)
    rows = EVEN.repeat_interleave(4000, 0)
    found = Diffusion(process, denoiser).nelbo(rows, steps=steps, rng=torch.Generator().manual_seed(0))
    assert (found.prior == 0).all()
    assert (found.reconstruction == 0).all()
    blocks = found.total.view(4, 4000)
    error = blocks.std(1) / 4000**0.5
    assert ((blocks.mean(1) - exact).abs() < 5 * error + 1e-9).all()


def test_loss_is_the_integrand_and_evidence_is_not_scored() -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, EVEN, torch.zeros(4))
    model = Diffusion(process, denoiser)
    rows = EVEN.repeat(4000, 1)
    loss = model.loss(rows, rng=torch.Generator().manual_seed(0))
    assert loss.shape == (16_000,)
    assert loss.mean().item() == pytest.approx(math.log(4), abs=5 * loss.std().item() / 16_000**0.5)
    seen = torch.tensor([[True, True, False]]).expand(len(rows), -1)
    assert model.loss(rows, given=Evidence(rows, seen), rng=torch.Generator().manual_seed(0)).abs().max() < 1e-9


def test_sample_by_default_is_ancestral() -> None:
    process = Discrete.absorbing(2)
    model = Diffusion(process, BayesDenoiser(process, PAIR, torch.zeros(2)))
    a = model.sample((10, 2), rng=torch.Generator().manual_seed(0))
    b = model.sample((10, 2), Ancestral(100), rng=torch.Generator().manual_seed(0))
    assert torch.equal(a, b)


def test_samplers_refuse_before_the_prior_is_drawn() -> None:
    calls: list[int] = []
    model = Diffusion(Gaussian(), lambda x, t, c: calls.append(1))
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    with pytest.raises(RequirementError, match="TauLeaping"):
        model.sample((2, 2), TauLeaping(), rng=rng)
    assert not calls
    assert torch.equal(rng.get_state(), before)


def test_no_gradients_are_kept_while_sampling_and_scoring() -> None:
    network = torch.nn.Linear(2, 2)
    model = Diffusion(Gaussian(), lambda x, t, c: network(x.float()))
    assert not model.sample((3, 2), Ancestral(3), rng=torch.Generator()).requires_grad
    assert not model.nelbo(torch.zeros(3, 2), rng=torch.Generator()).total.requires_grad
    assert model.loss(torch.zeros(3, 2), rng=torch.Generator()).requires_grad


def test_modules_are_registered() -> None:
    model = Diffusion(Product({"a": Gaussian()}), torch.nn.Linear(1, 1))
    assert sorted(model.state_dict()) == ["denoiser.bias", "denoiser.weight"]
