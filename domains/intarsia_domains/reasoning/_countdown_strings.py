"""Countdown as strings, as multi-granularity diffusion reads and writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from torch import Tensor

from ._countdown_lessons import countdown_lessons
from ._countdown_rules import legal
from ._problem import Problem
from ._strings import SIGN, AbstractStrings, Strings, field, fields, text_of
from .presets import countdown, read_expression
from .presets._countdown import SIGNS, read_steps


@dataclass(frozen=True, slots=True)
class CountdownStrings(AbstractStrings):
    """Reach a target with every number once; a question is a pair `([44, 19, 35], 54)`, an answer `44-35=9,…`.

    The characters are those of Ye et al. 2025 (MGDM, arXiv 2410.14157) without commas and equal signs, in fields of
    fixed width. Its tests ask for targets that were not trained on; name those in `excluded`.

    Args:
        numbers: how many are given, 2 to 6, each of one or two digits.
        targets: the least and the greatest target of lessons.
        excluded: targets that no lesson has.
        width: digits of operands and results; four are enough for all answers of the published tests but one.
    """

    numbers: int = 4
    targets: tuple[int, int] = (10, 100)
    excluded: tuple[int, ...] = ()
    width: int = 4

    def __post_init__(self) -> None:
        if not 2 <= self.numbers <= 6 or not 3 <= self.width <= 9:
            raise ValueError(f"numbers must be 2 to 6 and width 3 to 9, got {self.numbers} and {self.width}")
        if not 0 <= self.targets[0] <= self.targets[1] < 1000:
            raise ValueError(f"targets are the least and the greatest, from 0 to 999, got {self.targets}")

    @property
    def question_sites(self) -> int:
        return 2 * self.numbers + 3

    @property
    def answer_sites(self) -> int:
        return (self.numbers - 1) * (3 * self.width + 1)

    def problem(self, question: Any) -> Problem:
        numbers, target = question
        return countdown([index(number) for number in numbers], index(target))

    def ask(self, questions: Sequence[Any]) -> np.ndarray:
        rows: list[list[int]] = []
        for place, question in enumerate(questions, start=1):
            try:
                numbers, target = question
                row = [k for number in numbers for k in field(index(number), 2)] + field(index(target), 3)
            except TypeError:
                raise ValueError(f"question {place} is no pair such as ([44, 19, 35], 54): {question!r}") from None
            except ValueError as error:
                raise ValueError(f"question {place}: {error}") from None
            if len(row) != self.question_sites:
                raise ValueError(f"question {place} has {len(numbers)} numbers; this model knows {self.numbers}")
            rows.append(row)
        return np.array(rows, dtype=np.int64).reshape(len(rows), self.question_sites)

    def question(self, classes: np.ndarray) -> Any:
        split = 2 * self.numbers
        numbers = [int(text_of(pair)) for pair in classes[:split].reshape(-1, 2)]
        return numbers, int(text_of(classes[split:]))

    def write(self, answer: str) -> np.ndarray:
        classes: list[int] = []
        for left, sign, right, result in read_steps(answer, self.numbers - 1):
            classes += [*field(left, self.width), SIGN + SIGNS.index(sign)]
            classes += field(right, self.width) + field(result, self.width)
        return np.array(classes, dtype=np.int64)

    def read(self, answer: np.ndarray) -> str:
        w = self.width
        steps = answer.reshape(self.numbers - 1, 3 * w + 1)
        return ",".join(f"{text_of(step[: 2 * w + 1])}={text_of(step[2 * w + 1 :])}" for step in steps)

    def values(self, problem: Problem, answer: str) -> dict[Any, Any]:
        return read_expression(problem, answer)

    def lessons(self, n: int, seed: int) -> Strings:
        made = countdown_lessons(n, self.numbers, self.targets, self.excluded, 10**self.width - 1, seed)
        numbers = fields(made.numbers, 2).reshape(n, -1)
        left, right, result = (fields(part, self.width) for part in (made.lefts, made.rights, made.results))
        steps = np.concatenate([left, SIGN + made.signs[..., None], right, result], -1)
        return Strings(np.concatenate([numbers, fields(made.targets, 3)], 1), steps.reshape(n, -1))

    def narrow(self, xt: Tensor, question: Tensor) -> Tensor:
        return legal(xt, question, self.numbers, self.width)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "countdown",
            "numbers": self.numbers,
            "targets": list(self.targets),
            "excluded": list(self.excluded),
            "width": self.width,
        }
