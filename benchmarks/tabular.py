"""Table synthesizers side by side: ours, the peers and the floors, on the same splits, seeds, metrics and machine.

    python benchmarks/tabular.py                                   # every cell that is not there yet, then the tables
    python benchmarks/tabular.py --only table=adult system=intarsia --seeds 0,1,2
    python benchmarks/tabular.py --table                           # only the tables, from the cells that are finished

A cell is one table x system x seed. It runs in a process of its own and is written when finished, so that a run that
was broken off goes on where it stopped. README.md has the protocol.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tabular_systems import _cells, _data, _evaluate, _results, _targets
from tabular_systems._cells import Cell
from tabular_systems._systems import SYSTEMS, run_system

NOTE = """Fits have a budget in CPU seconds (user and system, of the fitting process and its children). All
metrics are this project's, computed in one environment for every system. `real` is the holdout in the place of
synthetic rows, `marginals` draws every column on its own: floors, not competitors. The best generative system of a
column is in bold; ± is the standard deviation over seeds; peers run one seed."""


def cells(seeds: list[int]) -> list[Cell]:
    """Every cell; peers and floors have the first seed alone."""
    return [
        Cell(table, name, seed)
        for table in _data.TABLES
        for name, system in SYSTEMS.items()
        if system.tables is None or table in system.tables
        for seed in (seeds[:1] if system.one_seed else seeds)
    ]


def run_cell(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Inside the cell's process: fit and sample in another process, then measure the rows here."""
    table = _data.load(cell.table, options.data)
    synthetic = cell.path(options.cells, ".parquet")
    result = run_system(SYSTEMS[cell.system], table, cell, options, synthetic)
    result["data"] = table.summary
    if "error" not in result:
        result["metrics"] = _evaluate.evaluate(table, pd.read_parquet(synthetic), real=cell.system == "real")
    return result


def reevaluate(chosen: list[Cell], options: argparse.Namespace) -> int:
    """Compute the metrics of finished cells again, from the rows beside them; how many could not be measured."""
    failed = 0
    for cell in chosen:
        path, rows = cell.path(options.cells), cell.path(options.cells, ".parquet")
        if not path.exists() or not rows.exists():
            continue
        old = _cells.read(path)
        table = _data.load(cell.table, options.data)
        try:
            metrics = _evaluate.evaluate(table, pd.read_parquet(rows), real=cell.system == "real")
        except Exception as error:  # one bad cell must not keep the others from being measured
            print(f"{cell}: not measured again: {error}", flush=True)
            failed += 1
            continue
        if "fit_cpu_s" in old:
            old.pop("error", None)
        _cells.write(path, old | {"metrics": metrics})
        print(f"{cell}: measured again", flush=True)
    return failed


def write_tables(options: argparse.Namespace) -> str:
    """Write `tabular.md` and `tabular.json` from all finished cells, and return the page."""
    done = [x for x in _cells.read_all(options.cells) if x["table"] in _data.TABLES and x["system"] in SYSTEMS]
    results = _results.aggregate(done, _data.TABLES, SYSTEMS)
    generative = [name for name, system in SYSTEMS.items() if not system.floor]
    verdicts = _targets.verdicts(results, generative)
    summaries = {x["table"]: x["data"] for x in done if "data" in x}
    machines = list({str(x["machine"]): x["machine"] for x in done}.values())
    runs = sorted({(x["budget_cpu_s"], x["jobs"]) for x in done})
    commands = []
    for budget, jobs in runs:
        seeds = sorted({x["seed"] for x in done if (x["budget_cpu_s"], x["jobs"]) == (budget, jobs)})
        listed = ",".join(map(str, seeds))
        commands.append(f"python benchmarks/tabular.py --seeds {listed} --budget {budget:g} --jobs {jobs}")
    page = _results.page("Table synthesizers", NOTE, results, summaries, machines, commands, generative, verdicts)
    _cells.write(options.results / "tabular.md", page)
    content = {"commands": commands, "machines": machines, "data": summaries, "results": results, "targets": verdicts}
    _cells.write(options.results / "tabular.json", content)
    return page


def main() -> int:
    """Run cells, or show what there is."""
    parser = _cells.parser("Table synthesizers side by side.", budget=600, seeds="0,1,2")
    parser.add_argument("--reevaluate", action="store_true", help="compute metrics of finished cells again")
    options = parser.parse_args()
    every = cells([int(x) for x in options.seeds.split(",")])
    work = reevaluate if options.reevaluate else None
    return _cells.main(options, every, run_cell, write_tables, __file__, work)


if __name__ == "__main__":
    sys.exit(main())
