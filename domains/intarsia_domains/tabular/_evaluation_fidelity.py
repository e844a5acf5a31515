"""Do synthetic rows look like real ones? Marginals, pairs, and what a classifier finds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.metrics import (
    TwoSample,
    alpha_precision_beta_recall,
    classifier_two_sample,
    nmi_error,
    shape_scores,
    trend_scores,
)
from intarsia.report import Metric
from intarsia_domains.tabular._evaluation_tables import Floats, Tables

SYNTHETIC, HOLDOUT, MARGINALS = "synthetic", "real holdout", "product of marginals"
C2ST_CAP = 50_000
_SPREAD = 0.15  # how much a noise floor itself varies from draw to draw, as a share of it


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Metrics, and the details that tables and figures show.

    Attributes:
        metrics: in the order of the report.
        shapes: per system, the shape error of each column in percent, NaN where there is none.
        trends: per system, the trend error of each pair in percent, [columns, columns].
        against_train: the two-sample test of the synthetic rows against the training rows.
    """

    metrics: list[Metric]
    shapes: dict[str, Floats]
    trends: dict[str, Floats]
    against_train: TwoSample


def fidelity(tables: Tables, systems: Mapping[str, Floats], seed: int) -> Fidelity:
    """Score every system against the training rows."""
    mask, train = tables.categorical, tables.train
    shapes = {k: 100 * (1 - shape_scores(train, v, categorical=mask)) for k, v in systems.items()}
    trends = {k: 100 * (1 - trend_scores(train, v, categorical=mask)) for k, v in systems.items()}
    rows = f"{len(systems[SYNTHETIC]):,} synthetic and {len(systems[HOLDOUT]):,} holdout rows against "
    rows += f"{len(train):,} training rows."
    common = [
        _mean(100 * (1 - trend_scores(train, systems[k], categorical=mask, edges="real"))) for k in (SYNTHETIC, HOLDOUT)
    ]
    unscored = int(np.isnan(shapes[SYNTHETIC]).sum())
    left_out = f" {unscored} of {mask.size} columns have no score." if unscored else ""
    metrics = [
        _floored(
            "Shape error",
            {k: _mean(v) for k, v in shapes.items()},
            "Mean over columns of the Kolmogorov-Smirnov (numbers) or total variation (categories) distance, "
            f"as SDMetrics' Column Shapes. {rows}{left_out}",
            headline=True,
        ),
        _floored(
            "Trend error",
            {k: _mean(v) for k, v in trends.items()},
            "Mean over all pairs of columns, as SDMetrics' Column Pair Trends: half the difference of "
            "correlations, or the total variation distance of joint shares, numbers cut into ten bins of "
            f"each table's own range, which one extreme value shifts. Over the training range: {common[0]:.2f} %, "
            f"{HOLDOUT} {common[1]:.2f} %. {rows}",
            headline=True,
        ),
    ]
    if np.isnan(train).any():
        absent = np.isnan(train).mean(0)
        gaps = {k: float(100 * np.abs(np.isnan(v).mean(0) - absent).mean()) for k, v in systems.items()}
        note = "Mean over columns of the difference in the share of missing values, which Shape leaves out."
        metrics.append(_floored("Missing-value error", gaps, note))
    metrics.append(
        _floored(
            "Mutual information error",
            {k: 100 * nmi_error(train, v, categorical=mask) for k, v in systems.items()},
            "Weighted L1 difference of normalized mutual information over pairs of columns (wNMI of TabPC), "
            "numbers cut at ten quantiles of the training rows.",
        )
    )
    detection, against_train = _detection(tables, systems, seed)
    return Fidelity(
        metrics=[*metrics[:2], *detection, *metrics[2:], *_precision(tables, systems, seed)],
        shapes=shapes,
        trends=trends,
        against_train=against_train,
    )


def _detection(tables: Tables, systems: Mapping[str, Floats], seed: int) -> tuple[list[Metric], TwoSample]:
    rng = np.random.default_rng(seed)

    def test(real: Floats, rows: Floats) -> TwoSample:
        capped = [t[rng.permutation(len(t))[:C2ST_CAP]] if len(t) > C2ST_CAP else t for t in (real, rows)]
        return classifier_two_sample(*capped, categorical=tables.categorical, seed=seed)

    real = test(tables.train, tables.holdout)
    metrics: list[Metric] = []
    outcomes: list[TwoSample] = []
    for name, other, reference in (
        ("train", HOLDOUT, tables.train),
        ("holdout", "real train", tables.holdout),
    ):
        ours, trivial = test(reference, systems[SYNTHETIC]), test(reference, systems[MARGINALS])
        outcomes.append(ours)
        cap = f" Capped at {C2ST_CAP:,} rows a side." if ours.n == C2ST_CAP else ""
        metrics.append(
            Metric(
                name=f"C2ST against {name}",
                value=ours.score,
                floors={other: real.score, MARGINALS: trivial.score},
                better="higher",
                tolerance=4 * float(np.sqrt((2 * ours.n + 1) / 12) / ours.n),  # 2 s.e. of the AUC at ½, twice
                note=f"XGBoost told {ours.n:,} synthetic from {ours.n:,} {name} rows with AUC {ours.auc:.3f}; "
                "score 2 - 2 max(½, AUC), 1 where it cannot. Rows a side of the floors: real "
                f"{real.n:,}, marginals {trivial.n:,}.{cap}",
                headline=name == "train",
            )
        )
    return metrics, outcomes[0]


def _precision(tables: Tables, systems: Mapping[str, Floats], seed: int) -> list[Metric]:
    cap = min(5000, len(tables.train), *(len(rows) for rows in systems.values()))
    scores = {
        k: alpha_precision_beta_recall(tables.train, v, categorical=tables.categorical, seed=seed, cap=cap)
        for k, v in systems.items()
    }
    size = f"On {cap:,} random rows of each table; Alaa et al. 2022, as synthcity's naive variant."
    error = 1 / float(np.sqrt(cap))  # two binomial standard errors at ½
    return [
        _floored(
            "α-precision",
            {k: 100 * v.alpha_precision for k, v in scores.items()},
            f"How well synthetic rows fill the bulk of the real ones without leaving it. {size}",
            better_high=True,
            tolerance=100 * error,
        ),
        _floored(
            "β-recall",
            {k: 100 * v.beta_recall for k, v in scores.items()},
            "How much of the real rows' variety has a synthetic neighbor; real data itself scores near 50 (more where "
            f"rows repeat), and to exceed it can mean copying. {size}",
            better_high=True,
            tolerance=100 * error,
        ),
    ]


def _floored(
    name: str,
    values: Mapping[str, float],
    note: str,
    *,
    better_high: bool = False,
    tolerance: float | None = None,
    headline: bool = False,
) -> Metric:
    floors = {k: v for k, v in values.items() if k != SYNTHETIC}
    spread = _SPREAD * floors[HOLDOUT] if np.isfinite(floors[HOLDOUT]) else 0.0
    return Metric(
        name=name,
        value=values[SYNTHETIC],
        floors=floors,
        better="higher" if better_high else "lower",
        unit="%",
        note=note,
        tolerance=spread if tolerance is None else tolerance,
        headline=headline,
    )


def _mean(errors: NDArray[np.float64]) -> float:
    """Mean of the scored entries; NaN where there are none."""
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if known.size else float("nan")
