"""Objectives: the same expectation by different roads."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from intarsia import DDIM, AnyOrderObjective, Cosine, HybridObjective, Linear, NelboObjective, Polynomial, Staged
from intarsia.errors import RequirementError
from intarsia.objectives import (
    AbstractTimed,
    LearnedNoise,
    LossAware,
    LossMemory,
    MinSNR,
    MultiGranularity,
    Recall,
    SelfConditioned,
    falling,
    inverse,
    low_discrepancy,
)
from intarsia.processes import (
    AbstractFinite,
    ClasswiseAbsorbing,
    Discrete,
    Gaussian,
    LearnedExploding,
    Mixing,
    Product,
    Structured,
    VarianceExploding,
    Xor,
)
from intarsia.schedules import LearnedPolynomial
from intarsia.testing import BayesDenoiser, all_states
from intarsia.testing._process_nelbo import quadrature

CPU = torch.device("cpu")


class Table:
    """An arbitrary network of ragged sites: one row of logits per state, masks included."""

    def __init__(self, counts: tuple[int, ...], seed: int = 0) -> None:
        self.place = torch.ones(len(counts), dtype=torch.long)
        for site in reversed(range(len(counts) - 1)):
            self.place[site] = self.place[site + 1] * (counts[site + 1] + 1)
        rows = math.prod(k + 1 for k in counts)
        rng = torch.Generator().manual_seed(seed)
        self.logits = torch.randn(rows, sum(counts), dtype=torch.float64, generator=rng)

    def __call__(self, x: torch.Tensor, t: torch.Tensor, cond: object = None) -> torch.Tensor:
        return self.logits[(x * self.place).sum(1)]


def exact_nelbo(process: Discrete, network: Table, x0: torch.Tensor) -> float:
    """∫ E[loss] dt over all mask patterns of one state (1, sites)."""
    sites = x0.shape[1]
    codes = torch.arange(2**sites)
    masked = (codes[:, None] >> torch.arange(sites)) % 2 == 1
    xt = torch.where(masked, process.mask_id(CPU), x0)
    total = 0.0
    for t, weight in zip(*quadrature(torch.linspace(0, 1, 31, dtype=torch.float64)), strict=True):
        time = torch.full((len(xt),), t, dtype=torch.float64)
        alpha = process.schedule.alpha(time[:, None].expand(xt.shape))
        chance = torch.where(masked, 1 - alpha, alpha).prod(1)
        loss = process.loss(network(xt, time), x0.expand(xt.shape), xt, time).sum(1)
        total += weight * float((chance * loss).sum())
    return total


@pytest.mark.parametrize(
    "schedule", [Linear(), Cosine(), Staged((0, 1, 0)), Staged((2, 1, 0)), Staged((1, 0, 0), Cosine())], ids=repr
)
@pytest.mark.parametrize("counts", [(2, 2, 2), (2, 3, 4)])
def test_any_order_is_the_nelbo_of_any_network(schedule, counts: tuple[int, ...]) -> None:
    """Mean of 20,000 draws of one state, within 5 standard errors of the enumerated value."""
    process, network = Discrete.absorbing(counts, schedule), Table(counts)
    x0 = torch.tensor([[1, 0, 1]])
    exact = exact_nelbo(process, network, x0)
    drawn = AnyOrderObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    plain = NelboObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert plain.mean().item() == pytest.approx(exact, abs=5 * plain.std().item() / 20_000**0.5)
    assert drawn.std() < plain.std()


def test_one_fixed_order_is_the_chain_rule_for_every_draw_of_the_step() -> None:
    """With a stage a site exactly one site is scored, with weight L: three draws in three strata give the sum."""
    process, network = Discrete.absorbing((2, 3, 4), Staged((2, 0, 1))), Table((2, 3, 4))
    x0 = torch.tensor([[1, 2, 3]])
    state, _, weight = AnyOrderObjective().draw(process, x0.expand(300, -1), torch.Generator().manual_seed(0))
    assert (weight > 0).sum(1).eq(1).all()
    assert torch.allclose(weight.sum(1), torch.tensor(3.0, dtype=torch.float64))
    drawn = AnyOrderObjective()(process, network, x0.expand(300, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact_nelbo(process, network, x0), rel=1e-9)
    assert ((state == process.mask_id(CPU)) | (weight == 0)).all()


def test_any_order_and_nelbo_agree_at_the_optimum() -> None:
    process, points = Discrete.absorbing(2), all_states([2, 2])
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    denoiser = BayesDenoiser(process, points, law.log())
    drawn = AnyOrderObjective()(process, denoiser, points.repeat_interleave(4000, 0), None, torch.Generator())
    assert torch.allclose(drawn.view(4, -1).mean(1), -law.log(), atol=0.08)


def test_hybrid_adds_the_cross_entropy() -> None:
    process, network = Discrete.uniform((2, 3)), Table((2, 3))
    x0 = torch.tensor([[1, 2]]).expand(50, -1)
    plain, hybrid, heavy = (
        objective(process, network, x0, None, torch.Generator().manual_seed(1))
        for objective in (NelboObjective(), HybridObjective(), HybridObjective(weight=1.0))
    )
    assert torch.allclose((hybrid - plain) * 100, heavy - plain, atol=1e-9)
    assert (heavy > plain).all()


def test_nelbo_objective_takes_records() -> None:
    process = Product({"a": Xor(2), "b": Gaussian()})
    x0 = {"a": torch.zeros(6, 2, dtype=torch.long), "b": torch.zeros(6, 3)}
    loss = NelboObjective()(process, lambda x, t, c: {"a": torch.zeros(6, 2), "b": torch.zeros(6, 3)}, x0, None)
    assert loss.shape == (6,)
    assert (loss >= 0).all()


@pytest.mark.parametrize("process", [Discrete.uniform(2), Discrete(2, mask=0.9), Xor(2), Gaussian()], ids=repr)
def test_any_order_needs_absorbing_noise(process) -> None:
    with pytest.raises(RequirementError, match="absorbing"):
        AnyOrderObjective()(process, lambda x, t, c: x, torch.zeros(2, 2, dtype=torch.long))


def test_hybrid_needs_a_law_of_x0() -> None:
    with pytest.raises(RequirementError, match="finitely many states, got Gaussian"):
        HybridObjective()(Gaussian(), lambda x, t, c: x, torch.zeros(2, 2))
    with pytest.raises(RequirementError, match="in the field 'b'"):
        HybridObjective()(Product({"a": Xor(2), "b": Gaussian()}), lambda x, t, c: x, {"a": torch.zeros(2, 2)})


@pytest.mark.parametrize(
    "process",
    [
        Discrete.absorbing(3),
        ClasswiseAbsorbing(3),
        Mixing.hybrid(3),
        Structured.gaussian(3, 1.0),
        Xor(2),
        Product({"a": Xor(2), "b": Discrete.uniform((2, 3))}),
    ],
    ids=repr,
)
def test_the_cross_entropy_of_every_noise_of_finitely_many_states(process) -> None:
    """(hybrid - nelbo) / weight is -log p(x0), read off a prediction that is sure of the probabilities it has."""
    record = isinstance(process, Product)
    points = {"a": all_states([2, 2]), "b": all_states([2, 2])} if record else all_states([2, 2])
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    pred = process.prediction(points, law.expand(4, -1))
    given = (None, torch.Generator().manual_seed(1))
    plain = NelboObjective()(process, lambda x, t, c: pred, points, *given)
    hybrid = HybridObjective(2.0)(process, lambda x, t, c: pred, points, None, torch.Generator().manual_seed(1))
    sites = torch.tensor([[0.7, 0.3], [0.6, 0.4]], dtype=torch.float64)  # marginals of the two sites
    nats = -sum(sites[k][all_states([2, 2])[:, k]].log() for k in (0, 1)) * (2 if record else 1)
    assert torch.allclose((hybrid - plain) / 2.0, nats, atol=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_times_of_a_batch_fill_every_stratum(rows: int) -> None:
    t = low_discrepancy(rows, CPU, torch.Generator().manual_seed(0))
    assert t.dtype == torch.float64
    assert (t > 0).all()
    assert (t <= 1).all()
    assert sorted((t * rows).floor().clamp(max=rows - 1).long().tolist()) == list(range(rows))


def test_times_are_uniform_over_seeds() -> None:
    times = torch.stack([low_discrepancy(4, CPU, torch.Generator().manual_seed(s)) for s in range(2000)])
    assert times.mean(0).tolist() == pytest.approx([0.5] * 4, abs=5 * (1 / 12 / 2000) ** 0.5)


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
def test_the_gradient_of_learned_noise_is_unbiased(name: str, t: float) -> None:
    """Enumerated over all pairs of draws, to 1e-9, for the schedule and for the network; the pathwise part is not."""
    process, schedule = LEARNED[name]
    network, x0 = Table((2, 3)), torch.tensor([[1, 2]])
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


def test_the_gradient_of_learned_noise_is_that_of_the_nelbo() -> None:
    """Integrated over time it is the slope of the enumerated nelbo in each exponent, by central differences."""
    network, x0, powers = Table((2, 3)), torch.tensor([[1, 2]]), (0.8, 1.7)
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


def test_learned_noise_draws_its_states_twice() -> None:
    """Mean of 20,000 rows within 5 standard errors of the enumerated nelbo, with less spread than one draw."""
    process, network, x0 = Discrete.absorbing((2, 3)), Table((2, 3)), torch.tensor([[1, 2]])
    exact = exact_nelbo(process, network, x0)
    many = x0.expand(20_000, -1)
    drawn = LearnedNoise()(process, network, many, None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    assert drawn.std() < NelboObjective()(process, network, many, None, torch.Generator().manual_seed(0)).std()


def test_learned_noise_takes_records() -> None:
    schedule = learned((0.6, 1.7))
    process = Product({"a": Discrete.absorbing((2, 3), schedule), "b": Gaussian()})
    x0 = {"a": torch.tensor([[1, 2], [0, 0]]), "b": torch.zeros(2, 3)}
    network = Table((2, 3))

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


def test_any_order_gives_a_learned_schedule_no_gradient() -> None:
    schedule, network = learned((0.6, 1.7)), Table((2, 3))
    network.logits.requires_grad_(True)
    loss = AnyOrderObjective()(Discrete.absorbing((2, 3), schedule), network, torch.tensor([[1, 2]]), None)
    loss.sum().backward()
    assert schedule.theta.grad is None
    assert network.logits.grad is not None


class Seen:
    """A denoiser that remembers what it was asked last."""

    def __init__(self, denoiser: Callable[..., Any]) -> None:
        self.denoiser = denoiser

    def __call__(self, x: Any, t: Any, cond: object = None) -> Any:
        self.x, self.t, self.pred = x, t, self.denoiser(x, t, cond)
        return self.pred


@pytest.mark.parametrize(("weight", "beta"), [(falling, 1.0), (falling, 2.0), (inverse, 0.0), (inverse, 0.5)])
def test_multi_granularity_is_the_formula(weight, beta: float) -> None:
    """w(k) · mean over masked sites of alpha (1 - e^-u)^beta u (reference/reasoning 1.3), row by row."""
    process, network = Discrete.absorbing((2, 3, 4)), Seen(Table((2, 3, 4)))
    x0 = torch.tensor([[1, 2, 0], [0, 1, 3]]).repeat(20, 1)
    objective = MultiGranularity(20, 0.25, beta, weight)
    loss = objective(process, network, x0, None, torch.Generator().manual_seed(0))
    assert sorted((network.t * 20).round().long().tolist()) == [k for k in range(1, 21) for _ in range(2)]
    empty = 0
    for row in range(40):
        step = round(float(network.t[row]) * 20) - 1
        parts = network.pred[row].split([2, 3, 4])
        u = [-p.log_softmax(0)[x0[row, i]].item() for i, p in enumerate(parts) if network.x[row, i] == (2, 3, 4)[i]]
        empty += not u
        expected = sum(0.25 * (1.0 - math.exp(-v)) ** beta * v for v in u) / max(len(u), 1)
        expected *= 20 - step if weight is falling else 1.0 / (step + 1)
        assert loss[row].item() == pytest.approx(expected, abs=1e-9)
    assert empty > 0  # rows without a mask have loss 0


def test_multi_granularity_masks_a_site_with_probability_k_of_t() -> None:
    process, network = Discrete.absorbing(2), Seen(lambda x, t, c: torch.zeros(*x.shape, 2))
    MultiGranularity(4)(
        process, network, torch.zeros(8000, 3, dtype=torch.long), None, torch.Generator().manual_seed(0)
    )
    for k in range(1, 5):
        rows = network.t == k / 4
        assert rows.sum() == 2000
        assert (network.x[rows] == 2).double().mean().item() == pytest.approx(k / 4, abs=0.03)


def test_multi_granularity_at_a_sure_prediction() -> None:
    """No loss and a finite gradient where the network is right for certain, also with a power below 1."""
    x0 = torch.zeros(50, 2, dtype=torch.long)
    logits = torch.tensor([0.0, -200.0]).expand(50, 2, 2).clone().requires_grad_(True)
    objective = MultiGranularity(beta=0.5)
    loss = objective(Discrete.absorbing(2), lambda x, t, c: logits, x0, None, torch.Generator().manual_seed(0))
    loss.sum().backward()
    assert (loss.abs() < 1e-6).all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("process", [Gaussian(), Gaussian(VarianceExploding())], ids=repr)
def test_min_snr_is_the_weighted_error_of_the_noise(process: Gaussian) -> None:
    """min(SNR, γ) (x0 - pred)² = min(SNR, γ) / SNR (ε - ε_pred)², at given times."""
    rng = torch.Generator().manual_seed(0)
    x0 = torch.randn(6, 2, dtype=torch.float64, generator=rng)
    t, network = torch.linspace(0.05, 0.95, 6, dtype=torch.float64), Seen(lambda x, t, c: torch.tanh(x))
    loss = MinSNR(5.0).at(process, network, x0, t, None, rng)
    signal, noise = process.coefficients(t, x0)
    snr = (signal / noise).square()
    noise_error = ((network.x - signal * x0) / noise - (network.x - signal * network.pred) / noise).square()
    assert (snr > 5.0).any()
    assert (snr < 5.0).any()
    assert torch.allclose(loss, (snr.clamp(max=5.0) / snr * noise_error).sum(1), rtol=1e-9)


def test_min_snr_is_the_mean_over_uniform_times() -> None:
    """For pred = g xt the expectation is ∫ min(SNR, γ) ((1 - g a)² x0² + g² b²) dt; 20,000 draws, 5 standard errors."""
    process, x0 = Gaussian(), torch.full((20_000, 1), 0.7, dtype=torch.float64)
    drawn = MinSNR()(process, lambda x, t, c: 0.5 * x, x0, None, torch.Generator().manual_seed(0))
    exact = 0.0
    for t, weight in zip(*quadrature(torch.linspace(0, 1, 200, dtype=torch.float64)), strict=True):
        a, b = process.coefficients(torch.tensor([t], dtype=torch.float64), x0[:1])
        error = (1.0 - 0.5 * a) ** 2 * 0.49 + 0.25 * b**2
        exact += weight * float((a / b).square().clamp(max=5.0) * error)
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)


@dataclass(frozen=True)
class Known(AbstractTimed):
    """A loss that is a function of the time."""

    of: Callable[[torch.Tensor], torch.Tensor]

    def at(self, process, denoiser, x0, t, cond=None, rng=None) -> torch.Tensor:
        return self.of(t)


def stairs(t: torch.Tensor) -> torch.Tensor:
    """10, 1, 4, 2 on the four quarters."""
    return torch.tensor([10.0, 1.0, 4.0, 2.0], dtype=t.dtype)[(t * 4).long().clamp(max=3)]


def trained_memory(loss: Callable[[torch.Tensor], torch.Tensor], bins: int, floor: float) -> LossMemory:
    memory = LossMemory(bins, floor=floor, visits=2)
    objective = LossAware(Known(loss), memory)
    for seed in range(12):
        objective(Xor(1), lambda x, t, c: x, torch.zeros(64, 1), None, torch.Generator().manual_seed(seed))
    return memory


@pytest.mark.parametrize("floor", [0.01, 0.3, 1.0])
def test_loss_aware_times_are_unbiased_whatever_was_seen(floor: float) -> None:
    """∫ weight(u) f(t(u)) du = ∫ f dt, exactly on the panels of the density, for other functions than the losses."""
    memory = trained_memory(lambda t: (3.0 * t).exp(), 8, floor)
    edges = torch.cat([torch.zeros(1).double(), memory.chances().cumsum(0)])
    edges[-1] = 1.0
    assert float((memory.chances() - 0.125).abs().max()) > (0.05 if floor < 0.5 else -1.0)
    u, du = (torch.tensor(values, dtype=torch.float64) for values in quadrature(edges))
    t, weight = memory.draw(u)
    for power in range(4):
        assert float((du * weight * t**power).sum()) == pytest.approx(1.0 / (power + 1), abs=1e-12)
    assert (weight <= 1.0 / floor + 1e-12).all()


def test_loss_aware_times_leave_no_variance_where_losses_are_constant_in_every_interval() -> None:
    memory = trained_memory(stairs, 4, 0.0)
    assert torch.allclose(memory.chances(), torch.tensor([10.0, 1.0, 4.0, 2.0], dtype=torch.float64) / 17.0)
    objective = LossAware(Known(stairs), memory)
    weighted = objective(Xor(1), lambda x, t, c: x, torch.zeros(50, 1), None, torch.Generator().manual_seed(0))
    assert torch.allclose(weighted, torch.tensor(17.0 / 4.0, dtype=torch.float64))


def test_loss_aware_is_the_nelbo() -> None:
    """Mean of 20,000 draws within 5 standard errors of the enumerated nelbo, with less variance than uniform times."""
    process, network, x0 = Discrete.absorbing((2, 3)), Table((2, 3)), torch.tensor([[1, 2]]).expand(20_000, -1)
    objective = LossAware(NelboObjective(), LossMemory(20, visits=2))
    for seed in range(4):
        objective(process, network, x0[:2000], None, torch.Generator().manual_seed(seed))
    drawn = objective(process, network, x0, None, torch.Generator().manual_seed(9))
    exact = exact_nelbo(process, network, x0[:1])
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    assert drawn.std() < 0.8 * NelboObjective()(process, network, x0, None, torch.Generator().manual_seed(9)).std()


def test_a_memory_waits_forgets_and_is_saved() -> None:
    memory = LossMemory(2, decay=0.5, visits=2)
    early, late = torch.tensor([0.1]), torch.tensor([0.9])
    memory.update(early, torch.tensor([2.0]))
    memory.update(late, torch.tensor([3.0]))
    assert memory.chances().tolist() == [0.5, 0.5]
    memory.update(torch.cat([early, early, late]), torch.tensor([4.0, 2.0, math.nan]))
    memory.update(late, torch.tensor([3.0]))
    assert memory.second.tolist() == pytest.approx([0.5 * 4.0 + 0.5 * (16.0 + 4.0) / 2, 9.0])
    assert memory.seen.tolist() == [2, 2]
    twin = LossMemory(2)
    twin.load_state_dict(memory.state_dict())
    assert torch.equal(twin.second, memory.second)
    with torch.no_grad():  # an evaluation
        LossAware(Known(stairs), memory)(Xor(1), lambda x, t, c: x, torch.zeros(5, 1), None, torch.Generator())
    assert torch.equal(twin.second, memory.second)


class Reviser:
    """Remembers the estimates it was shown; its prediction is a parameter plus half of the estimate."""

    def __init__(self) -> None:
        self.value = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        self.shown: list[Any] = []

    def __call__(self, x: torch.Tensor, t: torch.Tensor, cond: object, estimate: Any) -> torch.Tensor:
        self.shown.append(estimate)
        return self.value.expand(x.shape) + (0.0 if estimate is None else 0.5 * estimate)


def test_self_conditioning_shows_the_first_prediction_without_its_gradient() -> None:
    x0 = torch.zeros(5, 2, dtype=torch.float64)
    for share, value, slope in ((0.0, 0.3, 1.0), (1.0, 0.45, 1.0)):
        reviser = Reviser()
        plain = MinSNR()(Gaussian(), lambda x, t, c, v=value: x * 0.0 + v, x0, None, _after_coin(3))
        loss = SelfConditioned(MinSNR(), share)(Gaussian(), reviser, x0, None, torch.Generator().manual_seed(3))
        assert torch.allclose(loss, plain, atol=1e-12)
        # d/dv of weight · pred² is 2 · weight · pred · slope, where slope counts the last call only
        (gradient,) = torch.autograd.grad(loss.sum(), reviser.value)
        assert gradient.item() == pytest.approx(2.0 * plain.sum().item() / value * slope, rel=1e-9)
        assert len(reviser.shown) == 1 + (share == 1.0)


def _after_coin(seed: int) -> torch.Generator:
    """A generator from which the coin of `SelfConditioned` was drawn."""
    rng = torch.Generator().manual_seed(seed)
    torch.rand(1, generator=rng)
    return rng


def test_self_conditioning_happens_in_half_of_the_batches() -> None:
    objective, x0, reviser = SelfConditioned(MinSNR()), torch.zeros(1, 1, dtype=torch.float64), Reviser()
    for seed in range(400):
        objective(Gaussian(), reviser, x0, None, torch.Generator().manual_seed(seed))
    assert sum(estimate is not None for estimate in reviser.shown) == pytest.approx(200, abs=50)


def test_recall_shows_a_sampler_its_last_estimate_and_begins_each_run_anew() -> None:
    reviser = Reviser()
    recall = Recall(reviser)
    for _ in range(2):
        reviser.shown.clear()
        DDIM(3).sample(Gaussian(), recall, torch.zeros(4, 2, dtype=torch.float64))
        assert reviser.shown[0] is None
        for before, estimate in enumerate(reviser.shown[1:]):
            expected = 0.3 * (2.0 - 0.5**before)  # 0.3, 0.45, …
            assert torch.allclose(estimate, torch.full((4, 2), expected, dtype=torch.float64))
            assert not estimate.requires_grad
    # a new run; then rows of another batch, a rise in time, and on demand
    x, early, late = torch.zeros(4, 2), torch.full((4,), 0.2), torch.full((4,), 0.25)
    recall(x, early, None)
    recall(x, late, None)
    recall(x[:2], early[:2], None)
    recall(x[:2], torch.tensor([0.2, 0.9]), None)
    recall.forget()
    recall(x[:2], early[:2], None)
    assert [estimate is None for estimate in reviser.shown[-5:]] == [True, False, True, True, True]


def test_recall_takes_records() -> None:
    shown: list[Any] = []

    def reviser(x: Any, t: Any, cond: object, estimate: Any) -> Any:
        shown.append(estimate)
        return {"a": x["a"] + 1.0}

    recall, x = Recall(reviser), {"a": torch.zeros(2, 1)}
    for t in (0.5, 0.4):
        recall(x, {"a": torch.full((2,), t)}, None)
    assert shown[0] is None
    assert shown[1]["a"].tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MinSNR(0.0), "positive"),
        (lambda: MultiGranularity(steps=0), "steps >= 1"),
        (lambda: MultiGranularity(beta=-1.0), "beta >= 0"),
        (lambda: LossMemory(0), "bins >= 1"),
        (lambda: LossMemory(floor=1.5), "floor <= 1"),
        (lambda: SelfConditioned(NelboObjective(), 1.5), "between 0 and 1"),
    ],
)
def test_arguments_that_cannot_be_are_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_objectives_say_which_noise_they_need() -> None:
    x0 = torch.zeros(2, 2, dtype=torch.long)
    with pytest.raises(RequirementError, match="Gaussian"):
        MinSNR()(Xor(2), lambda x, t, c: x, x0)
    for process in (Discrete.uniform(2), Discrete(2, mask=0.9), Xor(2)):
        with pytest.raises(RequirementError, match="absorbing"):
            MultiGranularity()(process, lambda x, t, c: x, x0)
