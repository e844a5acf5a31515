"""Problems whose question and answer are strings of fixed fields, so that a network reads and writes them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from intarsia.samplers import AbstractOrder

from ._in_order import InOrder
from ._problem import Problem

SYMBOLS = "0123456789+-*/ "
"""The characters of all strings; the last one fills fields up on the left."""
BLANK = len(SYMBOLS) - 1
SIGN = 10
"""The class of the first sign."""


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """Questions and answers as classes of characters.

    Args:
        questions: (n, question sites).
        answers: (n, answer sites).
    """

    questions: np.ndarray
    answers: np.ndarray

    def __len__(self) -> int:
        return len(self.questions)

    def take(self, rows: np.ndarray) -> "Strings":
        """Some of them, by number."""
        return Strings(self.questions[rows], self.answers[rows])


class AbstractStrings(ABC):
    """How problems of one kind become strings, and what a string says about its problem.

    A field is as wide as its longest content and aligned to the right, so that a site always means the same, such as
    the last digit of the second result. The symbols are those of the plain text, in its order, without its commas and
    equal signs.
    """

    @property
    @abstractmethod
    def question_sites(self) -> int:
        """Characters of a question."""

    @property
    @abstractmethod
    def answer_sites(self) -> int:
        """Characters of an answer."""

    @abstractmethod
    def problem(self, question: Any) -> Problem:
        """The declared problem, against which answers are checked."""

    @abstractmethod
    def ask(self, questions: Sequence[Any]) -> np.ndarray:
        """Questions as classes, (n, question sites); raises ValueError for one that does not fit, by its number."""

    @abstractmethod
    def question(self, classes: np.ndarray) -> Any:
        """The question that `ask` made these classes of, (question sites,)."""

    @abstractmethod
    def write(self, answer: str) -> np.ndarray:
        """An answer, right or wrong, as classes, (answer sites,); raises ValueError where it has another form."""

    @abstractmethod
    def read(self, answer: np.ndarray) -> str:
        """The answer as text; whatever the classes are, it is some text."""

    @abstractmethod
    def values(self, problem: Problem, answer: str) -> dict[Any, Any]:
        """The values of the problem's variables that an answer means; raises ValueError where it means none."""

    @abstractmethod
    def lessons(self, n: int, seed: int) -> Strings:
        """Fresh problems with one of their answers."""

    @abstractmethod
    def narrow(self, xt: Tensor, question: Tensor) -> Tensor:
        """Which classes do not contradict what is written already, Booleans (batch, answer sites, classes).

        Args:
            xt: answers with masks as class `len(SYMBOLS)`, (batch, answer sites).
            question: (batch, question sites).
        """

    def order(self) -> AbstractOrder:
        """The order in which people write an answer."""
        return InOrder(tuple(range(self.answer_sites)))

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Its kind and its arguments, from which `StringModel.load` makes it again."""


def field(number: int, width: int) -> list[int]:
    """A number as classes, filled up on the left; raises ValueError where it is too long."""
    digits = str(number)
    if number < 0 or len(digits) > width:
        raise ValueError(f"{number} does not fit into {width} digits")
    return [BLANK] * (width - len(digits)) + [int(digit) for digit in digits]


def fields(numbers: np.ndarray, width: int) -> np.ndarray:
    """`field` of many numbers that fit, (*shape, width)."""
    powers = 10 ** np.arange(width - 1, -1, -1)
    digits = numbers[..., None] // powers % 10
    leading = (numbers[..., None] < powers) & (powers > 1)
    return np.where(leading, BLANK, digits)


def text_of(classes: np.ndarray) -> str:
    """Characters of classes, blanks left out."""
    return "".join(SYMBOLS[k] for k in classes.tolist()).replace(" ", "")
