"""The exact checker: no answer counts as a solution before it has passed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ._arrays import domains, given_state
from ._constraint import AbstractConstraint
from ._problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What the checker found, for a batch of states.

    Args:
        problem: what was checked against.
        states: indices of values, (batch, variables); -1 is not decided.
        complete: every variable is decided, (batch,).
        in_domain: no variable has a value that it cannot take or that contradicts what is given, (batch,).
        violated: (batch, constraints), in the order of `problem.constraints`.
    """

    problem: Problem
    states: np.ndarray
    complete: np.ndarray
    in_domain: np.ndarray
    violated: np.ndarray

    @property
    def consistent(self) -> np.ndarray:
        """Nothing is violated yet, (batch,)."""
        return self.in_domain & ~self.violated.any(-1)

    @property
    def valid(self) -> np.ndarray:
        """It is a solution: complete, and nothing is violated, (batch,)."""
        return self.complete & self.consistent

    def names(self, row: int = 0) -> list[str]:
        """The names of the constraints that a row violates."""
        return [c.name for c, bad in zip(self.problem.constraints, self.violated[row], strict=True) if bad]

    def complaints(self, row: int = 0) -> list[str]:
        """One sentence for each violated constraint of a row, naming the variables that clash."""
        state = self.states[row]
        return [
            c.explain(
                [int(state[i]) for i in c.scope], [self.problem.variables[i] for i in c.scope], self.problem.values
            )
            for c, bad in zip(self.problem.constraints, self.violated[row], strict=True)
            if bad
        ]

    def sites(self) -> np.ndarray:
        """The variables that occur in a violated constraint, (batch, variables) Booleans."""
        marked = np.zeros(self.states.shape, dtype=bool)
        for number, c in enumerate(self.problem.constraints):
            marked[:, list(c.scope)] |= self.violated[:, number, None]
        return marked


def check(problem: Problem, states: Any, given: Any = None) -> Check:
    """Check states against every constraint, and against what is given.

    Args:
        problem: its constraints are checked; `problem.given` too, unless `given` is passed.
        states: indices of `problem.values`, (batch, variables) or (variables,), -1 for not decided; or a mapping
            from variables to values.
        given: what is observed in each row, shaped like `states`, -1 for free; for batches of boards that share
            their constraints but not their clues.

    Raises:
        ValueError: the shape does not fit, or an index is no value.
    """
    if isinstance(states, dict):
        states = problem.state(states)
    rows = _rows(problem, states, "states")
    clues = _rows(problem, given_state(problem) if given is None else given, "given")
    if len(clues) not in (1, len(rows)):
        raise ValueError(f"given has {len(clues)} rows and states {len(rows)}; give one row, or as many")
    free = domains([problem.structure])[0]
    possible = free[np.arange(len(problem)), rows] | (rows < 0)
    agrees = (clues < 0) | (rows < 0) | (rows == clues)
    return Check(
        problem=problem,
        states=rows,
        complete=np.asarray((rows >= 0).all(-1)),
        in_domain=np.asarray((possible & agrees).all(-1)),
        violated=violations(problem, rows),
    )


def violations(problem: Problem, states: np.ndarray) -> np.ndarray:
    """Which constraints each row contradicts already, (batch, constraints)."""
    violated = np.zeros((len(states), len(problem.constraints)), dtype=bool)
    for numbers, alike in _families(problem.constraints):
        scopes = np.array([c.scope for c in alike], dtype=np.int64).reshape(len(alike), -1)
        violated[:, numbers] = type(alike[0]).violated_together(alike, states[:, scopes], problem.values)
    return violated


def conflicts(problem: Problem) -> list[str]:
    """Sentences on why what is given already contradicts the constraints; none where it does not."""
    return check(problem, given_state(problem)).complaints()


def _families(constraints: Sequence[AbstractConstraint]) -> list[tuple[list[int], list[AbstractConstraint]]]:
    """Constraints of one class and size, with their numbers."""

    def key(number: int) -> tuple[str, int]:
        return type(constraints[number]).__qualname__, len(constraints[number].scope)

    families = (list(numbers) for _, numbers in groupby(sorted(range(len(constraints)), key=key), key))
    return [(numbers, [constraints[number] for number in numbers]) for numbers in families]


def _rows(problem: Problem, states: Any, what: str) -> np.ndarray:
    rows = np.asarray(states, dtype=np.int64)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != len(problem):
        raise ValueError(f"{what} must be (batch, {len(problem)}) for this problem, got {tuple(rows.shape)}")
    if rows.size and not -1 <= rows.min() <= rows.max() < len(problem.values):
        raise ValueError(
            f"{what} must be indices from -1 to {len(problem.values) - 1}, got {rows.min()} to {rows.max()}"
        )
    return rows
