"""The divergence of reversed jumps in one pass, against its sum class by class from rates."""

import pytest
import torch
from torch import Tensor

from intarsia import Cosine, LogLinear
from intarsia.processes import Discrete, Mixing, Ramp

NOISES = [
    Discrete.uniform(4),
    Discrete.uniform((2, 5, 1), Cosine()),
    Discrete(3, mask=0.4),
    Discrete((2, 3), Cosine(), 0.3, ((0.3, 0.7), (0.2, 0.5, 0.3))),
    Discrete(3, mask=0.0, law=(0.5, 0.5, 0.0)),
    Discrete.marginal(((0.9, 0.1), (0.2, 0.5, 0.3)), LogLinear(0.01)),
    Mixing.hybrid(3),
    Mixing((2, 3), Cosine(), Ramp(0.2, 0.9), ((0.3, 0.7), (0.2, 0.5, 0.3))),
]


def states(process: Discrete | Mixing, rows: int, t: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x0, xt, times and random logits; some xt are those of other data."""
    rng = torch.Generator().manual_seed(0)
    counts = process.num_classes if isinstance(process.num_classes, tuple) else (process.num_classes,) * 2
    x0 = torch.stack([torch.randint(count, (rows,), generator=rng) for count in counts], 1)
    time = torch.full((rows,), t, dtype=torch.float64)
    noised, other = process.corrupt(x0, time, rng), process.corrupt(x0.flip(0), time * 0.5, rng)
    xt = torch.where(torch.rand(x0.shape, generator=rng) < 0.7, noised, other)
    shape = (rows, sum(counts)) if isinstance(process.num_classes, tuple) else (rows, 2, process.num_classes)
    return x0, xt, time, 2.0 * torch.randn(shape, dtype=torch.float64, generator=rng)


def by_classes(process: Discrete | Mixing, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
    """Σ_y R_θ(y) - R(y) + R(y) log(R(y) / R_θ(y)) with the rates that leaps use, those of the truth sure of x0."""
    sure = torch.where(process.classes.is_class(x0), 0.0, -torch.inf).double()
    pairs = zip(process.rates(pred, xt, t), process.rates(sure, xt, t), strict=True)
    entries, to_mask = (p - q + torch.where(q > 0, q * (q / p).log(), 0.0) for p, q in pairs)
    return process.classes.sum(entries) + to_mask


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [1e-3, 0.2, 0.6, 0.95])
def test_it_is_the_sum_over_the_jumps(process: Discrete | Mixing, t: float) -> None:
    x0, xt, time, pred = states(process, 200, t)
    loss, slow = process.loss(pred, x0, xt, time), by_classes(process, pred, x0, xt, time)
    assert torch.allclose(loss, slow, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_its_gradient_is_that_of_the_sum(process: Discrete | Mixing) -> None:
    x0, xt, time, pred = states(process, 200, 0.4)
    slopes = []
    for loss in (process.loss, lambda *args: by_classes(process, *args)):
        leaf = pred.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(loss(leaf, x0, xt, time).sum(), leaf)
        slopes.append(slope)
    assert slopes[0].isfinite().all()
    known = slopes[1].isfinite()  # not where a site has no other class
    assert torch.allclose(slopes[0][known], slopes[1][known], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [0.0, 1e-12, 1e-9, 1e-4, 0.5, 1.0 - 1e-9, 1.0])
@pytest.mark.parametrize("scale", [0.0, 1.0, 400.0])
def test_single_precision_is_finite_everywhere(process: Discrete | Mixing, t: float, scale: float) -> None:
    x0, xt, time, pred = states(process, 200, t)
    leaf = (scale * pred).float().requires_grad_(True)
    loss = process.loss(leaf, x0, xt, time)
    (slope,) = torch.autograd.grad(loss.sum(), leaf)
    assert loss.dtype == torch.float32
    assert loss.isfinite().all()
    assert slope.isfinite().all()


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9, 0.999, 1.0 - 1e-6])
def test_single_precision_is_right_to_single_precision(process: Discrete | Mixing, t: float) -> None:
    """Also where the rates over the survival have no bound: every term vanishes with it."""
    x0, xt, time, pred = states(process, 200, t)
    exact = process.loss(pred.float().double(), x0, xt, time)
    assert torch.allclose(process.loss(pred.float(), x0, xt, time).double(), exact, rtol=1e-5, atol=1e-5)


def test_it_keeps_little_for_the_gradient() -> None:
    """Bytes that the forward pass saves over those of the logits: 3.3; a sum class by class took 15."""
    process = Discrete.uniform(5000)
    x0, xt, time, pred = states(process, 4, 0.5)
    saved: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    leaf = pred.float().requires_grad_(True)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        process.loss(leaf, x0, xt, time)
    assert sum(saved.values()) < 4.5 * leaf.untyped_storage().nbytes()
