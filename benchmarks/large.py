"""A large table with columns of many categories: Diabetes130 must fit and sample within 4 GiB.

    python benchmarks/large.py [--budget 120] [--rows N] [--data PATH]

Fit and sampling run in a process of their own, whose peak memory is reported; exit code 1 if it is above the limit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tabular_systems import _cells, _data
from tabular_systems._cells import Cell
from tabular_systems._results import number, table
from tabular_systems._systems import System, run_system

LIMIT_MB = 4096
TARGET = "readmitted"
HOLDOUT = 1000  # rows that the runner is given as a holdout; ours does not look at them


def measure(options: argparse.Namespace) -> dict:
    """Fit the whole table, draw as many rows, and measure."""
    cell = Cell("diabetes130", "intarsia", options.seed)
    frame = _data.load_diabetes(options.data)
    whole = _data.Table(cell.table, frame, frame.head(HOLDOUT), TARGET, "class", "all rows")
    synthetic = cell.path(options.cells, ".parquet")
    options.cells.mkdir(parents=True, exist_ok=True)
    result = _cells.header(cell, options) | {"rows_of_table": len(frame), "columns": frame.shape[1]}
    result |= run_system(System("intarsia"), whole, cell, options, synthetic, rows=options.rows)
    if "error" not in result:
        drawn = pd.read_parquet(synthetic)
        wide = [c for c in frame.columns if frame[c].dtype == object and frame[c].nunique() > 500]
        result["categories"] = {c: [int(frame[c].nunique()), int(drawn[c].nunique())] for c in wide}
        result["within_limit"] = result["peak_rss_mb"] <= LIMIT_MB
    return result


def page(result: dict) -> str:
    """The result as Markdown."""
    about = result["machine"]
    lines = ["# Diabetes130 within 4 GiB", ""]
    lines += [f"    python benchmarks/large.py --budget {result['budget_cpu_s']:g}", ""]
    lines += [f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}.", ""]
    if "error" in result:
        return "\n".join([*lines, f"Failed: {result['error']}"]) + "\n"
    shown = {
        "rows x columns": f"{result['rows_of_table']:,} x {result['columns']}",
        "threads": str(result["threads"]),
        "fit CPU s": number(result["fit_cpu_s"]),
        "fit wall s": number(result["fit_wall_s"]),
        "rows drawn": f"{result['rows']:,}",
        "rows/s": number(result["rows_per_s"]),
        "peak RSS MB": number(result["peak_rss_mb"]),
        "within 4 GiB": "yes" if result["within_limit"] else "**no**",
    }
    lines += table(list(shown), [list(shown.values())])
    lines += ["", "Distinct values of the widest text columns, real and drawn:", ""]
    lines += table(["column", "real", "drawn"], [[c, *map(str, x)] for c, x in result["categories"].items()])
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Diabetes130 within 4 GiB.")
    parser.add_argument("--budget", type=float, default=120, help="CPU seconds of the fit (default 120)")
    parser.add_argument("--rows", type=int, default=None, help="rows to draw (default: as many as the table has)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=_cells.ROOT.parent / "shared" / "data" / "tabular", metavar="PATH")
    parser.add_argument("--cells", type=Path, default=_cells.CELLS / "large", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, default=_cells.RESULTS, help=argparse.SUPPRESS)
    parser.set_defaults(jobs=1, cores="")
    options = parser.parse_args()
    result = measure(options)
    _cells.write(options.results / "large.json", result)
    _cells.write(options.results / "large.md", page(result))
    print(page(result))
    return 0 if result.get("within_limit") else 1


if __name__ == "__main__":
    sys.exit(main())
