"""Classifier two-sample test: can a strong classifier tell generated rows from real ones?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from intarsia._extras import require
from intarsia.metrics._arrays import Floats, as_tables, draw

_LARGEST = 1e38  # XGBoost computes in float32 and refuses infinities


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoSample:
    """Outcome of a classifier two-sample test.

    Attributes:
        score: 2 - 2 max(½, auc): 1 where the classifier does no better than chance, 0 where it is never
        wrong.
        auc: area under the ROC curve on held-out folds, averaged over the folds.
        n: rows on each side.
        importances: share of the total gain per column, [columns]; they sum to 1, or are all 0.
    """

    score: float
    auc: float
    n: int
    importances: Floats


def classifier_two_sample(
    real: ArrayLike, synthetic: ArrayLike, *, categorical: ArrayLike, seed: int, folds: int = 3
) -> TwoSample:
    """Train XGBoost to separate the two tables and see how well it does on held-out folds.

    Lopez-Paz and Oquab, arXiv 1610.06545, with the score of SDMetrics' detection metrics. 100 trees of depth
    6, everything else as XGBoost sets it; categories enter as ordinal codes, missing values as such. The
    larger table is subsampled to the size of the smaller.

    Args:
        real: table, [rows, columns].
        synthetic: table with the same columns.
        categorical: which columns hold codes, [columns].
        seed: of the subsample, the folds and the trees.
        folds: number of stratified folds.

    Raises:
        ValueError: shapes that do not fit together, or fewer rows than folds.
        MissingExtraError: XGBoost or scikit-learn is not installed.
    """
    _, (a, b) = as_tables(categorical, real=real, synthetic=synthetic)
    n = min(len(a), len(b))
    if n < folds:
        raise ValueError(f"{folds} folds need at least {folds} rows on each side, got {n}. Use fewer folds.")
    xgboost = require("xgboost", "evaluate")
    selection, metrics = (
        require("sklearn.model_selection", "evaluate"),
        require("sklearn.metrics", "evaluate"),
    )
    rng = np.random.default_rng(seed)
    rows = np.clip(np.concatenate([draw(a, n, rng), draw(b, n, rng)]), -_LARGEST, _LARGEST)
    is_real = np.repeat([1, 0], n)
    parameters = {
        "objective": "binary:logistic",
        "max_depth": 6,
        "tree_method": "hist",
        "nthread": 1,
        "seed": seed,
    }
    aucs: list[float] = []
    gains = np.zeros(rows.shape[1])
    splitter = selection.StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    for fit, held_out in splitter.split(rows, is_real):
        booster = xgboost.train(parameters, xgboost.QuantileDMatrix(rows[fit], is_real[fit]), 100)
        predicted = booster.inplace_predict(rows[held_out])
        aucs.append(float(metrics.roc_auc_score(is_real[held_out], predicted)))
        for name, gain in booster.get_score(importance_type="total_gain").items():
            gains[int(name[1:])] += gain  # XGBoost names unnamed columns f0, f1, …
    auc = float(np.mean(aucs))
    shares = gains / gains.sum() if gains.sum() > 0 else gains
    return TwoSample(score=2 - 2 * max(0.5, auc), auc=auc, n=n, importances=shares)
