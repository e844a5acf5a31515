"""Part `generate`: new puzzles, clues as asked, uniqueness proven by another solver, and how many a second."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from intarsia_domains.reasoning import SatEngine, enumerate_solutions, generate_sudoku, sudoku
from intarsia_domains.reasoning._sudoku import boards_of, search_boards
from parts import Cell
from reasoning_cells import peers
from reasoning_cells.answers import spare

ROWS = 1_000
PART = "generate"
CLUES = {"minimal": None, "24": 24, "28": 28, "32": 32}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Ours, and py-sudoku where it is installed."""
    rivals = peers.installed(["py-sudoku"])
    return [[Cell(PART, case, x) for case, k in CLUES.items() for x in ("ours", *(rivals if k else ()))]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Generate, then check."""
    rows, clues = spare(options, ROWS if cell.system == "ours" else 50), CLUES[cell.case]
    generate_sudoku(1, clues=clues)
    start = time.perf_counter()
    if cell.system == "ours":
        boards = generate_sudoku(rows, clues=clues, seed=1).boards
    else:
        boards = boards_of(peers.py_sudoku_puzzles(rows, clues or 0, seed=1))
    seconds = time.perf_counter() - start
    given = np.count_nonzero(boards, axis=1)
    unique = [_count(board) == 1 for board in boards[: min(rows, 200)]]
    return {
        "puzzles": rows, "unique": 100 * float(np.mean(unique)), "proven": len(unique),
        "as_asked": None if clues is None else 100 * float((given == clues).mean()),
        "clues": float(given.mean()), "clues_least": int(given.min()), "clues_most": int(given.max()),
        "nodes": float(search_boards(boards).nodes.mean()), "per_s": rows / seconds,
        "brief": f"{rows / seconds:,.0f}/s, {100 * np.mean(unique):.0f} % unique",
    }  # fmt: skip


def _count(board: np.ndarray) -> int:
    """Solutions up to two, by python-sat."""
    problem = sudoku(9)
    given = {problem.variables[i]: int(value) for i, value in enumerate(board) if value}
    return sum(1 for _ in enumerate_solutions(problem.observe(given), limit=2, engine=SatEngine()))
