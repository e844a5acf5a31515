"""The law of a site over its classes and the mask, as log-probabilities: normalise, draw, read, maximise."""

from typing import TypeAlias

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses, Ragged

Law: TypeAlias = tuple[Tensor, Tensor]
"""Logs for the classes (entries), and for the mask state (batch, *sites); what `reverse_law` returns."""


def normalized(classes: AbstractClasses, law: Law) -> Law:
    """The law whose probabilities sum to 1 at every site."""
    total = torch.logaddexp(classes.logsumexp(law[0]), law[1])
    return law[0] - classes.spread(total), law[1] - total


def is_masked(classes: AbstractClasses, x: Tensor) -> Tensor:
    """Sites in the mask state, as bools."""
    return x == classes.counts(x.device)


def log_prob(classes: AbstractClasses, law: Law, x: Tensor) -> Tensor:
    """The logs of the states `x`, (batch, *sites)."""
    masked = is_masked(classes, x)
    return torch.where(masked, law[1], classes.pick(law[0], torch.where(masked, 0, x)))


def draw(classes: AbstractClasses, law: Law, xt: Tensor, rng: torch.Generator | None) -> Tensor:
    """Draw states; whether a site leaves `xt` is drawn apart from where it goes, in float64."""
    entries, mask = normalized(classes, law)
    away = torch.where(classes.is_class(xt), -torch.inf, entries)
    to_class = classes.logsumexp(away).exp()
    to_mask = torch.where(is_masked(classes, xt), 0.0, mask.exp())
    leaves = to_class + to_mask
    u = torch.rand((2, *xt.shape), dtype=torch.float64, generator=rng, device=xt.device)
    jumps = u[0] < leaves
    # where no class is drawn the entries may all be -inf; any law will do there
    safe = torch.where(classes.spread(jumps & (to_class > 0)), away, 0.0)
    target = torch.where(u[1] * leaves < to_mask, classes.counts(xt.device), classes.sample(safe, rng))
    return torch.where(jumps, target, xt)


def likeliest(classes: AbstractClasses, entries: Tensor) -> Tensor:
    """The class of the largest entry of each site, (batch, *sites)."""
    if isinstance(classes, Ragged):
        return torch.stack([entries[:, part].argmax(-1) for part in classes.slices()], 1)
    return entries.argmax(-1)
