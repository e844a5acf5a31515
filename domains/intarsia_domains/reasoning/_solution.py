"""What a solver answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from ._board import draw_board
from ._check import Check, check
from ._problem import Problem

if TYPE_CHECKING:
    from ._trace import Trace


class Status(StrEnum):
    """SAT: a solution was found and verified. UNSAT: there is provably none. UNKNOWN: neither is known."""

    SAT = "SAT"
    UNSAT = "UNSAT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Solution:
    """An answer to one problem; use `verified` to make one that says SAT.

    Args:
        status: what is known.
        values: the solution by variable; None without one.
        unique: whether it is the only one; None where that was not decided.
        confidence: how probable a model holds its answer, from 0 to 1; None where no model was asked.
        trace: the steps, where they were asked for.
        nodes: what the search took, in the engine's own unit; None where there was no search.
        seconds: time spent.
        solver: what found it.
        note: one sentence that says why, where the status alone does not.
    """

    status: Status
    values: Mapping[Any, Any] | None = None
    unique: bool | None = None
    confidence: float | None = None
    trace: "Trace | None" = None
    nodes: int | None = None
    seconds: float = 0.0
    solver: str = ""
    note: str = ""

    @property
    def valid(self) -> bool:
        """Whether the values passed the exact checker; nothing is SAT without that."""
        return self.status is Status.SAT

    @classmethod
    def verified(cls, problem: Problem, state: Any, **known: Any) -> "Solution":
        """SAT if the exact checker accepts the state, UNKNOWN with the first complaint if not.

        Args:
            problem: what has to hold, what is given included.
            state: indices of values, (variables,).
            **known: further fields.
        """
        return cls.from_check(check(problem, np.asarray(state)), 0, problem, **known)

    @classmethod
    def from_check(cls, checked: Check, row: int, problem: Problem, **known: Any) -> "Solution":
        """`verified` for a row of a batch that the checker has looked at already, with what is given."""
        if checked.valid[row]:
            return cls(Status.SAT, problem.assignment(checked.states[row].tolist()), **known)
        complaints = checked.complaints(row)
        why = complaints[0] if complaints else "a variable is undecided or contradicts what is given"
        note = f"the checker rejected an answer of {known.get('solver') or 'the model'}: {why}"
        return cls(Status.UNKNOWN, **(known | {"unique": None, "note": note}))

    def text(self, problem: Problem) -> str:
        """For people: the board, or `name = value` lines, or why there is none."""
        if self.values is None:
            return f"{self.status}: {self.note}" if self.note else str(self.status)
        if problem.shape is None or not all(isinstance(value, int) for value in problem.values):
            return "\n".join(f"{name} = {value}" for name, value in self.values.items())
        box = None if problem.kind == "sudoku" else problem.shape
        return draw_board([self.values[name] for name in problem.variables], box)
