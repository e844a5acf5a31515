"""Random insertions: law and bridge in closed form, from Stirling numbers."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from intarsia.classes import invert
from intarsia.processes.permutations._arithmetic import descents, distinct, increasing_prefix, inverse, relative
from intarsia.processes.permutations._moves import AbstractSingleMoveHead
from intarsia.processes.permutations._shuffle import AbstractShuffle
from intarsia.processes.permutations._walk import AbstractWalk


@dataclass(frozen=True)
class InsertionWalk(AbstractWalk):
    """The last item goes to a uniform place, 1/n each ("insert" of SymmetricDiffusers, arXiv 2410.02942).

    Backwards in time an item drawn uniformly moves to the end, so t steps are undone by t uniform items: the
    untouched keep their order and the touched follow in the order of their last touch. Hence
    P_t(d) = n⁻ᵗ Σ_{j ≥ n-L} S(t, j), with S the Stirling numbers of the second kind and L the items 0 … L - 1 that
    are still in order: the longest increasing prefix of d⁻¹.
    """

    n: int

    @property
    def cutoff(self) -> float:
        return self.n * math.log(self.n)

    @property
    def reach(self) -> int:
        return self.n - 1

    def draw(self, count: Tensor, rng: torch.Generator | None = None) -> Tensor:
        most = int(count.max()) if len(count) else 0
        touched = torch.randint(self.n, (len(count), most), generator=rng, device=count.device)
        turn = torch.arange(1, most + 1, device=count.device).expand(len(count), -1)
        turn = torch.where(turn <= count[:, None], turn, 0)
        start = torch.zeros((len(count), self.n), dtype=torch.long, device=count.device)
        last = start.scatter_reduce(1, touched, turn, "amax")
        return inverse(last.argsort(stable=True, dim=1))

    def log_law(self, perm: Tensor, count: Tensor) -> Tensor:
        return self._by_prefix(increasing_prefix(inverse(perm)), count)

    def levels(self, count: int) -> tuple[Tensor, Tensor]:
        length = torch.arange(1, self.n + 1)
        # n!/L! have at least L items in order; all but n!/(L+1)! of them no more than that
        sizes = [math.lgamma(self.n + 1) - math.lgamma(k + 2) + math.log(k) for k in range(1, self.n)]
        return torch.tensor([*sizes, 0.0], dtype=torch.float64), self._by_prefix(length, torch.full_like(length, count))

    def _by_prefix(self, length: Tensor, count: Tensor) -> Tensor:
        most = int(count.max()) if count.numel() else 0
        ways = _stirling_tails(self.n, 1 << max(most, 1).bit_length()).to(length.device)
        return ways[count, self.n - length] - count.double() * math.log(self.n)

    def bridge(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw which item is inserted at every step, uniformly among the sequences that lead from x0 to xt.

        The items are touched for the first time from the end of x0 on, so a sequence is a choice, at every step, of
        a new item or of one of those touched before; `_completions` counts how many sequences each choice leaves.
        """
        rows, n = xt.shape
        lengths, which = distinct(increasing_prefix(relative(xt, x0)))
        most = int(now.max()) if rows else 0
        ways = _completions(n, most, torch.tensor(lengths, device=xt.device))
        touched = torch.zeros(rows, dtype=torch.long, device=xt.device)
        turn = torch.zeros_like(xt)
        for step in range(1, most + 1):
            left = now - step
            u = torch.rand((2, rows), dtype=torch.float64, generator=rng, device=xt.device)
            share = ways[which, left.clamp(min=0), touched + 1] - ways[which, left.clamp(min=-1) + 1, touched]
            fresh = u[0].log() < share
            back = torch.where(fresh, touched, (u[1] * touched).long())
            item = (n - 1 - back).clamp(min=0)[:, None]
            before = turn.gather(1, item)
            counts = ((left >= 0) & (step > then))[:, None] & (before == 0)
            # undone from the last step on, so the item that is inserted first goes to the end last
            turn = turn.scatter(1, item, torch.where(counts, most + 1 - step, before))
            touched = touched + (fresh & (left >= 0))
        return xt.gather(1, turn.gather(1, relative(x0, xt)).argsort(stable=True, dim=1))


@lru_cache(maxsize=16)
def _stirling_tails(n: int, most: int) -> Tensor:
    """log Σ_{j = m … n} S(t, j) for t = 0 … most and m = 0 … n, (most + 1, n + 1)."""
    size = torch.arange(n + 1, dtype=torch.float64).log()
    row = torch.full((n + 1,), -torch.inf, dtype=torch.float64)
    row[0] = 0.0
    rows = [row]
    for _ in range(most):
        fresh = pad(row[:-1], (1, 0), value=-torch.inf)
        row = torch.logaddexp(fresh, size + row)
        rows.append(row)
    table = torch.stack(rows)
    return torch.stack([table[:, m:].logsumexp(1) for m in range(n + 1)], 1)


def _completions(n: int, most: int, lengths: Tensor) -> Tensor:
    """log of how many ways `left` further steps may go when b items are touched, (lengths, left, b).

    In the end at least n - L items must be touched, as only a prefix of L items may stay in order.
    """
    touched = torch.arange(n + 2, device=lengths.device)
    ends = (touched >= n - lengths[:, None]) & (touched <= n)
    row = torch.where(ends, 0.0, -torch.inf).double()
    rows, log_touched = [row], touched.double().log()
    for _ in range(most):
        fresh = pad(row[:, 1:], (0, 1), value=-torch.inf)
        row = torch.logaddexp(fresh, log_touched + row)
        row[:, n + 1] = -torch.inf
        rows.append(row)
    return torch.stack(rows, 1)


@dataclass(frozen=True, slots=True)
class InverseInsertion(AbstractSingleMoveHead):
    """A logit a place, (batch, n): the item that moves to the end is drawn from their softmax (arXiv 2410.02942)."""

    @property
    def undoes(self) -> type[AbstractWalk]:
        return InsertionWalk

    def shape(self, n: int) -> tuple[int, ...]:
        return (n,)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = torch.rand(len(pred), dtype=torch.float64, generator=rng, device=pred.device)
        chosen = one_hot(invert(pred.double(), u), pred.shape[1])
        return chosen.argsort(stable=True, dim=1)

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        last = x[:, -1:]
        in_order = descents(x[:, :-1]) == 0
        return torch.where(in_order, pred.double().log_softmax(1).gather(1, last)[:, 0], -torch.inf)


@dataclass(frozen=True)
class Insertion(AbstractShuffle):
    """Random insertions, with an exact law and bridge at every n; see `AbstractShuffle` for the arguments.

    The "insert" noise of SymmetricDiffusers (arXiv 2410.02942), there without a law of several steps.
    """

    @property
    def walk(self) -> InsertionWalk:
        return InsertionWalk(self.n)
