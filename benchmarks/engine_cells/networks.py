"""The network of the text benchmark, the same for every noise, what puts it on bits, and a network of windows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia import Transformer
from intarsia.denoisers import TimeEmbedding


@dataclass(frozen=True)
class Scale:
    """Size of the network and of a batch, and the height of the learning rate."""

    sites: int
    width: int
    depth: int
    heads: int
    batch: int
    learning_rate: float
    dropout: float = 0.0

    def transformer(self, num_classes: int, *, time_free: bool) -> Transformer:
        """A fresh network."""
        return Transformer(
            num_classes,
            sites=self.sites,
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            dropout=self.dropout,
            time_free=time_free,
        )


CPU = Scale(sites=128, width=192, depth=4, heads=6, batch=32, learning_rate=1e-3)
GPU = Scale(sites=256, width=512, depth=8, heads=8, batch=128, learning_rate=5e-4, dropout=0.1)
SMALL = Scale(sites=128, width=64, depth=2, heads=2, batch=32, learning_rate=1e-3)
"""So small that what surrounds the network shows most."""


class OnBits(nn.Module):
    """The transformer on characters of `width` bits: states (batch, sites, width), and a logit for each bit."""

    time_free = False

    def __init__(self, scale: Scale, width: int) -> None:
        super().__init__()
        self.core = scale.transformer(2**width - 1, time_free=False)  # its embedding has one row more, for a mask
        self.core.head = nn.Linear(scale.width, width)
        self.register_buffer("places", 2 ** torch.arange(width), persistent=False)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Bit logits (batch, sites, width)."""
        return self.core((xt * self.get_buffer("places")).sum(-1), t, cond)


class Windows(nn.Module):
    """Residual convolutions over the sites: learns what neighbours say in a tenth of a transformer's time."""

    def __init__(self, num_classes: int, sites: int, width: int, blocks: int, *, time_free: bool) -> None:
        super().__init__()
        self.time_free = time_free
        self.letters = nn.Embedding(num_classes + 1, width)
        self.places = nn.Parameter(torch.zeros(sites, width))
        self.clock = None if time_free else TimeEmbedding(sites, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks + 1))
        self.windows = nn.ModuleList(
            nn.Conv1d(width, width, 5, dilation=1 + k % 2, padding="same") for k in range(blocks)
        )
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.head = nn.Linear(width, num_classes)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Class logits (batch, sites, num_classes)."""
        h = self.letters(xt) + self.places
        if self.clock is not None:
            h = h + self.clock(t)[:, None]
        for norm, window, mix in zip(self.norms, self.windows, self.mixes, strict=False):
            h = h + mix(functional.gelu(window(norm(h).mT).mT))
        return self.head(self.norms[-1](h))
