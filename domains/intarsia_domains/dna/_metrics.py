"""Distances between two sets of sequences, apart from k-mers and motifs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia._extras import require
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._k_mers import k_mer_table
from intarsia_domains.dna._sequences import Sequences

Floats = NDArray[np.float64]


def ks_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Largest difference of the distribution functions of two samples, 0 to 1; NaN where one is empty."""
    x, y = (np.sort(np.asarray(v, dtype=np.float64)[np.isfinite(v)]) for v in (a, b))
    if not (x.size and y.size):
        return float("nan")
    every = np.concatenate([x, y])
    ranks = [np.searchsorted(v, every, side="right") / v.size for v in (x, y)]
    return float(np.abs(ranks[0] - ranks[1]).max())


def place_error(a: Sequences, b: Sequences) -> float:
    """Mean over places of the total variation between the bases there; places that both sets have."""
    width = min(a.codes.shape[1], b.codes.shape[1])
    shares = [_place_shares(s.codes[:, :width]) for s in (a, b)]
    return float(np.nanmean(np.abs(shares[0] - shares[1]).sum(1) / 2))


def frechet_distance(a: Floats, b: Floats) -> float:
    """Squared Fréchet distance of the normal laws with the moments of two feature tables (rows, features).

    |m - n|² + tr(C + D - 2 (C D)^½), as the Inception distance (Heusel et al. 2017); no root is taken of the whole.

    Raises:
        ValueError: fewer than two rows, or other features.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"features are (rows, features) with at least two rows, got {a.shape} and {b.shape}")
    shift = a.mean(0) - b.mean(0)
    c, d = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    sizes, axes = np.linalg.eigh(c)
    root = axes * np.sqrt(np.clip(sizes, 0.0, None)) @ axes.T
    # the eigenvalues of C D are those of the symmetric C^½ D C^½
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ d @ root), 0.0, None)).sum()
    return float(max(0.0, shift @ shift + np.trace(c) + np.trace(d) - 2.0 * cross))


def discriminator_auc(a: Sequences, b: Sequences, seed: int = 0, folds: int = 3) -> float:
    """Area under the ROC curve, on held-out folds, of a logistic regression that tells two sets apart.

    It sees the counts of 4-mers and, where all sequences are equally long, the base at every place; 0.5 is chance. The
    larger set is cut to the size of the smaller.

    Raises:
        ValueError: fewer than 2 x `folds` sequences in a set.
        MissingExtraError: scikit-learn is not installed.
    """
    n = min(len(a), len(b))
    if n < 2 * folds:
        raise ValueError(f"{folds} folds need at least {2 * folds} sequences in each set, got {n}")
    linear: Any = require("sklearn.linear_model", "dna")
    selection: Any = require("sklearn.model_selection", "dna")
    metrics: Any = require("sklearn.metrics", "dna")
    rng = np.random.default_rng(seed)
    sets = [s[np.sort(rng.permutation(len(s))[:n])] for s in (a, b)]
    same = len({int(length) for s in sets for length in np.unique(s.lengths)}) == 1
    table = np.concatenate([_features(s, same) for s in sets])
    table = (table - table.mean(0)) / np.maximum(table.std(0), 1e-6) / np.sqrt(table.shape[1])
    truth, scores = np.repeat([0, 1], n), np.zeros(2 * n)
    for fit, held in selection.StratifiedKFold(folds, shuffle=True, random_state=seed).split(table, truth):
        model = linear.LogisticRegression(C=1.0, max_iter=200).fit(table[fit], truth[fit])
        scores[held] = model.decision_function(table[held])
    return float(metrics.roc_auc_score(truth, scores))


def _features(sequences: Sequences, places: bool) -> Floats:
    words = np.sqrt(k_mer_table(sequences, 4)).astype(np.float64)
    if not places:
        return words
    letters = (sequences.codes[..., None] == np.arange(BASES)).reshape(len(sequences), -1)
    return np.concatenate([words, letters], 1)


def _place_shares(codes: NDArray[np.uint8]) -> Floats:
    counts = np.stack([(codes == base).sum(0) for base in range(BASES)], 1).astype(np.float64)
    total = counts.sum(1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
