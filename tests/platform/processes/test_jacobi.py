"""Wright-Fisher noise on the simplex: the facts of reference/dna.md 2.1, and laws by numerical integration."""

import math
from functools import cache

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, LogLinear
from intarsia.processes import Jacobi
from intarsia.processes._sticks import points, stick_score, sticks
from intarsia.processes._wright_fisher import WrightFisher
from intarsia.schedules import Linear
from intarsia.spaces import Simplex
from intarsia.testing import BayesDenoiser, check_process, chi_square
from intarsia.testing._process_nelbo import quadrature

MIN_P = 1e-4
CASES = [(count, clock) for count in (4, 9) for clock in (0.01, 0.05, 0.3, 1.0)]
SITES = [0.1, 0.3, 0.6, 0.9]
"""Values of x_i at K = 4, tau = .3."""


def real(values) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def full(rows: int, t: float) -> Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def corners(classes: list[int], count: int) -> Tensor:
    """States of one site at those categories, (rows, 1, count)."""
    return torch.nn.functional.one_hot(torch.tensor(classes), count).double()[:, None]


def time_of(clock: float, count: int) -> float:
    """The time of `Linear` at an internal clock."""
    return -math.expm1(-count * clock / 2)


def density(count: int, clock: float, theta: Tensor) -> Tensor:
    """Density of θ, 1 - x_i = sin²(θ/2)."""
    u = torch.sin(theta / 2).square()
    f = WrightFisher(count).log_density(u, real(clock)).exp()
    return (count - 1) * u ** (count - 2) * f * theta.sin() / 2


@cache
def lines(count: int, clock: float) -> list[mpmath.mpf]:
    """q_m, the law of the number of lines, by its alternating sum at 60 digits and more for small clocks."""
    with mpmath.workdps(60 + int(3 / clock)):
        top = int(12 / clock**0.5 + 4 / clock)
        decay = [mpmath.exp(-mpmath.mpf(k) * (k + count - 1) * mpmath.mpf(clock) / 2) for k in range(top)]
        whole = [math.factorial(n) for n in range(2 * top + int(3 / clock) + 40)]
        law: list[mpmath.mpf] = []
        for m in range(int(3 / clock) + 20):
            total = mpmath.mpf(m == 0)
            for k in range(max(m, 1), top):
                ways = mpmath.mpf(whole[count + m + k - 2]) / (whole[count + m - 1] * whole[m] * whole[k - m])
                total += (-1) ** (k - m) * (2 * k + count - 1) * ways * decay[k]
            law.append(total)
        return law


def mixture(count: int, clock: float, x: float) -> tuple[float, float]:
    """log f and its derivative at x_i = x from the mixture over numbers of lines."""
    with mpmath.workdps(60):
        weights = [q * mpmath.rf(count, m) / mpmath.factorial(m) for m, q in enumerate(lines(count, clock))]
        value = sum(w * mpmath.mpf(x) ** m for m, w in enumerate(weights))
        slope = sum(w * m * mpmath.mpf(x) ** (m - 1) for m, w in enumerate(weights) if m)
        return float(mpmath.log(value)), float(slope / value)


@pytest.mark.parametrize(("count", "clock"), CASES)
def test_fact_1_a_density(count: int, clock: float) -> None:
    """Integral 1.00000 and no negatives, also of the plain series where its terms do not cancel."""
    theta = torch.linspace(0.0, math.pi, 4001, dtype=torch.float64)
    law = density(count, clock, theta)
    assert float(torch.trapezoid(law, theta)) == pytest.approx(1.0, abs=1e-6)
    assert bool((law >= 0).all())
    u = torch.sin(theta / 2).square()
    series, _, size = WrightFisher(count)._series(u, torch.full_like(u, clock))
    assert bool((series >= -1e-12 * size.max()).all())
    assert float(torch.trapezoid((count - 1) * u ** (count - 2) * series * theta.sin() / 2, theta)) == pytest.approx(
        1.0, abs=1e-6
    )


@pytest.mark.parametrize(
    ("count", "means"), [(4, [0.98515, 0.92863, 0.66161, 0.35150]), (9, [0.96089, 0.82090, 0.34155, 0.12099])]
)
def test_facts_2_and_3_means(count: int, means: list[float]) -> None:
    """Of x_i by quadrature, by 1/K + (1 - 1/K) exp(-K tau / 2), and from the law of the number of lines."""
    law = WrightFisher(count)
    for clock, mean in zip([0.01, 0.05, 0.3, 1.0], means, strict=True):
        got = float(law.mean(lambda u, _: 1.0 - u, real([clock])))
        exact = 1 / count + (1 - 1 / count) * math.exp(-count * clock / 2)
        assert got == pytest.approx(mean, abs=6e-6)
        assert got == pytest.approx(exact, abs=3e-6)
        if clock >= 0.05:
            by_lines = sum(q * (1 + m) / (count + m) for m, q in enumerate(lines(count, clock)))
            assert float(by_lines) == pytest.approx(exact, abs=1e-9)


def test_facts_4_to_6_series_mixture_and_score() -> None:
    law = [0.00016061, 0.00353121, 0.02722065, 0.10174011, 0.21241299, 0.26853806]
    assert [float(q) for q in lines(4, 0.3)[:6]] == pytest.approx(law, abs=6e-9)
    x, clock = real(SITES), real(0.3)
    f = WrightFisher(4)
    marginal = 3.0 * (1.0 - x).square() * f.log_density(1.0 - x, clock).exp()
    assert marginal.tolist() == pytest.approx([0.01760155, 0.29016433, 1.94793651, 1.07530825], abs=6e-9)
    assert f.score(1.0 - x, clock).tolist() == pytest.approx([23.201872, 12.605863, 8.297023, 6.421604], abs=6e-7)
    for at, value, slope in zip(SITES, f.log_density(1.0 - x, clock), f.score(1.0 - x, clock), strict=True):
        assert (float(value), float(slope)) == pytest.approx(mixture(4, 0.3, at), rel=1e-9)


@pytest.mark.parametrize(("count", "clock", "digits"), [(3, 0.1, 1e-9), (9, 0.05, 2e-6), (4, 0.019, 2e-6)])
def test_series_and_expansion_are_the_mixture(count: int, clock: float, digits: float) -> None:
    law = WrightFisher(count)
    typical = (count - 1) * clock / 2
    for u in (0.01 * typical, 0.3 * typical, typical, 3.0 * typical):
        value, slope = mixture(count, clock, 1.0 - u)
        assert float(law.log_density(real(u), real(clock))) == pytest.approx(value, abs=digits)
        assert float(law.score(real(u), real(clock))) == pytest.approx(slope, rel=digits)


@pytest.mark.parametrize("count", [2, 4, 9, 21])
def test_the_switch_leaves_no_step(count: int) -> None:
    law = WrightFisher(count)
    u = real([0.0, 0.3, 1.0, 2.0]) * (count - 1) * 0.01
    clock = torch.full_like(u, 0.02)
    series, slope, _ = law._series(u, clock)
    value, score = law._expansion(u, clock)
    assert torch.allclose(value, series.log(), atol=2e-4)
    assert torch.allclose(score, slope / series, rtol=1e-5)


def test_scores_are_finite_and_not_negative_everywhere() -> None:
    u = torch.cat([real([0.0, 1e-300, 1e-12]), torch.linspace(0.0, 1.0, 101, dtype=torch.float64)])
    for count in (2, 4, 9, 40):
        for clock in (0.0, 1e-12, 1e-6, 1e-3, 0.019, 0.02, 0.1, 1.0, 30.0, math.inf):
            value, score = WrightFisher(count)._evaluate(u, real(clock))
            assert bool((value.isfinite() & score.isfinite() & (score >= 0)).all())


def test_draws_follow_the_density() -> None:
    """Kolmogorov-Smirnov, also for clocks so small that the other coordinates are Gamma(K - 1, tau / 2)."""
    n = 20_000
    for count, clock in [(4, 0.01), (4, 0.3), (9, 0.05), (2, 1.0)]:
        rng = torch.Generator().manual_seed(0)
        u = WrightFisher(count).draw(full(n, clock), rng)
        theta = torch.linspace(0.0, math.pi, 8001, dtype=torch.float64)
        cdf = torch.cumulative_trapezoid(density(count, clock, theta), theta)
        level = cdf[(2.0 * torch.asin(u.sqrt()) / (math.pi / 8000)).long().clamp(max=7999)].sort().values
        assert float((level - torch.arange(n) / n).abs().max()) < 2.0 / n**0.5
    u = WrightFisher(4).draw(full(n, 1e-5), torch.Generator().manual_seed(1)) / 5e-6
    level = torch.igamma(torch.tensor(3.0).double(), u).sort().values
    assert float((level - torch.arange(n) / n).abs().max()) < 2.0 / n**0.5
    assert float(WrightFisher(4).draw(real([0.0]), torch.Generator().manual_seed(0))) < 1e-13
    ends = WrightFisher(3).draw(torch.full((n,), math.inf, dtype=torch.float64), torch.Generator().manual_seed(2))
    assert float((ends.square().sort().values - torch.arange(n) / n).abs().max()) < 2.0 / n**0.5


def test_fact_7_simulated_paths_end_in_the_same_law() -> None:
    n, clock, steps = 4000, 0.3, 600
    rng = np.random.default_rng(0)
    x, h = np.ones(n), clock / steps
    for _ in range(steps):
        x = x + h * 0.5 * (1.0 - 4.0 * x) + np.sqrt(h * np.clip(x * (1.0 - x), 0.0, None)) * rng.standard_normal(n)
        x = np.clip(x, 0.0, 1.0)
    theta = torch.linspace(0.0, math.pi, 4001, dtype=torch.float64)
    cdf = torch.cumulative_trapezoid(density(4, clock, theta), theta)
    at = 2.0 * torch.asin((1.0 - torch.from_numpy(x)).sqrt())
    level = cdf[(at / (math.pi / 4000)).long().clamp(max=3999)].sort().values
    assert float((level - torch.arange(n) / n).abs().max()) < 2.0 / n**0.5


@pytest.mark.parametrize(("count", "clock", "left"), [(9, 1.0, 0.0111), (4, 2.0, 0.0183)])
def test_fact_8_what_is_left_shows_in_the_prior(count: int, clock: float, left: float) -> None:
    """The published clocks end before the noise: rho tau = 1 for 9 digits, and 4 · 2/K = 2 for 4 letters."""
    assert math.exp(-count * clock / 2) == pytest.approx(left, abs=5e-5)
    process = Jacobi(count, LogLinear(math.exp(-count * clock / 2)))
    x0 = corners(list(range(count)), count)
    kl = process.prior_kl(x0)
    theta = torch.linspace(0.0, math.pi, 4001, dtype=torch.float64)
    log_f = WrightFisher(count).log_density(torch.sin(theta / 2).square(), real(clock))
    exact = torch.trapezoid(density(count, clock, theta) * log_f, theta)
    assert float(exact) > 1e-4
    assert torch.allclose(kl, float(exact) * x0, atol=1e-7)
    assert float(Jacobi(count).prior_kl(x0).abs().max()) < 1e-9
    n = 20_000
    xt = process.corrupt(x0[:1].expand(n, 1, count), full(n, 1.0), torch.Generator().manual_seed(0))
    assert float(xt[..., 0].mean()) == pytest.approx(left + (1 - left) / count, abs=4.0 * 0.25 / n**0.5)


def test_fact_9_the_reverse_steps_recover_the_law() -> None:
    """One site, K = 3, p0 = (.7, .2, .1), exact posterior."""
    process, law = Jacobi(3), real([0.7, 0.2, 0.1])
    oracle = BayesDenoiser(process, corners([0, 1, 2], 3), law.log())
    rng = torch.Generator().manual_seed(0)
    x = Ancestral(30).sample(process, oracle, process.prior((3000, 1, 3), rng).double(), rng=rng)
    assert bool(Simplex(3).check(x).all())
    assert torch.equal(x.max(-1).values, torch.ones(3000, 1).double())
    assert chi_square(x.sum((0, 1)), law) > MIN_P


@pytest.mark.parametrize("process", [Jacobi(3), Jacobi(4, LogLinear(0.02))], ids=repr)
def test_laws_that_every_process_owes(process: Jacobi) -> None:
    rng = torch.Generator().manual_seed(1)
    x0 = torch.nn.functional.one_hot(torch.randint(process.num_classes, (8, 2), generator=rng), process.num_classes)
    check_process(process, x0.double())


def test_density_on_the_simplex() -> None:
    """Σ q_m Dirichlet(x; 1 + m e_i), with respect to all but one coordinate."""
    process, clock = Jacobi(4), 0.3
    x = real([[[0.3, 0.1, 0.4, 0.2]]])
    log_q = process.log_q(x, corners([2], 4), full(1, time_of(clock, 4)))
    wanted = sum(
        q * mpmath.gamma(4 + m) / mpmath.gamma(1 + m) * mpmath.mpf(0.4) ** m for m, q in enumerate(lines(4, clock))
    )
    assert float(log_q.sum()) == pytest.approx(float(mpmath.log(wanted)), abs=1e-9)
    assert (log_q != 0).tolist() == [[[False, False, True, False]]]


def test_sticks_and_the_change_of_score() -> None:
    """g_v = (dx/dv)ᵀ g_x + ∂ log |det dx/dv|, by automatic differentiation; it is one Jacobi score and zeros."""
    v = real([0.55, 0.3, 0.8])
    assert torch.allclose(sticks(points(v)), v, atol=1e-15)
    assert float(points(v).sum()) == pytest.approx(1.0)
    assert sticks(real([0.0, 1.0, 0.0, 0.0])).tolist() == [0.0, 1.0, 0.0]
    process, t = Jacobi(4), full(1, time_of(0.3, 4))
    for k in range(4):
        x0 = corners([k], 4)
        score = process.score(x0, points(v).view(1, 1, 4), t)[0, 0]

        def log_p(v: Tensor, x0: Tensor = x0) -> Tensor:
            jacobian = torch.autograd.functional.jacobian(lambda v: points(v)[:-1], v)
            return process.log_q(points(v).view(1, 1, 4), x0, t).sum() + jacobian.logdet()

        def numeric(j: int, log_p=log_p) -> float:
            step = torch.zeros(3, dtype=torch.float64)
            step[j] = 1e-5
            return float(log_p(v + step) - log_p(v - step)) / 2e-5

        assert stick_score(score, v).tolist() == pytest.approx([numeric(j) for j in range(3)], abs=1e-6)
    g_v = stick_score(process.score(corners([0], 4), points(v).view(1, 1, 4), t)[0, 0], v)
    # fact of 1.2: g_x,i = v-score + (K - 2) / (1 - x_i); sticks after the chosen one are stationary
    g_x = float(process.score(corners([0], 4), points(v).view(1, 1, 4), t)[0, 0, 0])
    assert float(g_v[0]) == pytest.approx(g_x - 2 / 0.45)
    assert g_v[1:].tolist() == pytest.approx([-1 / 0.7, 0.0])


def test_the_loss_in_sticks() -> None:
    process, t = Jacobi(4), full(1, 0.6)
    xt, x0 = real([[[0.3, 0.1, 0.4, 0.2]]]), corners([2], 4)
    pred = real([[[0.3, -1.0, 0.5, 2.0]]])
    probs = pred.softmax(-1)
    v = sticks(xt)
    error = stick_score(process.score(probs, xt, t), v) - stick_score(process.score(x0, xt, t), v)
    broken = torch.cat([torch.ones_like(v[..., :1]), (1.0 - v).cumprod(-1)[..., :-1]], -1)
    pace = 2 / 4 / 0.4
    wanted = 0.5 * pace * (v * (1.0 - v) / broken * error.square()).sum()
    assert float(process.loss(pred, x0, xt, t).sum()) == pytest.approx(float(wanted), rel=1e-12)
    # one step is the integral over it, to first order
    step = process.loss(pred, x0, xt, t, t - 1e-6).sum() / 1e-6
    assert float(step) == pytest.approx(float(wanted), rel=1e-4)


def test_nelbo_of_one_site_is_minus_log_p() -> None:
    """K = 3 by quadrature: θ of the chosen coordinate, the split of the others, and time."""
    process, law = Jacobi(3), real([0.6, 0.3, 0.1])
    oracle = BayesDenoiser(process, corners([0, 1, 2], 3), law.log())
    edges = real([1e-3, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 0.97, 1.0])
    split, split_weight = (real(values) for values in quadrature(real([0.0, 0.5, 1.0])))
    for k in range(3):
        total = 0.0
        for t, weight in zip(*quadrature(edges), strict=True):
            clock = -2.0 / 3.0 * math.log1p(-t)
            end = min(math.pi, 11.0 * clock**0.5)
            theta = (torch.arange(48, dtype=torch.float64) + 0.5) * end / 48
            chance = (density(3, clock, theta) * end / 48)[:, None] * split_weight
            u = torch.sin(theta / 2).square()[:, None]
            others = torch.stack([u * split, u * (1.0 - split)], -1)
            xt = torch.cat([others[..., :k], (1.0 - u).expand(48, 8)[..., None], others[..., k:]], -1).view(-1, 1, 3)
            time = full(len(xt), t)
            loss = process.loss(oracle(xt, time), corners([k], 3).expand(xt.shape), xt, time)
            total += weight * float((chance.flatten() * loss.sum((1, 2))).sum())
        assert total == pytest.approx(-math.log(float(law[k])), abs=2e-3)


@pytest.mark.parametrize(("s", "t"), [(0.05, 0.06), (0.3, 0.33), (0.002, 0.004), (0.7, 1.0), (0.8, 0.84)])
def test_bridges_recover_the_law_before(s: float, t: float) -> None:
    """Mean and second moment of two coordinates; the bridge is exact in the limits and O(step) between them."""
    process, n, rng = Jacobi(3), 40_000, torch.Generator().manual_seed(0)
    x0 = corners([1], 3).expand(n, 1, 3)
    xt = process.corrupt(x0, full(n, t), rng)
    xs = process.bridge(x0, xt, full(n, s), full(n, t), rng)[:, 0]
    others = 1.0 - xs[:, 1]
    clock = real([-2.0 / 3.0 * math.log1p(-s)])
    mean = float(WrightFisher(3).mean(lambda u, _: u, clock))
    square = float(WrightFisher(3).mean(lambda u, _: u * u, clock))
    noise = 4.0 / n**0.5
    assert float(others.mean()) / mean == pytest.approx(1.0, abs=noise + 0.004)
    assert float(others.square().mean()) / square == pytest.approx(1.0, abs=2.5 * noise + 0.008)
    # the other two share alike: E[x_0²] is 1/3 of E[u²] under their flat split
    assert float(xs[:, 0].square().mean()) / (square / 3.0) == pytest.approx(1.0, abs=4.0 * noise + 0.01)


def test_a_small_step_has_the_covariance_of_the_diffusion() -> None:
    process, n, rng = Jacobi(3), 100_000, torch.Generator().manual_seed(0)
    xt = real([[[0.5, 0.2, 0.3]]]).expand(n, 1, 3)
    t, s = 0.6, 0.598
    step = 2.0 / 3.0 * math.log((1 - s) / (1 - t))
    moved = (process.bridge(corners([0], 3).expand(n, 1, 3), xt, full(n, s), full(n, t), rng) - xt)[:, 0]
    x = xt[0, 0]
    truth = step * (x.diag() - x[:, None] * x)
    got = moved.T.cov()
    assert torch.allclose(got, truth, atol=0.03 * float(truth.max()))
    # drift of the reversed bridge: ½ (1 - K x) + (diag(x) - x xᵀ) score
    score = process.score(corners([0], 3), xt[:1], full(1, t))[0, 0]
    drift = 0.5 * (1.0 - 3.0 * x) + (x.diag() - x[:, None] * x) @ score
    assert torch.allclose(moved.mean(0), step * drift, atol=4.5 * float((truth.max() / n).sqrt()) + 0.02 * step)


def test_information_is_the_loss_of_a_score_of_0() -> None:
    process, t, n = Jacobi(4), 0.5, 40_000
    x0 = corners([0], 4).expand(n, 1, 4)
    xt = process.corrupt(x0, full(n, t), torch.Generator().manual_seed(0))
    score = process.score(x0, xt, full(n, t))
    size = (xt * score.square()).sum(-1) - (xt * score).sum(-1).square()
    loss = 0.5 * (2 / 4 / (1 - t)) * size.mean()
    assert float(process.information(real([t]))) == pytest.approx(float(loss), rel=0.03)


def test_single_precision_keeps_the_distance_from_a_corner() -> None:
    process, t = Jacobi(4, Linear()), full(500, 1e-6)
    x0 = corners([1], 4).float().expand(500, 1, 4)
    xt = process.corrupt(x0, t, torch.Generator().manual_seed(0))
    assert xt.dtype == torch.float32
    assert bool(Simplex(4).check(xt).all())
    pred = torch.zeros(500, 1, 4, requires_grad=True)
    loss = process.loss(pred, x0, xt, t)
    assert bool(loss.isfinite().all())
    assert bool(torch.autograd.grad(loss.sum(), pred)[0].isfinite().all())


def test_points_of_the_simplex() -> None:
    x = real([[0.25, 0.75], [1.25, -0.25], [0.5, 0.4], [float("nan"), 1.0]])
    assert Simplex(2).check(x).tolist() == [[True, True], [True, False], [False, False], [False, False]]
    with pytest.raises(ValueError, match="3 categories"):
        Simplex(3).check(x)
    with pytest.raises(TypeError, match="int64"):
        Simplex(2).check(torch.tensor([[0, 1]]))
    with pytest.raises(ValueError, match="at least 1"):
        Simplex(0)
    with pytest.raises(ValueError, match="at least 2"):
        Jacobi(1)
