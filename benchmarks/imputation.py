"""Held-out cells: ours against column median and mode, scikit-learn's IterativeImputer and draws from the marginals.

    python benchmarks/imputation.py                                # every cell that is not there yet, then the tables
    python benchmarks/imputation.py --only table=magic system=intarsia --seeds 0
    python benchmarks/imputation.py --table

A fifth of the holdout's cells is blanked at random, the same cells for every system. README.md has the protocol.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tabular_systems import _cells, _data, _imputers
from tabular_systems._cells import Cell
from tabular_systems._results import number, table

TABLES = ("adult", "california", "magic")
SCORES = {
    "number_error": "numbers: normalised MAE",
    "crps": "numbers: normalised CRPS",
    "category_error": "categories: error rate",
    "log_loss": "categories: log loss, nats",
}
RIVALS = {
    "number_error": ("median-mode", "iterative"),
    "crps": ("marginals", "iterative"),
    "category_error": ("median-mode", "iterative"),
    "log_loss": ("marginals", "iterative"),
}
NOTE = f"""{100 * _imputers.SHARE:g} % of the known cells of the holdout are blanked at random; each system completes
them, with {_imputers.DRAWS} draws where it can draw. Scores are means over columns; lower is better, the best is bold.
Errors and CRPS of numbers are divided by the training column's mean absolute deviation from its median. The point is
the draws' median or mode, for `iterative` the imputer's own. `marginals` draws every cell from its training column: the
trivial answer."""


def cells(seeds: list[int]) -> list[Cell]:
    """Every cell; only ours has several seeds."""
    return [
        Cell(name, system, seed)
        for name in TABLES
        for system in _imputers.IMPUTERS
        for seed in (seeds if system == "intarsia" else seeds[:1])
    ]


def run_cell(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Inside the cell's process."""
    data = _data.load(cell.table, options.data)
    return {
        **_imputers.run(cell.system, data, cell.seed, options.budget, _cells.threads(options)),
        "data": data.summary,
    }


def write_tables(options: argparse.Namespace) -> str:
    """Write `imputation.md` and `imputation.json` from all finished cells, and return the page."""
    done = [x for x in _cells.read_all(options.cells) if x["table"] in TABLES]
    results: dict[str, dict[str, Any]] = {}
    lines = ["# Imputation of held-out cells", "", NOTE, ""]
    runs = sorted({(x["budget_cpu_s"], x["jobs"]) for x in done})
    seeds = ",".join(map(str, sorted({x["seed"] for x in done})))
    command = "    python benchmarks/imputation.py --seeds"
    lines += [f"{command} {seeds} --budget {budget:g} --jobs {jobs}" for budget, jobs in runs]
    for about in {str(x["machine"]): x["machine"] for x in done}.values():
        lines += ["", f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}."]
    for name in TABLES:
        mine = [x for x in done if x["table"] == name]
        if not mine:
            continue
        means = {s: _mean([x for x in mine if x["system"] == s]) for s in _imputers.IMPUTERS}
        means = {s: x for s, x in means.items() if x is not None}
        results[name] = {"systems": means, "beats": _beats(means)}
        count = next((x["cells"] for x in mine if "cells" in x), None)
        lines += ["", f"## {name}", "", f"{count:,} cells blanked." if count else "", ""]
        head = ["system", "seeds", *SCORES.values(), "fit CPU s", "completion CPU s"]
        lines += table(head, [_row(s, x, means) for s, x in means.items()])
        lines += ["", *(f"- {s}: {e}" for s, x in means.items() for e in x["errors"])]
        lines += [f"- {words}: {'yes' if met else '**no**'}" for words, met in results[name]["beats"].items()]
    page = "\n".join(lines).rstrip() + "\n"
    _cells.write(options.results / "imputation.md", page)
    _cells.write(options.results / "imputation.json", {"results": results, "cells": done})
    return page


def _mean(seeds: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not seeds:
        return None
    good = [x for x in seeds if "error" not in x]
    found: dict[str, Any] = {"seeds": [x["seed"] for x in good], "errors": [x["error"] for x in seeds if "error" in x]}
    values = {key: [x["means"][key] for x in good] for key in SCORES}
    values |= {key: [x[key] for x in good] for key in ("fit_cpu_s", "complete_cpu_s")}
    for key, raw in values.items():
        known = [x for x in raw if x is not None]
        sd = statistics.stdev(known) if len(known) > 1 else None
        found[key] = {"mean": statistics.fmean(known), "sd": sd} if known else None
    return found


def _row(system: str, x: dict[str, Any], means: dict[str, dict[str, Any]]) -> list[str]:
    row = [system, str(len(x["seeds"]))]
    for key in (*SCORES, "fit_cpu_s", "complete_cpu_s"):
        if x[key] is None:
            row.append("error" if x["errors"] else "–")
            continue
        text = number(x[key]["mean"]) + (f" ± {x[key]['sd']:.2g}" if x[key]["sd"] is not None else "")
        best = min(y[key]["mean"] for y in means.values() if y[key] is not None)
        row.append(f"**{text}**" if key in SCORES and x[key]["mean"] == best else text)
    return row


def _beats(means: dict[str, dict[str, Any]]) -> dict[str, bool]:
    found = {}
    ours = means.get("intarsia", {})
    for key, rivals in RIVALS.items():
        for rival in rivals:
            theirs = means.get(rival, {})
            if ours.get(key) and theirs.get(key):
                found[f"{SCORES[key]}, better than {rival}"] = ours[key]["mean"] < theirs[key]["mean"]
    return found


def main() -> int:
    """Run cells, or show what there is."""
    parser = _cells.parser("Imputation of held-out cells.", budget=600, seeds="0,1,2")
    parser.set_defaults(cells=_cells.CELLS / "imputation")
    options = parser.parse_args()
    return _cells.main(options, cells([int(x) for x in options.seeds.split(",")]), run_cell, write_tables, __file__)


if __name__ == "__main__":
    sys.exit(main())
