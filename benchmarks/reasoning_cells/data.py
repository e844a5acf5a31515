"""Puzzles, formulas and questions of the benchmark, in one fixed order, so that a cap takes a fair sample."""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from intarsia_domains.reasoning import generate_sudoku, held_out, read_countdown, read_puzzles
from intarsia_domains.reasoning._board import format_board, parse_board
from intarsia_domains.reasoning._problem import Problem
from intarsia_domains.reasoning._sat_files import read_formulas

LISTS = {
    "mgdm-test": "mgdm_test.csv",
    "givens30": "givens30.csv",
    "clues17": "clues17.csv.gz",
    "magictour": "magictour_top1465.csv",
    "norvig": "norvig_hardest11.csv",
    "forum-hardest": "forum_hardest.csv.gz",
}
LEARNED = ("clues17", "forum-hardest")
"""Lists that training draws on: networks are tested on the tenth of solution grids that a hash sets apart."""
GENERATED = {"4x4": 4, "6x6": 6}
FORMULAS = {
    "3sat5": "3sat5_test.jsonl",
    "3sat7": "3sat7_test.jsonl",
    "3sat9": "3sat9_test.jsonl",
    "uf20": "uf20_91.jsonl.gz",
    "uf50": "uf50_218.jsonl.gz",
    "uuf50": "uuf50_218.jsonl.gz",
}
BUCKETS = (0, 1, 5, 20, 50, 100)
"""Lower ends of the buckets of backtracks that tdoku needs, as Sudoku-Extreme has them."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Boards:
    """Puzzles as text with their solutions and the backtracks of tdoku, -1 where they are not known."""

    puzzles: list[str]
    solutions: list[str]
    guesses: list[int]

    def __len__(self) -> int:
        return len(self.puzzles)


def boards(name: str, options: argparse.Namespace, *, unseen: bool = False) -> Boards:
    """A list, shuffled and capped; with `unseen` only what no training has seen."""
    if name in GENERATED:
        made = generate_sudoku(options.puzzles or 1_000, size=GENERATED[name], seed=20_000)
        puzzles, solutions = ([format_board(board) for board in part] for part in (made.boards, made.solutions))
        return Boards(puzzles, solutions, [-1] * len(made))
    data = (options.data / "sudoku" / LISTS[name]).read_bytes()
    text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    if unseen and name in LEARNED:
        grids = np.array([parse_board(row["solution"]).reshape(-1) for row in rows])
        rows = [row for row, out in zip(rows, held_out(grids), strict=True) if out]
    rows = capped(rows, options.puzzles)
    return Boards(
        [row["puzzle"] for row in rows], [row["solution"] for row in rows], [int(row["tdoku_guesses"]) for row in rows]
    )


def ambiguous(options: argparse.Namespace) -> list[str]:
    """Puzzles with several solutions."""
    return capped(read_puzzles(options.data / "sudoku" / "multi_solution.csv"), options.puzzles)


def formulas(name: str, options: argparse.Namespace) -> list[Problem]:
    """A list of formulas."""
    return capped(read_formulas(options.data / "sat" / FORMULAS[name]), options.puzzles)


def published_counts(options: argparse.Namespace) -> list[int]:
    """Models of the formulas of uf20, in the order of `formulas`."""
    counts = json.loads((options.data / "sat" / "uf20_91_model_counts.json").read_text())
    with gzip.open(options.data / "sat" / FORMULAS["uf20"], "rt") as file:
        names = [json.loads(line)["name"] for line in file]
    return capped([int(counts[f"{name}.cnf"]) for name in names], options.puzzles)


def questions(name: str, options: argparse.Namespace) -> list[tuple[list[int], int]]:
    """Numbers and targets of a Countdown test."""
    return capped(read_countdown(options.data / "countdown" / f"{name}_test.jsonl"), options.puzzles)


def bucket(guesses: int) -> str:
    """The name of a bucket of backtracks."""
    k = max(i for i, low in enumerate(BUCKETS) if guesses >= low)
    if k + 1 == len(BUCKETS):
        return f"{BUCKETS[k]}+"
    return str(BUCKETS[k]) if BUCKETS[k + 1] == BUCKETS[k] + 1 else f"{BUCKETS[k]}-{BUCKETS[k + 1] - 1}"


def capped(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of a list in random order, the same every time; 0 is all."""
    order = np.random.default_rng(0).permutation(len(items)).tolist()
    return [items[i] for i in (order[:most] if most else order)]
