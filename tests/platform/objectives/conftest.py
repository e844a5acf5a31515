"""Arbitrary networks, and the nelbo of one by enumeration."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from intarsia.processes import Discrete
from intarsia.testing._process_nelbo import quadrature

CPU = torch.device("cpu")


class Table:
    """An arbitrary network of ragged sites: one row of logits per state, masks included."""

    def __init__(self, counts: tuple[int, ...], seed: int = 0) -> None:
        self.place = torch.ones(len(counts), dtype=torch.long)
        for site in reversed(range(len(counts) - 1)):
            self.place[site] = self.place[site + 1] * (counts[site + 1] + 1)
        rows = math.prod(k + 1 for k in counts)
        rng = torch.Generator().manual_seed(seed)
        self.logits = torch.randn(rows, sum(counts), dtype=torch.float64, generator=rng)

    def __call__(self, x: torch.Tensor, t: torch.Tensor, cond: object = None) -> torch.Tensor:
        return self.logits[(x * self.place).sum(1)]


def exact_nelbo(process: Discrete, network: Table, x0: torch.Tensor) -> float:
    """∫ E[loss] dt over all mask patterns of one state (1, sites)."""
    sites = x0.shape[1]
    codes = torch.arange(2**sites)
    masked = (codes[:, None] >> torch.arange(sites)) % 2 == 1
    xt = torch.where(masked, process.mask_id(CPU), x0)
    total = 0.0
    for t, weight in zip(*quadrature(torch.linspace(0, 1, 31, dtype=torch.float64)), strict=True):
        time = torch.full((len(xt),), t, dtype=torch.float64)
        alpha = process.schedule.alpha(time[:, None].expand(xt.shape))
        chance = torch.where(masked, 1 - alpha, alpha).prod(1)
        loss = process.loss(network(xt, time), x0.expand(xt.shape), xt, time).sum(1)
        total += weight * float((chance * loss).sum())
    return total


class Seen:
    """A denoiser that remembers what it was asked last."""

    def __init__(self, denoiser: Callable[..., Any]) -> None:
        self.denoiser = denoiser

    def __call__(self, x: Any, t: Any, cond: object = None) -> Any:
        self.x, self.t, self.pred = x, t, self.denoiser(x, t, cond)
        return self.pred


@pytest.fixture
def table() -> type[Table]:
    """The class of networks."""
    return Table


@pytest.fixture(name="exact_nelbo")
def _exact_nelbo() -> Callable[..., float]:
    """The function."""
    return exact_nelbo


@pytest.fixture
def seen() -> type[Seen]:
    """The class of denoisers that remember."""
    return Seen
