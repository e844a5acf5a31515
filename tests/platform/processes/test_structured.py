"""Structured noise: matrix exponentials, T14, and the same law as uniform noise where it is uniform."""

import mpmath
import pytest
import torch

from intarsia import Cosine, Linear, LogLinear, Staged
from intarsia.processes import Discrete, Structured
from intarsia.testing import check_process

SKEW = torch.tensor([[-1.0, 0.7, 0.3, 0.0], [0.1, -0.5, 0.4, 0.0], [0.6, 0.8, -1.9, 0.5], [0.0, 2.0, 0.0, -2.0]])
CHAIN = torch.tensor([[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 0.0]])
"""Not diagonalizable, with an absorbing class."""
PLANE = torch.tensor([[0.0, 0.0], [1.0, 0.1], [0.2, 1.1], [2.0, 2.0], [2.1, 0.9]])

PROCESSES = {
    "gaussian": Structured.gaussian(4, 1.0),
    "gaussian, staged": Structured.gaussian(3, 0.7, Staged((0, 1))),
    "nearest": Structured.nearest(PLANE, 2, Cosine()),
    "user, log-linear": Structured(2.0 * SKEW, LogLinear(0.01)),
    "user, not diagonalizable": Structured(CHAIN),
}


def full(rows: int, t: float) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def kernel(process: Structured, t: float) -> torch.Tensor:
    """q(xt | x0) by the process's own `log_q`, (x0, xt)."""
    count = len(process.matrix)
    x0, xt = torch.arange(count).repeat_interleave(count)[:, None], torch.arange(count).repeat(count)[:, None]
    return process.log_q(xt, x0, full(count**2, t)).exp().view(count, count)


@pytest.mark.parametrize("name", PROCESSES)
def test_laws(name: str) -> None:
    process = PROCESSES[name]
    check_process(process, variants={"matrix": 1.5 * process.matrix})


@pytest.mark.parametrize("t", [0.0, 1e-6, 0.1, 0.5, 0.9, 0.999])
def test_kernels_are_matrix_exponentials(t: float) -> None:
    for process in PROCESSES.values():
        if isinstance(process.schedule, Staged):
            continue
        sigma = -process.schedule.alpha(torch.tensor(t, dtype=torch.float64)).log()
        assert torch.allclose(kernel(process, t), torch.matrix_exp(sigma * process.matrix), atol=1e-13)


def test_t14_discretized_gaussian() -> None:
    """D3PM's matrix for K = 16, b = .02 is I + c R: symmetric, rows sum to 1, powers tend to uniform."""
    count, b = 16, 0.02
    offsets = torch.arange(1 - count, count, dtype=torch.float64)
    size = (-4.0 * offsets.square() / ((count - 1) ** 2 * b)).exp()
    gap = torch.arange(count)[:, None] - torch.arange(count)
    step = size[gap + count - 1] / size.sum()
    step.fill_diagonal_(0.0)
    step += torch.diag(1.0 - step.sum(1))
    process = Structured.gaussian(count, (count - 1) * (b / 8) ** 0.5)
    scale = step[0, 1] / process.matrix[0, 1]
    assert torch.allclose(torch.eye(count) + scale * process.matrix, step, atol=1e-14)
    q = kernel(process, 0.3)
    assert torch.allclose(q, q.T, atol=1e-14)
    assert torch.allclose(q.sum(1), torch.ones(count).double(), atol=1e-13)
    # 40 steps that leave 0.7 each leave 6e-7 of the slowest mode, as does the one step to 1 - 0.7^40
    power = torch.linalg.matrix_power(q, 40)
    assert torch.allclose(power, kernel(process, 1.0 - 0.7**40), atol=1e-12)
    assert torch.allclose(power, torch.full_like(power, 1 / count), atol=2e-6)
    assert torch.allclose(kernel(process, 1.0), torch.full_like(power, 1 / count), atol=1e-15)


def test_small_entries_keep_their_digits() -> None:
    """Ratios of them are what posteriors and rates are made of; an eigen-decomposition has none below 1e-16."""
    process = Structured.gaussian(12, 0.5)
    entries = [[mpmath.mpf(float(rate)) for rate in row] for row in process.matrix]
    for t in (0.001, 0.01, 0.2):
        with mpmath.workdps(60):
            sigma = -mpmath.log(mpmath.mpf(float(Linear().alpha(torch.tensor(t, dtype=torch.float64)))))
            truth = mpmath.expm(sigma * mpmath.matrix(entries), method="taylor")
        got = kernel(process, t)
        assert t > 0.1 or float(got.min()) < 1e-9
        for i in range(12):
            for j in range(12):
                assert float(got[i, j]) == pytest.approx(float(truth[i, j]), rel=1e-11)


def test_uniform_rates_are_uniform_noise() -> None:
    count = 5
    structured = Structured(torch.full((count, count), 1 / count) - torch.eye(count), Cosine())
    discrete = Discrete.uniform(count, Cosine())
    rng = torch.Generator().manual_seed(0)
    x0, xt = (torch.randint(count, (32, 3), generator=rng) for _ in range(2))
    pred = torch.randn((32, 3, count), generator=rng, dtype=torch.float64)
    for s, t in ((0.1, 0.3), (0.5, 0.51), (0.2, 1.0)):
        start, now = full(32, s), full(32, t)
        assert torch.allclose(structured.log_q(xt, x0, now), discrete.log_q(xt, x0, now), atol=1e-12)
        assert torch.allclose(structured.loss(pred, x0, xt, now), discrete.loss(pred, x0, xt, now), atol=1e-9)
        a, b = structured.loss(pred, x0, xt, now, start), discrete.loss(pred, x0, xt, now, start)
        assert torch.allclose(a, b, atol=1e-12)
        a, b = structured.reverse_law(pred, xt, start, now)[0], discrete.reverse_law(pred, xt, start, now)[0]
        assert torch.allclose(a.exp(), b.exp(), atol=1e-12)
        a, b = structured.leave_one_out(pred, xt, now), discrete.leave_one_out(pred, xt, now)
        assert torch.allclose(a, b, atol=1e-12)
        if t < 1.0:
            assert torch.allclose(structured.rates(pred, xt, now)[0], discrete.rates(pred, xt, now)[0], atol=1e-9)


@pytest.mark.parametrize("process", [PROCESSES["gaussian"], PROCESSES["nearest"], Structured.paced(SKEW)])
def test_the_slowest_mode_survives_as_alpha(process: Structured) -> None:
    values, modes = torch.linalg.eig(process.matrix)
    order = values.real.argsort(descending=True)
    slow = modes[:, order[1]].real
    assert float(values.real[order[1]]) == pytest.approx(-1.0)
    for t in (0.25, 0.8):
        alpha = process.schedule.alpha(torch.tensor(t, dtype=torch.float64))
        assert torch.allclose(kernel(process, t) @ slow, alpha * slow, atol=1e-12)


def test_nothing_is_left_at_time_1() -> None:
    process = Structured(SKEW)
    pi, mask = process.prior_law()
    assert mask == 0.0
    assert torch.allclose(pi @ process.matrix, torch.zeros(4).double(), atol=1e-15)
    assert torch.allclose(kernel(process, 1.0), pi.expand(4, 4), atol=0.0, rtol=1e-15)  # a logarithm and back
    assert torch.allclose(kernel(process, 1.0 - 1e-15), pi.expand(4, 4), atol=1e-13)
    assert process.prior_kl(torch.arange(4)[:, None]).abs().max() < 1e-15


def test_rates_are_the_slope_of_the_reverse_kernel() -> None:
    process = Structured(SKEW, Cosine())
    rng = torch.Generator().manual_seed(0)
    xt = torch.arange(4)[:, None]
    pred = torch.randn((4, 1, 4), generator=rng, dtype=torch.float64)
    t, h = 0.6, 1e-7
    kernels = process.reverse_law(pred, xt, full(4, t - h), full(4, t))[0].exp()[:, 0]
    rates, to_mask = process.rates(pred, xt, full(4, t))
    off = ~torch.eye(4, dtype=torch.bool)
    assert torch.allclose(kernels[off] / h, rates[:, 0][off], rtol=1e-5, atol=1e-5)
    assert torch.equal(rates[:, 0].diagonal(), torch.zeros(4).double())
    assert to_mask.abs().max() == 0


def test_leave_one_out_of_one_site_is_its_law() -> None:
    process = Structured(SKEW)
    law = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    posterior = (law[:, None] * kernel(process, 0.4)).T
    loo = process.leave_one_out(posterior.log()[:, None], torch.arange(4)[:, None], full(4, 0.4))
    assert torch.allclose(loo.exp()[:, 0], law.expand(4, 4), atol=1e-12)


def test_a_bad_prediction_of_many_classes_costs_finitely_much() -> None:
    process = Structured.gaussian(200, 1.0)
    x0 = torch.tensor([[0], [100], [199]])
    pred = torch.zeros((3, 1, 200), requires_grad=True)
    for t in (1e-6, 1e-3, 0.5, 1.0):
        xt = process.corrupt(x0, full(3, t), torch.Generator().manual_seed(0))
        for s in (None, full(3, t / 2)):
            loss = process.loss(pred, x0, xt, full(3, t), s)
            (slope,) = torch.autograd.grad(loss.sum(), pred)
            assert bool(loss.isfinite().all())
            assert bool(slope.isfinite().all())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Structured(torch.ones(2, 3)), "square"),
        (lambda: Structured(torch.tensor([[-1.0, 1.0], [-0.5, 0.5]])), r"row 1 .* class 0"),
        (lambda: Structured(torch.tensor([[-1.0, 1.0], [float("nan"), 0.0]])), "row 1"),
        (lambda: Structured(torch.tensor([[-1.0, 1.0], [0.5, -0.3]])), r"row 1 .* sums to 0.2"),
        (lambda: Structured(torch.zeros(2, 2)), "never meets"),
        (lambda: Structured(torch.block_diag(*[torch.tensor([[-1.0, 1.0], [1.0, -1.0]])] * 2)), "class 0 .* class 2"),
        (lambda: Structured(CHAIN, LogLinear()), "alpha"),
        (lambda: Structured.gaussian(4, 0.0), "width"),
        (lambda: Structured.gaussian(0, 1.0), "num_classes"),
        (lambda: Structured.nearest(PLANE, 5), "neighbours"),
        (lambda: Structured.nearest(torch.tensor([[0.0], [1.0], [9.0], [10.0]]), 1), "neighbours"),
        (lambda: Structured.nearest(torch.full((3, 1), float("inf")), 1), "finite"),
    ],
)
def test_nonsense_is_refused(make, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


def test_one_class() -> None:
    process = Structured.gaussian(1, 1.0)
    x0 = torch.zeros((2, 1), dtype=torch.long)
    assert torch.equal(process.corrupt(x0, full(2, 0.5)), x0)
    assert float(process.loss(torch.zeros(2, 1, 1), x0, x0, full(2, 0.5)).abs().max()) == 0
