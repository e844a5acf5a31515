"""Sequences: all noises on one network, split and budget, beside a Markov and an autoregressive model, D3 and floors.

    python benchmarks/dna.py --cost                            # what the cells below are expected to cost
    python benchmarks/dna.py --jobs 2                          # every cell that is not there yet, then the page
    python benchmarks/dna.py --plan whole --budget 900 --samples 3000
    python benchmarks/dna.py --only task=splice,sites system=absorbing,markov seed=0
    python benchmarks/dna.py --table                           # only the page, from the cells that are finished

A cell is a training and its measurement. It runs in a process of its own and is written when finished, so that a run
that was broken off goes on where it stopped. `--budget` is what a training of the largest task may take; the others get
a share of it (`dna_cells/tasks.py`). The plan "short" has three seeds of absorbing noise, of both baselines and of
the peer, and one of the other noises; "whole" has three of everything.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from dna_cells import page, plan
from dna_cells.cell import Cell
from dna_cells.measure import run
from dna_cells.tasks import TASKS

BUDGET = 400.0
SAMPLES = 1200


def run_cell(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Inside the cell's process."""
    own = plan.budget(cell, options.budget)
    return run(cell, options.data, own, resumable.threads(options), options.samples)


def run_cells(chosen: list[Cell], options: argparse.Namespace) -> int:
    """Those that are not there yet."""
    return resumable.run_all(chosen, __file__, options, pass_on=("samples",))


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
        budget_help=f"CPU seconds of a training of the largest task ({BUDGET:g})",
    )
    parser.add_argument("--plan", choices=plan.PLANS, default="short", help="how many seeds of what")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"sequences of the reference, at most ({SAMPLES})")
    parser.add_argument("--cost", action="store_true", help="say what the chosen cells are expected to cost")
    parser.set_defaults(cells=resumable.CELLS / "dna")
    options = parser.parse_args()
    cells = plan.cells("whole" if options.one else options.plan)
    if options.cost:
        print(plan.cost(resumable.select(cells, options.only), options.budget, options.samples))
        return 0
    return resumable.main(options, cells, run_cell, write_page, __file__, work=run_cells)


if __name__ == "__main__":
    sys.exit(main())
