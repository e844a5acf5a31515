"""Objectives: the same expectation by different roads."""

import math

import pytest
import torch

from intarsia import AnyOrderObjective, Cosine, HybridObjective, Linear, NelboObjective, Staged
from intarsia.errors import RequirementError
from intarsia.objectives import low_discrepancy
from intarsia.processes import Discrete, Gaussian, Product, Xor
from intarsia.testing import BayesDenoiser, all_states
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


@pytest.mark.parametrize(
    "schedule", [Linear(), Cosine(), Staged((0, 1, 0)), Staged((2, 1, 0)), Staged((1, 0, 0), Cosine())], ids=repr
)
@pytest.mark.parametrize("counts", [(2, 2, 2), (2, 3, 4)])
def test_any_order_is_the_nelbo_of_any_network(schedule, counts: tuple[int, ...]) -> None:
    """Mean of 20,000 draws of one state, within 5 standard errors of the enumerated value."""
    process, network = Discrete.absorbing(counts, schedule), Table(counts)
    x0 = torch.tensor([[1, 0, 1]])
    exact = exact_nelbo(process, network, x0)
    drawn = AnyOrderObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    plain = NelboObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert plain.mean().item() == pytest.approx(exact, abs=5 * plain.std().item() / 20_000**0.5)
    assert drawn.std() < plain.std()


def test_one_fixed_order_is_the_chain_rule_for_every_draw_of_the_step() -> None:
    """With a stage a site exactly one site is scored, with weight L: three draws in three strata give the sum."""
    process, network = Discrete.absorbing((2, 3, 4), Staged((2, 0, 1))), Table((2, 3, 4))
    x0 = torch.tensor([[1, 2, 3]])
    state, _, weight = AnyOrderObjective().draw(process, x0.expand(300, -1), torch.Generator().manual_seed(0))
    assert (weight > 0).sum(1).eq(1).all()
    assert torch.allclose(weight.sum(1), torch.tensor(3.0, dtype=torch.float64))
    drawn = AnyOrderObjective()(process, network, x0.expand(300, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact_nelbo(process, network, x0), rel=1e-9)
    assert ((state == process.mask_id(CPU)) | (weight == 0)).all()


def test_any_order_and_nelbo_agree_at_the_optimum() -> None:
    process, points = Discrete.absorbing(2), all_states([2, 2])
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    denoiser = BayesDenoiser(process, points, law.log())
    drawn = AnyOrderObjective()(process, denoiser, points.repeat_interleave(4000, 0), None, torch.Generator())
    assert torch.allclose(drawn.view(4, -1).mean(1), -law.log(), atol=0.08)


def test_hybrid_adds_the_cross_entropy() -> None:
    process, network = Discrete.uniform((2, 3)), Table((2, 3))
    x0 = torch.tensor([[1, 2]]).expand(50, -1)
    plain, hybrid, heavy = (
        objective(process, network, x0, None, torch.Generator().manual_seed(1))
        for objective in (NelboObjective(), HybridObjective(), HybridObjective(weight=1.0))
    )
    assert torch.allclose((hybrid - plain) * 100, heavy - plain, atol=1e-9)
    assert (heavy > plain).all()


def test_nelbo_objective_takes_records() -> None:
    process = Product({"a": Xor(2), "b": Gaussian()})
    x0 = {"a": torch.zeros(6, 2, dtype=torch.long), "b": torch.zeros(6, 3)}
    loss = NelboObjective()(process, lambda x, t, c: {"a": torch.zeros(6, 2), "b": torch.zeros(6, 3)}, x0, None)
    assert loss.shape == (6,)
    assert (loss >= 0).all()


@pytest.mark.parametrize("process", [Discrete.uniform(2), Discrete(2, mask=0.9), Xor(2), Gaussian()], ids=repr)
def test_any_order_needs_absorbing_noise(process) -> None:
    with pytest.raises(RequirementError, match="absorbing"):
        AnyOrderObjective()(process, lambda x, t, c: x, torch.zeros(2, 2, dtype=torch.long))


def test_hybrid_needs_discrete_noise() -> None:
    with pytest.raises(RequirementError, match="Discrete"):
        HybridObjective()(Gaussian(), lambda x, t, c: x, torch.zeros(2, 2))


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_times_of_a_batch_fill_every_stratum(rows: int) -> None:
    t = low_discrepancy(rows, CPU, torch.Generator().manual_seed(0))
    assert t.dtype == torch.float64
    assert (t > 0).all()
    assert (t <= 1).all()
    assert sorted((t * rows).floor().clamp(max=rows - 1).long().tolist()) == list(range(rows))


def test_times_are_uniform_over_seeds() -> None:
    times = torch.stack([low_discrepancy(4, CPU, torch.Generator().manual_seed(s)) for s in range(2000)])
    assert times.mean(0).tolist() == pytest.approx([0.5] * 4, abs=5 * (1 / 12 / 2000) ** 0.5)
