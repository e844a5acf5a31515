"""A problem, or a batch of problems that share their constraints, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._all_different import AllDifferent
from ._clause import Clause
from ._problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """What a network or a propagator needs to know; indices refer to `Problem.variables` and `Problem.values`.

    Args:
        domains: which values are possible, given what is observed, (batch, variables, values) Booleans.
        groups: variables that are all different, (groups, size), padded by -1.
        complete: for every group, whether each value has to appear in it (as many values as variables).
        shifted: (variable, value) pairs of which at most one holds, from all-different with offsets, as numbers
            variable · values + value, (sets, size), padded by -1.
        clauses: signed numbers, i + 1 for variable i and -(i + 1) for its negation, (clauses, width), padded by 0.
    """

    domains: np.ndarray
    groups: np.ndarray
    complete: np.ndarray
    shifted: np.ndarray
    clauses: np.ndarray


def arrays(problems: Problem | Sequence[Problem]) -> Arrays:
    """The arrays of problems that share one structure, such as boards made by the same preset.

    Raises:
        ValueError: there are none, or two do not share their variables, values and constraints.
    """
    batch = [problems] if isinstance(problems, Problem) else list(problems)
    if not batch:
        raise ValueError("there is no problem to stack; give at least one")
    first = batch[0].structure
    for number, problem in enumerate(batch, start=1):
        if problem.structure is not first and not _alike(problem, first):
            raise ValueError(f"problem {number} has other variables or constraints than the first; stack like problems")
    groups = [c for c in first.constraints if isinstance(c, AllDifferent) and c.offsets is None]
    covered = [len({k for i in c.scope for k in first.allowed[i]}) == len(c.scope) for c in groups]
    clauses = [c.literals for c in first.constraints if isinstance(c, Clause)]
    return Arrays(
        domains=domains(batch),
        groups=_padded([c.scope for c in groups], -1),
        complete=np.array(covered, dtype=bool),
        shifted=_padded(_shifted(first), -1),
        clauses=_padded(clauses, 0),
    )


def domains(problems: Sequence[Problem]) -> np.ndarray:
    """The possible values of problems of one structure, (batch, variables, values)."""
    first = problems[0]
    free = np.zeros((len(first), len(first.values)), dtype=bool)
    for i, allowed in enumerate(first.allowed):
        free[i, list(allowed)] = True
    possible = np.repeat(free[None], len(problems), axis=0)
    for row, problem in zip(possible, problems, strict=True):
        for i, k in enumerate(given_state(problem)):
            if k >= 0:
                row[i] = False
                row[i, k] = True
    return possible


def given_state(problem: Problem) -> list[int]:
    """What is observed, as one index per variable; -1 is free."""
    return problem.state(problem.given)


def _alike(one: Problem, other: Problem) -> bool:
    return (
        one.variables == other.variables
        and one.values == other.values
        and one.allowed == other.allowed
        and one.constraints == other.constraints
    )


def _shifted(problem: Problem) -> list[list[int]]:
    sets: list[list[int]] = []
    for c in problem.constraints:
        if not isinstance(c, AllDifferent) or c.offsets is None:
            continue
        meeting: dict[int, list[int]] = {}
        for i, offset in zip(c.scope, c.offsets, strict=True):
            for k in problem.allowed[i]:
                meeting.setdefault(problem.values[k] + offset, []).append(i * len(problem.values) + k)
        sets += [atoms for atoms in meeting.values() if len(atoms) > 1]
    return sets


def _padded(rows: Sequence[Sequence[int]], fill: int) -> np.ndarray:
    width = max(map(len, rows), default=0)
    padded = np.full((len(rows), width), fill, dtype=np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
