"""The law of finitely many states a site, written from the definition: matrices that closed forms are held against."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from intarsia.processes import Discrete, Xor
from intarsia.schedules import Staged
from intarsia.testing._bayes import IMPOSSIBLE


@dataclass(frozen=True)
class FiniteSites:
    """`Discrete` or `Xor` noise on `sites` sites, as matrices (sites, classes, states), padded with zeros.

    States are the classes and, where the noise has one, the mask.
    """

    process: Discrete | Xor
    sites: int

    @property
    def classes(self) -> list[int]:
        """Classes of every site."""
        if isinstance(self.process, Xor):
            return [2] * self.sites
        counts = self.process.num_classes
        return list(counts) if isinstance(counts, tuple) else [counts] * self.sites

    @property
    def states(self) -> list[int]:
        """States of every site."""
        masked = isinstance(self.process, Discrete) and self.process.mask > 0
        return [count + masked for count in self.classes]

    def stationary(self) -> Tensor:
        """π of every site, (sites, states)."""
        out = torch.zeros(self.sites, max(self.states), dtype=torch.float64)
        for site, count in enumerate(self.classes):
            out[site, :count] = (1.0 - self._mask) * self._law(site, count)
            if self._mask > 0:
                out[site, count] = self._mask
        return out

    @property
    def _mask(self) -> float:
        return 0.0 if isinstance(self.process, Xor) else self.process.mask

    def _law(self, site: int, count: int) -> Tensor:
        law = None if isinstance(self.process, Xor) else self.process.law
        if law is None:
            return torch.full((count,), 1.0 / count, dtype=torch.float64)
        own = law[site] if isinstance(law[0], tuple) else law
        return torch.tensor(cast(tuple[float, ...], own), dtype=torch.float64)

    def alpha(self, t: float) -> Tensor:
        """Survival of every site, (sites,)."""
        return self.process.schedule.alpha(torch.full((1, self.sites), t, dtype=torch.float64))[0]

    def dalpha(self, t: float) -> Tensor:
        """Its derivative, (sites,)."""
        return self.process.schedule.dalpha(torch.full((1, self.sites), t, dtype=torch.float64))[0]

    def transition(self, s: float, t: float) -> Tensor:
        """q(xt | xs), (sites, states, states), with rows that sum to 1."""
        before, after = self.alpha(s), self.alpha(t)
        kept = torch.where(before > 0, after / before.clamp(min=1e-300), 1.0)[:, None, None]
        stay = torch.eye(max(self.states), dtype=torch.float64)
        return kept * stay + (1.0 - kept) * self.stationary()[:, None]

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
        """q(xs | xt, x0) by Bayes' rule, (sites, x0, xt, xs); zero for pairs that cannot be."""
        joint = self.marginal(s)[:, :, None, :] * self.transition(s, t).transpose(1, 2)[:, None]
        total = joint.sum(-1, keepdim=True)
        return torch.where(total > 0, joint / total.clamp(min=1e-300), 0.0)

    def posterior(self, law: Tensor, t: float) -> Tensor:
        """p(x0 | xt) of independent sites with `law` (sites, classes), (sites, states, classes)."""
        joint = (law[:, :, None] * self.marginal(t)).transpose(1, 2)
        total = joint.sum(-1, keepdim=True)
        return torch.where(total > 0, joint / total.clamp(min=1e-300), law[:, None])

    def prediction(self, probs: Tensor) -> Tensor:
        """What a denoiser says whose posterior is `probs` (rows, sites, classes)."""
        logs = probs.log().clamp(min=IMPOSSIBLE)
        if isinstance(self.process, Xor):
            return logs[..., 1] - logs[..., 0]
        if isinstance(self.process.num_classes, int):
            return logs
        return torch.cat([logs[:, site, :count] for site, count in enumerate(self.classes)], 1)

    def kernel(self, pred: Tensor, xt: Tensor, s: float | Tensor, t: float | Tensor) -> Tensor:
        """The process's `reverse_law` as probabilities, (rows, sites, states)."""
        times = [u if isinstance(u, Tensor) else torch.full((len(xt),), u, dtype=torch.float64) for u in (s, t)]
        if isinstance(self.process, Xor):
            return self.process.reverse_law(pred, xt, *times).exp()
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


def example_sites(process: Discrete | Xor) -> int:
    """How many sites a process prescribes, or 2 where it leaves that open."""
    if isinstance(process, Xor):
        return process.width
    if isinstance(process.num_classes, tuple):
        return len(process.num_classes)
    return len(process.schedule.stages) if isinstance(process.schedule, Staged) else 2
