"""A disjunction of Boolean literals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._constraint import AbstractConstraint, Values

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause(AbstractConstraint):
    """At least one literal is true.

    Args:
        signs: for every variable of the scope, whether the literal is the variable (True) or its negation (False).
    """

    signs: tuple[bool, ...]

    @property
    def literals(self) -> tuple[int, ...]:
        """Signed numbers: i + 1 stands for the problem's variable i, -(i + 1) for its negation."""
        return tuple(i + 1 if sign else -i - 1 for i, sign in zip(self.scope, self.signs, strict=True))

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        return self.violated_together([self], states[:, None], values)[:, 0]

    @classmethod
    def violated_together(cls, alike: Sequence["Clause"], states: np.ndarray, values: Values) -> np.ndarray:
        false, true = values.index(False), values.index(True)
        against = np.where(np.array([other.signs for other in alike], dtype=bool), false, true)
        return (states == against).all(-1)

    def explain(self, state: Sequence[int], names: Sequence[object], values: Values) -> str:
        literals = " or ".join(
            f"{name}" if sign else f"not {name}" for name, sign in zip(names, self.signs, strict=True)
        )
        return f"{self.name} ({literals or 'empty'}) is false"

    def add_to_cp(self, encoding: "CpEncoding") -> None:
        encoding.model.add_bool_or(
            [
                encoding.truth(i) if sign else encoding.truth(i).negated()
                for i, sign in zip(self.scope, self.signs, strict=True)
            ]
        )

    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        encoding.add(
            [encoding.truth(i) if sign else -encoding.truth(i) for i, sign in zip(self.scope, self.signs, strict=True)]
        )
        return True
