"""Rankings as the tensors that laws over permutations learn from and score."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from intarsia.processes import AbstractSequentialHead, PlackettLuce
from intarsia_domains.permutations._ranking_choice import Ballots, fit_choices
from intarsia_domains.permutations._ranking_events import Event
from intarsia_domains.permutations._ranking_masked import draw_masked
from intarsia_domains.permutations._rankings import Rankings, Unranked

ROUNDS = 3
"""Rounds of completing incomplete orders under a choice model and fitting it to them."""
DRAWS = 4
"""Completions of a row in the last round."""
PARTICLES = 64


def weights_of(rankings: Rankings, weights: Any) -> Tensor:
    """The weight of every row, its count times what the caller says; raises ValueError for weights that are none."""
    counts = torch.tensor(rankings.counts, dtype=torch.float64)
    if weights is None:
        return counts
    own = np.asarray(weights, dtype=float)
    if own.shape != (len(rankings),):
        raise ValueError(f"`weights` has one number for each of {len(rankings)} rows, got shape {own.shape}")
    wrong = ~np.isfinite(own) | (own < 0)
    if wrong.any() or not own.any():
        row = int(wrong.argmax())
        raise ValueError(f"row {row}: a weight is finite, at least 0, and somewhere above it, got {own[row]}")
    return counts * torch.from_numpy(own)


def top_ballots(rankings: Rankings, weight: Tensor) -> tuple[Ballots, Tensor]:
    """Rows as permutations: what is not ranked follows in the order of its numbers; equal rows become one.

    All but one item told is all told. The second value says which of the ballots each row became, (rows,).
    """
    x, told = filled(torch.tensor(rankings.orders)), torch.tensor(rankings.lengths)
    told = torch.where(told == rankings.n - 1, rankings.n, told)
    both, which = torch.unique(torch.cat([x, told[:, None]], 1), dim=0, return_inverse=True)
    total = torch.zeros(len(both), dtype=torch.float64).index_add(0, which, weight)
    return Ballots(both[:, :-1], both[:, -1], total), which


def filled(orders: Tensor) -> Tensor:
    """Permutations that begin with orders (rows, n) padded with -1; the other items follow by number."""
    rows, n = orders.shape
    ranks = torch.arange(n, device=orders.device)
    place = torch.nn.functional.pad((ranks + n).repeat(rows, 1), (0, 1))  # the last column takes the padding
    place = place.scatter(1, torch.where(orders >= 0, orders, n), ranks.expand(rows, n))
    return place[:, :n].argsort(1)


def event_of_rows(rankings: Rankings) -> Event:
    """What each row tells: its first ranks, or the order of some items."""
    orders = torch.tensor(rankings.orders)
    if rankings.unranked is Unranked.BELOW:
        return Event.prefixes(orders)
    whole = torch.tensor(rankings.lengths) == rankings.n
    relative = Event.relative(orders)
    return Event(torch.where(whole[:, None], orders, relative.at), relative.before & ~whole[:, None, None])


def learned_ballots(
    rankings: Rankings, weight: Tensor, head: AbstractSequentialHead, penalty: float, features: Tensor | None, seed: int
) -> Ballots:
    """What is learned from: top-k rows as they are; incomplete orders completed at random, by stochastic EM.

    Completions are drawn uniformly at first, then from the choice model that was fitted to the last ones, inside the
    event that the ranked items stand in their order.
    """
    if rankings.unranked is Unranked.BELOW or rankings.is_complete:
        ballots, _ = top_ballots(rankings, weight)
        return ballots.weighted(ballots.weight)
    rng = torch.Generator().manual_seed(seed)
    event, n = event_of_rows(rankings), rankings.n

    def completions(law: AbstractSequentialHead, pred: Tensor, times: int) -> Ballots:
        told = event.repeated(times)
        x = draw_masked(law, pred.expand(len(told), *pred.shape), told, rng, PARTICLES).x
        ballots = Ballots(x, torch.full((len(x),), n), weight.repeat_interleave(times) / times)
        return ballots.weighted(ballots.weight)

    ballots = completions(PlackettLuce(), torch.zeros(n), 1)
    for left in reversed(range(ROUNDS)):
        pred = fit_choices(head, ballots, penalty, features)
        ballots = completions(head, pred, 1 if left else DRAWS)
    return ballots
