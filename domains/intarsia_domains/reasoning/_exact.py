"""Exact answers by complete engines: solve, decide uniqueness, count, enumerate."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ._arrays import given_state
from ._check import conflicts
from ._engines import AbstractEngine, BudgetSpentError, Clock, engine_for
from ._problem import Problem
from ._solution import Solution, Status


@dataclass(frozen=True, slots=True)
class Count:
    """How many solutions a problem has.

    Args:
        solutions: how many were found.
        exact: whether there are no more; False where the cap or the time was reached.
    """

    solutions: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.solutions:,}" if self.exact else f"at least {self.solutions:,}"


def solve_exact(
    problem: Problem,
    *,
    seconds: float | None = None,
    unique: bool = True,
    marginals: np.ndarray | None = None,
    engine: AbstractEngine | None = None,
) -> Solution:
    """Solve one problem completely.

    Args:
        problem: with what is given.
        seconds: time to spend; None has no limit. What is not known then is UNKNOWN.
        unique: also decide whether the solution is the only one.
        marginals: a model's probabilities, (variables, values), that order the search.
        engine: by default the one that suits the problem.

    Raises:
        MissingExtraError: the engine's library is not installed.
    """
    clock = Clock(check_seconds(seconds))
    clashes = conflicts(problem)
    if clashes:
        return Solution(Status.UNSAT, seconds=clock.spent(), solver="checker", note=clashes[0])
    engine = engine_for(problem) if engine is None else engine
    found: list[list[int]] = []
    decided = True
    try:
        limit = 2 if unique else 1
        states = engine.solutions(problem, given_state(problem), clock, limit=limit, marginals=marginals)
        for state in islice(states, limit):
            found.append(state)  # one by one: the first is kept when the time ends before the second
    except BudgetSpentError:
        decided = False
    known: dict[str, Any] = {"nodes": engine.nodes, "seconds": clock.spent(), "solver": engine.name}
    if not found:
        if decided:
            return Solution(Status.UNSAT, note="the search found no solution and left nothing out", **known)
        return Solution(Status.UNKNOWN, note=f"the budget of {seconds:g} s is spent", **known)
    only = (len(found) == 1) if unique and decided else None
    note = "there are several solutions" if only is False else ""
    return Solution.verified(problem, found[0], unique=only, note=note, **known)


def enumerate_solutions(
    problem: Problem,
    *,
    limit: int | None = None,
    seconds: float | None = None,
    engine: AbstractEngine | None = None,
) -> Iterator[dict[Any, Any]]:
    """Solutions, each once, as values by variable; all of them, or up to a limit.

    Raises:
        TimeoutError: the time is over before the last one.
    """
    engine = engine_for(problem) if engine is None else engine
    try:
        clock = Clock(check_seconds(seconds))
        for state in islice(engine.solutions(problem, given_state(problem), clock, limit=limit), limit):
            yield problem.assignment(state)
    except BudgetSpentError:
        raise TimeoutError(f"the budget of {seconds:g} s is spent before all solutions were found") from None


def count(
    problem: Problem, *, cap: int = 10_000, seconds: float | None = None, engine: AbstractEngine | None = None
) -> Count:
    """Count solutions, up to a cap; boards of all-different units go through our own fast search.

    Raises:
        ValueError: the cap is not positive.
    """
    if cap < 1:
        raise ValueError(f"a cap must be at least 1, got {cap}")
    if engine is None:
        quick = _count_board(problem, cap, seconds)
        if quick is not None:
            return quick
    found = 0
    try:
        for _ in enumerate_solutions(problem, limit=cap + 1, seconds=seconds, engine=engine):
            found += 1
    except TimeoutError:
        return Count(min(found, cap), False)
    return Count(min(found, cap), found <= cap)


def check_seconds(seconds: float | None) -> float | None:
    """Refuse a negative budget or none at all; 0 is one that is spent."""
    if seconds is not None and not seconds >= 0:
        raise ValueError(f"a budget in seconds must not be negative, got {seconds}")
    return seconds


def _count_board(problem: Problem, cap: int, seconds: float | None) -> Count | None:
    from ._sudoku import Layout, search_boards

    layout = problem.derived(Layout.of) if seconds is None else None
    if layout is None:
        return None
    board = np.array([given_state(problem)]) + 1
    found = search_boards(board, layout, limit=cap + 1, keep=0)
    return Count(int(min(found.counts[0], cap)), bool(found.complete[0]))
