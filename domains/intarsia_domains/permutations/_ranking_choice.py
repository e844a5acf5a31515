"""The law of x0 by itself: a log-linear choice model, fitted to convergence with a penalty."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.processes import (
    AbstractPermutationLaw,
    AbstractSequentialHead,
    GeneralizedPlackettLuce,
    PlackettLuce,
    PrefixPlackettLuce,
)
from intarsia_domains.permutations._ranking_pointer import PointerHead

WEAK = 1e-2
"""Penalty of the scores of items themselves, so that items nobody ranks stay finite."""
ITERATIONS = 200
TRIED = 60
"""Iterations of a fit that only compares penalties."""
MOST = 2000
"""Rows that penalties are compared on: a prior's best width hardly depends on their number."""
PENALTIES = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3)


@dataclass(frozen=True, eq=False, slots=True)
class Ballots:
    """Complete permutations of which only the first ranks were told, weighted.

    Args:
        x: permutations (rows, n); what follows after the told ranks is arbitrary.
        told: how many ranks were told, (rows,).
        weight: of the rows, (rows,), float64.
    """

    x: Tensor
    told: Tensor
    weight: Tensor

    def rows(self, chosen: Tensor) -> "Ballots":
        """Some of the rows."""
        return Ballots(self.x[chosen], self.told[chosen], self.weight[chosen])

    def weighted(self, weight: Tensor) -> "Ballots":
        """The rows with other weights, without those of none."""
        kept = weight > 0
        return Ballots(self.x[kept], self.told[kept], weight[kept])

    def to(self, device: torch.device) -> "Ballots":
        """On another device."""
        return Ballots(self.x.to(device), self.told.to(device), self.weight.to(device))


def told_log_prob(head: AbstractSequentialHead, pred: Tensor, x: Tensor, told: Tensor) -> Tensor:
    """log p(the told ranks), (rows,): the unranked tail is summed over, as later choices sum to one."""
    terms = head.terms(pred, x)
    return torch.where(torch.arange(x.shape[1], device=x.device) < told[:, None], terms, 0.0).sum(1)


def linear_part(head: AbstractPermutationLaw) -> AbstractSequentialHead | None:
    """The log-linear head that is inside a head; None where there is none."""
    if isinstance(head, PointerHead):
        return PrefixPlackettLuce()
    return head if isinstance(head, PlackettLuce | GeneralizedPlackettLuce | PrefixPlackettLuce) else None


def fit_choices(
    head: AbstractSequentialHead,
    ballots: Ballots,
    penalty: float,
    features: Tensor | None = None,
    iterations: int = ITERATIONS,
) -> Tensor:
    """Parameters (*shape) that minimise Σ weight · -log p(told) + penalty · Σ deviations² / 2, by L-BFGS in float64.

    Deviations are what differs from Plackett-Luce (scores of single ranks, of prefixes), and from linear scores where
    there are `features` (n, features). The problem is convex, so the result does not depend on a start.
    """
    n = ballots.x.shape[1]
    shape = head.shape(n)
    features = torch.zeros(n, 0) if features is None else features
    features = features.double()
    slopes = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    scores = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    tables = torch.zeros(shape if len(shape) > 1 else (0,), dtype=torch.float64, requires_grad=True)

    def parameters() -> Tensor:
        plain = features @ slopes + scores
        if len(shape) == 1:
            return plain
        if len(shape) == 2:
            return plain + tables
        return torch.cat([(plain + tables[0])[None], tables[1:]])

    own = WEAK if not features.shape[1] else penalty
    optimizer = torch.optim.LBFGS(
        [slopes, scores, tables],
        max_iter=iterations,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )
    total = ballots.weight.sum()

    def closure() -> Tensor:
        optimizer.zero_grad()
        pred = parameters().expand(len(ballots.x), *shape)
        nats = -(told_log_prob(head, pred, ballots.x, ballots.told) * ballots.weight).sum()
        squares = penalty * tables.square().sum() + own * scores.square().sum() + WEAK * slopes.square().sum()
        value = (nats + squares / 2) / total
        value.backward()
        return value

    optimizer.step(closure)
    return parameters().detach()


def told_nats(head: AbstractSequentialHead, pred: Tensor, ballots: Ballots) -> Tensor:
    """-log p(told), (rows,)."""
    with torch.no_grad():
        return -told_log_prob(head, pred.expand(len(ballots.x), *pred.shape), ballots.x, ballots.told)


def choose_penalty(
    head: AbstractSequentialHead,
    ballots: Ballots,
    features: Tensor | None,
    seed: int,
    *,
    penalties: Sequence[float] = PENALTIES,
    folds: int = 5,
) -> float:
    """The penalty with the best mean nats under cross-validation over ballots.

    Whole-numbered weights are ballots that fall into folds one by one, others stay together.
    """
    if len(head.shape(ballots.x.shape[1])) == 1 and features is None:
        return WEAK
    if len(ballots.x) > MOST:
        ballots = ballots.rows(torch.randperm(len(ballots.x), generator=torch.Generator().manual_seed(seed))[:MOST])
        folds = 2
    nats = dict.fromkeys(penalties, 0.0)
    for fold in fold_weights(ballots.weight, folds, seed).unbind(1):
        train, test = ballots.weighted(ballots.weight - fold), ballots.weighted(fold)
        if not len(train.x) or not len(test.x):
            continue
        for penalty in penalties:
            pred = fit_choices(head, train, penalty, features, TRIED)
            nats[penalty] += float((told_nats(head, pred, test) * test.weight).sum())
    return min(nats, key=lambda penalty: nats[penalty])


def fold_weights(weight: Tensor, folds: int, seed: int) -> Tensor:
    """The weight of every row in every fold, (rows, folds)."""
    rng = torch.Generator().manual_seed(seed)
    if bool((weight == weight.round()).all()) and float(weight.sum()) < 1e7:
        row = torch.repeat_interleave(torch.arange(len(weight)), weight.long())
        fold = torch.randperm(len(row), generator=rng) % folds
        flat = torch.bincount(row * folds + fold, minlength=len(weight) * folds)
        return flat.view(-1, folds).double()
    fold = torch.randperm(len(weight), generator=rng) % folds
    return torch.nn.functional.one_hot(fold, folds) * weight[:, None]
