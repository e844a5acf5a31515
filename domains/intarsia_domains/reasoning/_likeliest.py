"""The likeliest solution of a problem whose variables have weighted values, by a complete engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intarsia._extras import require

from ._arrays import given_state
from ._engines import BudgetSpentError, Clock
from ._problem import Problem
from ._to_cp import CpEncoding

_SCALE = 10_000  # CP-SAT maximizes integers: a ten-thousandth of a nat


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Solutions from the likeliest down.

    Args:
        states: indices of values, (found, variables).
        scores: sums of weights in nats, (found,).
        proven: how many of them are known to be in their place; nothing better was left out.
        complete: whether there are no more solutions.
    """

    states: np.ndarray
    scores: np.ndarray
    proven: int
    complete: bool

    @property
    def confidence(self) -> float:
        """The first one's share of the probability of those found: no less than its true one."""
        return float(1.0 / np.exp(self.scores - self.scores[0]).sum())


def likeliest(
    problem: Problem,
    weights: np.ndarray,
    *,
    count: int = 2,
    seconds: float | None = None,
    hint: Sequence[int] | None = None,
) -> Ranked:
    """The `count` solutions with the largest sum of weights, by OR-tools' CP-SAT.

    Args:
        problem: with what is given.
        weights: nats, (variables, values); rounded to a ten-thousandth.
        count: how many.
        seconds: for all; what is found then is kept.
        hint: a state to start from.

    Raises:
        BudgetSpentError: the time is over before any solution.
        MissingExtraError: OR-tools is not installed.
    """
    clock, whole = Clock(seconds), np.rint(weights * _SCALE).astype(np.int64)
    cp_model = require("ortools.sat.python.cp_model", "reasoning")
    encoding = CpEncoding(problem, given_state(problem))
    atoms = _atoms(problem, encoding)
    encoding.model.maximize(sum(int(whole[i, k]) * atom for (i, k), atom in atoms.items()))
    if hint is not None:
        encoding.hint(hint)
    states: list[list[int]] = []
    proven = 0
    complete = False
    while len(states) < count:
        try:
            status, state = _solve(cp_model, encoding, clock)
        except BudgetSpentError:
            break
        complete = status == cp_model.INFEASIBLE
        if state is None:
            break
        states.append(state)
        proven += status == cp_model.OPTIMAL
        encoding.model.add_bool_or([atoms[i, k].negated() for i, k in enumerate(state)])
    if not states and not complete:
        raise BudgetSpentError
    found = np.array(states, dtype=np.int64).reshape(len(states), len(problem))
    return Ranked(found, weights[np.arange(len(problem)), found].sum(-1), proven, complete)


def _atoms(problem: Problem, encoding: CpEncoding) -> dict[tuple[int, int], Any]:
    """A Boolean for every variable and value, exactly one true per variable."""
    atoms: dict[tuple[int, int], Any] = {}
    for i, allowed in enumerate(problem.allowed):
        own = {k: encoding.model.new_bool_var(f"{i} is {k}") for k in allowed}
        encoding.model.add_exactly_one(own.values())
        for k, atom in own.items():
            encoding.model.add(encoding.number(i) == encoding.code(problem.values[k])).only_enforce_if(atom)
        atoms |= {(i, k): atom for k, atom in own.items()}
    return atoms


def _solve(cp_model: Any, encoding: CpEncoding, clock: Clock) -> tuple[Any, list[int] | None]:
    """The status and the best state, one thread."""
    left = clock.left()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    if left != float("inf"):
        solver.parameters.max_time_in_seconds = left
    status = solver.solve(encoding.model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return status, encoding.decode(solver.value) if found else None
