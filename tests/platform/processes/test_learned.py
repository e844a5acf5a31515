"""What processes learn: found, copied, trained and saved with the network; and the learned noise levels."""

import copy
import math

import pytest
import torch

from intarsia import Staged
from intarsia.persistence import state_into
from intarsia.processes import (
    Discrete,
    Gaussian,
    LearnedExploding,
    Product,
    VarianceExploding,
    Xor,
    learned_modules,
)
from intarsia.schedules import LearnedPolynomial
from intarsia.training import Budget, Settings, train


class Pair(torch.nn.Module):
    """A process and a network as one module, with what the process learns registered."""

    def __init__(self, process) -> None:
        super().__init__()
        self.process = process
        self.noise = learned_modules(process)
        self.network = torch.nn.Linear(1, 1)


def test_learned_modules_are_found_once() -> None:
    shared, other = LearnedPolynomial(2), LearnedPolynomial(3)
    staged = Staged((0, 1, 0), other)
    level = LearnedExploding(2)
    fields = {"a": Discrete.absorbing(2, shared), "b": Xor(2, shared), "c": Discrete.uniform(4, staged)}
    assert list(learned_modules(Product({**fields, "d": Gaussian(level)}))) == [shared, other, level]
    assert len(learned_modules(Discrete.absorbing((2, 3)))) == 0


def test_a_copy_of_the_whole_copies_the_schedule_once() -> None:
    pair = Pair(Discrete.absorbing(3, LearnedPolynomial(2)))
    twin = copy.deepcopy(pair)
    assert twin.process.schedule is twin.noise[0]
    assert twin.noise[0] is not pair.noise[0]
    assert set(pair.state_dict()) == {"noise.0.theta", "network.weight", "network.bias"}


def test_training_moves_saves_and_restores_a_schedule(tmp_path) -> None:
    pair = Pair(Discrete.absorbing(3, LearnedPolynomial(2)))

    def loss(model: torch.nn.Module, rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        # the process of the model that is given: training also calls with averaged weights
        assert isinstance(model, Pair)
        return (
            model.process.schedule.alpha(torch.full((len(rows), 1), 0.5)).sum(1) + model.network.weight.sum().square()
        )

    settings = Settings(batch_size=4, learning_rate=0.05, warmup=0, evaluations=2)
    train(
        pair,
        loss,
        8,
        lambda model: float(loss(model, torch.arange(8), torch.Generator()).mean()),
        Budget(steps=30),
        settings,
    )
    assert (pair.process.schedule.powers < 0.9).all()  # less of the data is left at t = 1/2
    fresh = Pair(Discrete.absorbing(3, LearnedPolynomial(2)))
    state_into(fresh, pair.state_dict(), tmp_path)
    assert torch.equal(fresh.process.schedule.powers, pair.process.schedule.powers)


def exploding(rho: tuple[float, ...]) -> LearnedExploding:
    level = LearnedExploding(len(rho), floor=0.0, start=1.0).double()
    with torch.no_grad():
        level.theta.copy_(torch.tensor(rho, dtype=torch.float64).expm1().log())
    return level


def test_learned_levels_are_exploding_levels_site_by_site() -> None:
    rho = (7.0, 1.0, 11.0)
    learned, t = exploding(rho), torch.rand(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for site, value in enumerate(rho):
        fixed = VarianceExploding(rho=value)
        assert torch.allclose(learned.log_snr(t)[:, site], fixed.log_snr(t[:, site]), atol=1e-12)
    assert torch.allclose(learned.time(learned.log_snr(t)), t, atol=1e-12)
    assert torch.equal(learned.signal(t), torch.ones_like(t))


def test_learned_levels_share_their_ends() -> None:
    level = exploding((3.0, 9.0))
    ends = level.log_snr(torch.tensor([[0.0], [1.0]], dtype=torch.float64))
    assert torch.allclose(ends[0], torch.tensor(-2.0 * math.log(0.002), dtype=torch.float64), atol=1e-9)
    assert torch.allclose(ends[1], torch.tensor(-2.0 * math.log(80.0), dtype=torch.float64), atol=1e-9)


def test_gradients_of_learned_levels() -> None:
    """Against a central difference in ρ, and through the draws of `corrupt`."""
    level, t = exploding((4.0, 8.0)), torch.tensor([[0.3]], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(level.log_snr(t).sum(), level.theta)
    for site, rho in enumerate((4.0, 8.0)):
        up, down = (VarianceExploding(rho=rho + step).log_snr(t).item() for step in (1e-5, -1e-5))
        slope = (up - down) / 2e-5 * (1.0 - math.exp(-rho))
        assert gradient[site].item() == pytest.approx(slope, rel=1e-7)
    xt = Gaussian(level).corrupt(torch.zeros(4, 2, dtype=torch.float64), t[:, 0], torch.Generator().manual_seed(0))
    (through,) = torch.autograd.grad(xt.square().sum(), level.theta)
    assert torch.allclose(through, -gradient * xt.square().sum(0), atol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LearnedExploding(2, sigma_min=0.0),
        lambda: LearnedExploding(2, sigma_min=2.0, sigma_max=1.0),
        lambda: LearnedExploding(2, start=5.0, floor=5.0),
    ],
)
def test_levels_that_cannot_be_are_refused(make) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
