"""The rungs of neural solving: from one pass over restarts to dives with propagation. A rung sees what others left."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ._clashes import clashes
from ._denoiser import Belief, FactorGraphDenoiser, marks
from ._factor_graph import FactorGraph
from ._noises import AbstractNoise, Masks, Shown

Narrow = Callable[[Tensor], Tensor]
"""Strikes impossible values from (batch, variables, values) Booleans; a contradiction leaves a variable none."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """How far neural solving goes. Every number may be 0; without restarts, mends and dives it is one pass.

    Args:
        iterations: of the network in a pass; a pass ends where the constraints hold.
        every: iterations between two looks at the constraints.
        restarts: further passes from other random states (Geng et al. 2026, EqR).
        mends: times that variables in violated constraints are hidden and the others shown for another pass.
        dives: times that values are set one by one, the variable of the largest margin first (Kim et al. 2025),
            with what propagation excludes ruled out after each. They need a propagator.
        narrow: also let propagation narrow the domains before the first pass.
    """

    iterations: int = 64
    every: int = 8
    restarts: int = 8
    mends: int = 2
    dives: int = 0
    narrow: bool = False

    def __post_init__(self) -> None:
        numbers = (self.iterations, self.restarts, self.mends, self.dives)
        if self.every < 1 or any(number < 0 for number in numbers):
            raise ValueError(f"a ladder has no negative numbers and looks at least every 1 iteration, got {self}")


@dataclass(slots=True)
class Climb:
    """What became of a batch.

    Args:
        states: indices of values, (batch, variables).
        solved: whether the constraints of the graph hold, (batch,); the exact checker has the last word.
        logit: what the network thinks of each answer, (batch,).
        marginals: probabilities of values after the first pass, (batch, variables, values).
        rung: which one solved it, as an index into `RUNGS`; -1 for none, (batch,).
        iterations: of the network that were spent on it, (batch,).
    """

    states: Tensor
    solved: Tensor
    logit: Tensor
    marginals: Tensor
    rung: Tensor
    iterations: Tensor

    @classmethod
    def join(cls, parts: "Sequence[Climb]") -> "Climb":
        """Batches one after the other."""
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in cls.__slots__))


RUNGS = ("pass", "restart", "mend", "dive")


class Climber:
    """Climbs a ladder with a batch of problems of one structure.

    Args:
        network: the denoiser.
        graph: of the problems, with a row of `at_least` each where these differ.
        domains: possible values, (batch, variables, values).
        narrow: a propagator.
        noise: what is shown of a state.
        rng: of the random states.
        seconds: after which no further pass is begun; None for no limit.
    """

    def __init__(
        self,
        network: FactorGraphDenoiser,
        graph: FactorGraph,
        domains: Tensor,
        *,
        narrow: Narrow | None = None,
        noise: AbstractNoise = Masks(),
        rng: torch.Generator | None = None,
        seconds: float | None = None,
    ) -> None:
        self.network, self.graph, self.domains, self.narrow, self.noise = network, graph, domains, narrow, noise
        self.rng = rng
        self.end = None if seconds is None else time.monotonic() + seconds
        rows, variables, _ = domains.shape
        device = domains.device
        self.out = Climb(
            states=torch.zeros(rows, variables, dtype=torch.int64, device=device),
            solved=torch.zeros(rows, dtype=torch.bool, device=device),
            logit=torch.full((rows,), -torch.inf, device=device),
            marginals=domains.float(),
            rung=torch.full((rows,), -1, device=device),
            iterations=torch.zeros(rows, dtype=torch.int64, device=device),
        )

    @torch.no_grad()
    def climb(self, ladder: Ladder) -> Climb:
        """Try rung after rung with what is not solved yet."""
        if ladder.narrow and self.narrow is not None:
            self.domains = _kept(self.narrow(self.domains), self.domains)
        for rung in (0, *[1] * ladder.restarts):
            rows = self._open()
            self.run(rows, self.noise.begin(self.domains[rows], self.rng), ladder, rung)
        for _ in range(ladder.mends):
            rows = self._open()
            wrong = clashes(self.graph, self.domains, self.out.states).sites[rows]
            self.run(rows, self.noise.mend(self.out.states[rows], wrong, self.graph.values, self.rng), ladder, 2)
        for _ in range(ladder.dives if self.narrow is not None else 0):
            self._dive(self._open(), ladder)
        return self.out

    def _open(self) -> Tensor:
        """Rows that are not solved, none when the time is over."""
        if self.end is not None and time.monotonic() >= self.end:
            return torch.zeros(0, dtype=torch.int64, device=self.domains.device)
        return (~self.out.solved).nonzero().squeeze(-1)

    def run(self, rows: Tensor, shown: Shown, ladder: Ladder, rung: int) -> None:
        """One pass over some rows with `shown` as their noised states."""
        if not len(rows) or not ladder.iterations:
            return
        domains = self.domains[rows]
        known, state = shown.marks(domains), self.network.start(domains, self.rng)
        done = 0
        while done < ladder.iterations and len(rows):
            count = min(ladder.every, ladder.iterations - done)
            done += count
            state = self.network.iterate(self.graph.rows(rows), state, known, count, self.rng)
            belief = self.noise.judge(self.network.read(state, domains), shown)
            solved = self._note(rows, belief, rung, done >= ladder.iterations)
            self.out.iterations[rows] += count
            looks = 1 - (done - ladder.iterations) // ladder.every
            moved = shown if looks == 1 else self.noise.step(shown, belief, looks, self.rng)
            left = ~solved
            rows, state, domains = rows[left], state[left], domains[left]
            known = known[left] if moved is shown else moved.take(left).marks(domains)
            shown = moved.take(left)

    def _note(self, rows: Tensor, belief: Belief, rung: int, last: bool) -> Tensor:
        """Keep what is better than before: what is solved, else what the network trusts most."""
        states = belief.states
        solved = clashes(self.graph.rows(rows), self.domains[rows], states).none
        better = solved | (last & (belief.solved > self.out.logit[rows]))
        at = rows[better]
        self.out.states[at], self.out.logit[at] = states[better], belief.solved[better]
        self.out.solved[rows] |= solved
        self.out.rung[rows[solved]] = rung
        if rung == 0:
            self.out.marginals[rows] = probabilities(belief.logits)
        return solved

    def _dive(self, rows: Tensor, ladder: Ladder) -> None:
        """Set values one by one, propagating; a contradiction ends the dive of that row."""
        assert self.narrow is not None
        domains = _kept(self.narrow(self.domains[rows]), self.domains[rows])
        state = self.network.start(domains, self.rng)
        masked = torch.full_like(self.out.states[rows], self.graph.values)
        first = True
        while len(rows) and not (self.end is not None and time.monotonic() >= self.end):
            count = ladder.iterations if first else ladder.every
            state = self.network.iterate(self.graph.rows(rows), state, marks(domains, masked), count, self.rng)
            belief = self.network.read(state, domains)
            self.out.iterations[rows] += count
            solved = self._note(rows, belief, 3, False)
            after = self.narrow(set_surest(domains, belief.logits))
            going = ~solved & after.any(-1).all(-1) & (domains.sum(-1) > 1).any(-1)
            rows, state, domains, masked = rows[going], state[going], after[going], masked[going]
            first = False


def set_surest(domains: Tensor, logits: Tensor) -> Tensor:
    """Domains in which the open variable with the largest margin between two values has its likeliest one only."""
    best = probabilities(logits).topk(min(2, logits.shape[-1]), -1).values
    margin = (best[..., 0] - best[..., -1]).masked_fill(domains.sum(-1) < 2, -1.0)
    site = margin.argmax(-1)
    rows = torch.arange(len(domains), device=domains.device)
    value = logits[rows, site].argmax(-1)
    out = domains.clone()
    out[rows, site] = False
    out[rows, site, value] = True
    return out


def probabilities(logits: Tensor) -> Tensor:
    """Probabilities of values, 0 everywhere for a variable that has none."""
    return torch.nan_to_num(logits.softmax(-1))


def _kept(narrowed: Tensor, domains: Tensor) -> Tensor:
    """Narrowed domains, but the old ones where there is a contradiction: proving one is not the network's task."""
    return torch.where(narrowed.any(-1).all(-1)[:, None, None], narrowed, domains)


def single_pass(
    network: FactorGraphDenoiser,
    graph: FactorGraph,
    domains: Tensor,
    looks: tuple[int, ...] = (16, 32, 64),
    *,
    rng: torch.Generator | None = None,
) -> Tensor:
    """Which problems one pass has solved after so many iterations, Booleans (looks, batch); nothing stops early."""
    state, known = network.start(domains, rng), marks(domains, torch.full(domains.shape[:2], graph.values))
    solved: list[Tensor] = []
    done = 0
    with torch.no_grad():
        for look in looks:
            state = network.iterate(graph, state, known.to(domains.device), look - done, rng)
            solved.append(clashes(graph, domains, network.read(state, domains).states).none)
            done = look
    return torch.stack(solved)
