"""Complete engines from libraries behind one contract: iterate over solutions until there are no more."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intarsia._extras import require

from ._problem import Problem
from ._to_cnf import CnfEncoding
from ._to_cp import CpEncoding

_CONFLICTS = 2_000  # between two looks at the clock


class BudgetSpentError(Exception):
    """The time of a search is over before it knew the answer."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time budget that runs from its creation; None never ends."""

    seconds: float | None
    start: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds left.

        Raises:
            BudgetSpentError: there are none.
        """
        left = float("inf") if self.seconds is None else self.seconds - self.spent()
        if left <= 0:
            raise BudgetSpentError
        return left

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start


class AbstractEngine(ABC):
    """A complete solver. `nodes` counts its decisions so far, in its own unit."""

    name = ""
    nodes = 0

    @abstractmethod
    def solutions(
        self,
        problem: Problem,
        state: Sequence[int],
        clock: Clock,
        *,
        limit: int | None = None,
        marginals: np.ndarray | None = None,
    ) -> Iterator[list[int]]:
        """States that solve the problem, each once, until there are no more.

        Args:
            problem: what has to hold.
            state: what is given, one index per variable, -1 where free.
            clock: when to give up.
            limit: the most that will be asked for; None for all.
            marginals: (variables, values); a model's probabilities, which order the search and decide nothing.

        Raises:
            BudgetSpentError: the time is over.
            MissingExtraError: the library is not installed.
        """


class SatEngine(AbstractEngine):
    """Conflict-driven clause learning by python-sat (Glucose 4), for problems with a clausal form."""

    name = "python-sat glucose4"

    def solutions(
        self,
        problem: Problem,
        state: Sequence[int],
        clock: Clock,
        *,
        limit: int | None = None,
        marginals: np.ndarray | None = None,
    ) -> Iterator[list[int]]:
        clock.left()
        encoding = problem.derived(CnfEncoding)
        solvers = require("pysat.solvers", "reasoning")
        fixed = _literals(encoding, state)
        if fixed is None:
            return
        with solvers.Solver(name="glucose4", bootstrap_with=encoding.clauses) as solver:
            for literal in fixed:
                solver.add_clause([literal])
            if marginals is not None:
                solver.set_phases(_phases(encoding, marginals))
            while self._solved(solver, clock):
                found = encoding.decode(solver.get_model())
                self.nodes = int(solver.accum_stats()["decisions"])
                yield found
                solver.add_clause([-literal for literal in encoding.assumptions(found)])
            self.nodes = int(solver.accum_stats()["decisions"])

    @staticmethod
    def _solved(solver: Any, clock: Clock) -> bool:
        while True:
            clock.left()
            solver.conf_budget(_CONFLICTS)
            answer = solver.solve_limited()
            if answer is not None:
                return bool(answer)


class CpEngine(AbstractEngine):
    """OR-tools' CP-SAT, for every problem."""

    name = "OR-tools CP-SAT"

    def solutions(
        self,
        problem: Problem,
        state: Sequence[int],
        clock: Clock,
        *,
        limit: int | None = None,
        marginals: np.ndarray | None = None,
    ) -> Iterator[list[int]]:
        cp_model = require("ortools.sat.python.cp_model", "reasoning")
        encoding = CpEncoding(problem, state)
        if marginals is not None:
            encoding.hint(_likeliest(problem, marginals))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.enumerate_all_solutions = limit != 1
        left = clock.left()
        if left != float("inf"):
            solver.parameters.max_time_in_seconds = left
        found: list[list[int]] = []

        class Collector(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(self) -> None:
                found.append(encoding.decode(self.value))
                if len(found) == limit:
                    self.stop_search()

        status = solver.solve(encoding.model, Collector())
        self.nodes += solver.num_branches
        yield from found
        if status not in (cp_model.INFEASIBLE, cp_model.OPTIMAL) and len(found) != limit:
            raise BudgetSpentError


def engine_for(problem: Problem) -> AbstractEngine:
    """SAT where every constraint has a clausal form, CP-SAT elsewhere."""
    return SatEngine() if problem.derived(CnfEncoding).complete else CpEngine()


def _literals(encoding: CnfEncoding, state: Sequence[int]) -> list[int] | None:
    """What is given as literals; None where a value is none of the variable's own."""
    if any(k >= 0 and k not in encoding.allowed(i) for i, k in enumerate(state)):
        return None
    return encoding.assumptions(state)


def _phases(encoding: CnfEncoding, marginals: np.ndarray) -> list[int]:
    """Each variable's likeliest value true, its others false."""
    phases: list[int] = []
    for i, k in enumerate(_likeliest(encoding.problem, marginals)):
        for m in encoding.allowed(i):
            literal = encoding.atom(i, m)
            phases.append(literal if m == k else -literal)
    return list(dict.fromkeys(phases))


def _likeliest(problem: Problem, marginals: np.ndarray) -> list[int]:
    return [max(allowed, key=lambda k, i=i: marginals[i, k]) for i, allowed in enumerate(problem.allowed)]
