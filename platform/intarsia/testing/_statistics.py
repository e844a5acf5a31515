"""The two statistics of the statistical checks: Pearson's chi-square and total variation."""

import math

import torch
from torch import Tensor

MIN_P = 1e-4
"""A law is refused below this p-value; seeds are fixed, so a check that passes once passes always."""


def chi_square(counts: Tensor, law: Tensor) -> float:
    """The p-value of Pearson's test that each row of `counts` (…, cells) was drawn from that row of `law`.

    Cells that expect fewer than 5 are pooled; a count in a cell of probability 0 makes it 0.
    """
    counts, law = counts.double(), law.double().expand(counts.shape)
    if bool(((law <= 0) & (counts > 0)).any()):
        return 0.0
    statistic, freedom = 0.0, 0
    for seen, probs in zip(counts.reshape(-1, counts.shape[-1]), law.reshape(-1, law.shape[-1]), strict=True):
        expected = probs * seen.sum()
        small = expected < 5.0
        pooled = torch.cat(
            [torch.stack([seen, expected])[:, ~small], torch.stack([seen, expected])[:, small].sum(1, True)], 1
        )
        pooled = pooled[:, pooled[1] > 0.5]
        if pooled.shape[1] > 1:
            statistic += float(((pooled[0] - pooled[1]).square() / pooled[1]).sum())
            freedom += pooled.shape[1] - 1
    half = torch.tensor([freedom / 2, statistic / 2], dtype=torch.float64)
    return float(torch.igammac(half[0], half[1])) if freedom else 1.0


def total_variation(p: Tensor, q: Tensor) -> float:
    """½ Σ |p - q|."""
    return float((p.double() - q.double()).abs().sum() / 2)


def sampling_noise(cells: int, n: int, p: float = MIN_P) -> float:
    """A total variation that `n` draws exceed with probability at most `p` (mean bound and McDiarmid)."""
    return 0.5 * math.sqrt((cells - 1) / n) + math.sqrt(math.log(1.0 / p) / (2 * n))
