"""Gaussian noise: levels and refusals; its laws stand in the oracle."""

import pytest
import torch

from intarsia import VarianceExploding, VariancePreserving
from intarsia.processes import AbstractNoiseLevel, Gaussian, LearnedExploding
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


def test_levels_of_each_site_with_a_time_a_row() -> None:
    """A learned level per site: times per row and per site agree, and its gradient is that of finite differences."""
    level = LearnedExploding(2)
    with torch.no_grad():
        level.theta.copy_(torch.tensor([0.3, 1.1]))
    process = Gaussian(level)
    x0 = torch.tensor([[0.5, -1.0]], dtype=torch.float64)
    pred, t = torch.zeros_like(x0), torch.tensor([0.6], dtype=torch.float64)
    rows, sites = process.loss(pred, x0, x0, t), process.loss(pred, x0, x0, t[:, None].expand(1, 2))
    assert torch.allclose(rows, sites, atol=1e-12)
    (slope,) = torch.autograd.grad(rows.sum(), level.theta)
    for site in range(2):
        values = []
        for step in (-1e-3, 1e-3):
            moved = LearnedExploding(2)
            moved.load_state_dict(level.state_dict())
            with torch.no_grad():
                moved.theta[site] += step
            values.append(float(Gaussian(moved).loss(pred, x0, x0, t).sum().detach()))
        assert slope[site].item() == pytest.approx((values[1] - values[0]) / 2e-3, rel=1e-3)


@pytest.mark.parametrize("level", LEVELS, ids=repr)
def test_float32_states_stay_float32_with_float64_times(level: AbstractNoiseLevel) -> None:
    process = Gaussian(level)
    x = torch.randn((3, 2), generator=torch.Generator().manual_seed(0))
    s, t = torch.full((3,), 0.2, dtype=torch.float64), torch.full((3,), 0.7, dtype=torch.float64)
    assert process.bridge(x, x, s, t).dtype == torch.float32
    assert all(moment.dtype == torch.float32 for moment in process.bridge_moments(x, x, s, t))
