"""The network of shuffle models: items in their present order in, the parameters of a head out."""

import torch
from torch import Tensor, nn

from intarsia.denoisers import AttentionBlock
from intarsia.processes import AbstractMoveHead, AbstractPermutationLaw
from intarsia_domains.permutations._ranking_pointer import PointerHead
from intarsia_domains.permutations._ranking_readout import readout


class RankingNetwork(nn.Module):
    """`base` + f(xt, step): the head's parameters, where f starts at zero and is zero at the last time.

    After the last shuffle xt knows nothing of x0 (that is what the number of shuffles was chosen for), so p(x0 | xt) is
    the law of x0 itself, `base`: with one step the model is that law, in closed form for any number of items.
    With a head of moves parameters belong to places in xt and f acts at all times.

    Args:
        n: items.
        steps: of the chain.
        head: whose parameters are predicted.
        features: of the items, (n, features); their values enter the items' vectors beside what is learned of each.
        width, depth, heads, dropout: of the transformer.
    """

    def __init__(
        self,
        n: int,
        steps: int,
        head: AbstractPermutationLaw,
        features: Tensor | None = None,
        *,
        width: int = 32,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.steps = steps
        self.moves = isinstance(head, AbstractMoveHead)
        self.decoder = head.decoder if isinstance(head, PointerHead) else None  # trained and saved with the rest
        self.base = nn.Parameter(_first(head, n))
        self.register_buffer("features", features, persistent=False)
        self.reads_xt = self.moves or steps > 1
        if not self.reads_xt:
            return
        self.item = nn.Embedding(n, width)
        self.covariates = nn.Linear(features.shape[1], width, bias=False) if features is not None else None
        self.place = nn.Parameter(torch.randn(n, width) * 0.3)
        self.step = nn.Embedding(steps + 1, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.readout = readout(head, n, width)
        # how much lower a choice is whose item lies before the last chosen one in xt, as shuffling only parts them
        self.falls = nn.Parameter(torch.zeros(steps + 1))

    def forward(self, xt: Tensor, t: Tensor, cond: object = None) -> Tensor:
        """Parameters (batch, *shape) for states (batch, n) and times (batch,) or (batch, n)."""
        base = self.base.expand(len(xt), *self.base.shape)
        if not self.reads_xt:
            return base
        latest = (t if t.ndim == 1 else t.amax(1)).expand(len(xt)).double()
        step = ((latest - 1e-6) * self.steps).ceil().long().clamp(0, self.steps)
        h = self.item.weight
        if self.covariates is not None:
            h = h + self.covariates(self.get_buffer("features"))
        h = h[xt] + self.place + self.step(step)[:, None]
        for block in self.blocks:
            h = block(h)
        h = self.norm(h)
        if self.moves:
            return base + self.readout(h)
        where = xt.argsort(1)
        h = h.gather(1, where[..., None].expand_as(h))
        change = self._with_falls(self.readout(h), where, self.falls[step])
        early = (step < self.steps).view(-1, *[1] * self.base.ndim)
        return base + torch.where(early, change, 0.0)

    def _with_falls(self, change: Tensor, where: Tensor, weight: Tensor) -> Tensor:
        """Bayes' rule for riffles: log Q_t falls by about a constant for each pair of neighbours reversed in xt."""
        n = where.shape[1]
        fall = (where[:, None] < where[:, :, None]) * weight[:, None, None]  # [last, next]
        if change.ndim == 4:
            return torch.cat([change[:, :2], change[:, 2:] + fall[:, None]], 1)
        if self.decoder is not None:
            return torch.cat([change[:, : 2 * n], change[:, 2 * n : 3 * n] + fall, change[:, 3 * n :]], 1)
        return change


def _first(head: AbstractPermutationLaw, n: int) -> Tensor:
    shape = head.shape(n)
    if isinstance(head, PointerHead):
        return torch.cat([torch.zeros(3 * n, n), torch.randn(head.width, n)])
    return torch.zeros(shape)
