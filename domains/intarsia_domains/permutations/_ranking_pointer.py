"""A pointer head: the next item from everything that the prefix says, so that no law is out of its reach."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from intarsia.processes import AbstractPermutationLaw, AbstractSequentialHead, PrefixPlackettLuce

LOG_LINEAR = PrefixPlackettLuce()


@dataclass(frozen=True, slots=True)
class Pointer:
    """What `RankingModel(head=…)` takes for a pointer network of this width; see `PointerHead`."""

    width: int = 32

    def build(self, n: int) -> "PointerHead":
        """The head for `n` items, with first weights from torch's global generator."""
        return PointerHead(self.width, Decoder(n, self.width))


class Decoder(nn.Module):
    """A query from the keys of the items that a prefix has chosen.

    The prefix is read as Σ_j p_j ∘ key(x_j), its last key and its rank, through an MLP: with distinct p_j the sum
    tells orders apart, so with enough width any law over permutations can be had (Zaheer et al. 2017 for the sum).
    """

    def __init__(self, n: int, width: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(n, width) / math.sqrt(width) + 1.0)
        self.rank = nn.Parameter(torch.randn(n, width) * 0.5)
        self.read = nn.Linear(3 * width, 4 * width)
        self.deep = nn.Linear(4 * width, 4 * width)
        self.query = nn.Linear(4 * width, width)
        nn.init.zeros_(self.query.weight)  # at first there is the log-linear part alone
        nn.init.zeros_(self.query.bias)

    def forward(self, keys: Tensor) -> Tensor:
        """Queries (batch, ranks + 1, width) after 0 … all of the chosen items' keys (batch, ranks, width)."""
        ranks = keys.shape[1]
        placed = pad((keys * self.place[:ranks]).cumsum(1), (0, 0, 1, 0))
        plain = pad(keys.cumsum(1), (0, 0, 1, 0))
        last = pad(keys, (0, 0, 1, 0))
        at = self.rank[: ranks + 1] if ranks < len(self.rank) else pad(self.rank, (0, 0, 0, 1))
        h = torch.nn.functional.gelu(self.read(torch.cat([placed, plain + at, last], -1)))
        return self.query(h + torch.nn.functional.gelu(self.deep(h)))


@dataclass(frozen=True, eq=False)
class PointerHead(AbstractSequentialHead):
    """`PrefixPlackettLuce` and a pointer decoder (Vinyals et al. 2015): pred = (A, B, C, keys), (batch, 3n + width, n).

    The score of item k is that of the log-linear head plus query(prefix) · key(k) / √width.
    """

    width: int
    decoder: Decoder

    def shape(self, n: int) -> tuple[int, ...]:
        return (3 * n + self.width, n)

    def split(self, pred: Tensor) -> tuple[Tensor, Tensor]:
        """The log-linear part (batch, 3, n, n), and keys (batch, n, width) in float32."""
        n = pred.shape[-1]
        return pred[:, : 3 * n].unflatten(1, (3, n)), pred[:, 3 * n :].transpose(1, 2).float()

    def logits(self, pred: Tensor, prefix: Tensor) -> Tensor:
        linear, keys = self.split(pred)
        query = self.decoder(_at(keys, prefix))[:, -1]
        return LOG_LINEAR.logits(linear, prefix) + self._product(query[:, None], keys)[:, 0]

    def scores(self, pred: Tensor, x: Tensor) -> Tensor:
        linear, keys = self.split(pred)
        chosen = _at(keys, x)
        return LOG_LINEAR.scores(linear, x) + self._product(self.decoder(chosen[:, :-1]), chosen)

    def _product(self, query: Tensor, keys: Tensor) -> Tensor:
        return (query @ keys.transpose(1, 2) / math.sqrt(self.width)).double()


def _at(keys: Tensor, x: Tensor) -> Tensor:
    return keys.gather(1, x[..., None].expand(-1, -1, keys.shape[-1]))


def built(head: "AbstractPermutationLaw | Pointer", n: int) -> AbstractPermutationLaw:
    """The head for `n` items."""
    return head.build(n) if isinstance(head, Pointer) else head
