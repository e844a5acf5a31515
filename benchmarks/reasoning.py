"""Reasoning: Sudoku in every mode, satisfiability, Countdown, addition, and boards that are counted and made.

    python benchmarks/reasoning.py                               # every cell that is not there yet, then the page
    python benchmarks/reasoning.py sudoku --only case=clues17 --puzzles 5000 --budget 120
    python benchmarks/reasoning.py --weights sudoku-model        # a Sudoku model other than the one that ships
    python benchmarks/reasoning.py --quick                       # 50 puzzles a list, into a folder of its own
    python benchmarks/reasoning.py --table                       # only the page, from the cells that are finished

A cell is one system on one list. It runs in a process of its own and is written when finished, so that a run that was
broken off goes on where it stopped. README.md has the protocol.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from parts import Benchmark, Cell, Part
from reasoning_cells import addition, boards, confidence, countdown, counting, formulas, generating, grids, page

PARTS: dict[str, Part] = {
    "sudoku": boards,
    "sat": formulas,
    "countdown": countdown,
    "addition": addition,
    "grids": grids,
    "counting": counting,
    "generate": generating,
    "calibration": confidence,
}
BUDGETS = {"sudoku": 900.0, "sat": 1200.0, "countdown": 1800.0, "addition": 600.0, "counting": 300.0}
"""CPU seconds of a cell: of solving in `sudoku` and `counting`, of training in the others."""
TIMED = ("sudoku", "counting", "generate")
QUICK = {"puzzles": 50, "lessons": 500, "restarts": 2, "budget": 5.0}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = ", ".join(f"{seconds:g} for {part}" for part, seconds in BUDGETS.items())
    options = resumable.parser(
        "Reasoning.",
        Cell,
        budget=None,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a cell's solving or training (default {words})",
    )
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    options.add_argument("--weights", default="", metavar="FOLDER", help="a saved Sudoku model (the one that ships)")
    options.add_argument("--puzzles", type=int, default=0, metavar="N", help="at most so many of a list (0: all)")
    options.add_argument("--lessons", type=int, default=0, metavar="N", help="problems to train on (0: by part)")
    options.add_argument("--restarts", type=int, default=16, metavar="K", help="passes and draws after the first (16)")
    options.add_argument("--quick", action="store_true", help="few puzzles, a few seconds, cells of its own")
    options.set_defaults(cells=resumable.CELLS / "reasoning")
    return options


def parsed() -> argparse.Namespace:
    """What is asked for; quick cells are never mixed with others."""
    options = parser().parse_args()
    if options.weights:
        options.weights = str(Path(options.weights).resolve())
    if options.quick:
        options.cells = options.results = resumable.CELLS / "reasoning-quick"
        for name, value in QUICK.items():
            setattr(options, name, value)
    return options


def write_page(options: argparse.Namespace) -> str:
    """Write `reasoning.md` and `reasoning.json` from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(options.cells) if x["part"] in PARTS]
    commands = sorted(
        {f"python benchmarks/reasoning.py {x['part']} --budget {x['budget_cpu_s']:g} --jobs {x['jobs']}" for x in done}
    )
    content, verdicts = page.page(done, commands)
    resumable.write(options.results / "reasoning.md", content)
    result = {"commands": commands, "targets": [asdict(v) for v in verdicts], "cells": done}
    resumable.write(options.results / "reasoning.json", result)
    return content


BENCHMARK = Benchmark(__file__, PARTS, write_page, BUDGETS, TIMED, ("weights", "puzzles", "lessons", "restarts"))


def main() -> int:
    """Run cells, or show what there is."""
    return BENCHMARK.main(parsed())


if __name__ == "__main__":
    sys.exit(main())
