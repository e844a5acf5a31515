"""Metrics of synthetic rows: always ours, always in the project's own environment, the same for every system."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabular_systems._data import Table, align

EVALUATION_SEED = 0
KEPT = ("name", "value", "floors", "better", "target", "unit", "note")


def evaluate(table: Table, synthetic: pd.DataFrame, *, real: bool = False) -> list[dict[str, Any]]:
    """Every metric of the report, as plain dictionaries.

    With `real`, the rows are the holdout itself. What is measured against the holdout (utility, distances) would then
    be measured against itself, so each metric takes the report's own floor for real data where it has one, and a metric
    with an ideal value but no such floor is left out.
    """
    from intarsia_domains.tabular._evaluation import evaluate_tables

    report = evaluate_tables(
        table.train,
        align(table.holdout, table.train),
        align(synthetic, table.train),
        kinds=table.kinds,
        target=table.target,
        seed=EVALUATION_SEED,
    )
    metrics = [{k: x.get(k) for k in KEPT} for x in report.to_dict()["metrics"]]
    if real:
        for metric in metrics:
            floor = real_floor(metric)
            if floor is not None or metric["better"] == "target":
                metric["value"] = floor
    return metrics


def real_floor(metric: dict[str, Any]) -> float | None:
    """What real data scores in this metric, where the report says so."""
    return next((x for name, x in (metric["floors"] or {}).items() if name.lower().startswith("real")), None)
