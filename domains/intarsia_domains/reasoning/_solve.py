"""One call for all ways to solve: exact, hybrid and neural. Whatever proposes, the checker disposes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from ._arrays import domains, given_state
from ._check import Check, check
from ._engines import BudgetSpentError, Clock
from ._exact import check_seconds, solve_exact
from ._problem import Problem
from ._proposer import Proposer
from ._solution import Solution, Status
from ._sudoku import Found, Layout, search_boards

Mode = Literal["neural", "hybrid", "exact"]
_FIRST_NODES = 20_000
_CHUNK = 512


def solve(
    problem: Problem, *, mode: Mode = "hybrid", budget: float | None = None, model: Proposer | None = None
) -> Solution:
    """Solve one problem; see `solve_all`."""
    return solve_all([problem], mode=mode, budget=budget, model=model)[0]


def solve_all(
    problems: Sequence[Problem],
    *,
    mode: Mode = "hybrid",
    budget: float | None = None,
    model: Proposer | None = None,
    watch: Callable[[int], None] = lambda _: None,
) -> list[Solution]:
    """Solve problems, in order; those that share their constraints are solved in batches.

    Args:
        problems: what is given may differ.
        mode: `exact` asks a complete engine of a library; `hybrid` propagates and searches completely, in the order
            that the model suggests where there is one; `neural` asks the model alone. Exact and hybrid answers are
            SAT with uniqueness decided, or UNSAT; neural answers are SAT, or UNKNOWN where the checker rejects them.
        budget: seconds for each problem; what is not known then is UNKNOWN. None has no limit.
        model: a learned proposer; neural mode needs one.
        watch: is told how many problems are done.

    Raises:
        ValueError: the mode does not exist, or the budget is negative.
        MissingExtraError: a library that the mode needs is not installed.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"there is no mode {mode!r}; there are {', '.join(get_args(Mode))}")
    if mode == "neural" and model is None:
        raise ValueError("neural mode needs a model; pass one, or use hybrid or exact mode")
    check_seconds(budget)
    answers: dict[int, Solution] = {}
    for rows in _batches(problems):
        batch = [problems[row] for row in rows]
        answers |= zip(rows, _solve_batch(batch, mode, budget, model), strict=True)
        watch(len(answers))
    return [answers[row] for row in range(len(problems))]


def _batches(problems: Sequence[Problem]) -> list[list[int]]:
    """Rows of problems that share a structure, in pieces."""
    same: dict[int, list[int]] = {}
    for row, problem in enumerate(problems):
        same.setdefault(id(problem.structure), []).append(row)
    return [rows[i : i + _CHUNK] for rows in same.values() for i in range(0, len(rows), _CHUNK)]


def _solve_batch(batch: Sequence[Problem], mode: Mode, budget: float | None, model: Proposer | None) -> list[Solution]:
    first = batch[0].structure
    given = np.array([given_state(problem) for problem in batch])
    found = check(first, given, given)
    clashing = ~found.consistent
    answers = [_contradiction(found, row) if clashing[row] else None for row in range(len(batch))]
    open_: list[int] = np.flatnonzero(~clashing).tolist()
    if not open_:
        return [answer for answer in answers if answer is not None]
    layout = first.derived(Layout.of)
    left = [batch[row] for row in open_]
    if budget == 0:
        spent = [_spent(budget)] * len(left)
    elif mode == "neural" and model is not None:
        spent = _propose(left, model, budget)
    elif mode == "exact":
        spent = [solve_exact(problem, seconds=budget) for problem in left]
    elif layout is not None:
        spent = _search(left, given[open_], layout, model, budget)
    else:
        spent = _engine(left, model, budget)
    for row, answer in zip(open_, spent, strict=True):
        answers[row] = answer
    return [answer for answer in answers if answer is not None]


def _contradiction(found: Check, row: int) -> Solution:
    return Solution(Status.UNSAT, solver="checker", note=found.complaints(row)[0])


def _spent(budget: float | None, *, solver: str = "", nodes: int | None = None, seconds: float = 0.0) -> Solution:
    note = f"the budget of {budget:g} s is spent" if budget is not None else "the search was stopped"
    return Solution(Status.UNKNOWN, solver=solver, nodes=nodes, seconds=seconds, note=note)


def _propose(problems: Sequence[Problem], model: Proposer, budget: float | None) -> list[Solution]:
    clock = Clock(None)
    proposal = model.propose(problems[0].structure, domains(problems), budget)
    seconds = clock.spent() / len(problems)
    given = np.array([given_state(problem) for problem in problems])
    checked = check(problems[0].structure, proposal.states, given)
    return [
        Solution.from_check(
            checked, row, problem, confidence=float(proposal.confidence[row]), seconds=seconds, solver="model"
        )
        for row, problem in enumerate(problems)
    ]


def _engine(problems: Sequence[Problem], model: Proposer | None, budget: float | None) -> list[Solution]:
    """Complete engines, one problem after the other, ordered by the model."""
    orders: Sequence[np.ndarray | None] = [None] * len(problems)
    if model is not None:
        orders = list(model.marginals(problems[0].structure, domains(problems)))
    return [solve_exact(p, seconds=budget, marginals=order) for p, order in zip(problems, orders, strict=True)]


def _search(
    problems: Sequence[Problem], given: np.ndarray, layout: Layout, model: Proposer | None, budget: float | None
) -> list[Solution]:
    """Singles first; the model is asked only about boards that need a search."""
    clock = Clock(None)
    boards = given + 1
    found = search_boards(boards, layout, max_nodes=0)
    open_ = np.flatnonzero(~found.complete & (found.counts < 2))
    orders = None
    if open_.size and model is not None:
        orders = model.marginals(problems[0].structure, domains([problems[row] for row in open_.tolist()]))
    if open_.size:
        _search_open(found, boards, open_, layout, orders, None if budget is None else budget * len(problems))
    seconds = clock.spent() / len(problems)
    name = "search" if model is None else "search ordered by the model"
    checked = check(problems[0].structure, found.grids[:, 0] - 1, given)
    return [
        _answer(problem, found, checked, row, budget, {"solver": name, "seconds": seconds})
        for row, problem in enumerate(problems)
    ]


def _search_open(
    found: Found, boards: np.ndarray, open_: np.ndarray, layout: Layout, orders: np.ndarray | None, budget: float | None
) -> None:
    """Search with ever more nodes until everything is decided or the time is over; `found` is updated in place."""
    clock, most = Clock(budget), _FIRST_NODES
    left = np.arange(len(open_))
    while left.size:
        try:
            clock.left()
        except BudgetSpentError:
            return
        rows = open_[left]
        marginals = None if orders is None else orders[left]
        more = search_boards(boards[rows], layout, marginals=marginals, max_nodes=most)
        for name in ("counts", "nodes", "complete", "grids"):
            getattr(found, name)[rows] = getattr(more, name)
        left = left[~more.complete & (more.counts < 2)]
        most *= 8


def _answer(
    problem: Problem, found: Found, checked: Check, row: int, budget: float | None, known: dict[str, Any]
) -> Solution:
    known |= {"nodes": int(found.nodes[row])}
    count = int(found.counts[row])
    decided = bool(found.complete[row]) or count > 1
    if count == 0 and not decided:
        return _spent(budget, **known)
    if count == 0:
        return Solution(Status.UNSAT, note="the search found no solution and left nothing out", **known)
    unique = (count == 1) if decided else None
    note = "there are several solutions" if unique is False else ""
    return Solution.from_check(checked, row, problem, unique=unique, note=note, **known)


def with_trace(problem: Problem, solution: Solution) -> Solution:
    """The same answer with the steps that lead to it, as far as a person can follow them."""
    from ._steps import explain

    return replace(solution, trace=explain(problem, solution))
