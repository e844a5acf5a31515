"""Stratified sampling: every row has the model's law, and the table has less noise than independent rows."""

import pytest
import torch

from intarsia import Evidence, FirstHitting, Stratified
from intarsia.errors import RequirementError
from intarsia.processes import Discrete
from intarsia.samplers._stratified import systematic
from intarsia.testing import BayesDenoiser, all_states, chi_square

PROCESS = Discrete.absorbing((2, 3))
POINTS = all_states([2, 3])
LAW = torch.tensor([0.3, 0.05, 0.15, 0.1, 0.25, 0.15], dtype=torch.float64)
DENOISER = BayesDenoiser(PROCESS, POINTS, LAW.log())


def draw(sampler, rows: int, seed: int, given: Evidence | None = None) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    x = sampler.sample(PROCESS, DENOISER, PROCESS.prior((rows, 2)), given=given, rng=rng)
    return (x * torch.tensor([3, 1])).sum(1)


def test_every_row_has_the_models_law() -> None:
    """6 rows, 1,000 seeds: the rows of one table depend on each other, the seeds do not."""
    tables = torch.stack([draw(Stratified(), 6, seed) for seed in range(1000)])
    for row in range(6):
        assert chi_square(torch.bincount(tables[:, row], minlength=6), LAW) >= 1e-4


def test_rows_with_evidence_have_the_conditional_law() -> None:
    """Row 0 has its first site observed, row 1 its second, rows 2 and 3 nothing; 1,000 seeds."""
    values = torch.tensor([[1, 0], [0, 2], [0, 0], [0, 0]])
    mask = torch.tensor([[True, False], [False, True], [False, False], [False, False]])
    tables = torch.stack([draw(Stratified(), 4, seed, Evidence(values, mask)) for seed in range(1000)])
    first = torch.where(POINTS[:, 0] == 1, LAW, 0.0)
    second = torch.where(POINTS[:, 1] == 2, LAW, 0.0)
    for row, law in enumerate([first / first.sum(), second / second.sum(), LAW, LAW]):
        assert chi_square(torch.bincount(tables[:, row], minlength=6), law) >= 1e-4


def test_frequencies_vary_less_than_those_of_independent_rows() -> None:
    """Variance of the frequencies of single classes and of pairs over 80 tables of 300 rows."""

    def spread(sampler) -> tuple[float, float]:
        tables = torch.stack([draw(sampler, 300, seed) for seed in range(80)])
        pairs = torch.stack([(tables == k).double().mean(1) for k in range(6)])
        singles = torch.stack([(tables // 3 == k).double().mean(1) for k in range(2)])
        return float(singles.var(1).mean()), float(pairs.var(1).mean())

    independent, stratified = spread(FirstHitting()), spread(Stratified())
    assert independent[0] == pytest.approx(0.25 / 300, rel=0.4)
    assert stratified[0] < 0.3 * independent[0]
    assert stratified[1] < 0.5 * independent[1]


def test_systematic_numbers_are_uniform_on_their_own_and_even_together() -> None:
    logits = torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    tables = torch.stack([systematic(logits, torch.Generator().manual_seed(seed)) for seed in range(2000)])
    assert (tables >= 0).all()
    assert (tables < 1).all()
    for row in (0, 7, 49):
        bins = torch.bincount((tables[:, row] * 10).long(), minlength=10)
        assert chi_square(bins, torch.full((10,), 0.1)) >= 1e-4
    # golden-ratio spacing: the largest gap among 50 numbers is below 3/50, where independent ones leave about 4.5/50
    ordered = tables.sort(1).values
    assert ordered.diff(dim=1).max() < 3 / 50


def test_what_is_not_a_table_is_refused() -> None:
    flat = Discrete.absorbing(2)
    denoiser = BayesDenoiser(flat, torch.zeros(1, 2, 2, dtype=torch.long), torch.zeros(1))
    with pytest.raises(RequirementError, match="FirstHitting"):
        Stratified().sample(flat, denoiser, flat.prior((3, 2, 2)))
    with pytest.raises(RequirementError, match="conditions"):
        Stratified().sample(PROCESS, DENOISER, PROCESS.prior((3, 2)), cond=torch.zeros(3))
    with pytest.raises(ValueError, match="group"):
        Stratified(group=0)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_no_row_and_one(rows: int) -> None:
    assert draw(Stratified(), rows, 0).shape == (rows,)
