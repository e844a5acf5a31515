"""Recipes for tables side by side: one network, one budget, another noise and code for every column.

    python benchmarks/recipes.py                                   # every cell that is not there yet, then the tables
    python benchmarks/recipes.py --only table=wide system=res-bit
    python benchmarks/recipes.py --table

`wide` has a column of 10,000 categories: does multinomial noise collapse on it, as the ResBit paper says of one-hot
codes? README.md has the protocol.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tabular_systems import _cells, _data, _evaluate, _results
from tabular_systems._cells import Cell
from tabular_systems._results import number, table
from tabular_systems._systems import System, run_system

TABLES = ("adult", "magic", "nursery", "diabetes130", "wide")
SYSTEMS = {
    "real": System("real", floor=True),
    "marginals": System("marginals", floor=True),
    "default": System("intarsia"),
    **{
        name.replace("_", "-"): System("intarsia", recipe=name)
        for name in (
            "masked",
            "tab_ddpm",
            "tab_diff",
            "binary_diffusion",
            "res_bit",
            "analog_bits",
            "ordinal",
            "counts",
        )
    },
}
NOTE = """One fit each (seed 0); the budget is CPU seconds. `default` is the recipe that the synthesizer takes by
itself; the others are constructors of `Mixed`: the published noise and code of every kind of column under this
project's own network, training and sampler, so a row compares noises and not systems. `real` and `marginals` are
floors."""

WIDE = """`items drawn` is to be read beside `marginals`, which draws as many rows by the frequencies of the column, and
`real`, which has a ninth of the rows. Seconds and memory are those of the table `wide` above."""


def cells() -> list[Cell]:
    """Every cell; `counts` needs numbers on a grid, which Magic and the codes of Diabetes130 have too."""
    return [Cell(name, system, 0) for name in TABLES for system in SYSTEMS]


def run_cell(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Inside the cell's process."""
    data = _data.load_many(cell.table, options.data)
    rows = cell.path(options.cells, ".parquet")
    result = run_system(SYSTEMS[cell.system], data, cell, options, rows)
    result["data"] = data.summary
    if "error" not in result:
        drawn = pd.read_parquet(rows)
        result["metrics"] = _evaluate.evaluate(data, drawn, real=cell.system == "real")
        result["invalid"] = _invalid(data.train, drawn)
        if cell.table == "wide":
            result["wide"] = _wide(data.train, drawn)
    return result


def _invalid(train: pd.DataFrame, drawn: pd.DataFrame) -> int:
    """Cells with a category that the training rows do not have."""
    texts = [c for c in train.columns if train[c].dtype == object]
    return sum(int((~drawn[c].dropna().isin(set(train[c]))).sum()) for c in texts)


def _wide(train: pd.DataFrame, drawn: pd.DataFrame) -> dict[str, float]:
    """How many items are drawn, how far their frequencies are off, and how often the item decides the group."""
    real, ours = (frame["item"].value_counts(normalize=True) for frame in (train, drawn))
    both = pd.concat([real, ours], axis=1).fillna(0.0)
    group = drawn["item"].map(train.drop_duplicates("item").set_index("item")["group"])
    return {
        "items_of_train": int(train["item"].nunique()),
        "items_drawn": int(drawn["item"].nunique()),
        "total_variation": float((both.iloc[:, 0] - both.iloc[:, 1]).abs().sum() / 2),
        "right_group": float((group == drawn["group"]).mean()),
    }


def write_tables(options: argparse.Namespace) -> str:
    """Write `recipes.md` and `recipes.json` from all finished cells, and return the page."""
    done = [x for x in _cells.read_all(options.cells) if x["table"] in TABLES and x["system"] in SYSTEMS]
    results = _results.aggregate(done, TABLES, SYSTEMS)
    runs = sorted({(x["budget_cpu_s"], x["jobs"]) for x in done})
    commands = [f"python benchmarks/recipes.py --budget {budget:g} --jobs {jobs}" for budget, jobs in runs]
    machines = list({str(x["machine"]): x["machine"] for x in done}.values())
    summaries = {x["table"]: x["data"] for x in done if "data" in x}
    ours = [name for name, system in SYSTEMS.items() if not system.floor]
    page = _results.page("Recipes for tables", NOTE, results, summaries, machines, commands, ours, [])
    wide = [(x["system"], x["wide"]) for x in done if "wide" in x]
    if wide:
        head = ["system", "items in train", "items drawn", "total variation of items", "right group, share"]
        lines = [[name, *(number(value) for value in found.values())] for name, found in wide]
        page += "\n".join(["", "## A column of 10,000 categories", "", WIDE, "", *table(head, lines), ""])
    invalid = sum(x.get("invalid", 0) for x in done if x["system"] != "real")
    page += f"\nCells drawn with a category that no training row has: {invalid}.\n"
    _cells.write(options.results / "recipes.md", page)
    _cells.write(options.results / "recipes.json", {"results": results, "wide": dict(wide)})
    return page


def main() -> int:
    """Run cells, or show what there is."""
    parser = _cells.parser("Recipes for tables side by side.", budget=300, seeds="0")
    parser.set_defaults(cells=_cells.CELLS / "recipes")
    options = parser.parse_args()
    return _cells.main(options, cells(), run_cell, write_tables, __file__)


if __name__ == "__main__":
    sys.exit(main())
