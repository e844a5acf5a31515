"""GenMD4's noise: class by class survival, against enumeration and against plain absorbing noise."""

import math

import pytest
import torch

from intarsia import Ancestral, Cosine, Linear, LogLinear, Polynomial
from intarsia.processes import ClasswiseAbsorbing, Discrete
from intarsia.schedules import AbstractSchedule, LearnedPolynomial
from intarsia.testing import BayesDenoiser, all_states, check_process, check_sampler
from intarsia.testing._process_nelbo import quadrature

POWERS = (0.7, 1.0, 2.0)


def times(rows: int, t: float) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def logits(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "process",
    [
        ClasswiseAbsorbing(3),
        ClasswiseAbsorbing(3, Polynomial(POWERS)),
        ClasswiseAbsorbing((2, 3), Polynomial((0.6, 1.5, *POWERS))),
        ClasswiseAbsorbing(3, LearnedPolynomial(3, 1.3).requires_grad_(False)),
        ClasswiseAbsorbing(3, LearnedPolynomial((2, 3), 0.8).requires_grad_(False)),
        ClasswiseAbsorbing((2, 3), LearnedPolynomial(5, 2.5).requires_grad_(False)),
    ],
    ids=repr,
)
def test_its_laws(process: ClasswiseAbsorbing) -> None:
    check_process(process)


@pytest.mark.parametrize("counts", [3, (2, 3)])
@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0)], ids=repr)
def test_equal_classes_are_absorbing_noise(counts, schedule: AbstractSchedule) -> None:
    """Draws, laws and losses of any prediction."""
    ours, plain = ClasswiseAbsorbing(counts, schedule), Discrete.absorbing(counts, schedule)
    x0 = torch.tensor([[0, 1], [1, 2], [1, 0], [0, 0]])
    pred = logits(4, 5) if isinstance(counts, tuple) else logits(4, 2, 3)
    s, t = times(4, 0.3), times(4, 0.8)
    xt = torch.tensor([[0, 3], [2, 2], [2, 3], [0, 0]]) if isinstance(counts, tuple) else torch.where(x0 > 0, 3, x0)
    for start in (None, s):
        assert torch.allclose(ours.loss(pred, x0, xt, t, start), plain.loss(pred, x0, xt, t, start), atol=1e-12)
    assert torch.allclose(ours.log_q(xt, x0, t).exp(), plain.log_q(xt, x0, t).exp(), atol=1e-15)
    for a, b in zip(ours.reverse_law(pred, xt, s, t), plain.reverse_law(pred, xt, s, t), strict=True):
        assert torch.allclose(a.exp(), b.exp(), atol=1e-12)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_the_loss_is_that_of_genmd4(t: float) -> None:
    """-(w/t) · (x0 (1 + x0 · log μ) - μ) at masked sites, with alpha_k = 1 - t^(w_k) (reference 1.5)."""
    process, w = ClasswiseAbsorbing(3, Polynomial(POWERS)), torch.tensor(POWERS, dtype=torch.float64)
    pred, x0 = logits(3, 1, 3), torch.tensor([[0], [1], [2]])
    mu = pred.softmax(-1)[:, 0]
    hot = torch.eye(3, dtype=torch.float64)
    paper = -((w / t) * (hot * (1.0 + (hot * mu.log()).sum(1, keepdim=True)) - mu)).sum(1)
    masked = process.loss(pred, x0, torch.full_like(x0, 3), times(3, t))[:, 0]
    assert torch.allclose(masked, paper, atol=1e-12)
    assert (process.loss(pred, x0, x0, times(3, t)) == 0).all()


@pytest.mark.parametrize("t", [0.2, 0.9])
def test_short_steps_of_any_prediction_cost_what_the_integrand_says(t: float) -> None:
    process, pred, x0 = ClasswiseAbsorbing(3, Polynomial(POWERS)), logits(3, 1, 3), torch.tensor([[0], [1], [2]])
    masks = torch.full_like(x0, 3)
    rate = process.loss(pred, x0, masks, times(3, t))
    gaps = [process.loss(pred, x0, masks, times(3, t), times(3, t - h)) / h - rate for h in (1e-4, 5e-5)]
    assert (gaps[0].abs() < 5e-3 * rate).all()
    assert torch.allclose(gaps[0] / gaps[1], torch.tensor(2.0, dtype=torch.float64), rtol=1e-2)


def test_the_posterior_depends_on_the_time() -> None:
    """p(x0 | mask) ∝ p(x0) t^(w of x0): late in time every class is masked, early mostly those of small exponents."""
    process = ClasswiseAbsorbing(3, Polynomial(POWERS))
    assert not process.time_free
    law = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    denoiser = BayesDenoiser(process, torch.arange(3)[:, None], law.log())
    for t in (0.1, 0.6, 1.0):
        expected = law * t ** torch.tensor(POWERS, dtype=torch.float64)
        got = denoiser(torch.tensor([[3]]), times(1, t)).softmax(-1)[0, 0]
        assert torch.allclose(got, expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("counts", [2, (2, 3)])
def test_the_bound_of_dependent_sites_is_tight_for_every_state(counts) -> None:
    """With the posterior of the joint law ∫ E[loss | x0] dt = -log p(x0), by enumeration of the masks."""
    powers = (0.7, 1.6, 1.0, 2.0, 1.3) if isinstance(counts, tuple) else (0.7, 1.6)
    process = ClasswiseAbsorbing(counts, Polynomial(powers))
    points = all_states(list(counts) if isinstance(counts, tuple) else [counts] * 2)
    law = torch.rand(len(points), dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.05
    law = law / law.sum()
    denoiser = BayesDenoiser(process, points, law.log())
    patterns = torch.tensor([[False, True], [True, False], [True, True]])
    x0 = points.repeat_interleave(3, 0)
    xt = torch.where(patterns.repeat(len(points), 1), process.mask_id(x0.device), x0)
    total = torch.zeros(len(points), dtype=torch.float64)
    edges = torch.cat([torch.zeros(1), torch.logspace(-8, 0, 60)]).double()
    for t, weight in zip(*quadrature(edges), strict=True):
        time = times(len(x0), t)
        chance = process.log_q(xt, x0, time).sum(1).exp()
        total += weight * (chance * process.loss(denoiser(xt, time), x0, xt, time).sum(1)).view(-1, 3).sum(1)
    assert torch.allclose(total, -law.log(), atol=2e-5)


def test_sampling_gives_the_law() -> None:
    check_sampler(Ancestral(12), ClasswiseAbsorbing(3, Polynomial(POWERS)))


def test_sites_in_several_axes() -> None:
    process = ClasswiseAbsorbing(3, Polynomial(POWERS))
    x0 = torch.randint(3, (6, 2, 4), generator=torch.Generator().manual_seed(0))
    pred, rng = logits(6, 2, 4, 3), torch.Generator().manual_seed(1)
    for t in (times(6, 0.7), times(6, 0.7)[:, None, None].expand(x0.shape)):
        xt = process.corrupt(x0, t, rng)
        assert process.loss(pred, x0, xt, t).shape == x0.shape
        assert process.reverse(pred, xt, 0.5 * t, t, rng).shape == x0.shape


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="each of 3 classes"):
        ClasswiseAbsorbing(3, Polynomial((1.0, 2.0)))
    with pytest.raises(ValueError, match="each of 5 classes"):
        ClasswiseAbsorbing((2, 3), Polynomial((1.0, 2.0)))
    with pytest.raises(ValueError, match=r"alpha\(1\) must be 0, got 0.001"):
        ClasswiseAbsorbing(3, LogLinear())


def test_memory_is_that_of_the_logits() -> None:
    """100,000 classes of one site: nothing of their square is made."""
    count = 100_000
    process = ClasswiseAbsorbing(count, LearnedPolynomial(count))
    x0, t = torch.tensor([[7], [count - 1]]), times(2, 0.5)
    pred = torch.zeros(2, 1, count, requires_grad=True)
    nats = process.loss(pred, x0, torch.full_like(x0, count), t)
    assert nats.flatten().tolist() == pytest.approx([2.0 * math.log(count)] * 2, rel=1e-6)
    nats.sum().backward()
    assert process.schedule.theta.grad is not None
    assert process.schedule.theta.grad.isfinite().all()
