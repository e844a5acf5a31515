"""Min-SNR weights against their formula and their integral."""

import pytest
import torch

from intarsia.objectives import MinSNR
from intarsia.processes import Gaussian, VarianceExploding
from intarsia.testing._process_nelbo import quadrature


@pytest.mark.parametrize("process", [Gaussian(), Gaussian(VarianceExploding())], ids=repr)
def test_min_snr_is_the_weighted_error_of_the_noise(process: Gaussian, seen) -> None:
    """min(SNR, γ) (x0 - pred)² = min(SNR, γ) / SNR (ε - ε_pred)², at given times."""
    rng = torch.Generator().manual_seed(0)
    x0 = torch.randn(6, 2, dtype=torch.float64, generator=rng)
    t, network = torch.linspace(0.05, 0.95, 6, dtype=torch.float64), seen(lambda x, t, c: torch.tanh(x))
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
