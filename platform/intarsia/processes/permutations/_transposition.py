"""Random transpositions: exact laws from the walk on cycle types, bridges one swap at a time."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from intarsia.classes import invert
from intarsia.processes.permutations._arithmetic import cycle_counts, relative
from intarsia.processes.permutations._cycle_types import class_laws, cycle_types
from intarsia.processes.permutations._moves import AbstractSingleMoveHead
from intarsia.processes.permutations._shuffle import AbstractShuffle
from intarsia.processes.permutations._walk import AbstractWalk


@dataclass(frozen=True)
class TranspositionWalk(AbstractWalk):
    """Swap two places drawn uniformly with replacement (Diaconis & Shahshahani 1981): 1/n nothing, 2/n² each swap.

    The law is the same on a conjugacy class, so t steps of it are t steps of a walk on the cycle types. More than 30
    items have too many of those: then shuffles can be drawn, but laws and bridges are refused.
    """

    n: int

    @property
    def cutoff(self) -> float:
        return 0.5 * self.n * math.log(self.n)

    @property
    def reach(self) -> int:
        return self.n - 1

    def draw(self, count: Tensor, rng: torch.Generator | None = None) -> Tensor:
        perm = torch.arange(self.n, device=count.device).repeat(len(count), 1)
        for step in range(int(count.max()) if len(count) else 0):
            pair = torch.randint(self.n, (len(count), 2), generator=rng, device=count.device)
            pair = torch.where((count > step)[:, None], pair, 0)  # a place swapped with itself
            perm = perm.scatter(1, pair, perm.gather(1, pair.flip(1)))
        return perm

    def log_law(self, perm: Tensor, count: Tensor) -> Tensor:
        types = cycle_types(self.n)
        key = (cycle_counts(perm) * types.code.to(perm.device)).sum(-1)
        index = torch.searchsorted(types.keys.to(perm.device), key)
        most = int(count.max()) if count.numel() else 0
        return class_laws(self.n, most).to(perm.device)[count, index]

    def levels(self, count: int) -> tuple[Tensor, Tensor]:
        return cycle_types(self.n).log_sizes, class_laws(self.n, count)[count]

    def bridge(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Undo one swap at a time, q(x_{k-1} | x_k, x0) ∝ Q_1(x_{k-1}⁻¹ x_k) Q_{k-1}(x0⁻¹ x_{k-1})."""
        moves, chance = _moves(self.n, xt.device)
        x = xt.clone()
        for step in range(int((now - then).max()) if len(now) else 0):
            rows = (now - then > step).nonzero()[:, 0]
            left = (now - 1 - step)[rows, None].expand(-1, len(moves))
            score = chance + self.log_law(relative(x0[rows], x[rows])[:, moves], left)
            u = torch.rand(len(rows), dtype=torch.float64, generator=rng, device=xt.device)
            x[rows] = x[rows].gather(1, moves[invert(score, u)])
        return x


def _moves(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Doing nothing and every swap, (1 + n(n-1)/2, n), and their log-probabilities."""
    first, second = torch.triu_indices(n, n, 1, device=device)
    swaps = torch.arange(n, device=device).repeat(len(first) + 1, 1)
    row = torch.arange(1, len(first) + 1, device=device)
    swaps[row, first], swaps[row, second] = second, first
    chance = torch.full((len(swaps),), math.log(2 / n**2), dtype=torch.float64, device=device)
    chance[0] = -math.log(n)
    return swaps, chance


@dataclass(frozen=True, slots=True)
class InverseTransposition(AbstractSingleMoveHead):
    """n + 1 logits, (batch, n + 1): sigmoid of the last is the chance of no swap, else the first two of a PL draw swap.

    A head of SymmetricDiffusers (arXiv 2410.02942).

    p(swap i, j) = (1 - φ) (p_i p_j / (1 - p_i) + p_j p_i / (1 - p_j)), with p the softmax of the first n.
    """

    @property
    def undoes(self) -> type[AbstractWalk]:
        return TranspositionWalk

    def shape(self, n: int) -> tuple[int, ...]:
        return (n + 1,)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        scores, stay = pred[:, :-1].double(), logsigmoid(pred[:, -1].double())
        u = torch.rand((3, len(pred)), dtype=torch.float64, generator=rng, device=pred.device)
        first = invert(scores, u[0])[:, None]
        second = invert(scores.scatter(1, first, -torch.inf), u[1])[:, None]
        second = torch.where((u[2].log() < stay)[:, None], first, second)
        move = torch.arange(scores.shape[1], device=pred.device).repeat(len(pred), 1)
        return move.scatter(1, torch.cat([first, second], 1), torch.cat([second, first], 1))

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        logp = pred[:, :-1].double().log_softmax(1)
        moved = x != torch.arange(x.shape[1], device=x.device)
        first = moved.long().argmax(1, keepdim=True)
        pair = torch.cat([first, x.gather(1, first)], 1)
        rest = [logp.scatter(1, pair[:, k : k + 1], -torch.inf).logsumexp(1) for k in (0, 1)]
        swap = logp.gather(1, pair).sum(1) + torch.logaddexp(-rest[0], -rest[1])
        last, count = pred[:, -1].double(), moved.sum(1)
        return torch.where(count == 0, logsigmoid(last), torch.where(count == 2, logsigmoid(-last) + swap, -torch.inf))


@dataclass(frozen=True)
class Transposition(AbstractShuffle):
    """Random transpositions ("swap" of SymmetricDiffusers, arXiv 2410.02942); see `AbstractShuffle` for the arguments.

    Laws and bridges are exact for at most 30 items. Beyond that `prior`, `corrupt` and a head of moves still work.
    """

    @property
    def walk(self) -> TranspositionWalk:
        return TranspositionWalk(self.n)
