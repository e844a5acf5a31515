"""TabDiff's stochastic sampler: what noise it puts back, and that records keep their joint law."""

import pytest
import torch

from intarsia import Evidence, Heun, VarianceExploding, VariancePreserving
from intarsia.processes import Discrete, Gaussian, Product, Xor
from intarsia.samplers import HeunRemask
from intarsia.samplers._heun_remask import _noised
from intarsia.testing import BayesDenoiser, check_refusal, check_sampler, chi_square

RECORD = Product({"class": Discrete.absorbing(2), "real": Gaussian()})
SUPPORT = {
    "class": torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]),
    "real": torch.tensor([[-1.0], [0.4], [0.4], [1.2]], dtype=torch.float64),
}


def times(t: float, rows: int) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


@pytest.mark.parametrize("level", [VariancePreserving(), VarianceExploding()], ids=repr)
def test_the_time_of_the_raised_noise(level) -> None:
    """σ goes up by 1 + churn / steps, at most √2, in the real field that asks for the least; never past t = 1."""
    wide = Product(
        {"class": Discrete.absorbing(2), "real": Gaussian(level), "other": Gaussian(VariancePreserving(6, -6))}
    )
    x = {"class": torch.zeros(1, 2), "real": torch.zeros(1, 1), "other": torch.zeros(1, 1)}
    for churn, factor in ((1.0, 1.02), (50.0, 2**0.5)):
        sampler = HeunRemask(50, churn)
        raised = sampler._raised(dict(wide.fields), times(0.4, 1), x)
        ratios = [
            float(((field.level.log_snr(times(0.4, 1)) - field.level.log_snr(raised)) / 2).exp())
            for field in wide.fields.values()
            if isinstance(field, Gaussian)
        ]
        assert min(ratios) > 1.0
        assert max(ratios) == pytest.approx(factor, rel=1e-9)
        assert sampler._raised(dict(wide.fields), times(1.0, 1), x).item() == 1.0
    assert HeunRemask(50, 0.0)._raised(dict(wide.fields), times(0.4, 1), x).item() == pytest.approx(0.4, abs=1e-12)


def test_known_classes_are_masked_again() -> None:
    """With probability 1 - alpha(t^)/alpha(t) = 1 - 0.45/0.6; masks stay; n = 20,000."""
    rng = torch.Generator().manual_seed(0)
    x = torch.tensor([[1, 2]]).expand(20_000, 2)
    y = _noised(Discrete.absorbing(2), x, times(0.4, 20_000), times(0.55, 20_000), rng)
    assert (y[:, 1] == 2).all()
    assert chi_square(torch.bincount(y[:, 0], minlength=3), torch.tensor([0.0, 0.75, 0.25])) >= 1e-4
    z = _noised(Xor(1), torch.ones(20_000, 1, dtype=torch.long), times(0.4, 20_000), times(0.55, 20_000), rng)
    assert chi_square(torch.bincount(z[:, 0], minlength=2), torch.tensor([0.125, 0.875])) >= 1e-4


@pytest.mark.parametrize("level", [VariancePreserving(6.0, -6.0), VarianceExploding()], ids=repr)
def test_reals_are_noised_as_the_process_would(level) -> None:
    """corrupt to t, then up to t^, has the moments of corrupt to t^; n = 40,000."""
    process, n = Gaussian(level), 40_000
    rng = torch.Generator().manual_seed(0)
    x0 = torch.full((n, 1), 0.7, dtype=torch.float64)
    y = _noised(process, process.corrupt(x0, times(0.3, n), rng), times(0.3, n), times(0.5, n), rng)
    signal, noise = process.coefficients(times(0.5, 1), x0[:1])
    assert y.mean().item() == pytest.approx(float(signal * 0.7), abs=5 * float(noise) / n**0.5)
    assert y.std().item() == pytest.approx(float(noise), rel=5 / (2 * n) ** 0.5)


def test_without_churn_reals_alone_are_solved_by_heun() -> None:
    """On the grid of `VarianceExploding`, which is uniform in time, both samplers take the same steps."""
    level = VarianceExploding(0.05, 10.0)
    points, weights = SUPPORT["real"], torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64).log()
    alone = BayesDenoiser(Gaussian(level), points, weights)
    record = BayesDenoiser(Product({"real": Gaussian(level)}), {"real": points}, weights)
    x1 = 10.0 * torch.randn(20, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    heun = Heun(12).sample(Gaussian(level), alone, x1)
    got = HeunRemask(12, 0.0).sample(Product({"real": Gaussian(level)}), record, {"real": x1})
    assert torch.allclose(got["real"], heun, atol=1e-9)
    assert record.nfe == 2 * 12 + 1


@pytest.mark.parametrize(
    "process",
    [
        RECORD,
        Product({"a": Discrete.uniform((2, 3)), "b": Gaussian(VarianceExploding())}),
        Product({"a": Xor(2), "b": Gaussian()}),
    ],
    ids=["masks", "uniform", "bits"],
)
def test_check_sampler(process: Product) -> None:
    check_sampler(HeunRemask(16, churn=4.0), process, n=500)


def test_observed_fields_and_sites_stay() -> None:
    """A real and one of two classes are known: the other class has its conditional law; n = 3,000."""
    n, law = 3000, torch.tensor([0.4, 0.1, 0.2, 0.3], dtype=torch.float64)
    denoiser = BayesDenoiser(RECORD, SUPPORT, law.log())
    given = Evidence(
        {"class": torch.zeros(n, 2, dtype=torch.long), "real": torch.full((n, 1), 0.4, dtype=torch.float64)},
        {"real": torch.ones(n, 1, dtype=torch.bool)},
    )
    rng = torch.Generator().manual_seed(0)
    x1 = {k: v.double() if k == "real" else v for k, v in RECORD.prior({"class": (n, 2), "real": (n, 1)}, rng).items()}
    x = HeunRemask(20, churn=5.0).sample(RECORD, denoiser, x1, given=given, rng=rng)
    assert (x["real"] == 0.4).all()
    counts = torch.bincount(x["class"][:, 0] * 2 + x["class"][:, 1], minlength=4)
    # 01 and 10 are drawn apart in a step now and then: the error of ancestral steps, 1/(2T) at most
    assert counts[[0, 3]].sum() / n < 0.05
    assert counts[1] / (counts[1] + counts[2]) == pytest.approx(1 / 3, abs=5 * 0.48 / n**0.5)


def test_what_it_cannot_do_is_refused() -> None:
    check_refusal(HeunRemask(), Gaussian())
    check_refusal(HeunRemask(), Discrete.absorbing(3))
    check_refusal(HeunRemask(), Product({"a": Xor(2), "b": Discrete.absorbing(2)}))
    for make in (lambda: HeunRemask(0), lambda: HeunRemask(churn=-1.0)):
        with pytest.raises(ValueError, match="must"):
            make()
