"""Self-conditioning in training and in sampling."""

from typing import Any

import pytest
import torch

from intarsia import DDIM
from intarsia.objectives import MinSNR, Recall, SelfConditioned
from intarsia.processes import Gaussian


class Reviser:
    """Remembers the estimates it was shown; its prediction is a parameter plus half of the estimate."""

    def __init__(self) -> None:
        self.value = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        self.shown: list[Any] = []

    def __call__(self, x: torch.Tensor, t: torch.Tensor, cond: object, estimate: Any) -> torch.Tensor:
        self.shown.append(estimate)
        return self.value.expand(x.shape) + (0.0 if estimate is None else 0.5 * estimate)


def test_self_conditioning_shows_the_first_prediction_without_its_gradient() -> None:
    x0 = torch.zeros(5, 2, dtype=torch.float64)
    for share, value, slope in ((0.0, 0.3, 1.0), (1.0, 0.45, 1.0)):
        reviser = Reviser()
        plain = MinSNR()(Gaussian(), lambda x, t, c, v=value: x * 0.0 + v, x0, None, _after_coin(3))
        loss = SelfConditioned(MinSNR(), share)(Gaussian(), reviser, x0, None, torch.Generator().manual_seed(3))
        assert torch.allclose(loss, plain, atol=1e-12)
        # d/dv of weight · pred² is 2 · weight · pred · slope, where slope counts the last call only
        (gradient,) = torch.autograd.grad(loss.sum(), reviser.value)
        assert gradient.item() == pytest.approx(2.0 * plain.sum().item() / value * slope, rel=1e-9)
        assert len(reviser.shown) == 1 + (share == 1.0)


def _after_coin(seed: int) -> torch.Generator:
    """A generator from which the coin of `SelfConditioned` was drawn."""
    rng = torch.Generator().manual_seed(seed)
    torch.rand(1, generator=rng)
    return rng


def test_self_conditioning_happens_in_half_of_the_batches() -> None:
    objective, x0, reviser = SelfConditioned(MinSNR()), torch.zeros(1, 1, dtype=torch.float64), Reviser()
    for seed in range(400):
        objective(Gaussian(), reviser, x0, None, torch.Generator().manual_seed(seed))
    assert sum(estimate is not None for estimate in reviser.shown) == pytest.approx(200, abs=50)


def test_recall_shows_a_sampler_its_last_estimate_and_begins_each_run_anew() -> None:
    reviser = Reviser()
    recall = Recall(reviser)
    for _ in range(2):
        reviser.shown.clear()
        DDIM(3).sample(Gaussian(), recall, torch.zeros(4, 2, dtype=torch.float64))
        assert reviser.shown[0] is None
        for before, estimate in enumerate(reviser.shown[1:]):
            expected = 0.3 * (2.0 - 0.5**before)  # 0.3, 0.45, …
            assert torch.allclose(estimate, torch.full((4, 2), expected, dtype=torch.float64))
            assert not estimate.requires_grad
    # a new run; then rows of another batch, a rise in time, and on demand
    x, early, late = torch.zeros(4, 2), torch.full((4,), 0.2), torch.full((4,), 0.25)
    recall(x, early, None)
    recall(x, late, None)
    recall(x[:2], early[:2], None)
    recall(x[:2], torch.tensor([0.2, 0.9]), None)
    recall.forget()
    recall(x[:2], early[:2], None)
    assert [estimate is None for estimate in reviser.shown[-5:]] == [True, False, True, True, True]


def test_recall_takes_records() -> None:
    shown: list[Any] = []

    def reviser(x: Any, t: Any, cond: object, estimate: Any) -> Any:
        shown.append(estimate)
        return {"a": x["a"] + 1.0}

    recall, x = Recall(reviser), {"a": torch.zeros(2, 1)}
    for t in (0.5, 0.4):
        recall(x, {"a": torch.full((2,), t)}, None)
    assert shown[0] is None
    assert shown[1]["a"].tolist() == [[1.0], [1.0]]
