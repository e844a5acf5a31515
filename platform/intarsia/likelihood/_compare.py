"""Comparisons of likelihood bounds under shared times, noise and orders: what is common to them cancels."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from intarsia._types import device_of


class Score(Protocol):
    """A log-likelihood or a bound of it, nats per row, (batch,).

    >>> lambda x0, cond, rng: -model.nelbo(x0, cond, samples=64, rng=rng).total              # doctest: +SKIP
    >>> lambda x0, cond, rng: chain_log_prob(process, denoiser, x0, cond=cond, rng=rng)      # doctest: +SKIP
    """

    def __call__(self, x0: Any, cond: Any, rng: torch.Generator, /) -> Tensor:
        """Score states under a condition; all randomness comes from `rng`."""
        ...


def classify(
    score: Score,
    x0: Any,
    conds: Sequence[object],
    *,
    log_prior: Tensor | None = None,
    rng: torch.Generator | None = None,
) -> Tensor:
    """log p(cond | x0) for each condition by Bayes' rule, (batch, conds) (diffusion classifier; Li et al. 2023).

    Every condition is scored with the same times and noise, without which their differences drown in it. Exact where
    the score is.

    Args:
        score: log p(x0 | cond), or a bound of it.
        x0: states.
        conds: conditions, each for all rows.
        log_prior: log p(cond), (conds,); uniform by default.
        rng: draws the seed that the scores share.

    Raises:
        ValueError: there are no conditions, or not one prior probability for each.
    """
    if not conds or (log_prior is not None and log_prior.shape != (len(conds),)):
        raise ValueError(f"expected conditions and a log-probability for each, got {len(conds)} and {log_prior}")
    seed = _seed(rng)
    scores = torch.stack([score(x0, cond, _shared(seed, x0)).double() for cond in conds], 1)
    return (scores if log_prior is None else scores + log_prior.double()).log_softmax(1)


def log_ratio(
    score: Score, reference: Score, x0: Any, *, cond: object = None, rng: torch.Generator | None = None
) -> Tensor:
    """score(x0) - reference(x0) with shared times and noise, nats per row, (batch,).

    The log-ratio of two models that preference training needs (VRPO); equal models give 0 whatever the noise.
    """
    seed = _seed(rng)
    return score(x0, cond, _shared(seed, x0)) - reference(x0, cond, _shared(seed, x0))


def _seed(rng: torch.Generator | None) -> int:
    device = rng.device if rng is not None else torch.device("cpu")
    return int(torch.randint(2**62, (), generator=rng, device=device))


def _shared(seed: int, x0: Any) -> torch.Generator:
    return torch.Generator(device_of(x0)).manual_seed(seed)
