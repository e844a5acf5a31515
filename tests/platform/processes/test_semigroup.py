"""Transition kernels of a rate matrix: every way of computing them against the others, and their slopes."""

import mpmath
import pytest
import torch

from intarsia.processes import Structured, _digits
from intarsia.processes._digits import Digits
from intarsia.processes._modes import Modes
from intarsia.processes._semigroup import Semigroup

SKEW = torch.tensor(
    [[-1.0, 0.7, 0.3, 0.0], [0.1, -0.5, 0.4, 0.0], [0.6, 0.8, -1.9, 0.5], [0.0, 2.0, 0.0, -2.0]], dtype=torch.float64
)
SMOOTH = Structured.gaussian(12, 0.8).matrix


def truth(rates: torch.Tensor, time: float) -> torch.Tensor:
    """exp(time R) with 60 digits, rounded."""
    with mpmath.workdps(60):
        entries = mpmath.matrix([[mpmath.mpf(float(rate)) for rate in row] for row in rates])
        power = mpmath.expm(mpmath.mpf(time) * entries, method="taylor")
        rounded = [[float(power[i, j]) for j in range(len(rates))] for i in range(len(rates))]
        return torch.tensor(rounded, dtype=torch.float64)


def everywhere(kernels: Semigroup | Digits, count: int, time: float) -> list[torch.Tensor]:
    """exp(time R) as laws after classes, as chances into them, and as products with one-hot rows on both sides."""
    classes, span = torch.arange(count), torch.full((count,), time, dtype=torch.float64)
    eye = torch.eye(count, dtype=torch.float64)
    if isinstance(kernels, Digits):
        picked = [kernels.pick(classes, span, adjoint) for adjoint in (False, True)]
        moved = [kernels.move(eye, span, adjoint) for adjoint in (False, True)]
    else:
        picked = [kernels.after(classes, span), kernels.into(classes, span)]
        moved = [kernels.forward(eye, span), kernels.backward(eye, span)]
    return [picked[0], picked[1].T, moved[0], moved[1].T]


@pytest.mark.parametrize("rates", [SKEW, SMOOTH], ids=["skew", "smooth"])
@pytest.mark.parametrize("time", [1e-9, 1e-5, 0.003, 0.4, 1.0, 5.0])
def test_every_way_has_all_digits_of_every_entry(rates: torch.Tensor, time: float) -> None:
    exact = truth(rates, time)
    # below 1e-30 a term of the series is missing
    shown = exact > 1e-30
    for got in everywhere(Semigroup(rates), len(rates), time):
        assert torch.allclose(got[shown], exact[shown], rtol=1e-12, atol=0.0)
        assert (got[~shown] < 2e-30).all()


@pytest.mark.parametrize("entries", [1 << 18, 12**2 << 2, 0], ids=["base 16", "base 4", "base 2"])
@pytest.mark.parametrize("small", [1 << 17, 0], ids=["one product", "one a digit"])
def test_every_base_gives_the_same(entries: int, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_digits, "_ENTRIES", entries)
    monkeypatch.setattr(_digits, "_SMALL", small)
    kernels = Digits(SMOOTH)
    assert kernels.end > 50.0
    for time in (0.01, 0.2, 3.3):
        exact = truth(SMOOTH, time)
        for got in everywhere(kernels, 12, time):
            assert torch.allclose(got, exact, rtol=1e-12, atol=0.0)


def test_modes_start_where_no_entry_is_small() -> None:
    modes, digits = Modes(SMOOTH), Digits(SMOOTH)
    assert 0.1 < modes.since < 2.0
    for time in (modes.since, 2.0, 20.0):
        span = torch.full((12,), time, dtype=torch.float64)
        exact = digits.pick(torch.arange(12), span, False)
        assert exact.min() >= 0.01 * exact.max()
        assert torch.allclose(modes.pick(torch.arange(12), span), exact, rtol=1e-12, atol=0.0)
        assert torch.allclose(modes.move(torch.eye(12).double(), span), exact, rtol=1e-12, atol=0.0)


def test_rows_of_one_batch_may_have_all_kinds_of_times() -> None:
    rng = torch.Generator().manual_seed(0)
    kernels = Semigroup(SMOOTH)
    time = torch.tensor([0.0, 1e-7, 0.01, 0.3, 2.0, 40.0, 1e9, torch.inf], dtype=torch.float64)
    rows, x = torch.rand((8, 3, 12), generator=rng, dtype=torch.float64), torch.randint(12, (8, 3), generator=rng)
    spread = time[:, None].expand(8, 3)
    assert torch.equal(kernels.after(x, spread)[6:], kernels.stationary.expand(2, 3, 12))
    for k in range(8):
        alone = time[k].expand(1, 3)
        assert torch.allclose(kernels.forward(rows, spread)[k], kernels.forward(rows[k : k + 1], alone)[0], rtol=1e-13)
        assert torch.allclose(kernels.after(x, spread)[k], kernels.after(x[k : k + 1], alone)[0], rtol=1e-13)


@pytest.mark.parametrize("rates", [SKEW, SMOOTH], ids=["skew", "smooth"])
def test_the_slope_in_time_is_the_rate_matrix(rates: torch.Tensor) -> None:
    """What learned schedules are trained by: d exp(σR) / dσ = exp(σR) R, before and after the modes begin."""
    kernels, count = Semigroup(rates), len(rates)
    for time in (1e-4, 0.1, 1.5):
        span = torch.full((count,), time, dtype=torch.float64, requires_grad=True)
        expected = truth(rates, time) @ rates
        for law in (kernels.after(torch.arange(count), span), kernels.forward(torch.eye(count).double(), span)):
            for k in range(count):
                (slope,) = torch.autograd.grad(law[:, k].sum(), span, retain_graph=True)
                assert torch.allclose(slope, expected[:, k], rtol=1e-10, atol=1e-10)
