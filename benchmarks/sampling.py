"""Rows per second that a fitted table model draws, with one thread and two, beside the floor of its arithmetic.

    python benchmarks/sampling.py [--table adult] [--repeats 5] [--data PATH]

Wants the machine for itself. The weights do not matter for the time, so the fit is a few steps of the default recipe.
The floor is the time of the network's matrix products alone, at the best rate that this machine reaches on one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from intarsia_domains.tabular import TabularSynthesizer
from tabular_systems import _data
from tabular_systems._results import number, table

TARGET = 5000
STEPS = 20
DATA = resumable.ROOT.parent / "shared" / "data" / "tabular"


def measure(options: argparse.Namespace) -> dict:
    """Medians over `repeats` draws of as many rows as the table has."""
    data = _data.load(options.table, options.data)
    rows = len(data.train)
    model = TabularSynthesizer(steps=STEPS, progress=False).fit(data.train)
    flops = _flops(model, data.train.head(4096)) * rows
    found = []
    for threads in (1, 2):
        model.threads = threads
        torch.set_num_threads(threads)
        seconds = [_timed(lambda: model.sample(rows)) for _ in range(options.repeats)]
        rate = _matmul_rate(options.repeats)
        taken, floor = statistics.median(seconds), flops / rate
        found.append(
            {
                "threads": threads,
                "seconds": taken,
                "slowest": max(seconds),
                "rows_per_s": rows / taken,
                "gflops": rate / 1e9,
                "floor_s": floor,
                "ratio": taken / floor,
            }
        )
    return {
        "table": options.table,
        "rows": rows,
        "repeats": options.repeats,
        "machine": resumable.machine(),
        "gflop": flops / 1e9,
        "runs": found,
    }


def _flops(model: TabularSynthesizer, frame: pd.DataFrame) -> float:
    """Operations in matrix products of a drawn row; counted without `sample`, whose threads a counter does not see."""
    drawer = model.model_
    state, nothing = drawer.encode(frame), drawer.known(np.zeros(frame.shape, bool))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        drawer.draw(state, nothing, torch.Generator().manual_seed(0), missing=True)
    return counter.get_total_flops() / len(frame)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _matmul_rate(repeats: int) -> float:
    """Floating-point operations per second of a product of the network's shape, the best of many batch sizes."""
    width = 512
    layer, best = torch.nn.Linear(width, width), 0.0
    with torch.no_grad():
        for rows in (128, 256, 512, 1024, 2048, 4096):
            x = torch.randn(rows, width)
            seconds = min(_timed(lambda x=x: layer(x)) for _ in range(20 * repeats))
            best = max(best, 2 * rows * width * width / seconds)
    return best


def page(result: dict) -> str:
    """The result as Markdown."""
    about = result["machine"]
    lines = [
        "# Rows per second",
        "",
        f"    python benchmarks/sampling.py --table {result['table']} --repeats {result['repeats']}",
        "",
        f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}. "
        f"{result['rows']:,} rows are {result['gflop']:,.0f} GFLOP of matrix "
        "products, which would take the floor's seconds at the best rate of one such product.",
        "",
    ]
    head = ["threads", "rows/s", "seconds", "slowest", "best GFLOP/s of a product", "floor s", "seconds / floor"]
    keys = ("rows_per_s", "seconds", "slowest", "gflops", "floor_s", "ratio")
    lines += table(head, [[str(run["threads"]), *(number(run[key]) for key in keys)] for run in result["runs"]])
    best = max(run["rows_per_s"] for run in result["runs"])
    if result["table"] == "adult":
        lines += ["", f"{TARGET:,} rows/s on Adult are asked for: {'met' if best >= TARGET else '**missed**'}."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, write `results/sampling.md` and `.json`."""
    parser = argparse.ArgumentParser(description="Rows per second of a fitted table model.")
    parser.add_argument("--table", default="adult")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--data", type=Path, default=resumable.ROOT.parent / "shared" / "data" / "tabular", metavar="PATH"
    )
    options = parser.parse_args()
    result = measure(options)
    resumable.write(resumable.RESULTS / "sampling.md", page(result))
    resumable.write(resumable.RESULTS / "sampling.json", result)
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
