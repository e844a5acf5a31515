"""Are synthetic rows as useful as real ones for predicting the target?"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from intarsia.metrics import train_on_synthetic
from intarsia.report import Metric
from intarsia_domains.tabular._evaluation_fidelity import MARGINALS, SYNTHETIC
from intarsia_domains.tabular._evaluation_tables import Floats, Tables

_MOST_CLASSES = 20


def utility(tables: Tables, systems: Mapping[str, Floats], target: str, seed: int) -> Metric:
    """Train on synthetic, test on the holdout, beside training on real rows."""
    column = tables.names.index(target)
    task: Literal["classification", "regression"] = "classification" if tables.categorical[column] else "regression"
    trained = {"real train": tables.train, MARGINALS: systems[MARGINALS], SYNTHETIC: systems[SYNTHETIC]}
    answers, notes = _answers(tables, {**trained, "test": tables.holdout}, column, task)
    features = {name: np.delete(rows, column, axis=1) for name, rows in trained.items()}
    held_out = np.delete(tables.holdout, column, axis=1)
    scores = {
        name: train_on_synthetic(rows, answers[name], held_out, answers["test"], task=task, seed=seed)
        for name, rows in features.items()
    }
    known = answers[SYNTHETIC][np.isfinite(answers[SYNTHETIC])]
    if task == "classification" and np.unique(known).size == 1:
        notes.append("All synthetic rows are of one class: 0.5 by convention.")
    label = "AUC" if task == "classification" else "R²"
    return Metric(
        name=f"Train on synthetic, {label}",
        value=scores[SYNTHETIC],
        floors={name: score for name, score in scores.items() if name != SYNTHETIC},
        better="higher",
        tolerance=_tolerance(scores["real train"], answers["test"], task),
        headline=True,
        note=f"XGBoost trained on synthetic rows predicts {target} for {len(held_out):,} holdout rows; beside "
        f"it, the same trained on {len(tables.train):,} real rows. {' '.join(notes)}".strip(),
    )


def _answers(tables: Tables, rows: Mapping[str, Floats], column: int, task: str) -> tuple[dict[str, Floats], list[str]]:
    """The target of every table; of many classes, the rare ones become one."""
    answers = {name: table[:, column].copy() for name, table in rows.items()}
    if task == "regression":
        return answers, ["R² has no lower limit."]
    known = tables.train[:, column]
    counts = np.bincount(known[np.isfinite(known)].astype(np.int64), minlength=len(tables.labels[column]))
    if np.count_nonzero(counts) <= 2:
        return answers, []
    notes = ["AUC is averaged over the classes, one against the rest."]
    if np.count_nonzero(counts) > _MOST_CLASSES:
        keep = np.argsort(-counts, kind="stable")[: _MOST_CLASSES - 1]
        for values in answers.values():
            values[np.isfinite(values) & ~np.isin(values, keep)] = len(counts)
        notes.append(f"All but the {_MOST_CLASSES - 1} most frequent classes count as one.")
    return answers, notes


def _tolerance(score: float, test: Floats, task: str) -> float:
    """About two standard errors of the score on this test set."""
    test = test[np.isfinite(test)]
    if not np.isfinite(score) or not test.size:
        return 0.0
    if task == "regression":
        bounded = min(max(score, 0.0), 1.0)
        return 4 * float(np.sqrt(bounded / test.size)) * (1 - bounded) + 1e-3
    rarest = np.unique(test, return_counts=True)[1].min()
    return 2 * float(np.sqrt(max(score * (1 - score), 0.0) / rarest))
