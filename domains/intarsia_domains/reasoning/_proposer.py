"""What a learned model offers a solver."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ._problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A model's answers, which the checker has yet to accept.

    Args:
        states: indices of values, (batch, variables); -1 where the model abstains.
        confidence: how probable each whole answer is right, (batch,).
    """

    states: np.ndarray
    confidence: np.ndarray


class Proposer(Protocol):
    """A model that orders searches and proposes answers; neither has to be right."""

    def marginals(self, problem: Problem, possible: np.ndarray) -> np.ndarray:
        """Probabilities of values, (batch, variables, values), given which are possible, of the same shape."""
        ...

    def propose(self, problem: Problem, possible: np.ndarray, seconds: float | None) -> Proposal:
        """Answers to problems of one structure, within so many seconds for each."""
        ...
