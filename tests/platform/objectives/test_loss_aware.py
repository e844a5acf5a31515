"""Loss-aware times: unbiased whatever was seen, and with less variance."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from intarsia import NelboObjective
from intarsia.objectives import AbstractTimed, LossAware, LossMemory
from intarsia.processes import Discrete, Xor
from intarsia.testing._process_nelbo import quadrature


@dataclass(frozen=True)
class Known(AbstractTimed):
    """A loss that is a function of the time."""

    of: Callable[[torch.Tensor], torch.Tensor]

    def at(self, process, denoiser, x0, t, cond=None, rng=None) -> torch.Tensor:
        return self.of(t)


def stairs(t: torch.Tensor) -> torch.Tensor:
    """10, 1, 4, 2 on the four quarters."""
    return torch.tensor([10.0, 1.0, 4.0, 2.0], dtype=t.dtype)[(t * 4).long().clamp(max=3)]


def trained_memory(loss: Callable[[torch.Tensor], torch.Tensor], bins: int, floor: float) -> LossMemory:
    memory = LossMemory(bins, floor=floor, visits=2)
    objective = LossAware(Known(loss), memory)
    for seed in range(12):
        objective(Xor(1), lambda x, t, c: x, torch.zeros(64, 1), None, torch.Generator().manual_seed(seed))
    return memory


@pytest.mark.parametrize("floor", [0.01, 0.3, 1.0])
def test_loss_aware_times_are_unbiased_whatever_was_seen(floor: float) -> None:
    """∫ weight(u) f(t(u)) du = ∫ f dt, exactly on the panels of the density, for other functions than the losses."""
    memory = trained_memory(lambda t: (3.0 * t).exp(), 8, floor)
    edges = torch.cat([torch.zeros(1).double(), memory.chances().cumsum(0)])
    edges[-1] = 1.0
    assert float((memory.chances() - 0.125).abs().max()) > (0.05 if floor < 0.5 else -1.0)
    u, du = (torch.tensor(values, dtype=torch.float64) for values in quadrature(edges))
    t, weight = memory.draw(u)
    for power in range(4):
        assert float((du * weight * t**power).sum()) == pytest.approx(1.0 / (power + 1), abs=1e-12)
    assert (weight <= 1.0 / floor + 1e-12).all()


def test_loss_aware_times_leave_no_variance_where_losses_are_constant_in_every_interval() -> None:
    memory = trained_memory(stairs, 4, 0.0)
    assert torch.allclose(memory.chances(), torch.tensor([10.0, 1.0, 4.0, 2.0], dtype=torch.float64) / 17.0)
    objective = LossAware(Known(stairs), memory)
    weighted = objective(Xor(1), lambda x, t, c: x, torch.zeros(50, 1), None, torch.Generator().manual_seed(0))
    assert torch.allclose(weighted, torch.tensor(17.0 / 4.0, dtype=torch.float64))


def test_loss_aware_is_the_nelbo(table, exact_nelbo) -> None:
    """Mean of 20,000 draws within 5 standard errors of the enumerated nelbo, with less variance than uniform times."""
    process, network, x0 = Discrete.absorbing((2, 3)), table((2, 3)), torch.tensor([[1, 2]]).expand(20_000, -1)
    objective = LossAware(NelboObjective(), LossMemory(20, visits=2))
    for seed in range(4):
        objective(process, network, x0[:2000], None, torch.Generator().manual_seed(seed))
    drawn = objective(process, network, x0, None, torch.Generator().manual_seed(9))
    exact = exact_nelbo(process, network, x0[:1])
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    assert drawn.std() < 0.8 * NelboObjective()(process, network, x0, None, torch.Generator().manual_seed(9)).std()


def test_a_memory_waits_forgets_and_is_saved() -> None:
    memory = LossMemory(2, decay=0.5, visits=2)
    early, late = torch.tensor([0.1]), torch.tensor([0.9])
    memory.update(early, torch.tensor([2.0]))
    memory.update(late, torch.tensor([3.0]))
    assert memory.chances().tolist() == [0.5, 0.5]
    memory.update(torch.cat([early, early, late]), torch.tensor([4.0, 2.0, math.nan]))
    memory.update(late, torch.tensor([3.0]))
    assert memory.second.tolist() == pytest.approx([0.5 * 4.0 + 0.5 * (16.0 + 4.0) / 2, 9.0])
    assert memory.seen.tolist() == [2, 2]
    twin = LossMemory(2)
    twin.load_state_dict(memory.state_dict())
    assert torch.equal(twin.second, memory.second)
    with torch.no_grad():  # an evaluation
        LossAware(Known(stairs), memory)(Xor(1), lambda x, t, c: x, torch.zeros(5, 1), None, torch.Generator())
    assert torch.equal(twin.second, memory.second)
