"""Multi-granularity weights against their formula."""

import math

import pytest
import torch

from intarsia.objectives import MultiGranularity, falling, inverse
from intarsia.processes import Discrete


@pytest.mark.parametrize(("weight", "beta"), [(falling, 1.0), (falling, 2.0), (inverse, 0.0), (inverse, 0.5)])
def test_multi_granularity_is_the_formula(weight, beta: float, table, seen) -> None:
    """w(k) · mean over masked sites of alpha (1 - e^-u)^beta u (reference/reasoning 1.3), row by row."""
    process, network = Discrete.absorbing((2, 3, 4)), seen(table((2, 3, 4)))
    x0 = torch.tensor([[1, 2, 0], [0, 1, 3]]).repeat(20, 1)
    objective = MultiGranularity(20, 0.25, beta, weight)
    loss = objective(process, network, x0, None, torch.Generator().manual_seed(0))
    assert sorted((network.t * 20).round().long().tolist()) == [k for k in range(1, 21) for _ in range(2)]
    empty = 0
    for row in range(40):
        step = round(float(network.t[row]) * 20) - 1
        parts = network.pred[row].split([2, 3, 4])
        u = [-p.log_softmax(0)[x0[row, i]].item() for i, p in enumerate(parts) if network.x[row, i] == (2, 3, 4)[i]]
        empty += not u
        expected = sum(0.25 * (1.0 - math.exp(-v)) ** beta * v for v in u) / max(len(u), 1)
        expected *= 20 - step if weight is falling else 1.0 / (step + 1)
        assert loss[row].item() == pytest.approx(expected, abs=1e-9)
    assert empty > 0  # rows without a mask have loss 0


def test_multi_granularity_masks_a_site_with_probability_k_of_t(seen) -> None:
    process, network = Discrete.absorbing(2), seen(lambda x, t, c: torch.zeros(*x.shape, 2))
    MultiGranularity(4)(
        process, network, torch.zeros(8000, 3, dtype=torch.long), None, torch.Generator().manual_seed(0)
    )
    for k in range(1, 5):
        rows = network.t == k / 4
        assert rows.sum() == 2000
        assert (network.x[rows] == 2).double().mean().item() == pytest.approx(k / 4, abs=0.03)


def test_multi_granularity_at_a_sure_prediction() -> None:
    """No loss and a finite gradient where the network is right for certain, also with a power below 1."""
    x0 = torch.zeros(50, 2, dtype=torch.long)
    logits = torch.tensor([0.0, -200.0]).expand(50, 2, 2).clone().requires_grad_(True)
    objective = MultiGranularity(beta=0.5)
    loss = objective(Discrete.absorbing(2), lambda x, t, c: logits, x0, None, torch.Generator().manual_seed(0))
    loss.sum().backward()
    assert (loss.abs() < 1e-6).all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
