"""Predictor guidance against enumeration: T10's laws, and what holds at every step size."""

import itertools
import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, Cosine, FirstHitting, Gaussian
from intarsia.errors import RequirementError
from intarsia.guidance import EnumeratedRatios, FirstOrderRatios, Predictor, Tilted
from intarsia.processes import Discrete, Xor
from intarsia.testing import BayesDenoiser, all_states, chi_square, enumerated_law, total_variation

POINTS = all_states([2, 2])
LAW = torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64)
LABEL = torch.tensor([0.9, 0.2, 0.6, 0.1], dtype=torch.float64)
"""p(c = 1 | x)."""
ABSORBING = Discrete.absorbing(2)
GIVEN = LAW * LABEL / (LAW @ LABEL)


class Label:
    """log p(c = 1 | xt), exact."""

    time_free = False

    def __init__(self, process, points: Tensor = POINTS, law: Tensor = LAW, label: Tensor = LABEL) -> None:
        self.bayes = BayesDenoiser(process, points, law.log())
        self.label = label

    def __call__(self, xt: Tensor, t: Tensor) -> Tensor:
        return (self.bayes.posterior(xt, t) @ self.label).log()


def order_law(denoiser, points: Tensor, counts: list[int]) -> Tensor:
    """The law of unmasking one site at a time in uniformly random order, (points,)."""
    total = torch.zeros(len(points), dtype=torch.float64)
    orders = list(itertools.permutations(range(len(counts))))
    for order in orders:
        x = torch.tensor(counts).expand(points.shape).clone()
        chance = torch.ones(len(points), dtype=torch.float64)
        for site in order:
            logp = denoiser(x, torch.full((len(x),), 0.5, dtype=torch.float64), None).double().log_softmax(-1)
            chance *= logp[:, site].gather(1, points[:, site, None])[:, 0].exp()
            x[:, site] = points[:, site]
        total += chance / len(orders)
    return total


def jump_chain(process: Tilted) -> Tensor:
    """The law of the jumps of a guided chain of two masked bits, by its rates, (points,)."""
    law = torch.zeros(4, dtype=torch.float64)
    t = torch.tensor([0.5], dtype=torch.float64)
    denoiser = BayesDenoiser(ABSORBING, POINTS, LAW.log())
    reached = {(2, 2): 1.0}
    for _ in range(2):
        then: dict[tuple[int, ...], float] = {}
        for state, chance in reached.items():
            x = torch.tensor([state])
            entries, to_mask = process.rates(denoiser(x, t), x, t)
            assert (to_mask == 0).all()
            for site, value in itertools.product(range(2), range(2)):
                y = tuple(value if k == site else old for k, old in enumerate(state))
                part = float(entries[0, site, value] / entries.sum())
                if part > 0:
                    then[y] = then.get(y, 0.0) + chance * part
        reached = then
    for state, chance in reached.items():
        law[2 * state[0] + state[1]] = chance
    return law


def test_t10_strength_1_is_exact() -> None:
    expected = torch.tensor([0.75, 0.0416667, 0.125, 0.0833333], dtype=torch.float64)
    assert torch.allclose(GIVEN, expected, atol=1e-7)
    ratios = EnumeratedRatios(Label(ABSORBING))
    guided = Predictor(ABSORBING, BayesDenoiser(ABSORBING, POINTS, LAW.log()), ratios)
    assert guided.process is ABSORBING
    assert torch.allclose(order_law(guided, POINTS, [2, 2]), GIVEN, atol=1e-14)
    assert torch.allclose(jump_chain(Tilted(ABSORBING, ratios)), GIVEN, atol=1e-14)


def test_t10_strength_2_is_not_the_tilted_law() -> None:
    got = jump_chain(Tilted(ABSORBING, EnumeratedRatios(Label(ABSORBING)), 2.0))
    digits = torch.tensor([0.90131287, 0.01064885, 0.07966507, 0.00837321], dtype=torch.float64)
    assert torch.allclose(got, digits, atol=5e-9)
    tilted = LAW * LABEL**2 / (LAW @ LABEL**2)
    assert torch.allclose(tilted, torch.tensor([0.88043478, 0.01086957, 0.09782609, 0.01086957]).double(), atol=5e-9)
    assert total_variation(got, tilted) == pytest.approx(0.02087809, abs=5e-9)


def test_the_kernel_follows_the_rates() -> None:
    """Ancestral steps with the tilted kernel converge to the jump chain at first order, for g = 2."""
    process = Tilted(ABSORBING, EnumeratedRatios(Label(ABSORBING)), 2.0)
    limit = jump_chain(process)
    denoiser = BayesDenoiser(ABSORBING, POINTS, LAW.log())
    errors = []
    for steps in (32, 64, 128):
        states, law = enumerated_law(Ancestral(steps), process, denoiser, 2)
        errors.append(total_variation(law, (states[:, None] == POINTS).all(2).double() @ limit))
    assert errors[-1] < 2e-3
    assert all(0.9 < math.log2(a / b) < 1.1 for a, b in pairwise(errors)), errors


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize(
    "process", [ABSORBING, Discrete.uniform(3, Cosine()), Discrete(3, mask=0.4, law=(0.2, 0.5, 0.3))], ids=repr
)
def test_one_site_is_exact_at_every_number_of_steps(process: Discrete, steps: int) -> None:
    """Doob's transform: the predictor at s makes the kernel p(xs | xt, c)."""
    count = process.classes.width
    points = torch.arange(count)[:, None]
    law = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)[:count]
    law = law / law.sum()
    label = torch.tensor([0.7, 0.1, 0.4], dtype=torch.float64)[:count]
    tilted = Tilted(process, EnumeratedRatios(Label(process, points, law, label)))
    states, got = enumerated_law(Ancestral(steps), tilted, BayesDenoiser(process, points, law.log()), 1)
    given = law * label / (law @ label)
    assert total_variation(got[: len(points)], given) < 1e-12
    assert (states[: len(points)] == points).all()


@pytest.mark.parametrize(
    "process", [Discrete.uniform(2), Xor(2), Discrete((2, 2), mask=0.3), Discrete.uniform((2, 2))], ids=repr
)
def test_two_sites_converge_to_the_condition(process) -> None:
    guided = Predictor(process, BayesDenoiser(process, POINTS, LAW.log()), EnumeratedRatios(Label(process)))
    assert isinstance(guided.process, Tilted)
    errors = []
    for steps in (16, 32, 64):
        states, law = enumerated_law(Ancestral(steps), guided.process, guided, 2)
        errors.append(total_variation(law, (states[:, None] == POINTS).all(2).double() @ GIVEN))
    assert errors[-1] < 0.02
    assert all(0.75 < math.log2(a / b) < 1.25 for a, b in pairwise(errors)), errors


def test_draws_follow_the_guided_kernel() -> None:
    process = Discrete((2, 2), mask=0.3)
    guided = Predictor(process, BayesDenoiser(process, POINTS, LAW.log()), EnumeratedRatios(Label(process)), 2.0)
    rng = torch.Generator().manual_seed(0)
    x = Ancestral(4).sample(guided.process, guided, process.prior((4000, 2), rng), rng=rng)
    states, law = enumerated_law(Ancestral(4), guided.process, guided, 2)
    counts = (x[:, None] == states).all(2).double().sum(0)
    assert counts.sum() == 4000
    assert chi_square(counts, law) >= 1e-4


@pytest.mark.parametrize("process", [Discrete((2, 3), mask=0.3), Discrete(3, mask=0.3), Discrete.uniform((2, 3))])
def test_first_order_is_exact_for_a_linear_predictor(process: Discrete) -> None:
    ragged = isinstance(process.num_classes, tuple)
    slope = torch.randn(5 if ragged else 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def linear(hot: Tensor, t: Tensor) -> Tensor:
        return hot.flatten(1) @ slope - t

    def of_states(x: Tensor, t: Tensor) -> Tensor:
        return linear(process.classes.is_class(x).double(), t)

    x = all_states([3, 4] if process.has_mask else [2, 3])
    t = torch.full((len(x),), 0.3, dtype=torch.float64)
    with torch.no_grad():
        fast = FirstOrderRatios(linear).log_ratios(process, x, t)
        slow = EnumeratedRatios(of_states).log_ratios(process, x, t)
    assert torch.allclose(fast[0], slow[0], atol=1e-12)
    if process.has_mask:
        assert torch.allclose(fast[1], slow[1], atol=1e-12)


def test_factors_are_cut_off() -> None:
    ratios = EnumeratedRatios(lambda x, t: torch.where(x[:, 0] == 0, 0.0, -torch.inf))
    x, t = torch.tensor([[1, 0]]), torch.tensor([0.5])
    gain, _ = ratios.log_gain(Discrete.uniform(2), x, t, 3.0)
    assert gain[0].tolist() == [[80.0, 0.0], [0.0, 0.0]]
    gain, _ = ratios.log_gain(Discrete.uniform(2), 1 - x, t, 3.0)
    assert gain[0, 0].exp().tolist() == [1.0, 0.0]


def test_it_refuses_what_it_cannot_do() -> None:
    ratios = EnumeratedRatios(Label(ABSORBING))
    with pytest.raises(RequirementError, match="finitely many"):
        Predictor(Gaussian(), lambda x, t, c: x, ratios)
    with pytest.raises(RequirementError, match="no loss"):
        Tilted(ABSORBING, ratios).loss(POINTS, POINTS, POINTS, torch.ones(4))
    with pytest.raises(RequirementError, match="absorbing"):
        FirstHitting().check(Tilted(ABSORBING, ratios))


def test_time_free_only_where_the_predictor_is() -> None:
    label = Label(ABSORBING)
    denoiser = BayesDenoiser(ABSORBING, POINTS, LAW.log())
    assert not Predictor(ABSORBING, denoiser, EnumeratedRatios(label)).time_free
    label.time_free = True
    assert Predictor(ABSORBING, denoiser, EnumeratedRatios(label)).time_free
