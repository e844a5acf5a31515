"""Problems with an answer, to learn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ._factor_graph import FactorGraph
from ._noises import AbstractNoise, Masks, Shown


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Problems of one structure with a solution each.

    Args:
        given: what is observed, indices of values and -1 where free, (n, variables).
        states: a solution, indices of values, (n, variables).
        at_least: sets of atoms of which at least one holds, one row per problem, (n, sets, size); None where all
            problems share those of the graph.
    """

    given: np.ndarray
    states: np.ndarray
    at_least: Tensor | None = None

    def __post_init__(self) -> None:
        if self.given.shape != self.states.shape or self.given.ndim != 2:
            raise ValueError(f"given {self.given.shape} and states {self.states.shape} must be (n, variables) alike")
        wrong = np.flatnonzero(((self.given >= 0) & (self.given != self.states)).any(-1))
        if wrong.size:
            raise ValueError(f"the solution of problem {wrong[0] + 1} contradicts what is given")

    def __len__(self) -> int:
        return len(self.given)

    def take(self, chosen: np.ndarray) -> "Examples":
        """Some of them, by number or by a mask."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        own = None if self.at_least is None else self.at_least[torch.from_numpy(rows)]
        return Examples(self.given[rows], self.states[rows], own)


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """A batch to learn from, as tensors.

    Args:
        domains: which values are possible, Booleans (batch, variables, values); one alone is observed.
        x0: a solution, indices of values (batch, variables).
        xt: what the network is shown of it, masks as `values`, (batch, variables).
        at_least: as in `Examples`.
        trust: how far to trust what is shown, as in `Shown`, (batch, variables).
    """

    domains: Tensor
    x0: Tensor
    xt: Tensor
    at_least: Tensor | None = None
    trust: Tensor | None = None

    @property
    def shown(self) -> Shown:
        """What the network is shown."""
        return Shown(self.xt, self.trust)

    def to(self, device: torch.device | str) -> "Lessons":
        """The same on another device."""
        own, trust = (None if part is None else part.to(device) for part in (self.at_least, self.trust))
        return Lessons(self.domains.to(device), self.x0.to(device), self.xt.to(device), own, trust)

    def graph(self, shared: FactorGraph) -> FactorGraph:
        """The graph of these lessons."""
        return shared if self.at_least is None else shared.with_sets(self.at_least)


@dataclass(frozen=True, slots=True)
class Mix:
    """How lessons are varied. Each number is a share of the lessons.

    Args:
        more: further variables are given, 1 … `most` of them.
        most: further given variables at most.
        revealed: some right values are shown as if they had been set while solving, each with a chance that is
            uniform itself: absorbing noise at a uniform time. For masks only.
        free: what is given is a random part of the solution, mostly with many other solutions.
        narrowed: impossible values are struck by propagation first.
    """

    more: float = 0.5
    most: int = 20
    revealed: float = 0.1
    free: float = 0.1
    narrowed: float = 0.2


class Teacher:
    """Draws lessons without end from lists of examples, each with its weight.

    Symmetric copies (shuffled rows, columns, values) are not drawn: the network commutes with all of them.

    Args:
        graph: of the problems.
        base: values of the variables where nothing is given, Booleans (variables, values).
        lists: examples and their weight, by name.
        mix: how they are varied.
        narrow: strikes impossible values from (batch, variables, values) Booleans; see `Propagator`.
        noise: of what is shown.
    """

    def __init__(
        self,
        graph: FactorGraph,
        base: Tensor,
        lists: Mapping[str, tuple[Examples, float]],
        mix: Mix = Mix(),
        narrow: Callable[[Tensor], Tensor] | None = None,
        noise: AbstractNoise = Masks(),
    ) -> None:
        if not lists or any(not len(examples) or not weight > 0 for examples, weight in lists.values()):
            raise ValueError("a teacher needs at least one list, and in each of them examples and a positive weight")
        self.graph, self.base, self.mix, self.narrow, self.noise = graph, base, mix, narrow, noise
        self.lists = [examples for examples, _ in lists.values()]
        weights = np.array([weight for _, weight in lists.values()])
        self.shares = weights / weights.sum()

    def draw(self, count: int, rng: torch.Generator) -> Lessons:
        """Fresh lessons; the same generator gives the same ones."""
        # torch's generator seeds numpy's, so that one seed governs all
        chance = np.random.default_rng(int(torch.randint(2**62, (1,), generator=rng, device=rng.device)))
        given, states, at_least = self._pick(count, chance)
        given = self._give(given, states, chance)
        shown = self.noise.teach(states, given, self.graph.values, self.mix.revealed, chance)
        domains = given_domains(self.base, given)
        if self.narrow is not None:
            rows = torch.from_numpy(chance.random(count) < self.mix.narrowed)
            if rows.any():
                domains[rows] = self.narrow(domains[rows])
        return Lessons(domains, torch.from_numpy(states), shown.xt, at_least, shown.trust)

    def _pick(self, count: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Tensor | None]:
        sizes = np.bincount(chance.choice(len(self.lists), count, p=self.shares), minlength=len(self.lists))
        parts = [
            examples.take(chance.integers(len(examples), size=size))
            for examples, size in zip(self.lists, sizes, strict=True)
        ]
        own = [part.at_least for part in parts if part.at_least is not None]
        given, states = (np.concatenate([getattr(p, name) for p in parts]) for name in ("given", "states"))
        return given.astype(np.int64), states.astype(np.int64), torch.cat(own) if own else None

    def _give(self, given: np.ndarray, states: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """More given variables, or a random part of the solution."""
        rows = len(given)
        extra = np.where(chance.random(rows) < self.mix.more, chance.integers(1, self.mix.most + 1, rows), 0)
        order = np.where(given < 0, chance.random(given.shape), np.inf).argsort(1).argsort(1)
        given = np.where(order < extra[:, None], states, given)
        kept = chance.random(given.shape) < chance.random((rows, 1)) ** 2
        return np.where((chance.random(rows) < self.mix.free)[:, None], np.where(kept, states, -1), given)


def given_domains(base: Tensor, given: np.ndarray) -> Tensor:
    """Possible values (batch, variables, values) where some are given, (batch, variables), -1 where free."""
    clue = torch.from_numpy(np.asarray(given, dtype=np.int64)).unsqueeze(-1)
    return base & ((clue < 0) | (clue == torch.arange(base.shape[-1])))
