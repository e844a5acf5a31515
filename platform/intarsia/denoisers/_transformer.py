"""A transformer over sites: every site is a token, attention mixes them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia.denoisers._embedding import TimeEmbedding


class AttentionBlock(nn.Module):
    """Pre-norm self-attention and MLP. Plain linear layers, so that per-example gradients work on it."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"`width` must be a multiple of `heads`, got {width} and {heads}")
        self.heads = heads
        self.dropout = dropout
        self.norm_mix, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.back = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens (batch, sites, width)."""
        batch, sites, width = x.shape
        qkv = self.qkv(self.norm_mix(x)).view(batch, sites, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, sites, width)
        x = x + functional.dropout(self.out(mixed), self.dropout, self.training)
        change = self.back(functional.gelu(self.widen(self.norm_mlp(x))))
        return x + functional.dropout(change, self.dropout, self.training)


class Transformer(nn.Module):
    """Class logits of every site: (batch, sites, classes), or flat (batch, sum of classes) for ragged counts.

    Args:
        num_classes: one count for all sites, or one per site.
        sites: number of sites; needed where `num_classes` is one count.
        width, depth, heads, dropout: of the attention blocks.
        time_free: leave the time out; samplers then cache calls.
        cond_width: length of condition vectors (batch, cond_width), 0 for none.
    """

    def __init__(
        self,
        num_classes: int | Sequence[int],
        *,
        sites: int | None = None,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
        time_free: bool = False,
        cond_width: int = 0,
    ) -> None:
        super().__init__()
        if isinstance(num_classes, int) == (sites is None):
            raise ValueError("give `sites` with one class count, and no `sites` with a count per site")
        self.dense = isinstance(num_classes, int)
        counts = [num_classes] * (sites or 0) if isinstance(num_classes, int) else list(num_classes)
        self.time_free = time_free
        rows = torch.tensor([num_classes + 1] if isinstance(num_classes, int) else [k + 1 for k in counts])
        starts = torch.zeros(len(counts), dtype=torch.long) if self.dense else rows.cumsum(0) - rows
        self.register_buffer("starts", starts, persistent=False)
        self.embed = nn.Embedding(int(rows.sum()), width)
        self.place = nn.Parameter(torch.randn(len(counts), width) * 0.02)
        self.time = None if time_free else TimeEmbedding(1, width)
        self.cond = nn.Linear(cond_width, width) if cond_width else None
        self.blocks = nn.ModuleList(AttentionBlock(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        entries = int(num_classes) if isinstance(num_classes, int) else sum(counts)
        self.head = nn.Linear(width, entries)
        site_of = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        self.register_buffer("site_of", site_of, persistent=False)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Logits for states (batch, sites) with masks as class `num_classes`; `t` per row or per site."""
        h = self.embed(xt + self.get_buffer("starts")) + self.place
        if self.time is not None:
            times = t.expand(xt.shape) if t.ndim > 1 else t[:, None]
            h = h + self.time(times.reshape(-1)).view(*times.shape, -1)
        if self.cond is not None and cond is not None:
            h = h + self.cond(cond.to(h.dtype))[:, None]
        for block in self.blocks:
            h = block(h)
        h = self.norm(h)
        if self.dense:
            return self.head(h)
        # entry e is the product of its site's features and its own weights
        return (h[:, self.get_buffer("site_of")] * self.head.weight).sum(-1) + self.head.bias
