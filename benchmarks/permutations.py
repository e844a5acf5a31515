"""Permutations: rankings beside the classical laws, collapse, sorting, jigsaws, and tours beside searches and solvers.

    python benchmarks/permutations.py                                # every cell that is not there yet, then the page
    python benchmarks/permutations.py --only case=apa-1998 system=default,histogram,"static GPL"
    python benchmarks/permutations.py rankings --budget 60 --splits 5   # one part; CPU seconds a fit, random splits
    python benchmarks/permutations.py --table                        # only the page, from the cells that are finished

A cell is one system on one data set. It runs in a process of its own and is written when finished, so that a run that
was broken off goes on where it stopped. What is left is expected to cost, in CPU hours, is said first; `--cost` says no
more than that.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from parts import Benchmark, Cell
from permutation_systems import _collapse, _jigsaws, _sorting, _tours, rankings
from permutation_systems._cost import Timed, expected
from tabular_systems._results import table

PARTS: dict[str, Any] = {
    "rankings": rankings,
    "collapse": _collapse,
    "sorting": _sorting,
    "jigsaws": _jigsaws,
    "tours": _tours,
}
BUDGETS = {"rankings": 60.0, "collapse": 60.0, "sorting": 1200.0, "jigsaws": 600.0, "tours": 1800.0}
"""CPU seconds of a training."""
SPLITS = 20


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = ", ".join(f"{seconds:g} for {part}" for part, seconds in BUDGETS.items())
    options = resumable.parser(
        "Permutations.",
        Cell,
        budget=None,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a training (default {words})",
    )
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    options.add_argument("--splits", type=int, default=SPLITS, metavar="N", help=f"random splits (default {SPLITS})")
    options.add_argument("--instances", type=int, default=1000, metavar="N", help="tours: of each test set (all)")
    options.add_argument("--cost", action="store_true", help="only say what is expected to cost how many CPU hours")
    options.set_defaults(cells=resumable.CELLS / "permutations")
    return options


def write_page(options: argparse.Namespace) -> str:
    """Write `permutations.md`, `permutations.json` and pictures from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(options.cells) if x["part"] in PARTS]
    commands = {f"python benchmarks/permutations.py {x['part']} --budget {x['budget_cpu_s']:g}" for x in done}
    hours = sum(x.get("cpu_s_of_cell", 0.0) for x in done) / 3600
    lines = ["# Permutations", "", f"{len(done)} cells, {hours:.1f} CPU hours. Commands:", ""]
    lines += [*(f"    {x}" for x in sorted(commands)), ""]
    machines = {str(x["machine"]): x["machine"] for x in done}.values()
    lines += [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB, {x['system']}." for x in machines]
    verdicts = [x for part in (rankings, _sorting, _tours) for x in part.verdicts(done)]
    words = {True: "yes", False: "**no**", None: "not measured"}
    rows = [[x.target, x.measured, words[x.met]] for x in verdicts]
    lines += ["", "## Targets", "", *table(["target", "measured", "met"], rows)]
    for name, part in PARTS.items():
        section = part.section(done)
        if section and hasattr(part, "pictures") and part.pictures(done, options.results):
            section = [*section, "", f"![training](permutations_{name}.svg)"]
        lines += ["", f"## {name.capitalize()}", *section] if section else []
    failed = [f"- {x['part']} {x['case']} {x['system']}: {x['error']}" for x in done if "error" in x]
    lines += ["", "## Failed", "", *failed] if failed else []
    content = "\n".join(lines).rstrip() + "\n"
    resumable.write(options.results / "permutations.md", content)
    result = {"commands": sorted(commands), "targets": [asdict(x) for x in verdicts], "cells": done}
    resumable.write(options.results / "permutations.json", result)
    return content


def cost(options: argparse.Namespace) -> str:
    """A line with the CPU hours that each part is expected to take, of the cells that are not there yet."""
    hours: dict[str, float] = {}
    left = 0
    for name in options.parts or PARTS:
        budget = BUDGETS[name] if options.budget is None else options.budget
        cells = [x for wave in BENCHMARK.waves(name, options) for x in wave if not x.path(options.cells).exists()]
        hours[name] = sum(expected(x, options, budget) for x in cells) / 3600
        left += len(cells)
    words = ", ".join(f"{name} {x:.2f}" for name, x in hours.items())
    return f"{left} cells are not there yet: about {sum(hours.values()):.2f} CPU hours ({words})"


TIMED = {name: Timed(part) for name, part in PARTS.items()}
BENCHMARK = Benchmark(__file__, TIMED, write_page, BUDGETS, passed_on=("splits", "instances"))


def main() -> int:
    """Run cells, or show what there is."""
    options = parser().parse_args()
    if not (options.one or options.table or set(options.parts) - set(PARTS)):
        print(cost(options), flush=True)
    return 0 if options.cost else BENCHMARK.main(options)


if __name__ == "__main__":
    sys.exit(main())
