"""Part `counting`: puzzles with several solutions, counted by our search and enumerated by python-sat."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from intarsia_domains.reasoning import SatEngine, count, enumerate_solutions, sudoku
from parts import Cell
from reasoning_cells.data import ambiguous

PART = "counting"
CAP = 5_000


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One cell, which compares the two."""
    return [[Cell(PART, "multi-solution", "search and enumeration")]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Counts of both, on as many puzzles as the budget of the slower allows."""
    puzzles = ambiguous(options)
    problems = [sudoku(9, given=puzzle) for puzzle in puzzles]
    count(problems[0])
    start = time.perf_counter()
    found = [count(problem, cap=CAP) for problem in problems]
    seconds = time.perf_counter() - start
    alike = compared = 0
    cpu = time.process_time()
    while compared < len(problems) and time.process_time() - cpu < options.budget:
        exact = sum(1 for _ in enumerate_solutions(problems[compared], limit=CAP, engine=SatEngine()))
        alike += exact == found[compared].solutions
        compared += 1
    counts = np.array([each.solutions for each in found])
    return {
        "puzzles": len(puzzles), "exact": sum(each.exact for each in found), "compared": compared, "alike": alike,
        "least": int(counts.min()), "median": float(np.median(counts)), "most": int(counts.max()),
        "per_s": len(puzzles) / seconds, "enumerated_per_cpu_s": compared / max(time.process_time() - cpu, 1e-9),
        "brief": f"{alike} of {compared} counts agree, {len(puzzles) / seconds:,.0f}/s",
    }  # fmt: skip
