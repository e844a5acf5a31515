"""Sudoku and its variants."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from intarsia_domains.reasoning._board import SYMBOLS, default_box, parse_board
from intarsia_domains.reasoning._problem import Problem

Cell = str


def cell(row: int, column: int) -> Cell:
    """The name of a cell, counted from 1."""
    return f"r{row}c{column}"


def sudoku(n: int = 9, box: tuple[int, int] | None = None, given: Any = None) -> Problem:
    """Each number once in every row, column and box.

    Args:
        n: the size; 4, 6, 9 and 16 are common.
        box: rows and columns of a box, whose product is n; by default as square as possible (2 x 3 for 6).
        given: a board as text, see `parse_board`, or numbers with 0 for blank. Problems with `given` share their
            constraints, so that they can be solved in batches.

    Raises:
        ValueError: the box does not fill n cells, or the board is not one of this size; it names the cell.
    """
    high, wide = default_box(n) if box is None else box
    if n < 1 or n > len(SYMBOLS) or high * wide != n:
        raise ValueError(f"boxes of {high} x {wide} cells do not make a board of size {n}; their product has to be it")
    if given is None:
        return _sudoku(n, high, wide)
    return observe_board(_template(n, high, wide), given)


def sudoku_x(n: int = 9, box: tuple[int, int] | None = None) -> Problem:
    """Sudoku whose two diagonals hold each number once, too."""
    problem = sudoku(n, box)
    problem.all_different([cell(i, i) for i in range(1, n + 1)], name="falling diagonal")
    return problem.all_different([cell(i, n + 1 - i) for i in range(1, n + 1)], name="rising diagonal")


def killer(cages: Mapping[Any, int] | Iterable[tuple[Sequence[Cell], int]], n: int = 9) -> Problem:
    """Sudoku with cages: cells that are different and add up to a number.

    Args:
        cages: cells, such as `("r1c1", "r1c2")`, and their sum.
        n: the size.
    """
    problem = sudoku(n)
    for number, (cells, total) in enumerate(cages.items() if isinstance(cages, Mapping) else cages, start=1):
        problem.all_different(cells, name=f"cage {number}")
        problem.linear(dict.fromkeys(cells, 1), "==", total, name=f"sum of cage {number}")
    return problem


def irregular(regions: str | Sequence[Sequence[Any]]) -> Problem:
    """Sudoku whose boxes have any shape (jigsaw).

    Args:
        regions: for each cell in reading order a symbol of its region, as text of n lines or as n rows.

    Raises:
        ValueError: the rows are no square, or a region has not n cells.
    """
    rows = [line.strip() for line in regions.split()] if isinstance(regions, str) else [list(row) for row in regions]
    n = len(rows)
    if any(len(row) != n for row in rows):
        raise ValueError(f"the regions have {n} rows, so each row needs {n} symbols")
    problem = latin(n)
    members: dict[Any, list[Cell]] = {}
    for r, row in enumerate(rows, start=1):
        for c, region in enumerate(row, start=1):
            members.setdefault(region, []).append(cell(r, c))
    for region, cells in members.items():
        if len(cells) != n:
            raise ValueError(f"region {region!r} has {len(cells)} cells; each needs {n}")
        problem.all_different(cells, name=f"region {region}")
    problem.title, problem.kind = f"irregular sudoku {n} x {n}", "irregular"
    return problem


def latin(n: int, given: Any = None) -> Problem:
    """Each number once in every row and column."""
    if n < 1:
        raise ValueError(f"a Latin square needs a size of at least 1, got {n}")
    names = [cell(r, c) for r in range(1, n + 1) for c in range(1, n + 1)]
    problem = Problem(names, range(1, n + 1), title=f"Latin square {n} x {n}", kind="latin", shape=(n, n))
    for r in range(1, n + 1):
        problem.all_different([cell(r, c) for c in range(1, n + 1)], name=f"row {r}")
    for c in range(1, n + 1):
        problem.all_different([cell(r, c) for r in range(1, n + 1)], name=f"column {c}")
    return problem if given is None else observe_board(problem, given)


def observe_board(problem: Problem, given: Any) -> Problem:
    """A problem whose variables fill a square board, with the cells of a board given."""
    if problem.shape is None:
        raise ValueError(f"{problem.title} is no board; observe its variables by name")
    n = problem.shape[0]
    board = parse_board(given, n) if isinstance(given, str) else np.asarray(given)
    if board.size != n * n:
        raise ValueError(f"the board has {board.size} cells; it has to have {n * n} for {n} x {n}")
    cells = zip(problem.variables, board.reshape(-1).tolist(), strict=True)
    return problem.observe({name: k for name, k in cells if k})


@lru_cache(maxsize=32)
def _template(n: int, high: int, wide: int) -> Problem:
    return _sudoku(n, high, wide)


def _sudoku(n: int, high: int, wide: int) -> Problem:
    problem = latin(n)
    problem.title, problem.kind = f"sudoku {n} x {n}", "sudoku"
    for b in range(n):
        top, left = b // (n // wide) * high, b % (n // wide) * wide
        cells = [cell(top + r + 1, left + c + 1) for r in range(high) for c in range(wide)]
        problem.all_different(cells, name=f"box {b + 1}")
    return problem
