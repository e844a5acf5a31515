"""Particles against enumeration: weights to the digits of T10, evidence without bias, and the laws they draw from."""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, Diffusion, Evidence, Gaussian, Product, Staged, VariancePreserving
from intarsia.errors import RequirementError
from intarsia.guidance import ClassifierFree, Compose, EnumeratedRatios, Powers, Predictor
from intarsia.likelihood import exact_log_prob
from intarsia.particles import Difference, FeynmanKac, Known, Likeliest, Max, Multinomial, Sampled, Sum, Systematic
from intarsia.particles._resampling import AbstractResampling
from intarsia.processes import Discrete, Xor
from intarsia.testing import BayesDenoiser, all_states, chi_square, enumerated_law, total_variation

POINTS = all_states([2, 2])
LAW = torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64)
LABEL = torch.tensor([0.9, 0.2, 0.6, 0.1], dtype=torch.float64)
ONE_BY_ONE = Discrete.absorbing(2, Staged((0, 1)))
"""Two steps unmask site 0, then site 1: the chain is exact."""


def label(x0: Tensor) -> Tensor:
    return LABEL.log()[x0 @ torch.tensor([2, 1])]


def value(process: Any) -> Any:
    """log p(c = 1 | xt), exact."""
    bayes = BayesDenoiser(process, POINTS, LAW.log())
    return lambda xt, t: (bayes.posterior(xt, t) @ LABEL).log()


def poor(xt: Tensor, t: Tensor) -> Tensor:
    return -0.7 * (xt == 1).double().sum(1)


def perfect(process: Any, law: Tensor = LAW) -> BayesDenoiser:
    return BayesDenoiser(process, POINTS, law.log())


class TestT10:
    def first_step(self, proposal: Any) -> tuple[Tensor, Tensor]:
        """Factors of the weights in the first step, and the states after it."""
        steering = FeynmanKac(label, Known(value(ONE_BY_ONE)), proposal=proposal, particles=400, steps=2, threshold=0.0)
        rng = torch.Generator().manual_seed(0)
        x = ONE_BY_ONE.prior((400, 2), rng)
        clouds = list(steering.walk(ONE_BY_ONE, perfect(ONE_BY_ONE), x, rng=rng))
        assert [cloud.t for cloud in clouds] == [1.0, 0.5, 0.0]
        return (clouds[1].log_weights - clouds[0].log_weights).exp()[0], clouds[1].x

    def test_base_kernel(self) -> None:
        weights, x = self.first_step(None)
        high, low = weights[x[:, 0] == 0], weights[x[:, 0] == 1]
        assert torch.allclose(high, torch.full_like(high, 1.583333), atol=1e-6)
        assert torch.allclose(low, torch.full_like(low, 0.416667), atol=1e-6)
        # site 0 is 0 with probability 1/2
        two = torch.stack([high[0], low[0]])
        assert two.mean().item() == pytest.approx(1.0, abs=1e-12)
        assert two.var(correction=0).item() == pytest.approx(0.340278, abs=1e-6)

    def test_value_tilted_kernel(self) -> None:
        guided = Predictor(ONE_BY_ONE, perfect(ONE_BY_ONE), EnumeratedRatios(value(ONE_BY_ONE)))
        weights, _ = self.first_step(guided)
        assert torch.allclose(weights, torch.ones_like(weights), atol=1e-12)

    def test_no_variance_at_all_with_the_exact_value_and_its_kernel(self) -> None:
        guided = Predictor(ONE_BY_ONE, perfect(ONE_BY_ONE), EnumeratedRatios(value(ONE_BY_ONE)))
        steering = FeynmanKac(label, Known(value(ONE_BY_ONE)), proposal=guided, particles=2, steps=2)
        rng = torch.Generator().manual_seed(0)
        found = steering.steer(ONE_BY_ONE, perfect(ONE_BY_ONE), (4000, 2), rng=rng)
        assert torch.allclose(found.log_evidence.exp(), LAW @ LABEL, atol=1e-12)
        counts = torch.bincount(found.x @ torch.tensor([2, 1]), minlength=4)
        assert chi_square(counts, LAW * LABEL / (LAW @ LABEL)) >= 1e-4

    def test_products_of_models(self) -> None:
        """p_a p_b / Z, which naive composition misses by a total variation of 0.0129."""
        other = torch.tensor([0.3, 0.3, 0.1, 0.3], dtype=torch.float64)
        models = [perfect(ONE_BY_ONE), perfect(ONE_BY_ONE, other)]
        steering = FeynmanKac(
            lambda x0: exact_log_prob(ONE_BY_ONE, models[1], x0),
            Likeliest(),
            proposal=Compose(ONE_BY_ONE, models, Powers((1.0, 1.0))),
            particles=16,
            steps=2,
        )
        found = steering.steer(ONE_BY_ONE, models[0], (3000, 2), rng=torch.Generator().manual_seed(0))
        assert abs(found.probability - float(LAW @ other)) < 5 * found.standard_error
        # self-normalized with all particles: their share of each point, weighed by evidence
        weights = found.log_weights.softmax(1) * found.log_evidence.exp()[:, None]
        hits = torch.nn.functional.one_hot(found.particles @ torch.tensor([2, 1]), 4).double().view(3000, 16, 4)
        law = torch.einsum("gn,gnk->k", weights, hits)
        assert total_variation(law / law.sum(), LAW * other / (LAW @ other)) < 0.005


@dataclass(frozen=True)
class Scripted(Discrete):
    """Absorbing noise on two sites whose n-th reverse step gives site n what a script says."""

    script: list[Tensor] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: Any = None) -> Tensor:
        site = len(self.calls)
        self.calls.append(site)
        xs = xt.clone()
        xs[:, site] = self.script[site]
        return xs


class ScriptedAncestors(AbstractResampling):
    def __init__(self, ancestors: Tensor) -> None:
        self.ancestors_, self.weights = ancestors, list[Tensor]()

    def ancestors(self, weights: Tensor, rng: Any) -> Tensor:
        self.weights.append(weights)
        return self.ancestors_


@pytest.mark.parametrize("reward", [label, lambda x0: x0[:, 0] == x0[:, 1]], ids=["weight", "event"])
@pytest.mark.parametrize("estimate", [Known(poor), Likeliest()], ids=["known", "likeliest"])
@pytest.mark.parametrize("potential", [Difference(), Max(), Sum()], ids=repr)
@pytest.mark.parametrize("tilted", [False, True])
def test_evidence_is_unbiased_by_enumeration(reward, estimate, potential, tilted: bool) -> None:
    """Every run of two particles: two draws each, and ancestors in between, with its exact probability."""
    runs = torch.tensor(list(itertools.product(range(2), repeat=6)))  # site 0 twice, ancestors twice, site 1 twice
    first, ancestors, second = runs[:, :2], runs[:, 2:4], runs[:, 4:]
    process = Scripted(2, Staged((0, 1)), script=[first.flatten(), second.flatten()])
    denoiser = perfect(process)
    guided = Predictor(process, denoiser, EnumeratedRatios(poor))
    resampling = ScriptedAncestors(ancestors)
    found = FeynmanKac(
        reward, estimate, potential, guided if tilted else None, resampling, particles=2, steps=2, threshold=2.0
    ).steer(process, denoiser, (64, 2))
    kernel = guided if tilted else denoiser
    t = torch.tensor([0.5], dtype=torch.float64)
    start = kernel(torch.tensor([[2, 2]]), t).softmax(-1)[0, 0]
    after = torch.stack([kernel(torch.tensor([[a, 2]]), t).softmax(-1)[0, 1] for a in range(2)])
    chance = start[first].prod(1) * resampling.weights[1].gather(1, ancestors).prod(1)
    chance *= after[first.gather(1, ancestors), second].prod(1)
    assert chance.sum().item() == pytest.approx(1.0, abs=1e-12)
    r = reward(POINTS)
    expected = LAW[r].sum() if r.dtype == torch.bool else LAW @ r.exp()
    assert float(chance @ found.log_evidence.exp()) == pytest.approx(float(expected), abs=1e-12)


@pytest.mark.parametrize("resampling", [Systematic(), Multinomial()], ids=repr)
def test_ancestors_are_drawn_by_weight(resampling) -> None:
    weights = torch.tensor([[0.5, 0.0, 0.3, 0.2]], dtype=torch.float64).expand(20_000, -1)
    drawn = resampling.ancestors(weights, torch.Generator().manual_seed(0))
    counts = torch.nn.functional.one_hot(drawn, 4).double().sum(1)
    error = counts.std(0) / 20_000**0.5
    assert ((counts.mean(0) - 4 * weights[0]).abs() <= 5 * error + 1e-12).all()
    assert (counts[:, 1] == 0).all()
    if isinstance(resampling, Systematic):
        assert ((counts - 4 * weights).abs() < 1).all()


def test_potentials_by_hand() -> None:
    rewards = torch.tensor([[1.0], [3.0], [2.0]])
    for potential, expected in ((Difference(), [1, 3, 2]), (Max(), [1, 4, 7]), (Sum(), [1, 5, 11])):
        memory = torch.tensor(potential.start).expand(1, -1)
        got = []
        for reward in rewards:
            total, memory = potential.advance(reward, memory)
            got.append(total.item())
        assert got == expected


@pytest.mark.parametrize(
    "process", [Discrete.absorbing(2), Discrete.uniform((2, 2)), Discrete(2, mask=0.4), Xor(2)], ids=repr
)
@pytest.mark.parametrize("estimate", [Sampled(2), Likeliest()], ids=repr)
def test_events_have_their_probability(process, estimate) -> None:
    """Under the law of five ancestral steps, enumerated; within 4.5 standard errors, and the draws meet the event."""
    steering = FeynmanKac(lambda x0: x0[:, 0] != x0[:, 1], estimate, particles=8, steps=5)
    found = steering.steer(process, perfect(process), (1500, 2), rng=torch.Generator().manual_seed(0))
    states, law = enumerated_law(Ancestral(5), process, perfect(process), 2)
    exact = float(law[states[:, 0] != states[:, 1]].sum())
    assert abs(found.probability - exact) < 4.5 * found.standard_error
    assert found.standard_error < 0.1 * exact
    kept = found.x[found.satisfied]
    assert (kept[:, 0] != kept[:, 1]).all()


UNIFORM = Discrete.uniform(2)
SHORT = Gaussian(VariancePreserving(3.0, -6.0))
RECORD = Product({"a": UNIFORM, "b": SHORT})
ATOMS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
SEEN = torch.tensor([[True, False]]).expand(2000, -1)


def nudged(process: Any, support: Any) -> tuple[BayesDenoiser, ClassifierFree]:
    """A denoiser, and a guidance by a condition that shifts what it says."""
    denoiser = BayesDenoiser(process, support, torch.zeros(3))

    def told(x: Any, t: Any, cond: Any) -> Any:
        pred = denoiser(x, t)
        if cond is None:
            return pred
        return {k: v + 0.05 for k, v in pred.items()} if isinstance(pred, dict) else pred + 0.05

    return denoiser, ClassifierFree(process, told, 2.0)


@pytest.mark.parametrize(
    ("process", "parts", "shape", "given"),
    [
        (UNIFORM, (perfect(UNIFORM), Predictor(UNIFORM, perfect(UNIFORM), EnumeratedRatios(poor))), (2000, 2), None),
        (
            UNIFORM,
            (perfect(UNIFORM), Predictor(UNIFORM, perfect(UNIFORM), EnumeratedRatios(poor))),
            (2000, 2),
            Evidence(torch.ones(2000, 2, dtype=torch.long), SEEN),
        ),
        (SHORT, nudged(SHORT, ATOMS), (2000, 2), None),
        (SHORT, nudged(SHORT, ATOMS), (2000, 2), Evidence(torch.ones(2000, 2), SEEN)),
        (RECORD, nudged(RECORD, {"a": POINTS[:3], "b": ATOMS}), {"a": (2000, 2), "b": (2000, 2)}, None),
    ],
    ids=["finite", "finite, observed", "real", "real, observed", "record"],
)
def test_weights_make_good_for_any_proposal(process, parts, shape, given) -> None:
    """E[weight] is 1 without a reward, whatever the kernel that steps are drawn from."""
    zero = Known(lambda x, t: torch.zeros(8000, dtype=torch.float64))
    steering = FeynmanKac(lambda x0: torch.zeros(8000), zero, proposal=parts[1], particles=4, steps=4, threshold=0.0)
    found = steering.steer(process, parts[0], shape, given=given, cond=1, rng=torch.Generator().manual_seed(0))
    assert found.log_weights.std() > 0.01
    assert abs(found.probability - 1.0) < 4.5 * found.standard_error
    assert found.standard_error < 0.05


def test_evidence_and_conditions_reach_every_particle() -> None:
    process = Discrete.uniform(2)
    laws = {0: LAW, 1: torch.tensor([0.1, 0.4, 0.4, 0.1], dtype=torch.float64)}

    def denoiser(x: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        preds = [perfect(process, law)(x, t) for law in laws.values()]
        return torch.where((cond == 1)[:, None, None], preds[1], preds[0])

    given = Evidence(torch.ones(3000, 2, dtype=torch.long), torch.tensor([[True, False]]).expand(3000, -1))
    cond = torch.arange(3000) % 2
    steering = FeynmanKac(lambda x0: x0[:, 1] * math.log(2.0), particles=16, steps=4)
    x = Diffusion(process, denoiser).sample(
        (3000, 2), steering, given=given, cond=cond, rng=torch.Generator().manual_seed(0)
    )
    assert (x[:, 0] == 1).all()
    for c, law in laws.items():
        tilted = law[2:] * torch.tensor([1.0, 2.0])
        share = x[cond == c, 1].double().mean().item()
        assert share == pytest.approx(float(tilted[1] / tilted.sum()), abs=0.045)


def test_reals_and_records_are_steered() -> None:
    process = Product({"a": Discrete.absorbing(2), "b": Gaussian()})
    support = {"a": POINTS[:, :1], "b": 2.0 * POINTS[:, 1:].double() - 1.0}
    denoiser = BayesDenoiser(process, support, LAW.log())
    for estimate in (Sampled(), Likeliest()):
        steering = FeynmanKac(lambda x0: x0["b"][:, 0] > 0, estimate, particles=8, steps=20)
        found = steering.steer(process, denoiser, {"a": (800, 1), "b": (800, 1)}, rng=torch.Generator().manual_seed(0))
        assert abs(found.probability - 0.5) < 0.05
        assert (found.x["b"][found.satisfied] > 0).all()
        assert found.x["a"].double().mean().item() == pytest.approx(0.8, abs=0.06)
        assert found.particles["b"].shape == (6400, 1)


def test_what_never_happens_is_said() -> None:
    process = Discrete.absorbing(2)
    steering = FeynmanKac(lambda x0: x0[:, 0] > 1, particles=2, steps=3)
    found = steering.steer(process, perfect(process), (5, 2), rng=torch.Generator().manual_seed(0))
    assert found.probability == 0.0
    assert found.standard_error == 0.0
    assert not found.satisfied.any()
    assert found.x.shape == (5, 2)
    with pytest.raises(ValueError, match="in 5 of 5 groups"):
        Diffusion(process, perfect(process)).sample((5, 2), steering, rng=torch.Generator().manual_seed(0))


def test_the_same_seed_gives_the_same_and_nothing_of_the_callers_changes() -> None:
    process = Discrete.uniform(2)
    x1 = process.prior((6, 2), torch.Generator().manual_seed(3))
    before, state = x1.clone(), torch.random.get_rng_state()
    steering = FeynmanKac(label, particles=3, steps=4, every=2)
    a, b = (steering.sample(process, perfect(process), x1, rng=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(a, b)
    assert torch.equal(x1, before)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_one_particle_is_ancestral_sampling() -> None:
    process = Discrete.uniform(2)
    found = FeynmanKac(label, particles=1, steps=3, threshold=2.0).steer(
        process, perfect(process), (4000, 2), rng=torch.Generator().manual_seed(0)
    )
    states, law = enumerated_law(Ancestral(3), process, perfect(process), 2)
    assert chi_square((found.x[:, None] == states).all(2).double().sum(0), law) >= 1e-4
    assert found.log_evidence.exp().mean().item() == pytest.approx(float(law @ LABEL), abs=0.03)


def test_bad_arguments_are_refused() -> None:
    for wrong in ({"particles": 0}, {"every": 0}, {"threshold": -1.0}, {"steps": 0}):
        with pytest.raises(ValueError):
            FeynmanKac(label, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="count"):
        Sampled(0)
    assert math.isnan(
        FeynmanKac(label, particles=1, steps=1).steer(ONE_BY_ONE, perfect(ONE_BY_ONE), (1, 2)).standard_error
    )


def test_unknown_kernels_are_refused() -> None:
    from intarsia.particles._proposal import step_log_prob
    from intarsia.samplers._until import Until

    x, t = POINTS, torch.ones(4)
    with pytest.raises(RequirementError, match="density"):
        step_log_prob(Until(Gaussian(), 0.5), x, x, x, t, t, None)
