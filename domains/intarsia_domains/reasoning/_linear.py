"""Weighted sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._constraint import AbstractConstraint, Values

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(AbstractConstraint):
    """The weighted sum of integer variables stands in a relation to a number.

    Args:
        weights: integers, one per variable.
        relation: `==`, `!=`, `<=` or `>=`.
        total: what the sum is compared with.
    """

    weights: tuple[int, ...]
    relation: str
    total: int

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        sums = np.asarray(values)[states] @ np.asarray(self.weights)
        return (states >= 0).all(-1) & ~RELATIONS[self.relation](sums, self.total)

    def explain(self, state: Sequence[int], names: Sequence[object], values: Values) -> str:
        terms = (f"{w} {name}" if w != 1 else str(name) for w, name in zip(self.weights, names, strict=True))
        got = sum(w * values[k] for w, k in zip(self.weights, state, strict=True))
        return f"{self.name}: {' + '.join(terms)} is {got}, not {self.relation} {self.total}"

    def add_to_cp(self, encoding: "CpEncoding") -> None:
        total = sum(w * encoding.number(i) for w, i in zip(self.weights, self.scope, strict=True))
        encoding.model.add(RELATIONS[self.relation](total, self.total))

    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        return False
