"""Likelihood ratios p(c | y) / p(c | x) of states y that differ from x at one site: enumerated, or to first order."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from intarsia.classes import Ragged
from intarsia.guidance._law import Law, is_masked
from intarsia.processes import IMPOSSIBLE, AbstractFinite

CUTOFF = 80.0
"""Largest log-factor on a rate or probability, so that exp stays finite (as in the published code)."""


class AbstractRatios(ABC):
    """How a predictor of a condition compares states."""

    log_prob: Callable[[Tensor, Tensor], Tensor]

    @abstractmethod
    def log_ratios(self, process: AbstractFinite, x: Tensor, t: Tensor) -> Law:
        """log p(c | y, t) - log p(c | x, t) for every class, and the mask, put at every site of `x`."""

    def log_gain(self, process: AbstractFinite, x: Tensor, t: Tensor, strength: float) -> Law:
        """`strength` times the log-ratios, at most `CUTOFF`."""
        entries, mask = self.log_ratios(process, x, t)
        return (strength * entries).clamp(max=CUTOFF), (strength * mask).clamp(max=CUTOFF)

    @property
    def time_free(self) -> bool:
        """Whether the predictor declares, by an attribute of that name, that it does not read the time."""
        return bool(getattr(self.log_prob, "time_free", False))


@dataclass(frozen=True, slots=True)
class EnumeratedRatios(AbstractRatios):
    """Ask the predictor about every change of every site: exact, at sites · classes rows a state.

    The exact ratios of Nisonoff et al. 2024, arXiv 2406.01572.

    Args:
        log_prob: `(xt, t) -> log p(c | xt)` in nats, (batch,); called once a site on all its changes.
    """

    log_prob: Callable[[Tensor, Tensor], Tensor]

    def log_ratios(self, process: AbstractFinite, x: Tensor, t: Tensor) -> Law:
        classes, flat = process.classes, x.flatten(1)
        counts = [int(count) for count in classes.counts(x.device).expand(x.shape).flatten(1)[0]]
        t = t.expand(x.shape[0], *t.shape[1:])
        here = self._call(x, t)[:, None]
        columns = [self._changes(x, flat, site, n + process.has_mask, t) - here for site, n in enumerate(counts)]
        if not process.has_mask:
            columns = [functional.pad(column, (0, 1)) for column in columns]
        if isinstance(classes, Ragged):
            entries = torch.cat([column[:, :-1] for column in columns], 1)
            return entries, torch.stack([column[:, -1] for column in columns], 1)
        table = torch.stack(columns, 1).view(*x.shape, -1)
        return table[..., :-1], table[..., -1]

    def _changes(self, x: Tensor, flat: Tensor, site: int, states: int, t: Tensor) -> Tensor:
        """log p(c | x with `site` in each of its states, the mask last), (batch, states)."""
        changed = flat.repeat_interleave(states, 0)
        changed[:, site] = torch.arange(states, device=x.device).repeat(x.shape[0])
        return self._call(changed.view(-1, *x.shape[1:]), t.repeat_interleave(states, 0)).view(-1, states)

    def _call(self, x: Tensor, t: Tensor) -> Tensor:
        return self.log_prob(x, t).double().clamp(min=IMPOSSIBLE)


@dataclass(frozen=True, slots=True)
class FirstOrderRatios(AbstractRatios):
    """∇ log p(c | x) · (y - x) on one-hot states: one backward pass for all changes (TAG; arXiv 2406.01572).

    Args:
        log_prob: `(entries, t) -> log p(c | x)`, (batch,), differentiable in the one-hot entries of the classes
            (batch, *sites, classes), flat (batch, sum of classes) for ragged counts; a masked site is all zeros.
    """

    log_prob: Callable[[Tensor, Tensor], Tensor]

    def log_ratios(self, process: AbstractFinite, x: Tensor, t: Tensor) -> Law:
        classes, masked = process.classes, is_masked(process.classes, x)
        with torch.enable_grad():
            hot = classes.is_class(x).double().requires_grad_()
            (slope,) = torch.autograd.grad(self.log_prob(hot, t).sum(), hot)
        here = torch.where(masked, 0.0, classes.pick(slope, torch.where(masked, 0, x)))
        return slope - classes.spread(here), -here
