"""Times of a batch."""

import torch
from torch import Tensor


def low_discrepancy(rows: int, device: torch.device, rng: torch.Generator | None) -> Tensor:
    """Times in (0, 1), one per stratum of the batch in random order, float64 (Kingma et al. 2021, app. I.1)."""
    u = torch.rand(1, dtype=torch.float64, generator=rng, device=device)
    strata = torch.randperm(rows, generator=rng, device=device)
    return ((strata + u) / rows).clamp(1e-6, 1.0)
