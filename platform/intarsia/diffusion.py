"""A process and a denoiser: loss, likelihood bound and samples."""

from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor, nn

from intarsia._time import sum_sites
from intarsia._types import Clock, Denoiser, State, batch_size, device_of
from intarsia.evidence import Evidence, times
from intarsia.objectives import low_discrepancy
from intarsia.processes import AbstractProcess, learned_modules
from intarsia.samplers import AbstractSampler, Ancestral


@dataclass(frozen=True, slots=True)
class Nelbo:
    """Negative evidence lower bound in its parts, nats per row, each (batch,)."""

    prior: Tensor
    diffusion: Tensor
    reconstruction: Tensor

    @property
    def total(self) -> Tensor:
        """An upper bound of -log p(x0), in expectation."""
        return self.prior + self.diffusion + self.reconstruction


class Diffusion(nn.Module, Generic[State]):
    """A generative model of one field or of records. Schedules that are learned are parameters of it.

    Args:
        process: the noise.
        denoiser: a module or function `(xt, t, cond) -> pred` that predicts the posterior over x0.
    """

    def __init__(self, process: AbstractProcess[State], denoiser: Denoiser) -> None:
        super().__init__()
        self.process = process
        self.denoiser = denoiser
        self.noise = learned_modules(process)

    def loss(
        self,
        x0: State,
        cond: object = None,
        *,
        given: Evidence | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """One-sample estimate of the continuous-time nelbo's diffusion part, nats per row, (batch,)."""
        t = low_discrepancy(batch_size(x0), device_of(x0), rng)
        return self._at(x0, times(t, x0, given), None, cond, rng)

    def nelbo(
        self,
        x0: State,
        cond: object = None,
        *,
        steps: int | None = None,
        samples: int = 1,
        rng: torch.Generator | None = None,
    ) -> Nelbo:
        """Bound of -log p(x0) in parts, averaged over `samples` draws of time and noise.

        With `steps` it is the bound of a T-step chain on a uniform grid (one of its steps is drawn a sample),
        otherwise that of continuous time.
        """
        rows, device = batch_size(x0), device_of(x0)
        with torch.no_grad():
            total = torch.zeros(rows, dtype=torch.float64, device=device)
            for _ in range(samples):
                u = low_discrepancy(rows, device, rng)
                if steps is None:
                    total += self._at(x0, u, None, cond, rng)
                else:
                    step = (u * steps).floor().clamp(max=steps - 1)
                    total += steps * self._at(x0, (step + 1) / steps, step / steps, cond, rng)
            start = torch.zeros(rows, dtype=torch.float64, device=device)
            xt = self.process.corrupt(x0, start, rng)
            last = self.process.reconstruction(self.denoiser(xt, start, cond), x0, xt)
        return Nelbo(sum_sites(self.process.prior_kl(x0)), total / samples, sum_sites(last))

    def sample(
        self,
        shape: Any,
        sampler: AbstractSampler | None = None,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> State:
        """Generate states of `shape` (batch, *sites), a dict of shapes for records, with the sites of `given` held."""
        sampler = Ancestral() if sampler is None else sampler
        if isinstance(sampler, type):
            raise TypeError(
                f"`sampler` must be an object, got the class {sampler.__name__}; write {sampler.__name__}()"
            )
        sampler.check(self.process)
        with torch.no_grad():
            x1 = self.process.prior(shape, rng)
            return sampler.sample(self.process, self.denoiser, x1, given=given, cond=cond, rng=rng)

    def _at(self, x0: State, t: Clock, s: Clock | None, cond: object, rng: torch.Generator | None) -> Tensor:
        xt = self.process.corrupt(x0, t, rng)
        return sum_sites(self.process.loss(self.denoiser(xt, t, cond), x0, xt, t, s))
