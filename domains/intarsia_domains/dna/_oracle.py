"""An activity predictor to judge designs by: k-mers and places, trained in seconds on rows that no generator saw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia._extras import require
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._k_mers import k_mer_table, mirrored
from intarsia_domains.dna._parts import disjoint_parts
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

Floats = NDArray[np.float64]
_WORDS, _FEATURES = (1, 2, 3, 4, 5), 32
_PENALTIES = (0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What an oracle scores on rows that it was not trained on.

    Attributes:
        score: rank correlation with the activity, or the area under the ROC curve for two classes.
        slope: of activity on prediction, 1 where predictions mean what they say.
        offset: mean of activity less prediction, 0 where there is no bias.
        n: held-out rows.
    """

    score: float
    slope: float
    offset: float
    n: int


@dataclass(frozen=True, eq=False)
class Oracle:
    """A linear model of k-mers (k = 1 to 5, either strand) and, for sequences of one length, of the base at each place.

    `train_oracle` makes it. Never steer a generator by the oracle that judges it: train two on disjoint rows.

    Args:
        length: that all sequences had, or 0.
        both_strands: whether a k-mer and its reverse complement are one feature.
        center: mean of the features.
        scale: their spread.
        weights: of the scaled features.
        intercept: of the prediction.
        axes: principal axes of the scaled features, (features, at most 32), for `features`.
        classes: whether it predicts the probability of class 1.
        calibration: on held-out rows.
    """

    length: int
    both_strands: bool
    center: Floats
    scale: Floats
    weights: Floats
    intercept: float
    axes: Floats
    classes: bool
    calibration: Calibration

    def __call__(self, sequences: Sequences) -> Floats:
        """Predicted activity, or probability of class 1, (rows,).

        Raises:
            SequenceError: the oracle was trained on sequences of another length.
        """
        value = self._scaled(sequences) @ self.weights + self.intercept
        return 0.5 * (1.0 + np.tanh(0.5 * value)) if self.classes else value

    def features(self, sequences: Sequences) -> Floats:
        """Principal components of what the oracle sees, (rows, at most 32), for Fréchet distances."""
        return self._scaled(sequences) @ self.axes

    def _scaled(self, sequences: Sequences) -> Floats:
        if self.length and not (sequences.lengths == self.length).all():
            row = int(np.flatnonzero(sequences.lengths != self.length)[0])
            raise SequenceError(
                f"the oracle reads sequences of {self.length} letters, and {sequences.names[row]!r} has "
                f"{sequences.lengths[row]}"
            )
        return (_table(sequences, self.length > 0, self.both_strands) - self.center) / self.scale


def train_oracle(
    sequences: Sequences, activity: ArrayLike, *, both_strands: bool = True, held_out: float = 0.2, seed: int = 0
) -> Oracle:
    """Fit by ridge regression, or by logistic regression where the activity is 0 and 1, and calibrate on held-out rows.

    The penalty is chosen among four, and the scale set, on a fifth of the other rows. Give it rows that the generator
    never sees; split by `disjoint_parts`, as equal sequences must not be on both sides.

    Args:
        sequences: at least 50.
        activity: a number each.
        both_strands: whether the strand carries no meaning for k-mers; places always have their own.
        held_out: share of the rows that calibrate.
        seed: of the split.

    Raises:
        SequenceError: too few rows, or an activity that is missing.
        MissingExtraError: scikit-learn is not installed.
    """
    y = activities(sequences, activity)
    same = bool((sequences.lengths == sequences.lengths[0]).all())
    classes = set(np.unique(y)) == {0.0, 1.0}
    table = _table(sequences, same, both_strands)
    shares = ((1 - held_out) * 0.8, (1 - held_out) * 0.2, held_out)
    fit, choose, held = disjoint_parts(sequences, shares, seed=seed)
    center, scale = table[fit].mean(0), np.maximum(table[fit].std(0), 0.05) * np.sqrt(table.shape[1])
    scaled = (table - center) / scale
    tried = [_fitted(scaled[fit], y[fit], classes, penalty) for penalty in _PENALTIES]
    best = max(tried, key=lambda model: _score(y[choose], scaled[choose] @ model[0], classes))
    best = _rescaled(best, scaled[choose] @ best[0] + best[1], y[choose], classes)
    value = scaled[held] @ best[0] + best[1]
    value = 0.5 * (1.0 + np.tanh(0.5 * value)) if classes else value
    axes = np.linalg.svd(scaled[fit], full_matrices=False)[2][:_FEATURES].T
    spread = (scaled[fit] @ axes).std(0)
    axes = axes[:, spread > 1e-9] / spread[spread > 1e-9]
    calibration = calibrated(y[held], value, classes)
    length = int(sequences.lengths[0]) if same else 0
    return Oracle(length, both_strands, center, scale, best[0], best[1], axes, classes, calibration)


def activities(sequences: Sequences, activity: ArrayLike) -> Floats:
    """One finite number a sequence, of at least 50.

    Raises:
        SequenceError: there are fewer, or one is missing.
    """
    y = np.asarray(activity, dtype=np.float64)
    if y.shape != (len(sequences),) or len(y) < 50:
        raise SequenceError(
            f"an oracle needs at least 50 sequences with a number each, got {len(sequences)}, {y.shape}"
        )
    missing = np.flatnonzero(~np.isfinite(y))
    if missing.size:
        raise SequenceError(
            f"the activity of {sequences.names[int(missing[0])]!r} is missing ({missing.size} are); leave those out"
        )
    return y


def calibrated(truth: Floats, value: Floats, classes: bool) -> Calibration:
    """What predictions are worth on rows that nothing was fitted on."""
    slope = float(np.cov(value, truth)[0, 1] / max(value.var(ddof=1), 1e-12))
    return Calibration(
        score=_score(truth, value, classes), slope=slope, offset=float((truth - value).mean()), n=len(truth)
    )


def _fitted(table: Floats, y: Floats, classes: bool, penalty: float) -> tuple[Floats, float]:
    linear: Any = require("sklearn.linear_model", "dna")
    if classes:
        model = linear.LogisticRegression(C=len(y) / penalty, max_iter=300).fit(table, y)
        return model.coef_[0], float(model.intercept_[0])
    model = linear.Ridge(alpha=penalty / 10).fit(table, y)
    return np.asarray(model.coef_, dtype=np.float64), float(model.intercept_)


def _rescaled(model: tuple[Floats, float], value: Floats, y: Floats, classes: bool) -> tuple[Floats, float]:
    """The model with its shrinkage taken back on rows that it was not fitted on (for classes, Platt 1999)."""
    slope, offset = _fitted(value[:, None] / max(float(value.std()), 1e-9), y, classes, 1e-6)
    slope = float(slope[0]) / max(float(value.std()), 1e-9)
    return (model[0] * slope, model[1] * slope + offset) if slope > 0 else model


def _score(truth: Floats, value: Floats, classes: bool) -> float:
    """Area under the ROC curve, or Spearman's rank correlation."""
    places = ranks(value)
    if classes:
        ones = truth == 1
        n, m = int(ones.sum()), int((~ones).sum())
        return float((places[ones].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")
    a, b = places - places.mean(), ranks(truth)
    b = b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[number]


def _table(sequences: Sequences, places: bool, both_strands: bool) -> Floats:
    parts = [_words(sequences, k, both_strands) for k in _WORDS]
    if places:
        parts.append((sequences.codes[..., None] == np.arange(BASES)).reshape(len(sequences), -1).astype(np.float64))
    return np.concatenate(parts, 1)


def _words(sequences: Sequences, k: int, both_strands: bool) -> Floats:
    counts = k_mer_table(sequences, k).astype(np.float64)
    if both_strands:
        partner = mirrored(np.arange(BASES**k))
        counts = (counts + counts[:, partner])[:, np.arange(BASES**k) <= partner]
    return np.log1p(counts)
