"""Heads that choose the items one after the other: the Plackett-Luce family."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from intarsia.classes import invert
from intarsia.errors import RequirementError
from intarsia.processes.permutations._heads import AbstractPermutationHead, agrees


class AbstractSequentialHead(AbstractPermutationHead):
    """Chooses the items rank by rank from those that are left: p(x) = Π_i softmax over the rest of the scores at x_i.

    A network of one's own that reads the prefix (a pointer decoder) is a subclass with `logits`. Evidence on a prefix
    is exact: its ranks are not drawn and not scored.
    """

    @abstractmethod
    def logits(self, pred: Tensor, prefix: Tensor) -> Tensor:
        """Scores (batch, n) of all items at the rank after `prefix` (batch, ranks); those of taken items count not."""

    def scores(self, pred: Tensor, x: Tensor) -> Tensor:
        """Scores at rank i of the item x[:, j], given the items before rank i of x, (batch, i, j)."""
        rows = [self.logits(pred, x[:, :i]).gather(1, x) for i in range(x.shape[1])]
        return torch.stack(rows, 1)

    def terms(self, pred: Tensor, x: Tensor) -> Tensor:
        """log p(x_i | x_0 … x_{i-1}), (batch, n)."""
        scores = self.scores(pred.double(), x)
        taken = torch.ones_like(scores, dtype=torch.bool).tril(-1)  # items that stand before rank i
        return scores.diagonal(dim1=1, dim2=2) - scores.masked_fill(taken, -torch.inf).logsumexp(2)

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        return self.terms(pred, x).sum(1)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        nothing = torch.zeros((len(pred), pred.shape[-1]), dtype=torch.long, device=pred.device)
        return self.sample_given(pred, nothing, nothing.bool(), rng)

    def check_event(self, values: Tensor, mask: Tensor) -> None:
        if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
            raise RequirementError(
                f"{type(self).__name__} takes evidence on a prefix only: no observed rank after a free one. "
                "For other events use particles, or the head `Enumerated`"
            )

    def sample_given(self, pred: Tensor, values: Tensor, mask: Tensor, rng: torch.Generator | None = None) -> Tensor:
        pred = pred.double()
        x = torch.empty_like(values)
        taken = torch.zeros_like(mask)
        u = torch.rand(values.shape, dtype=torch.float64, generator=rng, device=pred.device)
        for i in range(x.shape[1]):
            drawn = invert(self.logits(pred, x[:, :i]).masked_fill(taken, -torch.inf), u[:, i])
            x[:, i] = torch.where(mask[:, i], values[:, i], drawn)
            taken = taken.scatter(1, x[:, i : i + 1], True)
        return x

    def log_prob_given(self, pred: Tensor, x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        free = torch.where(mask, 0.0, self.terms(pred, x)).sum(1)
        return torch.where(agrees(x, values, mask), free, -torch.inf)


@dataclass(frozen=True, slots=True)
class PlackettLuce(AbstractSequentialHead):
    """One score an item, (batch, n): p(x) = Π_i exp(s[x_i]) / Σ_{j ≥ i} exp(s[x_j]) (Luce 1959; Plackett 1975)."""

    def shape(self, n: int) -> tuple[int, ...]:
        return (n,)

    def logits(self, pred: Tensor, prefix: Tensor) -> Tensor:
        return pred

    def scores(self, pred: Tensor, x: Tensor) -> Tensor:
        return pred.gather(1, x)[:, None].expand(-1, x.shape[1], -1)


@dataclass(frozen=True, slots=True)
class GeneralizedPlackettLuce(AbstractSequentialHead):
    """A score for every rank and item, (batch, ranks, items) (SymmetricDiffusers, arXiv 2410.02942).

    With equal rows it is `PlackettLuce`. It has (n - 1)² degrees of freedom, so it cannot be every law.
    """

    def shape(self, n: int) -> tuple[int, ...]:
        return (n, n)

    def logits(self, pred: Tensor, prefix: Tensor) -> Tensor:
        return pred[:, prefix.shape[1]]

    def scores(self, pred: Tensor, x: Tensor) -> Tensor:
        return pred.gather(2, x[:, None].expand_as(pred))


@dataclass(frozen=True, slots=True)
class PrefixPlackettLuce(AbstractSequentialHead):
    """Generalised Plackett-Luce whose scores depend on the prefix: cGPL, log-linear in what has been chosen.

    The score of item k at rank i is A[i, k] + Σ_{j < i} B[x_j, k] + C[x_{i-1}, k], with `pred` = (A, B, C),
    (batch, 3, n, n). A pointer network makes them as products of queries of ranks (A), of the set of chosen items (B)
    and of the last one (C) with keys of items (Soft-Rank Diffusion, arXiv 2603.17353). Mallows' law is the case
    A[i, k] = -θ k, B[j, k] = θ where j < k, C = 0.
    """

    def shape(self, n: int) -> tuple[int, ...]:
        return (3, n, n)

    def logits(self, pred: Tensor, prefix: Tensor) -> Tensor:
        rank_scores = pred[:, 0, prefix.shape[1]]
        if not prefix.shape[1]:
            return rank_scores
        row = prefix[:, :, None].expand(-1, -1, pred.shape[-1])
        return rank_scores + pred[:, 1].gather(1, row).sum(1) + pred[:, 2].gather(1, row[:, -1:])[:, 0]

    def scores(self, pred: Tensor, x: Tensor) -> Tensor:
        column = x[:, None].expand(-1, x.shape[1], -1)
        at_rank, chosen, last = pred.gather(3, column[:, None].expand(-1, 3, -1, -1)).unbind(1)
        row = column.transpose(1, 2)

        def before(values: Tensor) -> Tensor:
            """Rows in the order of x, each seen one rank later."""
            return pad(values[:, :-1], (0, 0, 1, 0))

        return at_rank + before(chosen.gather(1, row).cumsum(1)) + before(last.gather(1, row))
