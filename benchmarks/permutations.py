"""Permutations: rankings beside the classical laws, sorting, jigsaws, and tours beside searches and solvers.

    python benchmarks/permutations.py                                # every cell that is not there yet, then the page
    python benchmarks/permutations.py --only case=apa-1998 system=default,histogram,"static GPL"
    python benchmarks/permutations.py rankings --budget 60 --splits 5   # one part; CPU seconds a fit, random splits
    python benchmarks/permutations.py --table                        # only the page, from the cells that are finished

A cell is one system on one data set. It runs in a process of its own and is written when finished, so that a run that
was broken off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from parts import Benchmark, Cell
from permutation_systems import _jigsaws, _sorting, _tours, rankings

PARTS = {"rankings": rankings, "sorting": _sorting, "jigsaws": _jigsaws, "tours": _tours}
BUDGETS = {"rankings": 60.0, "sorting": 1200.0, "jigsaws": 600.0, "tours": 1800.0}
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
    options.set_defaults(cells=resumable.CELLS / "permutations")
    return options


def write_page(options: argparse.Namespace) -> str:
    """Write `permutations.md` and `permutations.json` from all finished cells, and return the page."""
    done = [x for x in resumable.read_all(options.cells) if x["part"] in PARTS]
    lines = ["# Permutations", ""]
    machines = {str(x["machine"]): x["machine"] for x in done}.values()
    lines += [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB, {x['system']}." for x in machines]
    for name, part in PARTS.items():
        section = part.section(done)
        lines += ["", f"## {name.capitalize()}", *section] if section else []
    failed = [f"- {x['part']} {x['case']} {x['system']}: {x['error']}" for x in done if "error" in x]
    lines += ["", "## Failed", "", *failed] if failed else []
    content = "\n".join(lines).rstrip() + "\n"
    resumable.write(options.results / "permutations.md", content)
    resumable.write(options.results / "permutations.json", {"cells": done})
    return content


BENCHMARK = Benchmark(__file__, PARTS, write_page, BUDGETS, passed_on=("splits",))


def main() -> int:
    """Run cells, or show what there is."""
    return BENCHMARK.main(parser().parse_args())


if __name__ == "__main__":
    sys.exit(main())
