"""Permutations: distributions over rankings, ours beside the classical laws.

    python benchmarks/permutations.py                                # every cell that is not there yet, then the page
    python benchmarks/permutations.py --only case=apa-1998 system=default,histogram,"static GPL"
    python benchmarks/permutations.py --budget 60 --splits 5         # CPU seconds a fit, random splits
    python benchmarks/permutations.py --table                        # only the page, from the cells that are finished

A cell is one system on one data set. It runs in a process of its own and is written when finished, so that a run that
was broken off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from permutation_systems import rankings
from permutation_systems._cell import Cell

PARTS: dict[str, ModuleType] = {"rankings": rankings}
BUDGET, SPLITS = 60.0, 20
PASSED_ON = ("splits",)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = resumable.parser(
        "Permutations.",
        Cell,
        budget=BUDGET,
        data=resumable.ROOT.parent / "shared" / "data",
        budget_help=f"CPU seconds of a network's training (default {BUDGET:g})",
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
    parts = options.parts or list(PARTS)
    if unknown := [x for x in parts if x not in PARTS]:
        raise SystemExit(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    waves = [wave for name in parts for wave in PARTS[name].cells(options)]
    chosen = set(resumable.select([cell for wave in waves for cell in wave], options.only))
    if options.list:
        resumable.show(sorted(chosen), options.cells)
        return 0
    failed = 0
    for wave in waves:
        mine = [cell for cell in wave if cell in chosen]
        failed += resumable.run_all(mine, __file__, options, pass_on=PASSED_ON)
    write_page(options)
    print(f"{options.results.name}/permutations.md is written; {failed} of {len(chosen)} cells ended in an error")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
