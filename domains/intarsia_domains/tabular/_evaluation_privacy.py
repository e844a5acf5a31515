"""Do synthetic rows give the training rows away?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intarsia.metrics import ClosestRecord, closest_record, duplicate_rate
from intarsia.report import Metric, Table
from intarsia_domains.tabular._evaluation_fidelity import HOLDOUT, MARGINALS, SYNTHETIC
from intarsia_domains.tabular._evaluation_tables import Floats, Tables


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """Metrics, the table of distances, and what the reader must know."""

    metrics: list[Metric]
    distances: Table
    note: str


def privacy(tables: Tables, systems: Mapping[str, Floats], seed: int) -> Privacy:
    """Distances to the closest record, and exact copies."""
    closest = {
        name: closest_record(tables.train, tables.holdout, systems[name], categorical=tables.categorical, seed=seed)
        for name in (SYNTHETIC, MARGINALS)
    }
    ours = closest[SYNTHETIC]
    note = leak_sentence(ours)
    share = Metric(
        name="Closest-record share",
        value=100 * ours.share,
        floors={"no copying": 50.0, MARGINALS: 100 * closest[MARGINALS].share},
        better="target",
        target=50.0,
        unit="%",
        tolerance=100 * max(3 * ours.standard_error, 0.03),
        verdict=note,
        alarm=ours.leaks,
        headline=True,
        note=f"Share of {ours.n:,} synthetic rows (drawn at random where there are more) that lie nearer to "
        f"one of {ours.references:,} training rows than to one of {ours.references:,} holdout rows; ties "
        "count half. A leak is more than 3 standard errors and more than 3 points above 50.",
    )
    return Privacy(
        metrics=[share, _copies(tables, systems)],
        note=note[0].upper() + note[1:] + ".",
        distances=Table(
            title="Distance to the closest record",
            columns=["Rows", "Nearer to train, %", "Standard error", "5 % quantile to train", "to holdout"],
            rows=[
                [
                    name,
                    100 * outcome.share,
                    100 * outcome.standard_error,
                    outcome.quantile_train,
                    outcome.quantile_holdout,
                ]
                for name, outcome in closest.items()
            ],
            note="A number's whole training range and one differing category each count 1. Where the two "
            "quantiles differ, synthetic rows crowd around one of the tables.",
        ),
    )


def leak_sentence(outcome: ClosestRecord) -> str:
    """Whether the closest-record share speaks of copying."""
    share = f"{100 * outcome.share:.1f} ± {100 * outcome.standard_error:.1f} % of synthetic rows lie nearer to the"
    if outcome.leaks:
        return f"leak: {share} training than to the holdout rows, so training rows are being copied"
    if outcome.share < 1 - max(0.5 + 3 * outcome.standard_error, 0.53):
        return f"only {share} training than to the holdout rows: was the holdout trained on, or is it another law?"
    return f"no sign of copying: {share} training than to the holdout rows, 50 % expected"


def _copies(tables: Tables, systems: Mapping[str, Floats]) -> Metric:
    rates = {name: duplicate_rate(tables.train, rows) for name, rows in systems.items()}
    counts = {name: len(rows) for name, rows in systems.items()}
    real = rates[HOLDOUT]
    error = np.sqrt(max(real, 1 / counts[HOLDOUT]) * (1 / counts[HOLDOUT] + 1 / counts[SYNTHETIC]))
    few = rates[SYNTHETIC] <= real + 2 * error
    return Metric(
        name="Exact copies of training rows",
        value=100 * rates[SYNTHETIC],
        floors={HOLDOUT: 100 * real, MARGINALS: 100 * rates[MARGINALS]},
        better="lower",
        unit="%",
        tolerance=200 * float(error),
        verdict="no more copies than among real holdout rows" if few else None,
        note=f"Share of all {counts[SYNTHETIC]:,} synthetic rows that equal a training row in every column. "
        "Real rows repeat too: the holdout's own rate is what honest sampling gives.",
    )
