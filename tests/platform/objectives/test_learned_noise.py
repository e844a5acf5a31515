"""Learned noise: the gradient of its estimator, enumerated."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from intarsia import AnyOrderObjective, NelboObjective, Polynomial
from intarsia.errors import RequirementError
from intarsia.objectives import LearnedNoise
from intarsia.processes import AbstractFinite, ClasswiseAbsorbing, Discrete, Gaussian, LearnedExploding, Product, Xor
from intarsia.schedules import LearnedPolynomial
from intarsia.testing import BayesDenoiser, all_states
from intarsia.testing._process_nelbo import quadrature


def learned(powers: tuple[float, ...]) -> LearnedPolynomial:
    schedule = LearnedPolynomial(len(powers)).double()
    with torch.no_grad():
        schedule.theta.copy_(torch.tensor(powers, dtype=torch.float64).expm1().log())
    return schedule


LEARNED: dict[str, tuple[AbstractFinite, LearnedPolynomial]] = {}
for _name, _schedule, _make in [
    ("per site", learned((0.6, 1.7)), lambda s: Discrete.absorbing((2, 3), s)),
    ("per class", learned((0.6, 1.7, 1.0, 2.2, 1.4)), lambda s: ClasswiseAbsorbing((2, 3), s)),
    ("per site, uniform", learned((0.6, 1.7)), lambda s: Discrete.uniform((2, 3), s)),
]:
    LEARNED[_name] = (_make(_schedule), _schedule)


def states_of(process: AbstractFinite) -> torch.Tensor:
    """Every xt of sites with 2 and 3 classes."""
    return all_states([2 + process.has_mask, 3 + process.has_mask])


def expected_surrogate(
    process: AbstractFinite, network: Callable[..., torch.Tensor], x0: torch.Tensor, t: float
) -> torch.Tensor:
    """E over both draws of `LearnedNoise`, their chances held fixed, so that its gradient is that of the estimator."""
    states = states_of(process)
    first, second = states.repeat_interleave(len(states), 0), states.repeat(len(states), 1)
    time, start = torch.full((len(first),), t, dtype=torch.float64), x0.expand(first.shape)
    chance = sum(process.log_q(xt, start, time).sum(1) for xt in (first, second)).exp().detach()
    kept = chance > 0
    draws = first[kept], second[kept]
    values = LearnedNoise().of_draws(process, network, start[kept], draws, time[kept])
    return (chance[kept] * values).sum()


def exact_integrand(
    process: AbstractFinite, network: Callable[..., torch.Tensor], x0: torch.Tensor, t: float
) -> torch.Tensor:
    """Σ q(xt | x0) loss(xt), differentiable in everything."""
    xt = states_of(process)
    time, start = torch.full((len(xt),), t, dtype=torch.float64), x0.expand(xt.shape)
    possible = (process.log_q(xt, start, time) > -torch.inf).all(1)
    xt, time, start = xt[possible], time[possible], start[possible]
    chance = process.log_q(xt, start, time).sum(1).exp()
    return (chance * process.loss(network(xt, time), start, xt, time).sum(1)).sum()


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("t", [0.05, 0.4, 0.9])
def test_the_gradient_of_learned_noise_is_unbiased(name: str, t: float, table) -> None:
    """Enumerated over all pairs of draws, to 1e-9, for the schedule and for the network; the pathwise part is not."""
    process, schedule = LEARNED[name]
    network, x0 = table((2, 3)), torch.tensor([[1, 2]])
    network.logits.requires_grad_(True)
    parameters = [schedule.theta, network.logits]
    exact = exact_integrand(process, network, x0, t)
    estimate = expected_surrogate(process, network, x0, t)
    assert estimate.item() == pytest.approx(exact.item(), abs=1e-12)
    truth = torch.autograd.grad(exact, parameters)
    for got, wanted in zip(torch.autograd.grad(estimate, parameters), truth, strict=True):
        assert torch.allclose(got, wanted, atol=1e-9, rtol=1e-9)
    # what a plain nelbo would send to the schedule, through the weights alone
    xt = states_of(process)
    time, start = torch.full((len(xt),), t, dtype=torch.float64), x0.expand(xt.shape)
    chance = process.log_q(xt, start, time).sum(1).exp().detach()
    kept = chance > 0
    loss = process.loss(network(xt[kept], time[kept]), start[kept], xt[kept], time[kept]).sum(1)
    (pathwise,) = torch.autograd.grad((chance[kept] * loss).sum(), schedule.theta)
    assert (pathwise - truth[0]).abs().max() > 1e-2


def test_the_gradient_of_learned_noise_is_that_of_the_nelbo(table) -> None:
    """Integrated over time it is the slope of the enumerated nelbo in each exponent, by central differences."""
    network, x0, powers = table((2, 3)), torch.tensor([[1, 2]]), (0.8, 1.7)
    schedule = learned(powers)
    process = Discrete.absorbing((2, 3), schedule)
    times, weights = quadrature(torch.cat([torch.zeros(1), torch.logspace(-6, 0, 13)]).double())
    total = torch.stack(
        [w * expected_surrogate(process, network, x0, t) for t, w in zip(times, weights, strict=True)]
    ).sum()
    (gradient,) = torch.autograd.grad(total, schedule.theta)
    for site in range(2):
        sides = []
        for h in (1e-4, -1e-4):
            moved = tuple(p + h * (k == site) for k, p in enumerate(powers))
            moved_process = Discrete.absorbing((2, 3), Polynomial(moved))
            values = [exact_integrand(moved_process, network, x0, t).item() for t in times]
            sides.append(sum(w * v for w, v in zip(weights, values, strict=True)))
        slope = (sides[0] - sides[1]) / 2e-4 * (1.0 - math.exp(-powers[site]))
        assert gradient[site].item() == pytest.approx(slope, abs=1e-6)


def test_a_perfect_denoiser_leaves_a_schedule_where_it_is() -> None:
    """T2: the nelbo is -log p for every schedule, so its gradient is 0 for every state."""
    schedule = learned((0.8, 1.7))
    process, points = Discrete.absorbing((2, 3), schedule), all_states([2, 3])
    law = torch.arange(1.0, 7.0, dtype=torch.float64) / 21.0
    denoiser = BayesDenoiser(process, points, law.log())
    edges = torch.cat([torch.zeros(1), torch.logspace(-7, 0, 43)]).double()
    for row in (0, 5):
        total = torch.stack(
            [
                w * exact_integrand(process, denoiser, points[row : row + 1], t)
                for t, w in zip(*quadrature(edges), strict=True)
            ]
        ).sum()
        assert total.item() == pytest.approx(-float(law[row].log()), abs=1e-5)
        (gradient,) = torch.autograd.grad(total, schedule.theta)
        assert gradient.abs().max() < 1e-5


def test_learned_noise_draws_its_states_twice(table, exact_nelbo) -> None:
    """Mean of 20,000 rows within 5 standard errors of the enumerated nelbo, with less spread than one draw."""
    process, network, x0 = Discrete.absorbing((2, 3)), table((2, 3)), torch.tensor([[1, 2]])
    exact = exact_nelbo(process, network, x0)
    many = x0.expand(20_000, -1)
    drawn = LearnedNoise()(process, network, many, None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    assert drawn.std() < NelboObjective()(process, network, many, None, torch.Generator().manual_seed(0)).std()


def test_learned_noise_takes_records(table) -> None:
    schedule = learned((0.6, 1.7))
    process = Product({"a": Discrete.absorbing((2, 3), schedule), "b": Gaussian()})
    x0 = {"a": torch.tensor([[1, 2], [0, 0]]), "b": torch.zeros(2, 3)}
    network = table((2, 3))

    def both(x: dict[str, torch.Tensor], t: torch.Tensor, cond: object) -> dict[str, torch.Tensor]:
        return {"a": network(x["a"], t), "b": 0.5 * x["b"]}

    loss = LearnedNoise()(process, both, x0, None, torch.Generator().manual_seed(0))
    assert loss.shape == (2,)
    (gradient,) = torch.autograd.grad(loss.sum(), schedule.theta)
    assert gradient.isfinite().all()
    assert (gradient != 0).any()


@pytest.mark.parametrize("process", [Gaussian(), Product({"a": Xor(2), "b": Gaussian(LearnedExploding(2))})], ids=repr)
def test_learned_noise_needs_finitely_many_states(process) -> None:
    x0: Any = torch.zeros(2, 2)
    pred: Any = torch.zeros(2, 2)
    if isinstance(process, Product):
        x0, pred = {"a": torch.zeros(2, 2, dtype=torch.long), "b": x0}, {"a": pred, "b": pred}
    with pytest.raises(RequirementError, match="finitely many"):
        LearnedNoise()(process, lambda x, t, c: pred, x0, None, torch.Generator().manual_seed(0))


def test_any_order_gives_a_learned_schedule_no_gradient(table) -> None:
    schedule, network = learned((0.6, 1.7)), table((2, 3))
    network.logits.requires_grad_(True)
    loss = AnyOrderObjective()(Discrete.absorbing((2, 3), schedule), network, torch.tensor([[1, 2]]), None)
    loss.sum().backward()
    assert schedule.theta.grad is None
    assert network.logits.grad is not None
