"""Classes of sites as vectors, by gather: no one-hot, whatever the number of classes."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class SiteEmbedding(nn.Module):
    """The sum over groups of sites of a learned row per joint state, masks included.

    A group of one site has `num_classes + 1` rows. Sites that are digits of one number belong in one group, so that
    the row of (coarse, fine) need not be the sum of two.

    Args:
        num_classes: classes of every site; the mask is one more.
        width: length of the vectors.
        groups: the sites of each group; by default every site is its own.
        positions: where each row lies in the order of its group, in (0, 1), and NaN where there is none;
            (rows,). Rows that have one start as a smooth random function of it, so neighbors start alike.
    """

    def __init__(
        self,
        num_classes: Sequence[int],
        width: int,
        groups: Sequence[Sequence[int]] | None = None,
        positions: Tensor | None = None,
    ) -> None:
        super().__init__()
        groups = [[site] for site in range(len(num_classes))] if groups is None else groups
        if sorted(site for group in groups for site in group) != list(range(len(num_classes))):
            raise ValueError(f"`groups` must hold each of the {len(num_classes)} sites once, got {groups}")
        # x @ strides + offsets is the row of each group
        strides = torch.zeros(len(num_classes), len(groups), dtype=torch.long)
        offsets: list[int] = []
        rows = 0
        for g, group in enumerate(groups):
            offsets.append(rows)
            size = 1
            for site in reversed(group):
                strides[site, g] = size
                size *= num_classes[site] + 1
            rows += size
        self.register_buffer("strides", strides, persistent=False)
        self.register_buffer("offsets", torch.tensor(offsets), persistent=False)
        scale = 1.0 / math.sqrt(len(groups))
        weight = torch.randn(rows, width) * scale
        if positions is not None:
            if positions.shape != (rows,):
                raise ValueError(
                    f"`positions` must have one entry for each of {rows} rows, got {tuple(positions.shape)}"
                )
            ends = [*offsets[1:], rows]
            for start, end in zip(offsets, ends, strict=True):
                # a map of its own for each group: under a shared one their sum would not tell them apart
                weight[start:end] = _start_smooth(weight[start:end], positions[start:end], scale)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Embed states (batch, sites) into (batch, width)."""
        strides, offsets = self.get_buffer("strides"), self.get_buffer("offsets")
        # a long matmul is slow on a CPU; float64 is exact up to 2^53 rows
        rows = (x.double() @ strides.double()).long() + offsets
        return functional.embedding_bag(rows, self.weight, mode="sum")


def _start_smooth(weight: Tensor, positions: Tensor, scale: float) -> Tensor:
    known = ~positions.isnan()
    u = positions[known].float().clamp(5e-4, 1.0 - 5e-4)
    waves = 2.0 * math.pi * torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0])
    phases = u[:, None] * waves
    damping = (waves / (2.0 * math.pi)).sqrt()
    score = math.sqrt(2.0) * torch.erfinv(2.0 * u - 1.0)
    basis = torch.cat([score[:, None], phases.sin() / damping, phases.cos() / damping], 1)
    weight = weight.clone()
    smooth = basis @ torch.randn(basis.shape[1], weight.shape[1]) * (0.5 * scale)
    weight[known] = smooth + 0.2 * weight[known]
    return weight


class TimeEmbedding(nn.Module):
    """Per-site times as a vector: sines and cosines of every site's time, mixed linearly into (batch, width)."""

    def __init__(self, sites: int, width: int, frequencies: int = 8) -> None:
        super().__init__()
        self.sites = sites
        self.register_buffer("waves", math.pi * 2.0 ** torch.arange(frequencies // 2), persistent=False)
        self.mix = nn.Linear(sites * frequencies, width)

    def forward(self, t: Tensor) -> Tensor:
        """Embed times (batch,) or (batch, sites)."""
        t = t.flatten(1) if t.ndim > 1 else t[:, None]
        phase = t.to(self.mix.weight.dtype).expand(-1, self.sites)[..., None] * self.get_buffer("waves")
        return self.mix(torch.cat([phase.sin(), phase.cos()], -1).flatten(1))
