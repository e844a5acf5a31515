"""T8: how many network rows a time-free denoiser pays for on a fine grid."""

import pytest
import torch

from intarsia import Ancestral
from intarsia.processes import Discrete
from intarsia.samplers import Cached


def closed_form(sites: int, steps: int) -> float:
    return steps * (1 - (1 - 1 / steps) ** sites)


@pytest.mark.parametrize(
    ("sites", "steps", "nfe"), [(1024, 1024, 647.475), (256, 256, 162.007), (81, 81, 51.387), (81, 20, 19.686)]
)
def test_t8_closed_form(sites: int, steps: int, nfe: float) -> None:
    assert closed_form(sites, steps) == pytest.approx(nfe, abs=5e-4)


class Uniform:
    """A time-free denoiser that counts the rows it is asked for."""

    time_free = True

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, xt: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        self.rows += xt.shape[0]
        return torch.zeros(*xt.shape, 2)


@pytest.mark.parametrize(("sites", "steps"), [(81, 20), (30, 40), (5, 60)])
def test_t8_rows_paid(sites: int, steps: int) -> None:
    """The first step is always paid, each later one where the step before it changed the row.

    T8 counts the steps that change something, the last one included, whose call nobody makes; the two differ by
    (1 - 1/N)^L. n = 2,000 rows; the tolerance is 5 standard errors.
    """
    n, denoiser = 2000, Uniform()
    process = Discrete.absorbing(2)
    x1 = process.prior((n, sites))
    Ancestral(steps).sample(process, denoiser, x1, rng=torch.Generator().manual_seed(0))
    idle = (1 - 1 / steps) ** sites
    expected = 1 + (steps - 1) * (1 - idle)
    assert expected == pytest.approx(closed_form(sites, steps) + idle, abs=1e-9)
    deviation = (steps * idle * (1 - idle)) ** 0.5
    assert denoiser.rows / n == pytest.approx(expected, abs=5 * deviation / n**0.5 + 1e-9)


def test_cached_answers_are_those_of_the_network() -> None:
    calls: list[int] = []

    def network(xt: torch.Tensor, t: torch.Tensor, cond: torch.Tensor | None) -> torch.Tensor:
        calls.append(len(xt))
        return xt.double()[..., None].expand(*xt.shape, 2) + (0 if cond is None else cond[:, None, None])

    network.time_free = True  # type: ignore[attr-defined]
    cached, t = Cached(network), torch.ones(3)
    cond = torch.tensor([10.0, 20.0, 30.0])
    x = torch.tensor([[0, 1], [1, 1], [0, 0]])
    y = torch.tensor([[0, 1], [0, 1], [0, 0]])
    first = cached(x, t, cond)
    assert torch.equal(cached(x, t, cond), first)
    assert torch.equal(cached(y, t, cond), network(y, t, cond))
    assert calls == [3, 1, 3]
    assert (cached.nfe, cached.rows) == (2, 4)
    assert torch.equal(first[1, 0], torch.tensor([21.0, 21.0], dtype=torch.float64)), "an old answer was overwritten"


def test_denoisers_that_read_the_time_are_always_called() -> None:
    cached = Cached(lambda xt, t, cond: xt + t[:, None])
    x = torch.zeros(2, 1)
    assert cached(x, torch.tensor([0.1, 0.1]), None).tolist() != cached(x, torch.tensor([0.2, 0.2]), None).tolist()
    assert cached.nfe == 2
