"""Why an answer follows, one small step at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from ._all_different import AllDifferent
from ._arrays import given_state
from ._problem import Problem
from ._solution import Solution
from ._trace import Step, Trace


@dataclass(frozen=True, slots=True)
class _Single:
    """A variable that can only have one value, and why."""

    variable: int
    value: int
    why: str


def explain(problem: Problem, solution: Solution) -> Trace:
    """Singles as far as they go, then what the search found, then the verdict of the checker."""
    state = given_state(problem)
    steps = [Step(tuple(state), "given", f"{sum(k >= 0 for k in state)} of {len(state)} variables are given")]
    single = _next_single(problem, state)
    while single is not None:
        state[single.variable] = single.value
        name, value = problem.variables[single.variable], problem.values[single.value]
        steps.append(Step(tuple(state), "single", f"{name} is {value}: {single.why}", (single.variable,)))
        single = _next_single(problem, state)
    if solution.values is not None:
        answer = problem.state(solution.values)
        searched = tuple(i for i, (old, new) in enumerate(zip(state, answer, strict=True)) if old != new)
        if searched:
            effort = "" if solution.nodes is None else f" after {solution.nodes:,} nodes"
            note = f"{solution.solver or 'the search'} finds the other {len(searched)}{effort}"
            steps.append(Step(tuple(answer), "search", note, searched))
        state = answer
    steps.append(Step(tuple(state), "checked", _verdict(solution)))
    return Trace(problem, steps)


def _verdict(solution: Solution) -> str:
    if not solution.valid:
        return f"{solution.status}: {solution.note}" if solution.note else str(solution.status)
    how = {True: "it is the only solution", False: "there are others", None: "whether there are others is not known"}
    return f"the checker accepts every constraint; {how[solution.unique]}"


def _next_single(problem: Problem, state: Sequence[int]) -> _Single | None:
    """The first naked single, or else the first hidden one."""
    possible = [set(own) if k < 0 else {k} for own, k in zip(problem.allowed, state, strict=True)]
    groups = [c for c in problem.constraints if isinstance(c, AllDifferent) and c.offsets is None]
    for c in groups:
        for i in c.scope:
            if state[i] >= 0:
                for j in c.scope:
                    if j != i:
                        possible[j].discard(state[i])
    for i, left in enumerate(possible):
        if state[i] < 0 and len(left) == 1 and any(i in c.scope for c in groups):
            return _Single(i, next(iter(left)), "every other value is taken by a peer")
    for c in groups:
        if len(c.scope) != len({k for i in c.scope for k in problem.allowed[i]}):
            continue
        for k in range(len(problem.values)):
            places = [i for i in c.scope if k in possible[i]]
            if len(places) == 1 and state[places[0]] < 0:
                return _Single(places[0], k, f"it is the only place for {problem.values[k]} in {c.name}")
    return None
