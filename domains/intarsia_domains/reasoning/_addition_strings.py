"""Additions as strings, and how long their carries run."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intarsia.samplers import AbstractOrder

from ._in_order import InOrder
from ._problem import Problem
from ._strings import SYMBOLS, AbstractStrings, Strings
from .presets import addition

_LONGEST = 18  # digits that an int64 holds


@dataclass(frozen=True, slots=True)
class AdditionStrings(AbstractStrings):
    """a + b for numbers of so many digits, written with leading zeros; a question is a pair `(a, b)`.

    Lessons are half uniform; in the other half every place but one is drawn towards a_i + b_i = 9, which hands a
    carry on, so that long carries are seen at all.

    Args:
        digits: places of a and of b; the sum has one more.
    """

    digits: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= _LONGEST:
            raise ValueError(f"`digits` must be 1 to {_LONGEST}, got {self.digits}")

    @property
    def question_sites(self) -> int:
        return 2 * self.digits

    @property
    def answer_sites(self) -> int:
        return self.digits + 1

    def problem(self, question: Any) -> Problem:
        a, b = question
        return addition(self.digits, index(a), index(b))

    def ask(self, questions: Sequence[Any]) -> np.ndarray:
        for number, pair in enumerate(questions, start=1):
            try:
                fits = [0 <= index(x) < 10**self.digits for x in pair] == [True, True]
            except TypeError:
                fits = False
            if not fits:
                raise ValueError(f"question {number} is two numbers of at most {self.digits} digits, got {pair!r}")
        pairs = np.array(questions, dtype=np.int64).reshape(-1, 2)
        return _digits(pairs, self.digits).reshape(len(pairs), self.question_sites)

    def question(self, classes: np.ndarray) -> Any:
        a, b = ("".join(map(str, part)) for part in classes.reshape(2, self.digits).tolist())
        return int(a), int(b)

    def write(self, answer: str) -> np.ndarray:
        if not answer.isascii() or not answer.isdigit() or int(answer) >= 10**self.answer_sites:
            raise ValueError(f"{answer!r} is no number of at most {self.answer_sites} digits")
        return _digits(np.array(int(answer)), self.answer_sites)

    def read(self, answer: np.ndarray) -> str:
        text = "".join(SYMBOLS[k] for k in answer.tolist())
        return str(int(text)) if text.isdigit() else text

    def values(self, problem: Problem, answer: str) -> dict[Any, Any]:
        if not answer.isdigit():
            raise ValueError(f"{answer!r} is no number")
        total = [int(answer) // 10**i % 10 for i in range(self.answer_sites)]
        values = dict(problem.given) | {f"s{i + 1}": digit for i, digit in enumerate(total)}
        for i in range(1, self.digits + 1):  # the carry that a and b make, so that the checker sees what s gets wrong
            column = values[f"a{i}"] + values[f"b{i}"] + values.get(f"c{i - 1}", 0)
            values[f"c{i}"] = column // 10
        return values

    def lessons(self, n: int, seed: int) -> Strings:
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 10, (2, n, self.digits))
        carried = (np.arange(n) % 2 == 1)[:, None] & (rng.random((n, self.digits)) < 0.7)
        b = np.where(carried, 9 - a, b)
        powers = 10 ** np.arange(self.digits - 1, -1, -1)
        total = (a * powers).sum(-1) + (b * powers).sum(-1)
        return Strings(np.concatenate([a, b], 1), _digits(total, self.answer_sites))

    def narrow(self, xt: Tensor, question: Tensor) -> Tensor:
        """Digits only; nothing else is ruled out, since that would be to add."""
        digits = torch.arange(len(SYMBOLS), device=xt.device) < 10
        return digits.expand(*xt.shape, -1)

    def order(self) -> AbstractOrder:
        return InOrder(tuple(range(self.answer_sites - 1, -1, -1)))

    def to_json(self) -> dict[str, Any]:
        return {"kind": "addition", "digits": self.digits}


def longest_carry(a: np.ndarray, b: np.ndarray, digits: int) -> np.ndarray:
    """The most places in a row that hand a carry on, for numbers (n,), as integers (n,)."""
    x, y = (_digits(np.asarray(number, dtype=np.int64), digits)[:, ::-1] for number in (a, b))
    carry, run, longest = (np.zeros(len(x), dtype=np.int64) for _ in range(3))
    for column in (x + y).T:
        carry = (column + carry) // 10
        run = np.where(carry > 0, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def additions_by_carry(digits: int, count: int, seed: int = 0) -> dict[int, list[tuple[int, int]]]:
    """Random additions by the length of their longest carry, at most `count` each, none twice.

    Half of the candidates are uniform; in the others the sum is near all nines, so that long carries are found, too.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 10**digits, (2, 200 * count))
    near = 10**digits - 1 - a + rng.integers(-9, 10, len(a)) * 10 ** rng.integers(0, digits, len(a))
    b = np.where(np.arange(len(b)) % 2 == 0, b, near.clip(0, 10**digits - 1))
    pairs = rng.permutation(np.unique(np.stack([a, b], 1), axis=0))
    carries = longest_carry(pairs[:, 0], pairs[:, 1], digits)
    return {
        carry: [(int(x), int(y)) for x, y in pairs[carries == carry][:count]]
        for carry in range(digits + 1)
        if (carries == carry).any()
    }


def _digits(numbers: np.ndarray, width: int) -> np.ndarray:
    """Digits with leading zeros, (*shape, width)."""
    return np.asarray(numbers)[..., None] // 10 ** np.arange(width - 1, -1, -1) % 10
