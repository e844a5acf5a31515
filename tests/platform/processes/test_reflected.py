"""Reflected Gaussian noise: sums over images, bridges and the nelbo by numerical integration."""

import math

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, VarianceExploding
from intarsia.processes import Reflected
from intarsia.processes._reflection import _by_cosines, _by_images, fold, folded_normal
from intarsia.spaces import Real
from intarsia.testing import BayesDenoiser, check_process, chi_square
from intarsia.testing._process_nelbo import quadrature

MIN_P = 1e-4
PROCESS = Reflected(-1.0, 2.0, VarianceExploding(0.003, 6.0))


def full(rows: int, t: float) -> Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def real(values) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def sigma(process: Reflected, t: float) -> float:
    return float((-process.level.log_snr(real(t)) / 2).exp())


def time_of(process: Reflected, noise: float) -> float:
    return float(process.level.time(real(-2.0 * math.log(noise))))


def midpoints(process: Reflected, count: int) -> tuple[Tensor, float]:
    """Points of [low, high], (count, 1), and their distance."""
    step = (process.high - process.low) / count
    return process.low + step * (torch.arange(count, dtype=torch.float64)[:, None] + 0.5), step


@pytest.mark.parametrize("process", [Reflected(), PROCESS], ids=repr)
def test_laws_that_every_process_owes(process: Reflected) -> None:
    check_process(process)


def test_fold() -> None:
    x = real([-2.25, -0.25, 0.0, 0.25, 1.0, 1.25, 2.0, 3.5])
    assert fold(x).tolist() == pytest.approx([0.25, 0.25, 0.0, 0.25, 1.0, 0.75, 0.0, 0.5])


def test_images_and_cosines_agree() -> None:
    rng = torch.Generator().manual_seed(0)
    x, center = torch.rand((2, 500), generator=rng, dtype=torch.float64)
    for noise in (0.4, 0.5, 0.6):
        a, b = (f(x, center, torch.full_like(x, noise)) for f in (_by_images, _by_cosines))
        for one, other in zip(a, b, strict=True):
            assert torch.allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("noise", [0.003, 0.1, 1.0, 1.6, 6.0])
def test_density_is_the_sum_over_images(noise: float) -> None:
    t = time_of(PROCESS, noise)
    rng = torch.Generator().manual_seed(1)
    x0, xt = PROCESS.prior((2, 40, 1), rng).double()
    shifts = 6.0 * torch.arange(-12, 13, dtype=torch.float64)
    every = torch.cat([x0 + shifts, -2.0 - x0 + shifts], 1)
    normal = -0.5 * ((xt - every) / noise).square() - math.log(noise) - 0.5 * math.log(2 * math.pi)
    assert torch.allclose(PROCESS.log_q(xt, x0, full(40, t)), normal.logsumexp(1, keepdim=True), atol=1e-8, rtol=1e-9)
    points, step = midpoints(PROCESS, 4000)
    law = PROCESS.log_q(points, torch.full_like(points, 1.9), full(4000, t)).exp()
    assert float(law.sum()) * step == pytest.approx(1.0, abs=1e-9)
    # images of x0 and weights of the sum give the score
    image = (normal.softmax(1) * every).sum(1, keepdim=True)
    assert torch.allclose(PROCESS.image(x0, xt, full(40, t)), image, atol=1e-7)


def test_the_score_is_the_slope_of_the_density() -> None:
    rng = torch.Generator().manual_seed(2)
    x0, xt = PROCESS.prior((2, 40, 1), rng).double()
    for noise in (0.2, 1.0, 2.5):
        t = full(40, time_of(PROCESS, noise))
        slope = (PROCESS.log_q(xt + 1e-5, x0, t) - PROCESS.log_q(xt - 1e-5, x0, t)) / 2e-5
        assert torch.allclose((PROCESS.image(x0, xt, t) - xt) / noise**2, slope, atol=1e-6, rtol=1e-6)


def test_one_markov_chain() -> None:
    points, step = midpoints(PROCESS, 300)
    before, now = 0.7, 1.8
    q_s, q_t = (
        PROCESS.log_q(points, torch.full_like(points, 1.4), full(300, time_of(PROCESS, noise))).exp()[:, 0]
        for noise in (before, now)
    )
    unit = (points + 1.0) / 3.0
    move, _ = folded_normal(unit.T, unit, real((now**2 - before**2) ** 0.5 / 3.0))
    assert torch.allclose(q_s @ (move.exp() / 3.0) * step, q_t, atol=1e-9)


@pytest.mark.parametrize(("before", "now"), [(0.1, 0.3), (0.5, 1.5), (1.0, 6.0)])
def test_bridges_follow_bayes_rule(before: float, now: float) -> None:
    n, bins = 20_000, 30
    x0, xt = real([[-0.7]]).expand(n, 1), real([[-0.2]]).expand(n, 1)
    s, t = full(n, time_of(PROCESS, before)), full(n, time_of(PROCESS, now))
    xs = PROCESS.bridge(x0, xt, s, t, torch.Generator().manual_seed(0))
    assert bool(Real(-1.0, 2.0).check(xs).all())
    points, _ = midpoints(PROCESS, 100 * bins)
    q_s = PROCESS.log_q(points, torch.full_like(points, -0.7), s[: len(points)])
    move, _ = folded_normal(real((-0.2 + 1.0) / 3.0), (points + 1.0) / 3.0, real((now**2 - before**2) ** 0.5 / 3.0))
    law = (q_s + move).exp().view(bins, 100).sum(1)
    counts = torch.bincount(((xs[:, 0] + 1.0) * bins / 3.0).long().clamp(max=bins - 1), minlength=bins)
    assert chi_square(counts, law / law.sum()) > MIN_P


def test_draws_of_corrupt_and_prior() -> None:
    n, bins, rng = 20_000, 30, torch.Generator().manual_seed(0)
    t = time_of(PROCESS, 0.8)
    xt = PROCESS.corrupt(real([[1.8]]).expand(n, 1), full(n, t), rng)
    points, _ = midpoints(PROCESS, 100 * bins)
    law = PROCESS.log_q(points, torch.full_like(points, 1.8), full(len(points), t)).exp().view(bins, 100).sum(1)
    for x, chances in ((xt, law / law.sum()), (PROCESS.prior((n, 1), rng), torch.full((bins,), 1 / bins))):
        assert bool(Real(-1.0, 2.0).check(x).all())
        counts = torch.bincount(((x[:, 0] + 1.0) * bins / 3.0).long().clamp(max=bins - 1), minlength=bins)
        assert chi_square(counts, chances) > MIN_P


def test_losses() -> None:
    """0 for the image, the squared score error elsewhere, finite with gradients at every time."""
    rng = torch.Generator().manual_seed(0)
    x0 = PROCESS.prior((50, 2), rng)
    for t in (1e-6, 0.3, 0.9, 1.0):
        time = full(50, t)
        xt = PROCESS.corrupt(x0, time, rng)
        perfect = PROCESS.image(x0, xt, time)
        for s in (None, full(50, t / 2)):
            assert float(PROCESS.loss(perfect, x0, xt, time, s).abs().max()) < 1e-7
            pred = torch.zeros((50, 2), requires_grad=True)
            loss = PROCESS.loss(pred, x0, xt, time, s)
            assert bool((loss >= 0).all())
            assert bool(torch.autograd.grad(loss.sum(), pred)[0].isfinite().all())
        noise, h = sigma(PROCESS, t), min(1e-4, t / 2)
        pace = (sigma(PROCESS, t + h) ** 2 - sigma(PROCESS, t - h) ** 2) / (2 * h)
        wanted = 0.5 * pace * (0.4 / noise**2) ** 2
        assert float(PROCESS.loss(perfect + 0.4, x0, xt, time).mean()) == pytest.approx(wanted, rel=1e-4)


def test_nelbo_of_one_number_is_minus_its_log_density() -> None:
    """Prior, diffusion and reconstruction add up to -log p(x0), up to the little noise at t = 0."""
    process = Reflected(-1.0, 2.0, VarianceExploding(0.05, 6.0))
    data, step = midpoints(process, 100)
    wave = math.pi * (data[:, 0] + 1.0) / 3.0
    law = 1.0 + 0.7 * wave.cos() + 0.2 * (2.0 * wave).cos()  # flat at the bounds, as what is folded
    oracle = BayesDenoiser(process, data, (law / law.sum()).log())
    chosen = torch.tensor([3, 47, 98])
    x0 = data[chosen]
    nodes, gap = midpoints(process, 150)
    xt, given = nodes.repeat(3, 1), x0.repeat_interleave(150, 0)

    def expected(values: Tensor, t: Tensor) -> Tensor:
        return (process.log_q(xt, given, t).exp() * values)[:, 0].view(3, 150).sum(1) * gap

    zero = full(450, 0.0)
    total = process.prior_kl(x0)[:, 0]
    total = total + expected(process.reconstruction(oracle(nodes, zero[:150]).repeat(3, 1), given, xt), zero)
    for t, weight in zip(*quadrature(torch.linspace(0.0, 1.0, 9).double()), strict=True):
        time = full(450, t)
        total = total + weight * expected(process.loss(oracle(nodes, time[:150]).repeat(3, 1), given, xt, time), time)
    truth = -(law / law.sum() / step).log()[chosen]
    assert torch.allclose(total, truth, atol=5e-3)


def test_samples_recover_atoms_and_stay_inside() -> None:
    process, rng = PROCESS, torch.Generator().manual_seed(0)
    points, law = real([[-1.0], [0.5], [1.9]]), real([0.5, 0.2, 0.3])
    oracle = BayesDenoiser(process, points, law.log())
    x = Ancestral(60).sample(process, oracle, process.prior((3000, 1), rng).double(), rng=rng)
    assert bool(Real(-1.0, 2.0).check(x).all())
    gap = (x - points.T).abs()
    assert float(gap.min(1).values.max()) < 0.05
    assert chi_square(torch.bincount(gap.argmin(1), minlength=3), law) > MIN_P


def test_what_the_prior_keeps() -> None:
    assert float(PROCESS.prior_kl(real([[0.3]]))) < 1e-12
    short = Reflected(0.0, 1.0, VarianceExploding(0.01, 0.4))
    points, step = midpoints(short, 2000)
    log_q = short.log_q(points, torch.full_like(points, 0.2), full(2000, 1.0))
    exact = float((log_q.exp() * log_q).sum() * step)
    assert exact > 0.01
    assert float(short.prior_kl(real([[0.2]]))) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_bounds(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="below"):
        Reflected(low, high)
