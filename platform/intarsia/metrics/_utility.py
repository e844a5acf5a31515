"""Train on synthetic, test on real: are generated rows as useful as real ones?"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from intarsia._extras import require
from intarsia.metrics._arrays import Floats, Ints, as_vector

_LARGEST = 1e38


def train_on_synthetic(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    *,
    task: Literal["classification", "regression"],
    seed: int,
) -> float:
    """Fit XGBoost to one table and score it on real rows.

    Depth 6, learning rate 0.1, 100 trees (200 for regression). Rows without a target value are left out.

    Args:
        x_train: features of the (synthetic) training rows, [rows, columns]; categories as codes, NaN allowed.
        y_train: class codes or numbers, [rows].
        x_test: features of real rows.
        y_test: their classes or numbers.
        task: what kind of target it is.
        seed: of the trees.

    Returns:
        Classification: the area under the ROC curve, averaged over the classes of `y_test` one against the
        rest (for two classes, that is the usual one). A class that the training rows lack scores 0.5, so does
        everything where they have one class only. Regression: R²; it has no lower limit. NaN where either
        side has no target value, or the test's target is constant.

    Raises:
        ValueError: shapes that do not fit together.
        MissingExtraError: XGBoost or scikit-learn is not installed.
    """
    train, test = _known(x_train, y_train, "train"), _known(x_test, y_test, "test")
    if train[0].shape[1] != test[0].shape[1]:
        raise ValueError(f"train and test need the same columns, got {train[0].shape[1]} and {test[0].shape[1]}.")
    if not train[1].size or not test[1].size or test[1].min() == test[1].max():
        return float("nan")
    if task == "regression":
        return _regression(train, test, seed)
    return _classification(train, test, seed)


def _regression(train: tuple[Floats, Floats], test: tuple[Floats, Floats], seed: int) -> float:
    center, scale = float(train[1].mean()), float(train[1].std()) or 1.0  # targets may exceed float32
    predicted = _fit_predict(train[0], (train[1] - center) / scale, test[0], 200, seed, objective="reg:squarederror")
    residual = test[1] - (predicted * scale + center)
    return float(1 - np.square(residual).mean() / test[1].var())


def _classification(train: tuple[Floats, Floats], test: tuple[Floats, Floats], seed: int) -> float:
    classes, targets = np.unique(train[1], return_inverse=True)
    present = np.unique(test[1])
    if classes.size == 1:
        return 0.5
    roc_auc_score = require("sklearn.metrics", "evaluate").roc_auc_score
    if classes.size == 2:
        second = _fit_predict(train[0], targets, test[0], 100, seed, objective="binary:logistic")
        scores = np.stack([1 - second, second], axis=1)
    else:
        options = {"objective": "multi:softprob", "num_class": int(classes.size)}
        scores = _fit_predict(train[0], targets, test[0], 100, seed, **options)
    place = {float(value): column for column, value in enumerate(classes)}
    aucs = [
        float(roc_auc_score(test[1] == value, scores[:, place[float(value)]])) if float(value) in place else 0.5
        for value in present
    ]
    return float(np.mean(aucs))


def _fit_predict(x: Floats, y: Floats | Ints, x_test: Floats, trees: int, seed: int, **options: object) -> Floats:
    xgboost = require("xgboost", "evaluate")
    parameters = {"max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": 1, "seed": seed, **options}
    booster = xgboost.train(parameters, xgboost.QuantileDMatrix(x, y), trees)
    return np.asarray(booster.inplace_predict(x_test), dtype=np.float64)


def _known(x: ArrayLike, y: ArrayLike, name: str) -> tuple[Floats, Floats]:
    features, target = np.asarray(x, dtype=np.float64), as_vector(y, f"y_{name}")
    if features.ndim != 2 or len(features) != len(target):
        raise ValueError(
            f"`x_{name}` must be [rows, columns] with one row per entry of `y_{name}`, got shapes "
            f"{features.shape} and {target.shape}."
        )
    keep = np.isfinite(target)
    return np.clip(features[keep], -_LARGEST, _LARGEST), target[keep]
