"""Drawing solutions value by value from a network's predictions and soft evidence."""

import numpy as np
import torch
from torch import Tensor

from ._arrays import domains
from ._check import check
from ._drawing import set_values
from ._problem import Problem
from ._propagate import Propagator, decided
from ._proposer import Proposer

_NEVER = -1e9


@torch.no_grad()
def soft_draws(
    problem: Problem, weights: np.ndarray, draws: int, rng: torch.Generator, model: Proposer | None = None
) -> np.ndarray:
    """Verified solutions, each once, from the one with the largest sum of weights down, (found, variables).

    At every call the surest open variable of each row gets a value: its law is the model's posterior times the
    evidence of its own picture, exp(weight); then propagation rules out what contradicts it. That is the diffusion's
    reverse step for one site, with the evidence of sites that are still masked left out, so it proposes boards and
    does not weigh them. A value that leads to a contradiction at once is struck instead.

    Args:
        problem: with what is given.
        weights: log-likelihoods in nats, (variables, values).
        draws: rows; the first always takes the likeliest value.
        rng: of the others.
        model: predicts values; None for evidence and propagation alone.
    """
    narrow = problem.derived(Propagator)
    evidence = torch.from_numpy(np.asarray(weights, dtype=np.float64))
    possible = narrow(torch.from_numpy(domains([problem]))).repeat(draws, 1, 1)

    def choose(possible: Tensor) -> tuple[Tensor, Tensor]:
        return _choose(possible, _logits(problem, possible, evidence, model), rng)

    states = decided(set_values(possible, narrow, choose)).numpy()
    valid = np.unique(states[check(problem, states).valid], axis=0)
    scores = np.asarray(weights)[np.arange(len(problem)), valid].sum(-1)
    return valid[np.argsort(-scores, kind="stable")]


def _logits(problem: Problem, possible: Tensor, evidence: Tensor, model: Proposer | None) -> Tensor:
    logits = evidence.expand(len(possible), -1, -1)
    if model is not None:
        seen = model.marginals(problem.structure, possible.numpy())
        logits = logits + torch.from_numpy(np.asarray(seen, dtype=np.float64)).clamp(min=1e-6).log()
    return logits.masked_fill(~possible, _NEVER)


def _choose(possible: Tensor, logits: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The open variable of each row with the largest margin, and its value."""
    law = logits.softmax(-1)
    best = law.topk(min(2, law.shape[-1]), -1).values
    margin = (best[..., 0] - best[..., -1]).masked_fill(possible.sum(-1) < 2, -1.0)
    # equal margins, as of blanks, are broken at random
    margin = margin + 1e-6 * torch.rand(margin.shape, dtype=margin.dtype, generator=rng)
    site = margin.argmax(-1)
    rows = torch.arange(len(site))
    value = torch.multinomial(law[rows, site], 1, generator=rng).squeeze(-1)
    value[0] = law[0, site[0]].argmax()
    return site, value
