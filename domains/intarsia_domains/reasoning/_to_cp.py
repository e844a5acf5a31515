"""A problem as a model of OR-tools' CP-SAT."""

from collections.abc import Sequence
from typing import Any

from intarsia._extras import require

from ._problem import Problem


class CpEncoding:
    """One integer variable per variable; values that are no integers are numbered.

    Args:
        problem: its domains, its constraints and what is given.
        state: what is given, as indices, -1 where free.
    """

    def __init__(self, problem: Problem, state: Sequence[int]) -> None:
        self.problem = problem
        cp_model = require("ortools.sat.python.cp_model", "reasoning")
        self.model: Any = cp_model.CpModel()
        self._integers = all(isinstance(value, int) for value in problem.values)
        self._numbers: list[Any] = []
        for i, (allowed, k) in enumerate(zip(problem.allowed, state, strict=True)):
            codes = [self.code(problem.values[m]) for m in (allowed if k < 0 else (k,))]
            domain = cp_model.Domain.from_values(codes)
            self._numbers.append(self.model.new_int_var_from_domain(domain, str(i)))
        for constraint in problem.constraints:
            constraint.add_to_cp(self)

    def code(self, value: Any) -> int:
        """The integer that stands for a value."""
        return int(value) if self._integers else self.problem.values.index(value)

    def number(self, i: int) -> Any:
        """The integer variable of variable i."""
        return self._numbers[i]

    def truth(self, i: int) -> Any:
        """The Boolean literal of a Boolean variable, whose codes are 0 and 1."""
        if self._integers:
            return self._numbers[i]
        literal = self.model.new_bool_var(f"truth {i}")
        self.model.add(self._numbers[i] == self.code(True)).only_enforce_if(literal)
        self.model.add(self._numbers[i] != self.code(True)).only_enforce_if(literal.negated())
        return literal

    def hint(self, state: Sequence[int]) -> None:
        """Suggest values; they steer the search and decide nothing."""
        for number, k in zip(self._numbers, state, strict=True):
            if k >= 0:
                self.model.add_hint(number, self.code(self.problem.values[k]))

    def decode(self, value_of: Any) -> list[int]:
        """The state of a solution; `value_of` gives a variable's value."""
        rank = {self.code(value): k for k, value in enumerate(self.problem.values)}
        return [rank[int(value_of(number))] for number in self._numbers]
