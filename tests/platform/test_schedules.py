"""Schedules against their definition: ends, derivative, inverse and grid."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia import Cosine, Linear, LogLinear, Polynomial, Staged
from intarsia.schedules import AbstractSchedule

PLAIN = [Linear(), Cosine(), Polynomial(0.5), Polynomial(1.0), Polynomial(3.0), LogLinear(), LogLinear(0.2)]
STAGED = [Staged((0, 1)), Staged((1, 0, 1), Cosine()), Staged((0,)), Staged((2, 0, 1), Polynomial(2.0))]
times = st.floats(1e-3, 1.0 - 1e-3)


def at(t: float) -> torch.Tensor:
    return torch.full((1, 1), t, dtype=torch.float64)


@pytest.mark.parametrize("schedule", PLAIN + STAGED, ids=repr)
def test_alpha_falls_from_one(schedule: AbstractSchedule) -> None:
    grid = torch.linspace(0, 1, 501, dtype=torch.float64)[:, None]
    alpha = schedule.alpha(grid)
    assert (alpha[0] == 1.0).all()
    assert (alpha.diff(dim=0) <= 1e-15).all()
    assert (alpha >= 0).all()


@pytest.mark.parametrize("schedule", [s for s in PLAIN + STAGED if not isinstance(s, LogLinear)], ids=repr)
def test_nothing_is_left_at_the_end(schedule: AbstractSchedule) -> None:
    assert (schedule.alpha(at(1.0)) == 0.0).all()


@pytest.mark.parametrize("schedule", PLAIN + STAGED, ids=repr)
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


@pytest.mark.parametrize("schedule", PLAIN + STAGED, ids=repr)
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
        lambda: LogLinear(0.0),
        lambda: LogLinear(1.0),
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
