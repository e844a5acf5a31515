"""Sequences: all noises on one network, split and budget, beside a Markov and an autoregressive model and the floors.

    python benchmarks/dna.py                                   # every cell that is not there yet, then the page
    python benchmarks/dna.py --budget 300 --jobs 2             # CPU seconds of a training; two cells at once
    python benchmarks/dna.py --only task=splice,sites system=absorbing,markov seed=0
    python benchmarks/dna.py --table                           # only the page, from the cells that are finished

A cell is a training and its measurement. It runs in a process of its own and is written when finished, so that a run
that was broken off goes on where it stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


def write_page(folder: Path, results: Path) -> str:
    """Write `dna.md` and `dna.json` from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(folder) if x.get("task") in TASKS]
    content = page.page(done)
    resumable.write(results / "dna.md", content)
    resumable.write(results / "dna.json", {"cells": done})
    return content


def main() -> int:
    """Run cells, or show what there is."""
    options = resumable.parser(
        "Sequences.",
        Cell,
        budget=BUDGET,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a training ({BUDGET:g})",
    )
    options.set_defaults(cells=resumable.CELLS / "dna")
    asked = options.parse_args()
    if asked.one:
        task, system, seed = asked.one
        cell = Cell(task, system, int(seed))
        resumable.run_one(cell, asked, lambda: run(cell, asked.data, asked.budget, resumable.threads(asked)))
        return 0
    if asked.table:
        print(write_page(asked.cells, asked.results))
        return 0
    chosen = resumable.select(cells(), asked.only)
    if asked.list:
        resumable.show(chosen, asked.cells)
        return 0
    failed = resumable.run_all(chosen, __file__, asked)
    write_page(asked.cells, asked.results)
    print(f"{asked.results.name}/dna.md is written; {failed} of {len(chosen)} cells ended in an error")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
