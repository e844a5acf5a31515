"""One-step losses of shuffles where the permutations cannot be listed: bounds from draws."""

import math

import torch
from torch import Tensor

from intarsia.processes.permutations._arithmetic import relative
from intarsia.processes.permutations._heads import AbstractPermutationHead
from intarsia.processes.permutations._moves import AbstractMoveHead
from intarsia.processes.permutations._walk import AbstractWalk

DRAWS = 4
"""Draws of x0 from the head in the bound."""


def own_generator(x0: Tensor, xt: Tensor) -> torch.Generator:
    """A generator seeded by the states, so that no global one is touched and equal states give equal draws."""
    both = torch.cat([x0.flatten(), xt.flatten()])
    weights = torch.randint(2**62, both.shape, generator=torch.Generator().manual_seed(0))
    seed = int(((both + 1) * weights.to(both.device)).sum()) % 2**63
    return torch.Generator(xt.device).manual_seed(seed)


def bridge_log_prob(walk: AbstractWalk, xs: Tensor, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor) -> Tensor:
    """log q(xs | xt, x0), (batch,); -inf also where x0 cannot lead to xt."""
    total = walk.log_law(relative(x0, xt), now)
    step = walk.log_law(relative(xs, xt), now - then) + walk.log_law(relative(x0, xs), then)
    return torch.where(total > -torch.inf, step - total.clamp(min=-1e300), -torch.inf)


def sampled_step_kl(
    walk: AbstractWalk,
    head: AbstractPermutationHead,
    pred: Tensor,
    x0: Tensor,
    xt: Tensor,
    then: Tensor,
    now: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """log q(xs | xt, x0) - log p̂(xs | xt) at a draw xs of the bridge, (batch,).

    p̂ = p(x0 | xt) q(xs | xt, x0) + mean over draws x' ≠ x0 of the head of q(xs | xt, x') is an unbiased estimate of
    the mixture of bridges, so by Jensen's inequality the expectation is at least that of the exact loss. It is never
    more than the cross-entropy -log p(x0 | xt), and equal to it in the step to time 0. What the head gives to x' that
    cannot lead to xt counts as lost, which only raises the bound. Gradients pass through the draws by their scores.
    """
    xs = walk.bridge(x0, xt, then, now, rng)
    truth = bridge_log_prob(walk, xs, x0, xt, then, now)
    terms = [head.log_prob(pred, x0) + truth]
    for _ in range(DRAWS):
        with torch.no_grad():
            guess = head.sample(pred, rng)
        logp = head.log_prob(pred, guess)
        other = bridge_log_prob(walk, xs, guess, xt, then, now)
        counted = (guess != x0).any(1) & (other > -torch.inf)
        score = logp - logp.detach()  # 0, with the gradient of log p
        terms.append(torch.where(counted, score + other.clamp(min=-1e300) - math.log(DRAWS), -torch.inf))
    return truth - torch.stack(terms).logsumexp(0)


def sampled_move_kl(
    walk: AbstractWalk,
    head: AbstractMoveHead,
    pred: Tensor,
    x0: Tensor,
    xt: Tensor,
    then: Tensor,
    now: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """log q(xs | xt, x0) - log p(move) at a draw xs of the bridge, (batch,): unbiased for the loss.

    It is the published -log p of the inverse of the last shuffles (SymmetricDiffusers, arXiv 2410.02942)
    and a term without parameters.
    """
    xs = walk.bridge(x0, xt, then, now, rng)
    return bridge_log_prob(walk, xs, x0, xt, then, now) - head.log_prob(pred, relative(xt, xs))
