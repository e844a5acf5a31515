"""Riffle shuffles: the closed law of any number of them, and their exact bridge."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, pad

from intarsia.processes.permutations._arithmetic import descents, inverse, relative, rising_sequences
from intarsia.processes.permutations._moves import AbstractSingleMoveHead
from intarsia.processes.permutations._shuffle import AbstractShuffle
from intarsia.processes.permutations._walk import AbstractWalk

MOST_RIFFLES = 40
"""Labels of so many bits are drawn without bias; a thousand items are mixed after 19."""


@lru_cache(maxsize=64)
def eulerian(n: int) -> tuple[int, ...]:
    """How many permutations of n items have 0 … n - 1 descents, that is 1 … n rising sequences."""
    row = [1]
    for size in range(2, n + 1):
        padded = [0, *row, 0]
        row = [(k + 1) * padded[k + 1] + (size - k) * padded[k] for k in range(size)]
    return tuple(row)


@dataclass(frozen=True)
class RiffleWalk(AbstractWalk):
    """Gilbert-Shannon-Reeds riffles: cut at Bin(n, ½), then interleave uniformly (Bayer & Diaconis 1992).

    t of them are one 2ᵗ-shuffle, Q_t(d) = C(2ᵗ + n - r, n) / 2ᵗⁿ with r the rising sequences of d, and the stable
    sort by n uniform labels of t bits undoes them: the lowest t - s bits undo the last t - s.
    """

    n: int

    @property
    def cutoff(self) -> float:
        return 1.5 * math.log2(self.n)

    @property
    def reach(self) -> int:
        return (self.n - 1).bit_length()

    def draw(self, count: Tensor, rng: torch.Generator | None = None) -> Tensor:
        label = torch.randint(2**62, (len(count), self.n), generator=rng, device=count.device)
        return inverse((label & _ones(count)).argsort(stable=True, dim=1))

    def log_law(self, perm: Tensor, count: Tensor) -> Tensor:
        return self._by_rising(rising_sequences(perm), count)

    def levels(self, count: int) -> tuple[Tensor, Tensor]:
        sizes = torch.tensor([math.log(size) for size in eulerian(self.n)], dtype=torch.float64)
        rising = torch.arange(1, self.n + 1)
        return sizes, self._by_rising(rising, torch.full_like(rising, count))

    def _by_rising(self, rising: Tensor, count: Tensor) -> Tensor:
        """Σ_i log(1 + (n - r - i) / 2ᵗ) - log n!, which neither overflows nor cancels."""
        piles = count.double().exp2()
        offset = self.n - rising.unsqueeze(-1) - torch.arange(self.n, device=rising.device)
        share = (offset / piles.unsqueeze(-1)).clamp(min=-1.0)
        law = share.log1p().sum(-1) - math.lgamma(self.n + 1)
        return torch.where(rising <= piles, law, -torch.inf)

    def bridge(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Every label vector that sorts xt into x0 is equally likely, and there are C(2ᵗ + n - r, n) of them."""
        size = (1 << now) + self.n - rising_sequences(relative(x0, xt))
        return self.undo(x0, xt, then, now, _subset(size, self.n, rng))

    def undo(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, subset: Tensor) -> Tensor:
        """The state after `then` riffles, from a sorted `subset` (rows, n) of {0, …, 2ᵗ + n - r - 1}.

        The subset stands for the labels of x0's items in their order: u_c - c + (falls before c), which never fall,
        and rise wherever the items of x0 lie in falling order in xt.
        """
        place = relative(xt, x0)
        falls = pad((place[:, 1:] < place[:, :-1]).long().cumsum(1), (1, 0))
        label = subset - torch.arange(self.n, device=xt.device) + falls
        key = label.gather(1, inverse(place)) & _ones(now - then)
        return xt.gather(1, key.argsort(stable=True, dim=1))


def _ones(bits: Tensor) -> Tensor:
    """A mask of the lowest bits, a column (rows, 1)."""
    return ((1 << bits) - 1)[:, None]


def _subset(size: Tensor, n: int, rng: torch.Generator | None) -> Tensor:
    """A uniform n-subset of {0, …, size - 1} per row, sorted (Floyd's algorithm; Bentley & Floyd 1987)."""
    chosen = torch.full((len(size), n), -1, device=size.device)
    for k in range(n):
        top = size - n + k
        guess = torch.randint(2**62, size.shape, generator=rng, device=size.device) % (top + 1)
        taken = (chosen == guess[:, None]).any(1)
        chosen[:, k] = torch.where(taken, top, guess)
    return chosen.sort(1).values


@dataclass(frozen=True, slots=True)
class InverseRiffle(AbstractSingleMoveHead):
    """A logit a place, (batch, n): items go left with probability sigmoid(logit), and each side keeps its order.

    A head of SymmetricDiffusers (arXiv 2410.02942), with the mass of no move summed over the words that make none.
    """

    @property
    def undoes(self) -> type[AbstractWalk]:
        return RiffleWalk

    def shape(self, n: int) -> tuple[int, ...]:
        return (n,)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(pred.shape, dtype=torch.float64, generator=rng, device=pred.device)
        right = u.log() >= logsigmoid(pred.double())
        return right.long().argsort(stable=True, dim=1)

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        """One choice of sides makes a move, but n + 1 of them make the identity: some first items go left."""
        left, right = logsigmoid(pred.double()), logsigmoid(-pred.double())
        cut = pad((left - right).cumsum(1), (1, 0)) + right.sum(1, keepdim=True)
        goes_right = pad((x[:, 1:] < x[:, :-1]).long().cumsum(1), (1, 0)).bool()
        sides = torch.where(goes_right, right.gather(1, x), left.gather(1, x)).sum(1)
        falls = descents(x)
        return torch.where(falls == 0, cut.logsumexp(1), torch.where(falls == 1, sides, -torch.inf))


@dataclass(frozen=True)
class Riffle(AbstractShuffle):
    """Riffle shuffles, with the exact bridge that SymmetricDiffusers (arXiv 2410.02942) calls intractable.

    q(xs | xt, x0) = Q_{t-s}(xs⁻¹ xt) Q_s(x0⁻¹ xs) / Q_t(x0⁻¹ xt), in closed form and drawn in O(n log n) at every n.
    See `AbstractShuffle` for the arguments.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.counts[-1] > MOST_RIFFLES:
            raise ValueError(f"at most {MOST_RIFFLES} riffles are of use, got {self.counts[-1]}")

    @property
    def walk(self) -> RiffleWalk:
        return RiffleWalk(self.n)
