"""The engine: bits per character, overhead, quality against network calls, and many classes.

    python benchmarks/engine.py                               # every cell that is not there yet, then the page
    python benchmarks/engine.py text --budget 7200            # one part; CPU seconds of a training
    python benchmarks/engine.py nfe --only case=markov-absorbing system=model,ancestral
    python benchmarks/engine.py --table                       # only the page, from the cells that are finished

A cell is one measurement. It runs in a process of its own and is written when finished, so that a run that was broken
off goes on where it stopped. README.md has the protocol.
"""

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from engine_cells import classes, nfe, overhead, page, text
from engine_cells.cell import Cell

PARTS: dict[str, ModuleType] = {"text": text, "overhead": overhead, "nfe": nfe, "classes": classes}
BUDGETS = {"text": 7200.0, "nfe": 600.0}
"""CPU seconds of a training: on two idle cores an hour, and five minutes."""
TIMED = ("overhead", "classes")
"""Parts that measure seconds: their cells run one at a time, whatever `--jobs` says."""
PASSED_ON = ("minutes-gpu", "test-windows", "test-samples", "rows", "repeats")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = ", ".join(f"{seconds:g} for {part}" for part, seconds in BUDGETS.items())
    options = resumable.parser(
        "The engine.",
        Cell,
        budget=None,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a training (default {words})",
    )
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    options.add_argument("--minutes-gpu", type=float, default=10, help="minutes of a training on a GPU (default 10)")
    options.add_argument("--test-windows", type=int, default=10**9, metavar="N", help="text: windows of the test (all)")
    options.add_argument("--test-samples", type=int, default=4, metavar="N", help="text: draws for each window (4)")
    options.add_argument("--rows", type=int, default=4096, metavar="N", help="nfe: samples of a measurement (4096)")
    options.add_argument("--repeats", type=int, default=60, metavar="N", help="overhead, classes: steps timed (60)")
    options.set_defaults(cells=resumable.CELLS / "engine")
    return options


def write_page(options: argparse.Namespace) -> str:
    """Write `engine.md` and `engine.json` from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(options.cells) if x["part"] in PARTS]
    commands = sorted(
        {f"python benchmarks/engine.py {x['part']} --budget {x['budget_cpu_s']:g} --jobs {x['jobs']}" for x in done}
    )
    content, verdicts = page.page(done, commands, options.results)
    resumable.write(options.results / "engine.md", content)
    result = {"commands": commands, "targets": [asdict(v) for v in verdicts], "cells": done}
    resumable.write(options.results / "engine.json", result)
    return content


def run_part(name: str, options: argparse.Namespace) -> tuple[int, int]:
    """Run the missing cells of a part; return how many ended in an error, and of how many."""
    own = copy.copy(options)
    own.budget = BUDGETS.get(name, 0.0) if options.budget is None else options.budget
    own.jobs = 1 if name in TIMED else options.jobs
    failed = count = 0
    for wave in waves(name, options):
        failed += resumable.run_all(wave, __file__, own, pass_on=PASSED_ON)
        count += len(wave)
    return failed, count


def waves(name: str, options: argparse.Namespace) -> list[list[Cell]]:
    """The cells of a part that were asked for; a wave needs the ones before it."""
    found = PARTS[name].cells(options)
    every = [cell for wave in found for cell in wave]
    chosen = set(resumable.select(every, options.only)) if _asked(every, options) else set()
    return [[cell for cell in wave if cell in chosen] for wave in found]


def _asked(cells: list[Cell], options: argparse.Namespace) -> bool:
    """Whether any cell of this part was asked for; with several parts `--only` may name cells of one."""
    try:
        return bool(resumable.select(cells, options.only))
    except SystemExit as said:
        if "no cell has" in str(said):
            return False
        raise


def main() -> int:
    """Run cells, or show what there is."""
    options = parser().parse_args()
    if options.one:
        cell = Cell(*options.one)
        resumable.run_one(cell, options, lambda: PARTS[cell.part].run(cell, options))
        return 0
    if options.table:
        print(write_page(options))
        return 0
    parts: Any = options.parts or list(PARTS)
    if unknown := [x for x in parts if x not in PARTS]:
        raise SystemExit(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    asked = {name: waves(name, options) for name in parts}
    if not any(cell for found in asked.values() for wave in found for cell in wave):
        raise SystemExit(f"no cell has {' '.join(options.only)}; see --list")
    if options.list:
        resumable.show([cell for found in asked.values() for wave in found for cell in wave], options.cells)
        return 0
    results = [run_part(name, options) for name in parts]
    write_page(options)
    failed, count = sum(x[0] for x in results), sum(x[1] for x in results)
    print(f"{options.results.name}/engine.md is written; {failed} of {count} cells ended in an error")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
