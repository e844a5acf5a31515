"""What the pictures of a board say about its variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._digit_reader import DigitReader, flat
from ._problem import Problem
from ._solution import Solution

BLANK = 0
"""The symbol that readers have for a cell without a digit."""
_FLOOR = -40.0


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A board that was read, one picture per variable.

    Args:
        problem: what has to hold; its variables are the pictures, in order.
        weights: log p(picture | value) in nats, up to a number per picture, so that the largest is 0,
            (variables, values).
        symbols: log p(symbol | picture) in nats, the symbols being the values and, last, nothing at all,
            (variables, values + 1).
    """

    problem: Problem
    weights: np.ndarray
    symbols: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Index of the likeliest value of every picture by itself, -1 where that is nothing, (variables,)."""
        best = self.symbols.argmax(-1)
        return np.where(best == len(self.problem.values), -1, best)

    @property
    def confidence(self) -> np.ndarray:
        """The chance that `seen` is right, (variables,)."""
        return np.exp(self.symbols.max(-1))

    @property
    def observed(self) -> Problem:
        """The problem with what is seen as given: every picture read by itself, right or wrong."""
        problem = self.problem
        return problem.observe(
            {name: problem.values[k] for name, k in zip(problem.variables, self.seen.tolist(), strict=True) if k >= 0}
        )

    def corrections(self, solution: Solution) -> dict[Any, tuple[Any, Any]]:
        """Variables whose picture looks like another value than the solution's: what it looks like, and the value."""
        values: Mapping[Any, Any] = solution.values or {}
        looks = {
            name: self.problem.values[k]
            for name, k in zip(self.problem.variables, self.seen.tolist(), strict=True)
            if k >= 0
        }
        return {name: (look, values[name]) for name, look in looks.items() if name in values and values[name] != look}

    def score(self, states: np.ndarray) -> np.ndarray:
        """log p(pictures | board) of boards as indices of values (n, variables), up to a number, (n,)."""
        return self.weights[np.arange(self.weights.shape[0]), states].sum(-1)


def read_board(reader: DigitReader, images: Any, problem: Problem, *, blank: float = 0.6) -> Reading:
    """Read the pictures of a board, one by one.

    A cell with value v shows v, or nothing with the chance `blank`. So log p(picture | v) is the logarithm of
    (1 - blank) P(v | picture) / P(v) + blank P(nothing | picture) / P(nothing), where P(symbol) is the share of the
    symbol among the pictures that the reader learned from: a prior that it has and a board has not.

    Args:
        reader: fitted; its symbols are values of the problem and perhaps `BLANK`. Others are left out.
        images: (variables, height, width), or (rows, columns, height, width).
        problem: whose variables the pictures show, in order; what it has given is kept.
        blank: the chance that a cell is empty, before its picture is seen.

    Raises:
        ValueError: there are not as many pictures as variables, or the reader does not know a value of the problem.
    """
    if not 0.0 <= blank < 1.0:
        raise ValueError(f"`blank` is a chance from 0 to below 1, got {blank}")
    pictures = np.asarray(images)
    pixels = flat(pictures.reshape(-1, *pictures.shape[2:]) if pictures.ndim == 4 else pictures)
    if len(pixels) != len(problem):
        raise ValueError(f"the board has {len(problem)} cells and there are {len(pixels)} pictures; give one for each")
    known: list[Any] = reader.symbols_.tolist()
    unknown = [value for value in problem.values if value not in known]
    if unknown:
        raise ValueError(f"the reader has never seen {unknown[0]!r}; fit it on pictures of every value")
    likelihood = reader.log_probs(pixels) - np.log(reader.shares_)
    digits = likelihood[:, [known.index(value) for value in problem.values]]
    if BLANK not in known or BLANK in problem.values or blank == 0.0:
        nothing = np.full(len(pixels), -np.inf)
        weights = digits
    else:
        nothing = likelihood[:, known.index(BLANK)] + np.log(blank)
        weights = np.logaddexp(digits + np.log1p(-blank), nothing[:, None])
    return _reading(problem, weights, digits + np.log1p(-blank) - np.log(len(problem.values)), nothing)


def _reading(problem: Problem, weights: np.ndarray, digits: np.ndarray, nothing: np.ndarray) -> Reading:
    joint = np.concatenate([digits, nothing[:, None]], 1)
    weights = np.maximum(weights - weights.max(-1, keepdims=True), _FLOOR)
    return Reading(problem, weights, joint - np.logaddexp.reduce(joint, axis=-1, keepdims=True))


def picture_board(board: Any, images: Any, labels: Any, *, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Pictures of a board, each drawn from those of its symbol: something to try readers on.

    Args:
        board: symbols in reading order; 0 is a blank, shown by an empty picture unless there are pictures of 0.
        images: (n, height, width).
        labels: their symbols, (n,).
        noise: standard deviation of what is added to every pixel.
        seed: of the choice and the noise.

    Raises:
        ValueError: there is no picture of a symbol.
    """
    rng = np.random.default_rng(seed)
    pictures, symbols = np.asarray(images, dtype=np.float64), np.asarray(labels)
    shown: list[np.ndarray] = []
    for symbol in np.asarray(board).reshape(-1).tolist():
        own = np.flatnonzero(symbols == symbol)
        if not len(own) and symbol != BLANK:
            raise ValueError(f"there is no picture of {symbol!r}; give one of every symbol")
        shown.append(pictures[rng.choice(own)] if len(own) else np.zeros(pictures.shape[1:]))
    return np.stack(shown) + noise * rng.standard_normal((len(shown), *pictures.shape[1:]))
