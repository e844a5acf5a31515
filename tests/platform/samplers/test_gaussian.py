"""Orders of convergence of the Gaussian samplers, against a fine reference on a mixture of Gaussians."""

import math
from itertools import pairwise

import pytest
import torch

from intarsia import DDIM, Ancestral, Heun, VarianceExploding, VariancePreserving
from intarsia.processes import Gaussian
from intarsia.testing import BayesDenoiser

MEANS = torch.tensor([[-1.0, 0.5], [1.0, 1.0], [0.5, -1.0]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
VARIANCE = 0.1


class Mixture:
    """E[x0 | xt] for Gaussians of variance 0.1 around MEANS, in closed form."""

    def __init__(self, process: Gaussian) -> None:
        self.process = process

    def __call__(self, xt: torch.Tensor, t: torch.Tensor, cond: object = None) -> torch.Tensor:
        signal, noise = self.process.coefficients(t, xt)
        spread = signal.square() * VARIANCE + noise.square()
        gap = xt[:, None] - signal[:, None] * MEANS
        chance = (WEIGHTS.log() - 0.5 * (gap.square() / spread[:, None]).sum(2)).softmax(1)
        mean = MEANS + (signal * VARIANCE / spread)[:, None] * gap
        return (chance[..., None] * mean).sum(1)


LEVELS = [VariancePreserving(8.0, -8.0), VarianceExploding(0.02, 20.0)]


def errors(sampler, level, steps: tuple[int, ...]) -> list[float]:
    process = Gaussian(level)
    rng = torch.Generator().manual_seed(0)
    x1 = torch.randn(64, 2, dtype=torch.float64, generator=rng) * process.prior((1, 2)).new_tensor(1.0)
    if isinstance(level, VarianceExploding):
        x1 = x1 * level.sigma_max
    fine = Heun(600).sample(process, Mixture(process), x1)
    return [float((sampler(n).sample(process, Mixture(process), x1) - fine).abs().mean()) for n in steps]


@pytest.mark.parametrize("level", LEVELS, ids=repr)
def test_heun_is_of_second_order(level) -> None:
    found = errors(Heun, level, (40, 80, 160))
    slopes = [math.log2(a / b) for a, b in pairwise(found)]
    assert all(1.8 < slope < 2.4 for slope in slopes), (found, slopes)


@pytest.mark.parametrize("level", LEVELS, ids=repr)
def test_ddim_is_of_first_order(level) -> None:
    found = errors(DDIM, level, (100, 200, 400))
    slopes = [math.log2(a / b) for a, b in pairwise(found)]
    assert all(0.8 < slope < 1.3 for slope in slopes), (found, slopes)
    assert found[-1] > errors(Heun, level, (100,))[0]


@pytest.mark.parametrize(
    "sampler", [Ancestral(100), DDIM(100, eta=1.0), DDIM(100), Heun(100), Heun(100, churn=20.0)], ids=repr
)
def test_moments_of_a_mixture(sampler) -> None:
    """Mean and covariance of 4,000 draws, within 0.06 (5 standard errors are 0.08 at most)."""
    process = Gaussian(VariancePreserving())
    rng = torch.Generator().manual_seed(1)
    x = sampler.sample(process, Mixture(process), process.prior((4000, 2), rng).double(), rng=rng)
    mean = WEIGHTS @ MEANS
    covariance = (MEANS - mean).T @ torch.diag(WEIGHTS) @ (MEANS - mean) + VARIANCE * torch.eye(2)
    assert torch.allclose(x.mean(0), mean, atol=0.06)
    assert torch.allclose(torch.cov(x.T), covariance, atol=0.06)


def test_deterministic_samplers_draw_nothing() -> None:
    process = Gaussian()
    x1 = process.prior((5, 2), torch.Generator().manual_seed(0)).double()
    for sampler in (DDIM(20), Heun(10)):
        a, b = (sampler.sample(process, Mixture(process), x1, rng=torch.Generator().manual_seed(s)) for s in (1, 2))
        assert torch.equal(a, b)
    for sampler in (DDIM(20, eta=0.5), Heun(10, churn=5.0)):
        a, b = (sampler.sample(process, Mixture(process), x1, rng=torch.Generator().manual_seed(s)) for s in (1, 2))
        assert not torch.equal(a, b)


def test_heun_pays_two_calls_a_step_and_one_at_the_end() -> None:
    process = Gaussian()
    denoiser = BayesDenoiser(process, MEANS, WEIGHTS.log())
    Heun(10).sample(process, denoiser, process.prior((2, 2)).double())
    assert denoiser.nfe == 21


@pytest.mark.parametrize(
    "make", [lambda: DDIM(0), lambda: DDIM(5, eta=1.5), lambda: DDIM(5, eta=-0.1), lambda: Heun(0), lambda: Heun(5, -1)]
)
def test_nonsense_is_refused(make) -> None:
    with pytest.raises(ValueError, match="must"):
        make()
