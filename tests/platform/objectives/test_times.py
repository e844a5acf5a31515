"""Times of a batch."""

import pytest
import torch

from intarsia.objectives import low_discrepancy

CPU = torch.device("cpu")


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
