"""Countdown: reach a target from numbers by arithmetic."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from intarsia_domains.reasoning._constraint import AbstractConstraint, Values
from intarsia_domains.reasoning._problem import Problem
from intarsia_domains.reasoning._table import Table

SIGNS = ("+", "-", "*", "/")
_STEP = re.compile(r"(\d+)([-+*/])(\d+)=(\d+)", re.ASCII)
_MOST = 6  # numbers; there are about 10^7 ways for six


def countdown(numbers: Sequence[int], target: int) -> Problem:
    """Use every number once to reach the target.

    Step i takes two quantities and a sign: variables `left i`, `sign i`, `right i`. Quantities are numbered: first
    the numbers in the given order, from 0, then the results of the steps. Differences are not negative, quotients
    have no remainder, and sums and products name the quantity with the lower number first.

    Raises:
        ValueError: there are fewer than two or more than six numbers, or one is not positive.
    """
    if not 2 <= len(numbers) <= _MOST:
        raise ValueError(f"countdown takes 2 to {_MOST} numbers, got {len(numbers)}")
    for number in (*numbers, target):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f"countdown is about numbers from 0, got {number!r}")
    steps = range(1, len(numbers))
    domains: dict[str, Sequence[Any]] = {}
    for i in steps:
        quantities = range(len(numbers) + i - 1)
        domains |= {f"left {i}": quantities, f"sign {i}": SIGNS, f"right {i}": quantities}
    problem = Problem(domains, domains, title=f"countdown to {target}", kind="countdown")
    problem.all_different([f"{side} {i}" for i in steps for side in ("left", "right")], name="each quantity once")
    scope = tuple(range(len(problem)))
    return problem.add(
        Calculation(scope=scope, name=f"result {target}", numbers=tuple(numbers), target=target, values=problem.values)
    )


def expression(problem: Problem, values: Mapping[str, Any]) -> str:
    """A solution as text, such as `44-15=29,79-29=50`."""
    rule = next(c for c in problem.constraints if isinstance(c, Calculation))
    quantities: list[Any] = list(rule.numbers)
    texts: list[str] = []
    for i in range(1, len(rule.numbers)):
        left, right = quantities[values[f"left {i}"]], quantities[values[f"right {i}"]]
        result = _apply(values[f"sign {i}"], left, right)
        quantities.append(result)
        texts.append(f"{left}{values[f'sign {i}']}{right}={result}")
    return ",".join(texts)


def read_expression(problem: Problem, text: str) -> dict[str, Any]:
    """The inverse of `expression`: values by variable of steps such as `44-15=29,79-29=50`.

    Where quantities are equal, the one with the lowest number is meant.

    Raises:
        ValueError: the text is no such steps, or a step takes what is not there or is miscalculated; it is named.
    """
    rule = next(c for c in problem.constraints if isinstance(c, Calculation))
    quantities: list[int | None] = list(rule.numbers)
    values: dict[str, Any] = {}
    for i, (left, sign, right, result) in enumerate(read_steps(text, len(rule.numbers) - 1), start=1):
        step, pair = f"step {i}, {left}{sign}{right}={result},", list[int]()
        for number in (left, right):
            if number not in quantities:
                raise ValueError(f"{step} takes {number}, which is not there or is used already")
            pair.append(quantities.index(number))
            quantities[pair[-1]] = None
        if _apply(sign, left, right) != result:
            raise ValueError(f"{step} is wrong")
        quantities.append(result)
        a, b = sorted(pair) if sign in "+*" else pair
        values |= {f"left {i}": a, f"sign {i}": sign, f"right {i}": b}
    return values


def read_steps(text: str, count: int) -> list[tuple[int, str, int, int]]:
    """Left, sign, right and result of so many steps, right or wrong; raises ValueError for what is no such text."""
    steps = [_STEP.fullmatch(step) for step in text.split(",")]
    found = [(int(step[1]), step[2], int(step[3]), int(step[4])) for step in steps if step is not None]
    if len(found) != count or len(steps) != count:
        raise ValueError(f"{text!r} is not {count} steps such as 44-15=29, with commas between them")
    return found


@dataclass(frozen=True, kw_only=True)
class Calculation(AbstractConstraint):
    """The steps are legal and the last one gives the target.

    Args:
        numbers: what is given.
        target: what has to come out.
        values: of the problem: what indices mean.
    """

    numbers: tuple[int, ...]
    target: int
    values: Values

    def violated(self, states: np.ndarray, values: Values) -> np.ndarray:
        complete = np.asarray((states >= 0).all(-1))
        return np.array(
            [done and not self._reaches(row) for done, row in zip(complete, states.tolist(), strict=True)], dtype=bool
        )

    def _reaches(self, state: Sequence[int]) -> bool:
        """Whether the steps are legal, use every quantity once and end in the target."""
        way = [self.values[k] for k in state]
        quantities: list[int] = list(self.numbers)
        used: set[int] = set()
        for a, sign, b in zip(way[::3], way[1::3], way[2::3], strict=True):
            if a == b or used & {a, b} or max(a, b) >= len(quantities) or (sign in "+*" and a > b):
                return False
            result = _apply(sign, quantities[a], quantities[b])
            if result is None:
                return False
            used |= {a, b}
            quantities.append(result)
        return quantities[-1] == self.target

    @cached_property
    def table(self) -> Table:
        """Every way that reaches the target, found by trying all."""
        rank = {value: k for k, value in enumerate(self.values)}
        ways = _ways(list(enumerate(self.numbers)), len(self.numbers), self.target)
        rows = tuple(tuple(rank[value] for value in way) for way in ways)
        return Table(scope=self.scope, name=self.name, rows=rows)

    def add_to_cp(self, encoding: Any) -> None:
        self.table.add_to_cp(encoding)

    def add_to_cnf(self, encoding: Any) -> bool:
        return self.table.add_to_cnf(encoding)


def _apply(sign: Any, left: int, right: int) -> int | None:
    """The result of a step; None where it is not legal."""
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right if left >= right else None
    if sign == "*":
        return left * right
    return left // right if right and left % right == 0 else None


def _ways(open_: list[tuple[int, int]], fresh: int, target: int) -> Iterator[tuple[Any, ...]]:
    """Flat (left, sign, right) of all remaining steps; `open_` are numbered quantities that are not used yet."""
    if len(open_) == 1:
        if open_[0][1] == target:
            yield ()
        return
    for a, left in open_:
        for b, right in open_:
            if a == b:
                continue
            for sign in SIGNS:
                result = None if sign in "+*" and a > b else _apply(sign, left, right)
                if result is None:
                    continue
                rest = [pair for pair in open_ if pair[0] not in (a, b)]
                for way in _ways([*rest, (fresh, result)], fresh + 1, target):
                    yield (a, sign, b, *way)
