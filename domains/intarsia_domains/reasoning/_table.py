"""Combinations that are listed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._constraint import AbstractConstraint, Values

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(AbstractConstraint):
    """The variables together take one of the listed combinations.

    Args:
        rows: indices of values, one tuple per combination; none at all is a contradiction.
    """

    rows: tuple[tuple[int, ...], ...]

    @property
    def array(self) -> np.ndarray:
        """The rows, (rows, size)."""
        return np.array(self.rows, dtype=np.int64).reshape(len(self.rows), len(self.scope))

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        fits = np.ones((len(states), len(self.rows)), dtype=bool)
        for column, listed in enumerate(self.array.T):
            given = states[:, column, None]
            fits &= (given == listed) | (given < 0)
        return np.asarray(~fits.any(-1))

    def add_to_cp(self, encoding: "CpEncoding") -> None:
        values = encoding.problem.values
        rows = [[encoding.code(values[k]) for k in row] for row in self.rows]
        if rows:
            encoding.model.add_allowed_assignments([encoding.number(i) for i in self.scope], rows)
        else:
            encoding.model.add_bool_or([])

    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        chosen = [encoding.new() for _ in self.rows]
        encoding.add(chosen)
        for row, choice in zip(self.rows, chosen, strict=True):
            for i, k in zip(self.scope, row, strict=True):
                encoding.add([-choice, encoding.atom(i, k)] if k in encoding.allowed(i) else [-choice])
        # a row that holds is chosen, so that models of the clauses and solutions of the problem are one to one
        for row, choice in zip(self.rows, chosen, strict=True):
            atoms = [(i, k) for i, k in zip(self.scope, row, strict=True)]
            if all(k in encoding.allowed(i) for i, k in atoms):
                encoding.add([choice, *(-encoding.atom(i, k) for i, k in atoms)])
        return True
