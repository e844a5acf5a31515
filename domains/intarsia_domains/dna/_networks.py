"""Networks that say what the other sites tell of each letter: a dilated 1-D CNN and a transformer.

One input serves every noise. What a noised site tells of its letter is its likelihood q(xt | letter), four numbers up
to a factor; the posterior depends on the state and on the time through them alone. So a network is given the law of
each letter that its own site leaves, and neither the time nor the kind of noise: see `LetterDenoiser`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._strands import AbstractStrands, OneStrand

_SITES = 8192
"""Sites that go through the blocks at once where nothing is learned: more would leave a processor's cache."""


class AbstractNetwork(ABC):
    """The recipe of a network; a frozen dataclass of plain values and a `strands` object."""

    name: ClassVar[str]
    """Stands for it in saved models."""

    @abstractmethod
    def build(self, length: int, channels: int) -> nn.Module:
        """An untrained network `(belief, inside, told) -> logits`.

        Args:
            length: sites at most.
            channels: of the conditions of a site, 0 for none.
        """


@dataclass(frozen=True, slots=True)
class DilatedCNN(AbstractNetwork):
    """Residual convolutions whose dilation doubles from block to block, in cycles.

    Args:
        width: channels.
        blocks: how many.
        kernel: sites of a convolution, odd.
        cycle: blocks until the dilation starts at 1 again.
        dropout: of each block's output.
        strands: what the other strand means.
    """

    name: ClassVar[str] = "cnn"

    width: int = 64
    blocks: int = 8
    kernel: int = 5
    cycle: int = 4
    dropout: float = 0.1
    strands: AbstractStrands = OneStrand()

    def __post_init__(self) -> None:
        if min(self.width, self.blocks, self.cycle) < 1 or self.kernel % 2 == 0 or not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"a CNN has positive sizes, an odd kernel and a dropout below 1, got {self}")

    def build(self, length: int, channels: int) -> nn.Module:
        # no dilation beyond the ends of the sequence
        dilations = [min(2 ** (k % self.cycle), max(1, length // 2)) for k in range(self.blocks)]
        blocks = [_Convolutions(self.strands, self.width, self.kernel, d, self.dropout) for d in dilations]
        return self.strands.whole(LetterNetwork(self.strands, length, channels, self.width, blocks))


@dataclass(frozen=True, slots=True)
class SequenceTransformer(AbstractNetwork):
    """Self-attention over the sites, without a window.

    Args:
        width: channels, a multiple of `heads`.
        depth: blocks.
        heads: of the attention; even with `SharedStrands`, whose strands swap them.
        dropout: of each block's output.
        strands: what the other strand means.
    """

    name: ClassVar[str] = "transformer"

    width: int = 128
    depth: int = 4
    heads: int = 4
    dropout: float = 0.1
    strands: AbstractStrands = OneStrand()

    def __post_init__(self) -> None:
        if min(self.width, self.depth, self.heads) < 1 or self.width % self.heads or not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"a transformer has a width that is a multiple of its heads, got {self}")

    def build(self, length: int, channels: int) -> nn.Module:
        blocks = [_Attention(self.strands, self.width, self.heads, self.dropout) for _ in range(self.depth)]
        return self.strands.whole(LetterNetwork(self.strands, length, channels, self.width, blocks))


class LetterNetwork(nn.Module):
    """Beliefs, places and conditions through blocks to class logits.

    Args:
        strands: makes the layers.
        length: sites at most.
        channels: of the conditions of a site.
        width: of the features.
        blocks: `(features, inside) -> features`, (batch, width, length); None for `inside` where all sites are.
    """

    def __init__(
        self, strands: AbstractStrands, length: int, channels: int, width: int, blocks: Iterable[nn.Module]
    ) -> None:
        super().__init__()
        self.inlet = strands.convolution(BASES, width)
        self.places = strands.places(length, width)
        self.told = strands.lift(channels, width) if channels else None
        self.blocks = nn.ModuleList(blocks)
        self.norm = strands.norm(width)
        self.head = strands.convolution(width, BASES)
        with torch.no_grad():  # begins as the uniform guess
            for parameter in self.head.parameters():
                parameter.mul_(0.1)

    def forward(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        """Logits (batch, length, 4).

        Args:
            belief: law of each letter by its own site, (batch, length, 4), less 1/4 and 0 outside.
            inside: bools, (batch, length).
            told: conditions, (batch, length, channels).
        """
        rows = max(1, _SITES // max(1, inside.shape[1]))
        if torch.is_grad_enabled() or inside.device.type != "cpu" or len(inside) <= rows:
            return self._logits(belief, inside, told)
        parts = zip(belief.split(rows), inside.split(rows), told.split(rows), strict=True)
        return torch.cat([self._logits(*part) for part in parts])

    def _logits(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        dtype = self.places.first.dtype
        h = self.inlet(belief.to(dtype).transpose(1, 2)) + self.places(inside)
        if self.told is not None:
            h = h + self.told(told.to(dtype).transpose(1, 2))
        within = None if bool(inside.all()) else inside[:, None]
        h = h if within is None else h * within
        for block in self.blocks:
            h = block(h, within)
        return self.head(self.norm(h)).transpose(1, 2).float()


class _Convolutions(nn.Module):
    def __init__(self, strands: AbstractStrands, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = strands.norm(width)
        self.wide = strands.convolution(width, width, kernel, dilation)
        self.back = strands.convolution(width, width)
        self.dropout = dropout

    def forward(self, h: Tensor, within: Tensor | None) -> Tensor:
        change = self.back(functional.gelu(self.wide(self.norm(h))))
        h = h + functional.dropout(change, self.dropout, self.training)
        return h if within is None else h * within


class _Attention(nn.Module):
    def __init__(self, strands: AbstractStrands, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm_mix, self.norm_widen = strands.norm(width), strands.norm(width)
        self.query, self.key = strands.convolution(width, width), strands.convolution(width, width)
        self.value, self.out = strands.convolution(width, width), strands.convolution(width, width)
        self.widen, self.back = strands.convolution(width, 4 * width), strands.convolution(4 * width, width)

    def forward(self, h: Tensor, within: Tensor | None) -> Tensor:
        batch, width, length = h.shape
        seen = self.norm_mix(h)

        def split(x: Tensor) -> Tensor:
            return x.view(batch, self.heads, width // self.heads, length).transpose(2, 3)

        mask = None if within is None else within[:, None]
        mixed = functional.scaled_dot_product_attention(
            split(self.query(seen)), split(self.key(seen)), split(self.value(seen)), attn_mask=mask
        )
        mixed = self.out(mixed.transpose(2, 3).reshape(batch, width, length))
        h = h + functional.dropout(mixed, self.dropout, self.training)
        change = self.back(functional.gelu(self.widen(self.norm_widen(h))))
        h = h + functional.dropout(change, self.dropout, self.training)
        return h if within is None else h * within
