"""Exact copies of training rows, beside the rate among real rows over many random splits.

    python benchmarks/copies.py [--splits 50] [--data PATH]

One holdout of a thousand rows says little of how often a real row repeats another. So the whole table is split again
and again, with parts of the benchmark's sizes; the rates of the systems are those of `results/tabular.json`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

import resumable
from tabular_systems import _data
from tabular_systems._results import table

TABLES = ("adult", "shoppers", "magic", "beijing", "california")
NAME = "Exact copies of training rows"


def real_rates(frame: pd.DataFrame, holdout: int, splits: int) -> np.ndarray:
    """Share of held-out rows, in percent, that equal one of the others in every column; one number a split."""
    row = np.unique(pd.util.hash_pandas_object(frame, index=False).to_numpy(), return_inverse=True)[1]
    rates = []
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(len(row))
        rates.append(100 * np.isin(row[order[:holdout]], row[order[holdout:]]).mean())
    return np.array(rates)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Real rates of every table, and those of our rows."""
    systems = resumable.read(options.results / "tabular.json")["results"]
    found = []
    for name in TABLES:
        data = _data.load(name, options.data)
        whole = pd.concat([data.train, data.holdout], ignore_index=True)
        rates = real_rates(whole, len(data.holdout), options.splits)
        ours = systems[name]["intarsia"]["metrics"][NAME]
        found.append(
            {
                "table": name,
                "ours": ours["mean"],
                "mean": float(rates.mean()),
                "sd": float(rates.std(ddof=1)),
                "least": float(rates.min()),
                "most": float(rates.max()),
                "holdout": systems[name]["real"]["metrics"][NAME]["mean"],
            }
        )
    return found


def page(found: list[dict[str, Any]], splits: int) -> str:
    """The result as Markdown."""
    head = [
        "table",
        "intarsia, mean of seeds",
        "the benchmark's holdout",
        f"{splits} splits: mean ± sd",
        "least to most",
    ]
    rows = [
        [
            x["table"],
            f"{x['ours']:.4f}",
            f"{x['holdout']:.4f}",
            f"{x['mean']:.4f} ± {x['sd']:.4f}",
            f"{x['least']:.4f} to {x['most']:.4f}",
        ]
        for x in found
    ]
    above = [x["table"] for x in found if x["ours"] > x["mean"]]
    lines = [
        "# Exact copies of training rows, in percent",
        "",
        f"    python benchmarks/copies.py --splits {splits}",
        "",
    ]
    lines += table(head, rows)
    lines += ["", f"Above the mean of the real splits: {', '.join(above) or 'none'}."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, write `results/copies.md` and `.json`."""
    parser = argparse.ArgumentParser(description="Exact copies of training rows.")
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument(
        "--data", type=Path, default=resumable.ROOT.parent / "shared" / "data" / "tabular", metavar="PATH"
    )
    parser.add_argument("--results", type=Path, default=resumable.RESULTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    found = measure(options)
    resumable.write(options.results / "copies.md", page(found, options.splits))
    resumable.write(options.results / "copies.json", found)
    print(page(found, options.splits))
    return 0


if __name__ == "__main__":
    sys.exit(main())
