"""The engine: bits per character, overhead, quality against network calls, and many classes.

    python benchmarks/engine.py                               # every cell that is not there yet, then the page
    python benchmarks/engine.py text --budget 1200            # one part; CPU seconds of a training
    python benchmarks/engine.py nfe --only case=markov-absorbing system=model,ancestral
    python benchmarks/engine.py --table                       # only the page, from the cells that are finished

A cell is one measurement. It runs in a process of its own and is written when finished, so that a run that was broken
off goes on where it stopped. README.md has the protocol.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from engine_cells import classes, hour, nfe, overhead, page, text
from parts import Benchmark, Cell, Part

PARTS: dict[str, Part] = {"text": text, "hour": hour, "overhead": overhead, "nfe": nfe, "classes": classes}
BUDGETS = {"text": 600.0, "hour": 3600.0, "nfe": 600.0}
"""CPU seconds of a training."""
TIMED = ("overhead", "classes")
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


BENCHMARK = Benchmark(__file__, PARTS, write_page, BUDGETS, TIMED, PASSED_ON)


def main() -> int:
    """Run cells, or show what there is."""
    return BENCHMARK.main(parser().parse_args())


if __name__ == "__main__":
    sys.exit(main())
