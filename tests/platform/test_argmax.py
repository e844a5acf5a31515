"""T9 of the engine's reference: the argmax of Gaussian noise is uniform noise, with Duo's survival."""

import pytest
import torch

from intarsia import Linear
from intarsia.processes import Discrete
from intarsia.schedules import Argmax, argmax_survival
from intarsia.testing import check_process, chi_square

SIGNALS = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64)


@pytest.mark.parametrize(
    ("num_classes", "row"),
    [
        (2, ".056655 .175978 .316909 .511755 .855708"),
        (4, ".035390 .116205 .223269 .394338 .781011"),
        (27, ".008378 .031051 .069439 .154338 .514605"),
    ],
)
def test_t9_the_operator_of_duo(num_classes: int, row: str) -> None:
    survival, _ = argmax_survival(SIGNALS, num_classes)
    assert [f"{value:.6f}".lstrip("0") for value in survival.tolist()] == row.split()


def test_t9_two_classes_in_closed_form() -> None:
    a = torch.linspace(0, 1, 101, dtype=torch.float64)
    survival, slope = argmax_survival(a, 2)
    noise = (1 - a.square()).sqrt()
    assert torch.allclose(survival, torch.erf(a / (2 * noise)), atol=1e-14, rtol=0)
    by_hand = (-(a / (2 * noise)).square()).exp() / torch.pi**0.5 / noise**3
    assert torch.allclose(slope[:-1], by_hand[:-1], atol=1e-12)
    assert (survival[0], survival[-1], slope[-1]) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("num_classes", [2, 5, 1000])
def test_draws_are_the_argmax_of_gaussian_ones(num_classes: int) -> None:
    """n = 20,000 at a = 0.6: how often the class is kept, and that the others share what is left."""
    n, a, rng = 20_000, 0.6, torch.Generator().manual_seed(0)
    scores = 0.8 * torch.randn((n, num_classes), generator=rng)
    scores[:, 0] += a
    survival = float(argmax_survival(torch.tensor(a), num_classes)[0])
    law = torch.full((num_classes,), (1 - survival) / num_classes, dtype=torch.float64)
    law[0] += survival
    assert chi_square(torch.bincount(scores.argmax(1), minlength=num_classes), law) >= 1e-4


def test_it_is_a_schedule_of_uniform_noise() -> None:
    check_process(Discrete.uniform(3, Argmax(3)), variants={"schedule": Argmax(3, Linear())})


def test_what_comes_in_comes_out() -> None:
    assert Argmax(3).alpha(torch.tensor([[0.5], [0.2]])).dtype == torch.float32
    assert (Argmax(3).alpha(torch.tensor([1.0, 0.0])) == torch.tensor([0.0, 1.0])).all()
