"""Sequences: all noises on one network, split and budget, beside a Markov and an autoregressive model and the floors.

    python benchmarks/dna.py                                   # every cell that is not there yet, then the page
    python benchmarks/dna.py --budget 300 --jobs 2             # CPU seconds of a training; two cells at once
    python benchmarks/dna.py --only task=splice,sites system=absorbing,markov seed=0
    python benchmarks/dna.py --table                           # only the page, from the cells that are finished

A cell is a training and its measurement. It runs in a process of its own and is written when finished, so that a run
that was broken off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from dna_cells import page
from dna_cells.cell import Cell
from dna_cells.measure import run
from dna_cells.systems import SYSTEMS
from dna_cells.tasks import TASKS

SEEDS = (0, 1, 2)
BUDGET = 600.0


def cells() -> list[Cell]:
    """All cells; a first seed of everything comes first."""
    return [Cell(task, system, seed) for seed in SEEDS for task in TASKS for system in SYSTEMS]


def run_cell(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Inside the cell's process."""
    return run(cell, options.data, options.budget, resumable.threads(options))


def write_page(options: argparse.Namespace) -> str:
    """Write `dna.md` and `dna.json` from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(options.cells) if x.get("task") in TASKS]
    content = page.page(done)
    resumable.write(options.results / "dna.md", content)
    resumable.write(options.results / "dna.json", {"cells": done})
    return content


def main() -> int:
    """Run cells, or show what there is."""
    parser = resumable.parser(
        "Sequences.",
        Cell,
        budget=BUDGET,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a training ({BUDGET:g})",
    )
    parser.set_defaults(cells=resumable.CELLS / "dna")
    return resumable.main(parser.parse_args(), cells(), run_cell, write_page, __file__)


if __name__ == "__main__":
    sys.exit(main())
