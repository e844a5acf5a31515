"""A problem as clauses for a SAT solver."""

from collections.abc import Sequence
from itertools import combinations

from ._all_different import AllDifferent
from ._problem import Problem


class CnfEncoding:
    """Signed clauses: one Boolean per (variable, value), or one per Boolean variable.

    Args:
        problem: with what is given left out; see `assumptions`.
        redundant: also say what follows (each value appears in a complete group, a variable has one value only), and
            every clause once: solvers are faster with it. Sudoku has 10,530 clauses with it and 8,829 without.

    Attributes:
        clauses: the clauses.
        complete: False where a constraint has no clausal form, so that the clauses are a relaxation.
    """

    def __init__(self, problem: Problem, *, redundant: bool = True) -> None:
        self.problem, self.redundant = problem, redundant
        self.clauses: list[list[int]] = []
        self._seen: set[tuple[int, ...]] = set()
        self.top = 0
        self._truth: dict[int, int] = {}
        self._atoms: dict[tuple[int, int], int] = {}
        for i in range(len(problem)):
            if problem.is_boolean(i):
                self._truth[i] = self.new()
            else:
                self._atoms.update({(i, k): self.new() for k in problem.allowed[i]})
        self._one_value_each()
        added = [c.add_to_cnf(self) for c in problem.constraints]
        self.complete = all(added)

    def new(self) -> int:
        """The number of a fresh Boolean."""
        self.top += 1
        return self.top

    def add(self, clause: Sequence[int]) -> None:
        """Add a clause, unless it is there already."""
        if self.redundant:
            key = tuple(sorted(clause))
            if key in self._seen:
                return
            self._seen.add(key)
        self.clauses.append(list(clause))

    def allowed(self, i: int) -> tuple[int, ...]:
        """The values of variable i, as indices."""
        return self.problem.allowed[i]

    def truth(self, i: int) -> int:
        """The literal of a Boolean variable."""
        return self._truth[i]

    def atom(self, i: int, k: int) -> int:
        """The literal that says that variable i has value k."""
        if i in self._truth:
            return self._truth[i] if self.problem.values[k] else -self._truth[i]
        return self._atoms[i, k]

    def assumptions(self, state: Sequence[int]) -> list[int]:
        """What is decided in a state, as literals."""
        return [self.atom(i, k) for i, k in enumerate(state) if k >= 0]

    def decode(self, model: Sequence[int]) -> list[int]:
        """The state of a model that a solver found."""
        true = {literal for literal in model if literal > 0}
        state = [-1] * len(self.problem)
        for i, literal in self._truth.items():
            state[i] = self.problem.values.index(literal in true)
        for (i, k), literal in self._atoms.items():
            if literal in true:
                state[i] = k
        return state

    def _one_value_each(self) -> None:
        implied = set() if self.redundant else self._pigeonholed()
        for i, allowed in enumerate(self.problem.allowed):
            if i in self._truth:
                if len(allowed) == 1:
                    self.add([self.atom(i, allowed[0])])
                continue
            atoms = [self.atom(i, k) for k in allowed]
            self.add(atoms)
            if i not in implied:
                for left, right in combinations(atoms, 2):
                    self.add([-left, -right])

    def _pigeonholed(self) -> set[int]:
        """Variables that cannot take two values because the others of their group need the rest."""
        size = len(self.problem.values)
        groups = (c for c in self.problem.constraints if isinstance(c, AllDifferent) and c.offsets is None)
        return {i for c in groups if len(c.scope) == size for i in c.scope}
