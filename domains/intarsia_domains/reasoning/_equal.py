"""Variables that must agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ._constraint import AbstractConstraint, Values

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Equal(AbstractConstraint):
    """All variables of the scope take the same value."""

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        highest = states.max(-1)
        lowest = np.where(states < 0, len(values), states).min(-1)
        return (highest >= 0) & (highest != lowest)

    def explain(self, state: Sequence[int], names: Sequence[object], values: Values) -> str:
        decided = [(name, k) for name, k in zip(names, state, strict=True) if k >= 0]
        first, k = decided[0]
        other, m = next((pair for pair in decided if pair[1] != k), decided[0])
        return f"{first} = {values[k]} and {other} = {values[m]} differ in {self.name}"

    def add_to_cp(self, encoding: "CpEncoding") -> None:
        for i, j in pairwise(self.scope):
            encoding.model.add(encoding.number(i) == encoding.number(j))

    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        for i, j in pairwise(self.scope):
            for k in set(encoding.allowed(i)) | set(encoding.allowed(j)):
                left = [encoding.atom(i, k)] if k in encoding.allowed(i) else []
                right = [encoding.atom(j, k)] if k in encoding.allowed(j) else []
                encoding.add([*(-a for a in left), *right] if left else [-right[0]])
                encoding.add([*(-a for a in right), *left] if right else [-left[0]])
        return True
