"""Leaps of guided kernels: rates against the slope of the kernel, and the law of the steps against the condition."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from intarsia import Cosine, TauLeaping, ThetaTrapezoidal
from intarsia.errors import RequirementError
from intarsia.guidance import ClassifierFree, EnumeratedRatios, Mixed, Predictor, Tilted
from intarsia.processes import AbstractFinite, Discrete, Mixing, Structured, Xor
from intarsia.testing import BayesDenoiser, all_states, check_refusal, chi_square, enumerated_law, total_variation
from intarsia.testing._enumerate import reverse_rates
from intarsia.testing._finite import FiniteSites

POINTS = all_states([2, 2])
LAW = torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64)
LABEL = torch.tensor([0.9, 0.2, 0.6, 0.1], dtype=torch.float64)
"""p(c = 1 | x)."""
GIVEN = LAW * LABEL / (LAW @ LABEL)
SKEW = torch.tensor([[-0.3, 0.3], [0.7, -0.7]], dtype=torch.float64)
NOISES: list[AbstractFinite] = [
    Discrete.uniform(2, Cosine()),
    Discrete((2, 2), mask=0.3),
    Discrete.absorbing(2),
    Xor(2),
    Structured(SKEW),
    Mixing.hybrid(2),
]


class Label:
    """log p(c = 1 | xt), exact."""

    time_free = False

    def __init__(self, process: AbstractFinite) -> None:
        self.bayes = BayesDenoiser(process, POINTS, LAW.log())

    def __call__(self, xt: Tensor, t: Tensor) -> Tensor:
        return (self.bayes.posterior(xt, t) @ LABEL).log()


class Two:
    """A perfect denoiser with a condition, and without one."""

    def __init__(self, process: AbstractFinite) -> None:
        self.bayes = {cond: BayesDenoiser(process, POINTS, law.log()) for cond, law in ((1, GIVEN), (None, LAW))}

    def __call__(self, xt: Tensor, t: Tensor, cond: int | None) -> Tensor:
        return self.bayes[cond](xt, t)


def tilted(process: AbstractFinite, strength: float = 1.0) -> Tilted:
    return Tilted(process, EnumeratedRatios(Label(process)), strength)


def perfect(process: AbstractFinite) -> BayesDenoiser:
    return BayesDenoiser(process, POINTS, LAW.log())


def over_points(states: Tensor, law: Tensor) -> Tensor:
    return (states[:, None] == POINTS).all(2).double() @ law


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("strength", [1.0, 2.5])
def test_rates_are_the_slope_of_the_guided_kernel(process: AbstractFinite, strength: float) -> None:
    free = ClassifierFree(process, Two(process), strength)
    kernels: list[tuple[AbstractFinite, object]] = [(tilted(process, strength), perfect(process))]
    if isinstance(free.process, Mixed):
        kernels.append((free.process, lambda x, t: free(x, t, 1)))
    for guided, denoiser in kernels:
        finite = FiniteSites(guided, 2)
        states = all_states(finite.states)
        t = torch.full((len(states),), 0.6, dtype=torch.float64)
        pred = denoiser(states, t)
        rates = finite.padded(*guided.rates(pred, states, t))
        slope = reverse_rates(finite, pred, states, t)
        assert torch.allclose(rates, slope, atol=1e-6 * float(slope.max() + 1))


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_tau_leaping_converges_to_the_condition(process: AbstractFinite) -> None:
    """At first order, with the exact predictor and g = 1, and no mask is left."""
    guided, errors = tilted(process), []
    for steps in (16, 32, 64):
        states, law = enumerated_law(TauLeaping(steps), guided, perfect(process), 2)
        errors.append(total_variation(law, over_points(states, GIVEN)))
        assert float(law[(states < 2).all(1)].sum()) == pytest.approx(1.0, abs=1e-7)
    assert errors[-1] < 0.04
    assert all(0.8 < math.log2(a / b) < 1.25 for a, b in pairwise(errors)), errors


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_draws_follow_the_law_of_the_guided_leaps(process: AbstractFinite) -> None:
    guided, n, rng = tilted(process, 2.0), 4000, torch.Generator().manual_seed(0)
    x = TauLeaping(4).sample(guided, perfect(process), process.prior((n, 2), rng), rng=rng)
    states, law = enumerated_law(TauLeaping(4), guided, perfect(process), 2)
    assert chi_square((x[:, None] == states).all(2).double().sum(0), law) >= 1e-4


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_second_order_leaps_of_a_guided_kernel(process: AbstractFinite) -> None:
    """Within sampling noise of the condition, n = 1,000, by classifier-free guidance of strength 1 and a predictor."""
    n = 1000
    predicted = Predictor(process, perfect(process), EnumeratedRatios(Label(process)))
    free = ClassifierFree(process, Two(process), 1.0)
    for guided, cond in ((predicted, None), (free, 1)):
        rng = torch.Generator().manual_seed(1)
        x1 = process.prior((n, 2), rng)
        x = ThetaTrapezoidal(20).sample(guided.process, guided, x1, cond=cond, rng=rng)
        seen = torch.bincount(x @ torch.tensor([2, 1]), minlength=4) / n
        assert total_variation(seen, GIVEN) < 0.06


class NoRates(Discrete):
    """Noise whose rates nobody wrote down."""

    rates = AbstractFinite.rates


def test_a_kernel_of_noise_without_rates_is_refused() -> None:
    guided = tilted(NoRates(2))
    assert not guided.has_rates
    for sampler in (TauLeaping(), ThetaTrapezoidal()):
        with pytest.raises(RequirementError, match="jump rates"):
            sampler.check(guided)
        check_refusal(sampler, NoRates(2))
    with pytest.raises(RequirementError, match="jump rates"):
        guided.rates(POINTS, POINTS, torch.ones(4))
