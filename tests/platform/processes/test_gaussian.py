"""Gaussian noise: levels and refusals; its laws stand in the oracle."""

import pytest
import torch

from intarsia import VarianceExploding, VariancePreserving
from intarsia.processes import AbstractNoiseLevel, Gaussian
from intarsia.testing._process_nelbo import check_gaussian_nelbo

LEVELS = [VariancePreserving(), VariancePreserving(6.0, -3.0), VarianceExploding(), VarianceExploding(0.01, 5.0, 3.0)]


@pytest.mark.parametrize("level", LEVELS, ids=repr)
def test_levels_invert(level: AbstractNoiseLevel) -> None:
    t = torch.linspace(0, 1, 101, dtype=torch.float64)
    assert torch.allclose(level.time(level.log_snr(t)), t, atol=1e-9)


def test_the_ends_are_the_arguments() -> None:
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert VariancePreserving(9.0, -7.0).log_snr(ends).tolist() == pytest.approx([9.0, -7.0])
    exploding = VarianceExploding(0.01, 5.0)
    assert (-exploding.log_snr(ends) / 2).exp().tolist() == pytest.approx([0.01, 5.0])
    signal = VariancePreserving().signal(torch.tensor([0.0], dtype=torch.float64))
    assert signal.item() == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("level", [VariancePreserving(), VarianceExploding()], ids=repr)
@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (-0.5, 0.1)])
def test_nelbo_of_gaussian_data_is_its_density(level: AbstractNoiseLevel, mean: float, variance: float) -> None:
    check_gaussian_nelbo(Gaussian(level), mean, variance)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VariancePreserving(1.0, 1.0),
        lambda: VariancePreserving(float("nan"), 0.0),
        lambda: VarianceExploding(0.0, 1.0),
        lambda: VarianceExploding(2.0, 1.0),
        lambda: VarianceExploding(rho=0.0),
    ],
)
def test_nonsense_is_refused(make) -> None:
    with pytest.raises(ValueError, match=r"expected|below"):
        make()
