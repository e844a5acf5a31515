"""A small classifier of pictures of digits whose probabilities can be trusted."""

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from intarsia._extras import require

from ._calibration import calibration_error

_BINS = 10
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often pictures that are read with some confidence are read right.

    Args:
        confidence: mean confidence of each bin of equal width, NaN where it is empty, (bins,).
        right: share read right, likewise.
        count: pictures, (bins,).
        ece: expected calibration error, from 0 to 1.
        accuracy: share of all that are read right.
    """

    confidence: np.ndarray
    right: np.ndarray
    count: np.ndarray
    ece: float
    accuracy: float


class DigitReader:
    """Probabilities of symbols for pictures of one size, scaled by a temperature (Guo et al. 2017, ICML).

    A part of the pictures does not train the classifier but fits the temperature, on the logarithms of its
    probabilities.

    Args:
        classifier: with `fit`, `predict_proba` and `classes_`, as scikit-learn has them; None makes a logistic
            regression.
        aside: share of the pictures for the temperature.
        seed: of the split.
    """

    def __init__(self, *, classifier: Any = None, aside: float = 0.25, seed: int = 0) -> None:
        self.classifier = classifier
        self.aside = aside
        self.seed = seed

    def fit(self, images: Any, labels: Any) -> Self:
        """Learn from pictures (n, height, width) or (n, pixels) and their symbols (n,), 0 for a blank.

        Raises:
            ValueError: there are not as many labels as pictures, or too few to set some aside.
            MissingExtraError: scikit-learn is not installed.
        """
        pixels, symbols = flat(images), np.asarray(labels)
        if len(pixels) != len(symbols):
            raise ValueError(f"got {len(pixels)} pictures and {len(symbols)} labels; give one for each")
        order = np.random.default_rng(self.seed).permutation(len(pixels))
        size = round(self.aside * len(pixels))
        if not 0 < size < len(pixels):
            raise ValueError(f"a share of {self.aside} of {len(pixels)} pictures leaves none aside, or none to learn")
        aside, own = order[:size], order[size:]
        model = _logistic_regression() if self.classifier is None else copy.deepcopy(self.classifier)
        self.classifier_ = model.fit(pixels[own], symbols[own])
        self.symbols_ = np.asarray(self.classifier_.classes_)
        self.shares_ = np.array([(symbols[own] == symbol).mean() for symbol in self.symbols_])
        self.temperature_ = 1.0
        known = np.isin(symbols[aside], self.symbols_)
        truth = np.searchsorted(self.symbols_, symbols[aside][known])
        self.temperature_ = _temperature(self.log_probs(pixels[aside][known]), truth)
        return self

    def log_probs(self, images: Any) -> np.ndarray:
        """log P(symbol | picture), (n, symbols), in the order of `symbols_`."""
        plain = np.log(np.maximum(self.classifier_.predict_proba(flat(images)), _LEAST)) / self.temperature_
        top = plain.max(-1, keepdims=True)
        return plain - top - np.log(np.exp(plain - top).sum(-1, keepdims=True))

    def reliability(self, images: Any, labels: Any) -> Reliability:
        """How far the probabilities hold on pictures that were not learned from."""
        logs = self.log_probs(images)
        confidence, right = np.exp(logs.max(-1)), self.symbols_[logs.argmax(-1)] == np.asarray(labels)
        which = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
        count = np.bincount(which, minlength=_BINS)
        some = np.where(count > 0, count, 1)
        means = [
            np.where(count > 0, np.bincount(which, part, _BINS) / some, np.nan) for part in (confidence, right * 1.0)
        ]
        return Reliability(means[0], means[1], count, calibration_error(confidence, right), float(right.mean()))


def flat(images: Any) -> np.ndarray:
    """Pictures as rows of pixels, (n, pixels); raises ValueError for what has no such shape."""
    pixels = np.asarray(images, dtype=np.float64)
    if pixels.ndim < 2:
        raise ValueError(f"pictures are (n, height, width) or (n, pixels), got {pixels.shape}")
    if not np.isfinite(pixels).all():
        where = np.flatnonzero(~np.isfinite(pixels.reshape(len(pixels), -1)).all(-1))[0]
        raise ValueError(f"picture {where + 1} has a pixel that is no finite number")
    return pixels.reshape(len(pixels), -1)


def _logistic_regression() -> Any:
    models = require("sklearn.linear_model", "reasoning")
    pipeline = require("sklearn.pipeline", "reasoning")
    scaling = require("sklearn.preprocessing", "reasoning")
    return pipeline.make_pipeline(scaling.StandardScaler(), models.LogisticRegression(max_iter=500))


def _temperature(logs: np.ndarray, truth: np.ndarray) -> float:
    """The temperature of the least cross-entropy; its logarithm is found by golden sections from 1/20 to 20."""
    rows = np.arange(len(logs))

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        top = scaled.max(-1)
        return float((np.log(np.exp(scaled - top[:, None]).sum(-1)) + top - scaled[rows, truth]).sum())

    low, high, ratio = -3.0, 3.0, (5**0.5 - 1) / 2
    while high - low > 1e-4:
        one, two = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, two) if loss(one) < loss(two) else (one, high)
    return float(np.exp((low + high) / 2))
