"""Death noise on counts: the numbers of T1, laws by enumeration, and nelbos that are -log p."""

import math
from itertools import pairwise

import pytest
import torch

from intarsia import Ancestral, Cosine, Linear, LogLinear, Polynomial
from intarsia.processes import Death
from intarsia.spaces import Count
from intarsia.testing import BayesDenoiser, check_process, chi_square
from intarsia.testing._process_nelbo import _graded, quadrature

MIN_P = 1e-4


def full(rows: int, t: float) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def binomial(count: int, chance: float) -> list[float]:
    return [math.comb(count, k) * chance**k * (1.0 - chance) ** (count - k) for k in range(count + 1)]


def q(process: Death, x0: int, t: float) -> torch.Tensor:
    xt = torch.arange(x0 + 1)[:, None]
    return process.log_q(xt, torch.full_like(xt, x0), full(x0 + 1, t)).exp()[:, 0]


def bridge(process: Death, x0: int, s: float, t: float) -> torch.Tensor:
    """q(xs | xt, x0), (xt, xs)."""
    xt = torch.arange(x0 + 1).repeat_interleave(x0 + 1)[:, None]
    xs = torch.arange(x0 + 1).repeat(x0 + 1)[:, None]
    rows = len(xt)
    law = process.log_bridge(xs, torch.full_like(xs, x0), xt, full(rows, s), full(rows, t))
    return law.exp().view(x0 + 1, x0 + 1)


@pytest.mark.parametrize("process", [Death(), Death(Cosine())], ids=repr)
def test_laws_that_every_process_owes(process: Death) -> None:
    check_process(process)


def test_t1_blackout() -> None:
    """x0 = 7, t = 1.3 and s = .5 on the clock of alpha = exp(-t): the bridge, summed over xt, is Binomial(7, e^-.5)."""
    s, t = 1.0 - math.exp(-0.5), 1.0 - math.exp(-1.3)
    recovered = q(Death(), 7, t) @ bridge(Death(), 7, s, t)
    wanted = torch.tensor(binomial(7, math.exp(-0.5)), dtype=torch.float64)
    assert (recovered - wanted).abs().max() < 1e-15
    chance = (math.exp(-0.5) - math.exp(-1.3)) / (1.0 - math.exp(-1.3))
    births = torch.tensor(binomial(5, chance), dtype=torch.float64)
    assert torch.allclose(bridge(Death(), 7, s, t)[2, 2:], births, atol=1e-15)


@pytest.mark.parametrize(("s", "t"), [(0.0, 0.4), (0.2, 0.5), (0.3, 1.0), (0.45, 0.8), (0.6, 0.6), (0.0, 0.0)])
def test_one_markov_chain(s: float, t: float) -> None:
    process = Death(Polynomial(1.5))
    for x0 in (0, 1, 6):
        q_s, q_t, back = q(process, x0, s), q(process, x0, t), bridge(process, x0, s, t)
        assert torch.allclose(q_t.sum(), torch.ones(()).double())
        assert torch.allclose(q_t @ back, q_s, atol=1e-14)
        alpha = process.schedule.alpha(torch.tensor([s, t], dtype=torch.float64))
        move = torch.zeros(x0 + 1, x0 + 1, dtype=torch.float64)
        for xs in range(x0 + 1):
            move[xs, : xs + 1] = torch.tensor(binomial(xs, float(alpha[1] / alpha[0])))
        assert torch.allclose(q_s @ move, q_t, atol=1e-14)
        assert torch.allclose(q_s[:, None] * move, (q_t[:, None] * back).T, atol=1e-14)


def test_draws_follow_the_laws() -> None:
    process, rng = Death(), torch.Generator().manual_seed(0)
    x0 = torch.full((20_000, 1), 9)
    s, t = full(20_000, 0.3), full(20_000, 0.7)
    xt = process.corrupt(x0, t, rng)
    xs = process.bridge(x0, xt, s, t, rng)
    for states, law in ((xt, q(process, 9, 0.7)), (xs, q(process, 9, 0.3))):
        assert chi_square(torch.bincount(states[:, 0], minlength=10), law) > MIN_P
    xt = torch.full_like(x0, 4)
    xs = process.bridge(x0, xt, s, t, rng)
    assert chi_square(torch.bincount(xs[:, 0], minlength=10), bridge(process, 9, 0.3, 0.7)[4]) > MIN_P
    births = process.reverse(torch.full((20_000, 1), 6.5), xt, s, t, rng) - xt
    mean = 2.5 * 0.4 / 0.7
    poisson = torch.tensor([math.exp(-mean) * mean**k / math.factorial(k) for k in range(30)])
    assert chi_square(torch.bincount(births[:, 0], minlength=30), poisson / poisson.sum()) > MIN_P
    assert int(process.prior((3, 2), rng).abs().max()) == 0


@pytest.mark.parametrize("schedule", [Linear(), Cosine()], ids=repr)
def test_nelbo_of_one_count_is_minus_log_p(schedule) -> None:
    """In continuous time, with nothing but the posterior mean, for a law of no special form."""
    process = Death(schedule)
    law = torch.tensor([0.3, 0.05, 0.1, 0.0, 0.25, 0.1, 0.2], dtype=torch.float64)
    points = torch.arange(7)[:, None]
    oracle = BayesDenoiser(process, points, law.log())
    x0, xt = points.repeat_interleave(7, 0), points.repeat(7, 1)
    total = process.prior_kl(points)[:, 0]
    for t, weight in zip(*quadrature(_graded(1)), strict=True):
        time = full(49, t)
        loss = process.loss(oracle(xt, time), x0, xt, time)
        chance = process.log_q(xt, x0, time).exp()
        total = total + weight * torch.where(chance > 0, chance * loss, 0.0).view(7, 7).sum(1)
    seen = law > 0
    assert torch.allclose(total[seen], -law.log()[seen], atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_nelbo_of_steps_is_minus_log_p_of_poisson_data(steps: int) -> None:
    """What is missing is then Poisson(3 (1 - alpha)) given xt, so the kernel of a step is exact."""
    process, mean = Death(Cosine()), 3.0
    for x0 in (0, 2, 9):
        xt = torch.arange(x0 + 1)[:, None]
        data, total = torch.full_like(xt, x0), 0.0
        for k in range(steps):
            s, t = full(x0 + 1, k / steps), full(x0 + 1, (k + 1) / steps)
            pred = xt + mean * (1.0 - process.schedule.alpha(t))[:, None]
            total += float((q(process, x0, (k + 1) / steps) * process.loss(pred, data, xt, t, s)[:, 0]).sum())
        assert total == pytest.approx(mean - x0 * math.log(mean) + math.lgamma(x0 + 1), abs=1e-10)


@pytest.mark.parametrize(("missing", "chance"), [(1, 0.3), (7, 1.0), (40, 0.5), (300, 0.99), (5000, 0.3)])
def test_loss_of_a_step_is_the_divergence_of_its_kernels(missing: int, chance: float) -> None:
    k = torch.arange(missing + 1, dtype=torch.float64)
    ways = math.lgamma(missing + 1) - torch.lgamma(k + 1) - torch.lgamma(missing - k + 1)
    log_b = ways + torch.special.xlogy(k, chance) + torch.special.xlog1py(missing - k, -chance)
    mean = 1.7 * missing * chance
    log_p = k * math.log(mean) - mean - torch.lgamma(k + 1)
    truth = torch.where(log_b > -700, log_b.exp() * (log_b - log_p), 0.0).sum()
    x0, xt = torch.tensor([[3 + missing]]), torch.tensor([[3]])
    # t = 1, so that the chance of a birth is alpha(s)
    loss = Death().loss(xt + 1.7 * torch.tensor([[float(missing)]]).double(), x0, xt, full(1, 1.0), full(1, 1 - chance))
    assert float(loss) == pytest.approx(float(truth), abs=1e-9)


def test_losses_are_least_at_the_number_that_is_missing() -> None:
    process = Death()
    x0, xt = torch.tensor([[10], [4], [10**9]]), torch.tensor([[3], [4], [10]])
    for s in (None, full(3, 0.2)):
        for t in (1e-6, 0.7, 1.0):
            start = None if s is None else s.clamp(max=t / 2)
            perfect = process.loss(x0.double(), x0, xt, full(3, t), start)
            assert bool(perfect.isfinite().all())
            assert s is not None or float(perfect.abs().max()) < 1e-5
            for factor in (0.9, 1.1):
                worse = process.loss(xt + factor * (x0 - xt).double() + 0.01, x0, xt, full(3, t), start)
                assert bool((worse > perfect).all())


def test_the_log_of_what_is_missing_has_a_plain_gradient() -> None:
    process = Death()
    x0, xt = torch.tensor([[10]]), torch.tensor([[3]])
    raw = torch.tensor([[0.5]], requires_grad=True)
    loss = process.loss(process.mean(raw, xt), x0, xt, full(1, 0.4))
    (slope,) = torch.autograd.grad(loss.sum(), raw)
    assert float(slope) == pytest.approx((math.exp(0.5) - 7.0) / 0.4, rel=1e-6)
    below = torch.tensor([[-50.0]], requires_grad=True)  # fewer than there are already
    loss = process.loss(below, x0, xt, full(1, 0.4))
    assert bool(torch.autograd.grad(loss.sum(), below)[0].isfinite().all())
    assert bool(loss.isfinite().all())


def test_steps_converge_to_the_law_at_first_order() -> None:
    """The law of `Ancestral`'s finitely many steps with Poisson births, enumerated."""
    process, most = Death(), 40
    law = torch.tensor([0.3, 0.05, 0.1, 0.05, 0.2, 0.1, 0.2], dtype=torch.float64)
    oracle = BayesDenoiser(process, torch.arange(7)[:, None], law.log())
    xt = torch.arange(most)[:, None]
    errors: list[float] = []
    for steps in (8, 16, 32, 64):
        now = torch.zeros(most, dtype=torch.float64)
        now[0] = 1.0
        for k in range(steps, 0, -1):
            mean = process.missing(oracle(xt, full(most, k / steps)), xt)[:, 0] / k
            births = torch.arange(most) - xt
            log_kernel = births * mean.log()[:, None] - mean[:, None] - torch.lgamma(births.clamp(min=0) + 1.0)
            now = now @ torch.where(births >= 0, log_kernel.exp(), 0.0)
        wanted = torch.nn.functional.pad(law, (0, most - 7))
        errors.append(float((now - wanted).abs().sum() / 2))
    slopes = [math.log2(a / b) for a, b in pairwise(errors)]
    assert errors[-1] < 0.03
    assert slopes[-1] == pytest.approx(1.0, abs=0.1)


def test_samples_of_poisson_data_are_exact_in_two_steps() -> None:
    process, rng = Death(), torch.Generator().manual_seed(0)

    def oracle(xt: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        return xt + 3.0 * t[:, None]

    x = Ancestral(2).sample(process, oracle, process.prior((20_000, 1), rng), rng=rng)
    law = torch.tensor([math.exp(-3.0) * 3.0**k / math.factorial(k) for k in range(40)])
    assert chi_square(torch.bincount(x[:, 0], minlength=40), law / law.sum()) > MIN_P


def test_large_counts() -> None:
    process, rng = Death(), torch.Generator().manual_seed(0)
    x0 = torch.tensor([[0, 10**12]]).expand(8, 2)
    xt = process.corrupt(x0, full(8, 0.25), rng)
    assert torch.allclose(xt[:, 1] / 1e12, torch.tensor(0.75), atol=1e-5)
    xs = process.bridge(x0, xt, full(8, 0.1), full(8, 0.25), rng)
    assert bool((Count().check(xs) & (xs >= xt) & (xs <= x0)).all())


def test_counts_are_a_space() -> None:
    assert Count().check(torch.tensor([[-1, 0, 7]])).tolist() == [[False, True, True]]
    with pytest.raises(TypeError, match="float32"):
        Count().check(torch.zeros(1))


def test_the_prior_is_a_point() -> None:
    with pytest.raises(ValueError, match=r"alpha\(1\)"):
        Death(LogLinear())
