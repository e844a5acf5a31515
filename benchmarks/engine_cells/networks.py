"""The network of the text benchmark, the same for every noise, and what puts it on bits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from intarsia import Transformer


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
