"""Variables that must take pairwise different values."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ._constraint import AbstractConstraint, Values

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class AllDifferent(AbstractConstraint):
    """No two variables of the scope are equal.

    Args:
        offsets: added to the values of the variables before they are compared, one per variable; None compares
            the values themselves. Diagonals of n queens are all different with offsets 0, 1, 2, …
    """

    offsets: tuple[int, ...] | None = None

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        return self.violated_together([self], states[:, None], values)[:, 0]

    @classmethod
    def violated_together(cls, alike: Sequence["AllDifferent"], states: np.ndarray, values: Values) -> np.ndarray:
        compared = states.astype(np.int64)
        if any(other.offsets for other in alike):
            size = states.shape[-1]
            shifts = np.array([other.offsets or (0,) * size for other in alike])
            compared = np.where(states >= 0, np.asarray(values)[states] + shifts, np.iinfo(np.int64).min)
            undecided = np.iinfo(np.int64).min
        else:
            undecided = -1
        ordered = np.sort(compared, axis=-1)
        return ((ordered[..., 1:] == ordered[..., :-1]) & (ordered[..., 1:] != undecided)).any(-1)

    def explain(self, state: Sequence[int], names: Sequence[object], values: Values) -> str:
        shifts = self.offsets or (0,) * len(state)
        for i, j in combinations(range(len(state)), 2):
            if min(state[i], state[j]) < 0:
                continue
            left, right = values[state[i]], values[state[j]]
            if self.offsets is None and left == right:
                return f"{names[i]} and {names[j]} are both {left} in {self.name}"
            if self.offsets is not None and left + shifts[i] == right + shifts[j]:
                return f"{names[i]} = {left} and {names[j]} = {right} meet in {self.name}"
        return AbstractConstraint.explain(self, state, names, values)

    def add_to_cp(self, encoding: "CpEncoding") -> None:
        shifts = self.offsets or (0,) * len(self.scope)
        encoding.model.add_all_different(
            [encoding.number(i) + shift for i, shift in zip(self.scope, shifts, strict=True)]
        )

    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        shifts = self.offsets or (0,) * len(self.scope)
        meeting: dict[object, list[tuple[int, int]]] = {}
        for i, shift in zip(self.scope, shifts, strict=True):
            for k in encoding.allowed(i):
                key = k if self.offsets is None else encoding.problem.values[k] + shift
                meeting.setdefault(key, []).append((i, k))
        needed = encoding.redundant and self.offsets is None and len(meeting) == len(self.scope)
        for atoms in meeting.values():
            for (i, k), (j, m) in combinations(atoms, 2):
                encoding.add([-encoding.atom(i, k), -encoding.atom(j, m)])
            if needed:  # as many values as variables: each value has to appear
                encoding.add([encoding.atom(i, k) for i, k in atoms])
        return True
