"""The networks of the text benchmark, the same for every noise, and what puts them on bits."""

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
    batch: int
    learning_rate: float

    def network(self, num_classes: int, *, time_free: bool) -> nn.Module:
        """A fresh one."""
        return Windows(num_classes, self.sites, self.width, self.depth, time_free=time_free)


@dataclass(frozen=True)
class TransformerScale(Scale):
    """The same of a transformer, for a GPU: in minutes of a core it learns no more than the letters' frequencies."""

    heads: int = 8
    dropout: float = 0.0

    def network(self, num_classes: int, *, time_free: bool) -> nn.Module:
        """A fresh one."""
        return Transformer(
            num_classes,
            sites=self.sites,
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            dropout=self.dropout,
            time_free=time_free,
        )


CPU = Scale(sites=128, width=96, depth=6, batch=32, learning_rate=4e-3)
HOUR = Scale(sites=128, width=160, depth=8, batch=32, learning_rate=2e-3)
GPU = TransformerScale(sites=256, width=512, depth=8, heads=8, batch=128, learning_rate=5e-4, dropout=0.1)


class OnBits(nn.Module):
    """The network on characters of `width` bits: states (batch, sites, width), and a logit for each bit."""

    time_free = False

    def __init__(self, scale: Scale, width: int) -> None:
        super().__init__()
        self.core = scale.network(2**width - 1, time_free=False)  # its embedding has one row more, for a mask
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
