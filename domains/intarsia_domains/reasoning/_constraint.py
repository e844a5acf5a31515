"""What every constraint of a declared problem can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._to_cnf import CnfEncoding
    from ._to_cp import CpEncoding

Values = tuple[Any, ...]
"""The values that any variable of a problem can take; states are indices into it, and -1 is not decided yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractConstraint(ABC):
    """A relation between some variables of a problem.

    Args:
        scope: indices of the variables, in the problem's order.
        name: how messages call the constraint, such as `row 3`.
    """

    scope: tuple[int, ...]
    name: str

    @abstractmethod
    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        """Which rows contradict the constraint already, whatever the undecided variables become.

        A constraint may miss that while variables are undecided, never when all are decided.

        Args:
            states: indices of values, (batch, len(scope)); -1 is not decided.
            values: what the indices mean.

        Returns:
            Booleans, (batch,).
        """

    @classmethod
    def violated_together(cls, alike: "Sequence[Any]", states: np.ndarray, values: Values) -> np.ndarray:
        """`violated` of many constraints of this class and this size; states are (batch, constraints, size)."""
        return np.stack([other.violated(states[:, i], values) for i, other in enumerate(alike)], axis=1)

    def explain(self, state: Sequence[int], names: Sequence[Any], values: Values) -> str:
        """One sentence on why `state`, one index per variable of the scope, violates the constraint."""
        held = ", ".join(f"{name} = {values[i]}" for name, i in zip(names, state, strict=True) if i >= 0)
        return f"{self.name} does not hold for {held}"

    @abstractmethod
    def add_to_cp(self, encoding: "CpEncoding") -> None:
        """Post the constraint to an OR-tools model."""

    @abstractmethod
    def add_to_cnf(self, encoding: "CnfEncoding") -> bool:
        """Add the constraint as clauses; False where it has no good clausal form and nothing was added."""
