"""Feynman-Kac steering: particles that are weighed and resampled on their way."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from intarsia._types import Denoiser, State, batch_size, device_of
from intarsia.classes import invert
from intarsia.evidence import Evidence, hold, restrict, times
from intarsia.particles._potentials import AbstractPotential, Difference
from intarsia.particles._proposal import AbstractProposal, step_log_prob
from intarsia.particles._resampling import AbstractResampling, Systematic
from intarsia.particles._rows import repeated, repeated_evidence, shape_of, take, with_first
from intarsia.particles._steered import Steered
from intarsia.particles._values import AbstractValue, Reward, Sampled, log_weight
from intarsia.processes import AbstractProcess
from intarsia.samplers import AbstractSampler, Cached, Claim
from intarsia.samplers._base import uniform_grid


@dataclass(frozen=True, slots=True)
class Cloud:
    """Weighted particles at a time `t`.

    Args:
        x: states, group by group, (groups · particles, *sites).
        t: their time.
        log_weights: since the last resampling, (groups, particles).
        log_evidence: logs of the mean weights of all resamplings before, summed, (groups,).
    """

    x: Any
    t: float
    log_weights: Tensor
    log_evidence: Tensor


@dataclass(frozen=True, slots=True)
class FeynmanKac(AbstractSampler):
    """Draws from p(x0) exp(reward(x0)) / Z with particles (Singhal et al. 2025, arXiv 2501.06848).

    Each draw is one of a group of particles that follow `Ancestral` steps, gain weight by what their state promises and
    are resampled where few of them carry the weight. As the particles of a group grow in number its draw follows the
    tilted law of the finite-step chain; at any number `steer` estimates Z without bias (also with resampling by
    effective sample size: Del Moral et al. 2012). For a reward that is an event, Z is its probability.

    Args:
        reward: log-weight λ r(x0) in nats, or bools of an event, of states x0, (rows,).
        value: what a state on its way promises.
        potential: how promises become weights.
        proposal: steps by this guidance's kernel instead of the model's; weights make up for the difference. With the
            exact value function in both, weights do not vary at all as long as one site moves a step.
        resampling: how survivors are drawn.
        particles: of each group.
        steps: equal steps, a network call each (two with a proposal).
        every: steps between weighings.
        threshold: resample a group whose effective sample size falls below this share of its particles; 0 never
            resamples (importance sampling), more than 1 always does.
    """

    claim: ClassVar[Claim] = "first order"

    reward: Reward
    value: AbstractValue = Sampled()
    potential: AbstractPotential = Difference()
    proposal: AbstractProposal | None = None
    resampling: AbstractResampling = Systematic()
    particles: int = 8
    steps: int = 100
    every: int = 1
    threshold: float = 0.5

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.particles < 1 or self.every < 1 or self.threshold < 0:
            raise ValueError(
                "`particles` and `every` must be at least 1 and `threshold` not negative, "
                f"got {self.particles}, {self.every} and {self.threshold}"
            )

    def check(self, process: AbstractProcess[Any]) -> None:
        """Every process has a reverse kernel."""

    def sample(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> State:
        """One state a row of `x1`, which is the first particle of its group.

        Raises:
            ValueError: in some group no particle has any weight; `steer` returns what there is.
        """
        # evidence on joint states is about single particles: `walk` takes it into the process
        return self.run(process, denoiser, hold(x1, given), given, cond, rng)

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        found = self._steered(process, denoiser, x1, given, cond, rng)
        missed = int((~found.satisfied).sum())
        if missed:
            raise ValueError(
                f"in {missed} of {found.satisfied.numel()} groups no particle has any weight; use more particles, "
                "a value that looks ahead or a proposal, or call `steer` and keep the rows that are `satisfied`"
            )
        return found.x

    def steer(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        shape: Any,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Steered:
        """Draws and estimates for groups of `shape` (groups, *sites), a dict of shapes for records."""
        return self._steered(process, denoiser, process.prior(shape, rng), given, cond, rng)

    def walk(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x: Any,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Iterator[Cloud]:
        """The weighed particles at every weighing, before they are resampled; the last ones are at t = 0.

        Args:
            process: the noise.
            denoiser: predicts the posterior.
            x: prior states, group by group, (groups · particles, *sites).
            given: evidence about each of them.
            cond: condition of each of them.
            rng: draws everything.
        """
        rows, device = batch_size(x), device_of(x)
        log_w = torch.zeros((rows // self.particles, self.particles), dtype=torch.float64, device=device)
        log_z, target = log_w[:, 0].clone(), log_w.flatten()
        memory = torch.tensor(self.potential.start, dtype=torch.float64, device=device).expand(rows, -1)
        process, given = restrict(process, given)
        cached, grid, x = Cached(denoiser), uniform_grid(self.steps).to(device), hold(x, given)
        for k in range(self.steps):
            here, there = (times(grid[i].expand(rows), x, given) for i in (k, k + 1))
            pred = cached(x, here, cond)
            if k % self.every == 0:
                reward = self.value(process, pred, x, here, self.reward, rng)
                now, memory = self.potential.advance(reward, memory)
                log_w, target = log_w + (now - target).view_as(log_w), now
                yield Cloud(x, float(grid[k]), log_w, log_z)
                log_w, log_z, chosen = self._resampled(log_w, log_z, rng)
                if chosen is not None:
                    x, pred, memory, target = (take(value, chosen) for value in (x, pred, memory, target))
            x, gain = self._moved(process, pred, x, there, here, given, cond, rng)
            log_w = log_w + gain.view_as(log_w)
        log_w = log_w + (log_weight(self.reward(x)) - target).view_as(log_w)
        yield Cloud(x, 0.0, log_w, log_z)

    def _moved(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        x: Any,
        s: Any,
        t: Any,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> tuple[Any, Tensor]:
        """The next state, and the log of the model's kernel over the proposal's."""
        if self.proposal is None:
            zero = torch.zeros(batch_size(x), dtype=torch.float64, device=device_of(x))
            return hold(process.reverse(pred, x, s, t, rng), given), zero
        guided, kernel = self.proposal(x, t, cond), self.proposal.process
        xs = hold(kernel.reverse(guided, x, s, t, rng), given)
        own = step_log_prob(process, pred, xs, x, s, t, given)
        return xs, own - step_log_prob(kernel, guided, xs, x, s, t, given)

    def _resampled(
        self, log_w: Tensor, log_z: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Weights and evidence after resampling, and the rows that survive; None where no group was resampled."""
        alive = (log_w > -torch.inf).any(1)
        weights = torch.where(alive[:, None], log_w, 0.0).softmax(1)
        low = alive & (1.0 / weights.square().sum(1) < self.threshold * self.particles)
        if not bool(low.any()):
            return log_w, log_z, None
        chosen = torch.arange(log_w.numel(), device=log_w.device).view_as(log_w).clone()
        chosen[low] = chosen[low].gather(1, self.resampling.ancestors(weights[low], rng))
        log_z = torch.where(low, log_z + log_w.logsumexp(1) - math.log(self.particles), log_z)
        return torch.where(low[:, None], 0.0, log_w), log_z, chosen.flatten()

    def _steered(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x1: Any,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> Steered:
        n = self.particles
        x = with_first(process.prior(shape_of(x1, n), rng), x1, n)
        held, told = repeated_evidence(given, n), repeated(cond, n)
        with torch.no_grad():
            # only the last cloud is kept
            (cloud,) = deque(self.walk(process, denoiser, x, given=held, cond=told, rng=rng), maxlen=1)
        log_w = cloud.log_weights
        safe = torch.where((log_w > -torch.inf).any(1, keepdim=True), log_w, 0.0)
        u = torch.rand(len(log_w), dtype=torch.float64, generator=rng, device=log_w.device)
        first = torch.arange(len(log_w), device=log_w.device) * n
        evidence = cloud.log_evidence + log_w.logsumexp(1) - math.log(n)
        return Steered(take(cloud.x, first + invert(safe, u)), cloud.x, log_w, evidence)
