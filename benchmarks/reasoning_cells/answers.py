"""Solvers of boards by name, each from puzzles to answers, and what is made of the answers."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reasoning_cells.data import Boards, bucket

PIECE = 128


@dataclass(frozen=True)
class Answer:
    """What a solver says of one puzzle; None where it does not say."""

    solution: str | None
    status: str = "SAT"
    unique: bool | None = None
    nodes: int | None = None


Solver = Callable[[list[str]], list[Answer]]


def timed(
    solver: Solver, boards: Boards, budget: float, piece: int = PIECE, warm: Callable[[], None] = lambda: None
) -> tuple[list[Answer], dict[str, float]]:
    """Answers in order until the CPU seconds are spent, and what they cost.

    The first puzzles warm up, untimed; `warm` is called then.
    """
    solver(boards.puzzles[:2])
    warm()
    answers: list[Answer] = []
    wall, cpu = time.perf_counter(), time.process_time()
    while len(answers) < len(boards) and time.process_time() - cpu < budget:
        answers += solver(boards.puzzles[len(answers) : len(answers) + piece])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = max(1, len(answers))
    return answers, {"wall_s": wall, "cpu_s": cpu, "per_s": done / max(wall, 1e-9), "per_cpu_s": done / max(cpu, 1e-9)}


def tally(answers: Sequence[Answer], boards: Boards) -> dict[str, Any]:
    """Counts of a list, and of each bucket of backtracks."""
    done = len(answers)
    groups: dict[str, list[int]] = {}
    for row, guesses in enumerate(boards.guesses[:done]):
        groups.setdefault(bucket(guesses) if guesses >= 0 else "all", []).append(row)
    found = {name: _counts(answers, boards, rows) for name, rows in groups.items()}
    return {**_counts(answers, boards, range(done)), "listed": len(boards), "buckets": found}


def _counts(answers: Sequence[Answer], boards: Boards, rows: Sequence[int]) -> dict[str, Any]:
    said = [answers[row].solution for row in rows]
    right = [solution == boards.solutions[row] for solution, row in zip(said, rows, strict=True)]
    nodes = [count for row in rows if (count := answers[row].nodes) is not None]
    return {
        "puzzles": len(rows),
        "right": sum(right),
        "wrong": sum(solution is not None and not good for solution, good in zip(said, right, strict=True)),
        "abstained": sum(answers[row].status == "UNKNOWN" for row in rows),
        "unsat": sum(answers[row].status == "UNSAT" for row in rows),
        "unique": sum(answers[row].unique is True for row in rows),
        "nodes": statistics.fmean(nodes) if nodes else None,
        "nodes_median": statistics.median(nodes) if nodes else None,
        "nodes_max": max(nodes, default=None),
        "before_search": sum(count == 0 for count in nodes),
    }


def spare(options: argparse.Namespace, most: int) -> int:
    """The cap of a slow system: so many, or fewer where fewer are asked for."""
    return min(most, options.puzzles) if options.puzzles else most
