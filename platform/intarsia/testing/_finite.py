"""The laws of finitely many states a site as matrices, from q and the kernel of a sure prediction."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import Ragged
from intarsia.processes import AbstractFinite, Xor
from intarsia.schedules import Staged


def all_states(counts: list[int]) -> Tensor:
    """Every state of sites with `counts` values each, (states, sites), the last site running fastest."""
    return torch.tensor(list(itertools.product(*map(range, counts))))


@dataclass(frozen=True)
class FiniteSites:
    """A process on `sites` sites, as matrices (sites, classes, states), padded with zeros.

    States are the classes and, where the noise has one, the mask.
    """

    process: AbstractFinite
    sites: int

    @property
    def classes(self) -> list[int]:
        """Classes of every site."""
        layout = self.process.classes
        return list(layout.num_classes) if isinstance(layout, Ragged) else [layout.width] * self.sites

    @property
    def states(self) -> list[int]:
        """States of every site."""
        return [count + self.process.has_mask for count in self.classes]

    def prior(self) -> Tensor:
        """The law of a site at t = 1 as the process states it, (sites, states)."""
        entries, mask = self.process.prior_law()
        layout = self.process.classes
        rows = entries[None] if isinstance(layout, Ragged) else entries.expand(1, self.sites, layout.width)
        return self.padded(rows.double(), torch.full((1, self.sites), mask, dtype=torch.float64))[0]

    def pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """All (x0, xt) of every site side by side: two (classes · states, sites), and which exist, (sites, …)."""
        classes, states = torch.tensor(self.classes), torch.tensor(self.states)
        a = torch.arange(max(self.classes)).repeat_interleave(max(self.states))[:, None]
        v = torch.arange(max(self.states)).repeat(max(self.classes))[:, None]
        valid = ((a < classes) & (v < states)).T.reshape(self.sites, max(self.classes), max(self.states))
        return torch.minimum(a, classes - 1), torch.minimum(v, states - 1), valid

    def marginal(self, t: float) -> Tensor:
        """q(xt | x0) by the process's own `log_q`, (sites, classes, states)."""
        x0, xt, valid = self.pairs()
        log_q = self.process.log_q(xt, x0, torch.full((len(x0),), t, dtype=torch.float64))
        return torch.where(valid, log_q.T.reshape(valid.shape).exp(), 0.0)

    def bridge(self, s: float, t: float) -> Tensor:
        """q(xs | xt, x0), the kernel of a sure prediction, (sites, x0, xt, xs); zero for pairs that cannot be."""
        x0, xt, valid = self.pairs()
        sure = self.process.prediction(x0, torch.eye(len(x0), dtype=torch.float64))
        kernel = self.kernel(sure, xt, s, t).transpose(0, 1).reshape(*valid.shape, -1)
        return torch.where((valid & (self.marginal(t) > 0))[..., None], kernel, 0.0)

    def posterior(self, law: Tensor, t: float) -> Tensor:
        """p(x0 | xt) of independent sites with `law` (sites, classes), (sites, states, classes)."""
        joint = (law[:, :, None] * self.marginal(t)).transpose(1, 2)
        total = joint.sum(-1, keepdim=True)
        return torch.where(total > 0, joint / total.clamp(min=1e-300), law[:, None])

    def prediction(self, probs: Tensor) -> Tensor:
        """What a denoiser says whose posterior is `probs` (rows, sites, classes), with independent sites."""
        points = all_states(self.classes)
        weights = torch.ones(len(probs), len(points), dtype=torch.float64)
        for site in range(self.sites):
            weights *= probs[:, site, points[:, site]]
        return self.process.prediction(points, weights)

    def kernel(self, pred: Tensor, xt: Tensor, s: float | Tensor, t: float | Tensor) -> Tensor:
        """The process's `reverse_law` as probabilities, (rows, sites, states)."""
        times = [u if isinstance(u, Tensor) else torch.full((len(xt),), u, dtype=torch.float64) for u in (s, t)]
        entries, mask = self.process.reverse_law(pred, xt, *times)
        return self.padded(entries.exp(), mask.exp())

    def padded(self, entries: Tensor, mask: Tensor) -> Tensor:
        """Values of the classes, dense or flat, and of the mask as (rows, sites, states)."""
        out = torch.zeros(entries.shape[0], self.sites, max(self.states), dtype=torch.float64)
        start = 0
        for site, count in enumerate(self.classes):
            flat = entries.ndim == 2
            out[:, site, :count] = entries[:, start : start + count] if flat else entries[:, site]
            start += count
            if self.states[site] > count:
                out[:, site, count] = mask[:, site]
        return out


def example_sites(process: AbstractFinite) -> int:
    """How many sites a process prescribes, or 2 where it leaves that open."""
    if isinstance(process, Xor):
        return process.width
    if isinstance(process.classes, Ragged):
        return len(process.classes.num_classes)
    schedule = getattr(process, "schedule", None)
    return len(schedule.stages) if isinstance(schedule, Staged) else 2
