"""The denoiser of sets: attention over items in the order of xt, and scores for every kind of head."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia.denoisers import AttentionBlock, TimeEmbedding
from intarsia.processes import AbstractPermutationHead, GeneralizedPlackettLuce, PlackettLuce, PrefixPlackettLuce
from intarsia_domains.permutations._encoders import AbstractEncoder
from intarsia_domains.permutations._encoders_items import Encoded, Items


class Places(nn.Module):
    """Numbers of places or ranks as vectors: waves of the number itself and of its share of n; any n will do."""

    def __init__(self, width: int, waves: int = 16) -> None:
        super().__init__()
        self.register_buffer("absolute", math.pi * torch.logspace(0.0, -8.0, waves, base=2.0), persistent=False)
        self.register_buffer("relative", math.pi * torch.logspace(-1.0, 3.0, waves // 2, base=2.0), persistent=False)
        self.mix = nn.Linear(2 * waves + 2 * (waves // 2), width)

    def forward(self, place: Tensor, n: int) -> Tensor:
        """Embed places (…) of n into (…, width)."""
        place = place.to(self.mix.weight.dtype)[..., None]
        phase = torch.cat([place * self.get_buffer("absolute"), place / n * self.get_buffer("relative")], -1)
        return self.mix(torch.cat([phase.sin(), phase.cos()], -1))


class PairBlock(AttentionBlock):
    """Attention whose logits have a learned function of pair features added."""

    def __init__(self, width: int, heads: int, dropout: float, pairs: int) -> None:
        super().__init__(width, heads, dropout)
        self.bias = nn.Linear(pairs, heads)

    def forward(self, x: Tensor, pairs: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        batch, sites, width = x.shape
        qkv = self.qkv(self.norm_mix(x)).view(batch, sites, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        bias = self.bias(pairs).permute(0, 3, 1, 2).to(q.dtype).contiguous()
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + functional.dropout(self.out(mixed.transpose(1, 2).reshape(x.shape)), self.dropout, self.training)
        change = self.back(functional.gelu(self.widen(self.norm_mlp(x))))
        return x + functional.dropout(change, self.dropout, self.training)


class Comparison(nn.Module):
    """Logits L[i, j] = -L[j, i] that item i comes before item j: an antisymmetric bilinear form of their features.

    With symbols as features it can compare numbers digit by digit, the first place outweighing all later ones by a
    factor of 2 a place, where a score per item would need a factor of 10.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(features, features), nn.Linear(features, features)
        self.score = nn.Linear(features, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Compare items (rows, n, features): (rows, n, n)."""
        u, v, s = self.left(features), self.right(features), self.score(features)
        half = u @ v.transpose(1, 2) + s
        return half - half.transpose(1, 2)


class Scores(nn.Module):
    """Parameters of a head, from items as the trunk sees them, pairs of items and comparisons.

    With comparisons the next item is the one that comes before all that are left, p(k | left) ∝ Π_j σ(L[k, j]):
    log-linear in the prefix, so that it is a case of `PrefixPlackettLuce`. The heads without a prefix use the expected
    rank Σ_j σ(L[j, k]). All else is added and starts at zero.
    """

    def __init__(self, width: int, pairs: int, law: AbstractPermutationHead) -> None:
        super().__init__()
        if not isinstance(law, PlackettLuce | GeneralizedPlackettLuce | PrefixPlackettLuce):
            raise TypeError(
                f"an arranger's head is PlackettLuce, GeneralizedPlackettLuce or PrefixPlackettLuce, got {law}"
            )
        self.law = law
        parts = {PlackettLuce: 1, GeneralizedPlackettLuce: 1, PrefixPlackettLuce: 3}[type(law)]
        self.ranks, self.whole = Places(width), nn.Linear(width, width)
        self.queries, self.keys = nn.Linear(width, (parts - 1) * width or 1), nn.Linear(width, parts * width)
        self.single = nn.Linear(width, 1)
        self.pairs = nn.Linear(pairs, 2, bias=False) if pairs and parts == 3 else None
        self.sharp = nn.Parameter(torch.zeros(()))
        nn.init.zeros_(self.keys.weight)
        nn.init.zeros_(self.single.weight)

    def forward(self, h: Tensor, pairs: Tensor | None, compared: Tensor | None) -> Tensor:
        """Parameters numbered by item, in float32."""
        n = h.shape[1]
        expected = None if compared is None else compared.sigmoid().sum(1) - 0.5
        if isinstance(self.law, PlackettLuce):
            score = self.single(h)[..., 0]
            return score if expected is None else score - self.sharp.exp() * expected
        keys = self.keys(h).unflatten(2, (-1, h.shape[2])) / math.sqrt(h.shape[2])
        ranks = self.ranks(torch.arange(n, device=h.device), n) + self.whole(h.mean(1, keepdim=True))
        at_rank = torch.einsum("biw,bkw->bik", ranks, keys[:, :, 0])
        if isinstance(self.law, GeneralizedPlackettLuce):
            if expected is None:
                return at_rank
            off = torch.arange(n, device=h.device)[:, None] - expected[:, None]
            return at_rank - self.sharp.exp() * off.square()
        return self._prefix(h, at_rank, keys[:, :, 1:], pairs, compared)

    def _prefix(
        self, h: Tensor, at_rank: Tensor, keys: Tensor, pairs: Tensor | None, compared: Tensor | None
    ) -> Tensor:
        queries = self.queries(h).unflatten(2, (2, h.shape[2]))
        chosen, last = torch.einsum("bjpw,bkpw->pbjk", queries, keys)
        if self.pairs is not None and pairs is not None:
            near = self.pairs(pairs)
            chosen, last = chosen + near[..., 0], last + near[..., 1]
        if compared is not None:
            wins = functional.logsigmoid(compared)  # of k over j at [k, j]
            wins = wins - torch.diag_embed(wins.diagonal(dim1=1, dim2=2))
            at_rank, chosen = at_rank + wins.sum(2)[:, None], chosen - wins.transpose(1, 2)
        return torch.stack([at_rank, chosen, last], 1)


class ArrangerNetwork(nn.Module):
    """Items are read once (`encode`); the trunk then sees them with their place in xt and the time."""

    def __init__(
        self,
        encoder: AbstractEncoder,
        shape: tuple[int, ...],
        law: AbstractPermutationHead,
        *,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.reader = encoder.build(shape)
        self.lift, self.places, self.time = nn.Linear(encoder.features, width), Places(width), TimeEmbedding(1, width)
        blocks = (
            PairBlock(width, heads, dropout, encoder.pairs) if encoder.pairs else AttentionBlock(width, heads, dropout)
            for _ in range(depth)
        )
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)
        self.compare = Comparison(encoder.features) if encoder.compares else None
        self.scores = Scores(width, encoder.pairs, law)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.lift.weight.device

    def encode(self, items: Items) -> Encoded:
        """Read items, which depends on neither xt nor time."""
        return self.reader(items)

    def forward(self, encoded: Encoded, x: Tensor, t: Tensor) -> Tensor:
        """Parameters of the head, numbered by item, from xt = `x` (rows, n) and times (rows,)."""
        features, pairs = encoded
        h = self.lift(features) + self.places(x.argsort(1), x.shape[1]) + self.time(t)[:, None]
        for block in self.blocks:
            h = block(h) if pairs is None else block(h, pairs)
        with torch.autocast(h.device.type, enabled=False):  # differences of large scores matter
            h = self.norm(h.float())
            compared = None if self.compare is None else self.compare(features.float())
            return self.scores(h, None if pairs is None else pairs.float(), compared)
