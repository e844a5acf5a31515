"""Schedules against their definition: ends, derivative, inverse and grid."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia import Cosine, Linear, LogLinear, Polynomial, Staged
from intarsia.processes import HybridSurvival
from intarsia.schedules import AbstractSchedule, Argmax, LearnedPolynomial


def learned(powers: tuple[float, ...], shape: tuple[int, ...] | None = None, floor: float = 0.0) -> LearnedPolynomial:
    """A learned schedule in float64 at given exponents."""
    schedule = LearnedPolynomial(len(powers) if shape is None else shape, floor=floor, start=floor + 1.0).double()
    with torch.no_grad():
        schedule.theta.copy_((torch.tensor(powers, dtype=torch.float64) - floor).expm1().log())
    return schedule


PLAIN = [Linear(), Cosine(), Polynomial(0.5), Polynomial(1.0), Polynomial(3.0), LogLinear(), LogLinear(0.2)]
PLAIN += [HybridSurvival(), HybridSurvival(0.6), Argmax(2), Argmax(27, Linear())]
SITES = [Polynomial((0.5, 1.0, 3.0)), learned((0.5, 1.0, 3.0)), learned((1.5, 1.1, 2.0), floor=1.0)]
STAGED = [Staged((0, 1)), Staged((1, 0, 1), Cosine()), Staged((0,)), Staged((2, 0, 1), Polynomial(2.0))]
times = st.floats(1e-3, 1.0 - 1e-3)


def at(t: float) -> torch.Tensor:
    return torch.full((1, 1), t, dtype=torch.float64)


@pytest.mark.parametrize("schedule", PLAIN + STAGED + SITES, ids=repr)
def test_alpha_falls_from_one(schedule: AbstractSchedule) -> None:
    grid = torch.linspace(0, 1, 501, dtype=torch.float64)[:, None]
    alpha = schedule.alpha(grid)
    assert (alpha[0] == 1.0).all()
    assert (alpha.diff(dim=0) <= 1e-15).all()
    assert (alpha >= 0).all()


@pytest.mark.parametrize("schedule", [s for s in PLAIN + STAGED + SITES if not isinstance(s, LogLinear)], ids=repr)
def test_nothing_is_left_at_the_end(schedule: AbstractSchedule) -> None:
    assert (schedule.alpha(at(1.0)) == 0.0).all()


@pytest.mark.parametrize("schedule", PLAIN + STAGED + SITES, ids=repr)
@given(t=times)
def test_the_derivative_is_that_of_alpha(schedule: AbstractSchedule, t: float) -> None:
    h = 1e-6
    if isinstance(schedule, Staged):  # away from the kinks between windows
        windows = max(schedule.stages) + 1
        t = min(max(t * windows % 1.0, 0.01), 0.99) / windows + int(t * windows) / windows
    slope = (schedule.alpha(at(t + h)) - schedule.alpha(at(t - h))) / (2 * h)
    assert torch.allclose(schedule.dalpha(at(t)).expand(slope.shape), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("schedule", PLAIN, ids=repr)
@given(t=times)
def test_the_inverse_undoes_alpha(schedule: AbstractSchedule, t: float) -> None:
    if isinstance(schedule, Argmax):  # flat to rounding where the noise is too small to change the largest
        t = 0.1 + 0.9 * t
    assert schedule.inverse(schedule.alpha(at(t))).item() == pytest.approx(t, abs=1e-7)


@pytest.mark.parametrize("schedule", STAGED, ids=repr)
@given(level=times)
def test_staged_inverse_finds_the_time_of_every_site(schedule: AbstractSchedule, level: float) -> None:
    assert isinstance(schedule, Staged)
    found = schedule.inverse(torch.full((1, len(schedule.stages)), level, dtype=torch.float64))
    assert torch.allclose(schedule.alpha(found), torch.tensor(level, dtype=torch.float64), atol=1e-9)
    # stage k of S owns the window [1 - (k + 1) / S, 1 - k / S]
    count, stage = max(schedule.stages) + 1, torch.tensor(schedule.stages)
    assert (found >= 1 - (stage + 1) / count).all()
    assert (found <= 1 - stage / count).all()


@pytest.mark.parametrize("schedule", PLAIN + STAGED + SITES, ids=repr)
@pytest.mark.parametrize("steps", [3, 7, 50])
def test_grids_fall_from_one_to_zero(schedule: AbstractSchedule, steps: int) -> None:
    grid = schedule.grid(steps)
    assert grid.shape == (steps + 1,)
    assert grid.dtype == torch.float64
    assert grid[0] == 1.0
    assert grid[-1] == 0.0
    assert (grid.diff() < 0).all()


@pytest.mark.parametrize("schedule", PLAIN, ids=repr)
def test_grids_spend_equal_survival(schedule: AbstractSchedule) -> None:
    spent = schedule.alpha(schedule.grid(10)).diff()
    assert torch.allclose(spent, spent.mean().expand(10), atol=1e-9)


@pytest.mark.parametrize("schedule", [*SITES, learned((0.5, 1.0, 3.0, 2.0), (2, 2))], ids=repr)
def test_grids_of_sites_spend_equal_survival_on_average(schedule: AbstractSchedule) -> None:
    axes = len(schedule.shape) if isinstance(schedule, LearnedPolynomial) else 1
    spent = schedule.alpha(schedule.grid(10).view(-1, *[1] * axes)).flatten(1).mean(1).diff()
    assert torch.allclose(spent, spent.mean().expand(10), atol=1e-12)


@pytest.mark.parametrize("schedule", SITES, ids=repr)
@given(t=times)
def test_the_inverse_of_every_site_undoes_alpha(schedule: AbstractSchedule, t: float) -> None:
    assert torch.allclose(schedule.inverse(schedule.alpha(at(t))), at(t), atol=1e-7)


def test_stages_are_noised_last_to_first() -> None:
    schedule = Staged((0, 1))
    coarse, fine = schedule.alpha(torch.tensor([[0.25], [0.5], [0.75]], dtype=torch.float64)).T
    assert fine.tolist() == [0.5, 0.0, 0.0]
    assert coarse.tolist() == [1.0, 1.0, 0.5]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Polynomial(0.0),
        lambda: Polynomial(float("nan")),
        lambda: Polynomial(()),
        lambda: Polynomial((1.0, -1.0)),
        lambda: LearnedPolynomial(3, start=0.0),
        lambda: LearnedPolynomial(3, start=1.0, floor=1.0),
        lambda: LearnedPolynomial(3, floor=-0.1),
        lambda: LearnedPolynomial(3).grid(0),
        lambda: HybridSurvival(0.0),
        lambda: HybridSurvival(1.0),
        lambda: LogLinear(0.0),
        lambda: LogLinear(1.0),
        lambda: Argmax(1),
        lambda: Staged(()),
        lambda: Staged((0, 2)),
        lambda: Staged((1,)),
        lambda: Linear().grid(0),
        lambda: Staged((0, 1, 2)).grid(2),
    ],
)
def test_nonsense_is_refused(make) -> None:
    with pytest.raises(ValueError, match=r"must|need"):
        make()


def test_a_learned_schedule_starts_where_it_is_told() -> None:
    """GenMD4's is linear at first; TabDiff's exponents are 1 + softplus(-6)."""
    assert LearnedPolynomial(3).powers.tolist() == pytest.approx([1.0] * 3, abs=1e-6)
    assert LearnedPolynomial((2, 2), start=0.3).powers.shape == (2, 2)
    start = 1.0 + math.log1p(math.exp(-6.0))
    assert LearnedPolynomial(1, start=start, floor=1.0).theta.item() == pytest.approx(-6.0, abs=1e-4)
    # a flat vector: the training loop gives weight decay to matrices
    assert LearnedPolynomial((2, 3)).theta.ndim == 1


@pytest.mark.parametrize("t", [0.0, 1e-9, 0.3, 1.0])
@pytest.mark.parametrize("powers", [(0.4, 1.0, 2.5)])
def test_gradients_of_a_learned_schedule(t: float, powers: tuple[float, ...]) -> None:
    """∂alpha/∂w = -t^w log t, and for the slope -(1 + w log t) t^(w - 1); finite at the ends."""
    schedule, w = learned(powers), torch.tensor(powers, dtype=torch.float64)
    chain = 1.0 - (-w).exp()  # ∂w/∂θ of softplus
    for value in (schedule.alpha(at(t)), schedule.dalpha(at(t)), schedule.inverse(at(t))):
        (gradient,) = torch.autograd.grad(value.sum(), schedule.theta)
        assert gradient.isfinite().all()
    if 1e-3 < t < 1.0:
        (alpha,) = torch.autograd.grad(schedule.alpha(at(t)).sum(), schedule.theta)
        (slope,) = torch.autograd.grad(schedule.dalpha(at(t)).sum(), schedule.theta)
        assert torch.allclose(alpha, chain * -(t**w) * math.log(t), atol=1e-12)
        assert torch.allclose(slope, chain * -(1.0 + w * math.log(t)) * t ** (w - 1.0), atol=1e-12)


def test_the_hybrid_survival_is_that_of_the_paper() -> None:
    """GIDD with γ = 1: (1 - u) / (1 + 2κ √(u (1 - u))), where a share `uniform` is redrawn at u = 1/2."""
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    u = torch.sin(math.pi * t / 2).square()
    total = 1.0 + 2.0 * 0.25 * (u * (1.0 - u)).sqrt()
    assert torch.allclose(HybridSurvival(0.2).alpha(t), (1.0 - u) / total, atol=1e-15)
