"""A residual MLP over the sites of a row, for classes, bits and reals, with or without time and condition."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia.classes import Ragged
from intarsia.denoisers._embedding import SiteEmbedding, TimeEmbedding


class ResidualBlock(nn.Module):
    """x + W₂ dropout(silu(W₁ norm(x))); starts as the identity."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, width)
        self.back = nn.Linear(width, width)
        self.dropout = dropout
        nn.init.zeros_(self.back.weight)
        nn.init.zeros_(self.back.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Refine features (batch, width)."""
        change = self.back(functional.silu(self.widen(self.norm(x))))
        return x + functional.dropout(change, self.dropout, self.training)


class Trunk(nn.Module):
    """Features of a row: embedded sites, time and condition through residual blocks.

    Args:
        sites: sites of a state, for times per site.
        time_free: leave the time out (absorbing noise does not need it); samplers then cache calls.
        cond_width: length of the condition vectors (batch, cond_width); a learned vector stands for none.
    """

    def __init__(
        self, inlet: nn.Module, sites: int, width: int, blocks: int, dropout: float, time_free: bool, cond_width: int
    ) -> None:
        super().__init__()
        self.inlet = inlet
        self.time = None if time_free else TimeEmbedding(sites, width)
        self.cond = nn.Linear(cond_width, width) if cond_width else None
        self.null = nn.Parameter(torch.zeros(width)) if cond_width else None
        self.blocks = nn.ModuleList(ResidualBlock(width, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None) -> Tensor:
        """Features (batch, width)."""
        h = self.inlet(xt)
        if self.time is not None:
            h = h + self.time(t)
        if self.cond is not None and self.null is not None:
            h = h + (self.null if cond is None else self.cond(cond.to(h.dtype)))
        elif cond is not None:
            raise ValueError("this network has no condition; build it with `cond_width`")
        for block in self.blocks:
            h = block(h)
        return self.norm(h)


class ResidualMLP(nn.Module):
    """Class logits of every site from all sites, flat (batch, sum of classes).

    Args:
        num_classes: classes of every site.
        groups, positions: see `SiteEmbedding`.
        width, blocks, dropout: of the residual blocks.
        time_free, cond_width: see `Trunk`.
    """

    def __init__(
        self,
        num_classes: Sequence[int],
        *,
        width: int = 384,
        blocks: int = 4,
        dropout: float = 0.1,
        time_free: bool = False,
        cond_width: int = 0,
        groups: Sequence[Sequence[int]] | None = None,
        positions: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.time_free = time_free
        inlet = SiteEmbedding(num_classes, width, groups, positions)
        self.trunk = Trunk(inlet, len(num_classes), width, blocks, dropout, time_free, cond_width)
        self.head = nn.Linear(width, sum(num_classes))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self._slices = Ragged(tuple(num_classes)).slices()

    def start_at(self, log_marginals: Tensor) -> None:
        """Begin training from the marginals: logits (sum of classes,) that hold before anything is learned."""
        with torch.no_grad():
            self.head.bias.copy_(log_marginals)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Logits (batch, sum of classes) for states (batch, sites) with masks as class `num_classes`."""
        return self.head(self.trunk(xt, t, cond))

    def site_logits(self, xt: Tensor, t: Tensor, cond: Tensor | None, site: int) -> Tensor:
        """Logits of one site only, (batch, classes of that site); the head of the others is not paid for."""
        rows = self._slices[site]
        features = self.trunk(xt, t, cond).to(self.head.weight.dtype)
        with torch.autocast(features.device.type, enabled=False):  # the law itself in full precision
            return functional.linear(features, self.head.weight[rows], self.head.bias[rows])


class RealMLP(nn.Module):
    """E[x0 | xt] of real sites (batch, sites), for data of about unit scale.

    Args:
        sites: number of reals of a row.
        width, blocks, dropout, cond_width: see `ResidualMLP`.
    """

    time_free = False

    def __init__(
        self, sites: int, *, width: int = 256, blocks: int = 4, dropout: float = 0.0, cond_width: int = 0
    ) -> None:
        super().__init__()
        self.trunk = Trunk(nn.Linear(sites, width), sites, width, blocks, dropout, False, cond_width)
        self.head = nn.Linear(width, sites)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Means (batch, sites). Inputs are squashed, so that exploding noise levels keep the network's scale."""
        return self.head(self.trunk(torch.asinh(xt), t, cond))
